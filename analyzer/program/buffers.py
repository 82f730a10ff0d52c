# SPDX-License-Identifier: GPL-2.0-only
"""Objects that are handed to functions as mere memory, to be filled with anything.

In: calls, and what the functions' parameters are. Out: the objects: `copy_from_user(&region, …)` may store any value in
any member of `region`, and so may a function that hands its `void *` on to it.

A function without a body fills what it gets by a pointer to no record and to nothing constant, if it is told a size too,
gets no function (`void *` beside a callback is what the callback gets, and has its own type again there), and nothing else
is said of it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping

from msgspec import Struct

from analyzer.ir.function import Call, FunctionIR
from analyzer.ir.types import UNKNOWN, CType, Function, Pointer, Record, Scalar, element
from analyzer.ir.values import (
    AccessPath,
    AddressOf,
    Constant,
    Deref,
    Field,
    FunctionAddress,
    Global,
    Load,
    Local,
    Parameter,
    Value,
)

#: what sizes are; `int` is what flags are
_SIZES = frozenset(("unsigned long", "unsigned int", "long", "unsigned long long"))
#: (record, "") for an object of it, (record, member) for what the member is or points to, ("", global)
Cell = tuple[str, str]


class Handed(Struct, frozen=True, array_like=True):
    """A pointer that is handed on without its type."""

    #: name of the function that gets it; empty for a call through a pointer
    callee: str
    #: index of its parameter
    argument: int
    #: it is told a size as well
    sized: bool
    #: what it points to; None for what the function itself got so
    object: Cell | None
    #: the parameter by which it got that
    parameter: int


def handed(event: Call, ir: FunctionIR) -> Iterator[Handed]:
    """Yield what a call hands on as mere memory."""
    signature = event.signature
    if not isinstance(signature, Function) or _clears(signature, event.arguments):
        return
    callee = event.callee.name if isinstance(event.callee, FunctionAddress) else ""
    sized = any(isinstance(formal, Scalar) and formal.name in _SIZES for formal in signature.parameters)
    sized = sized and not any(isinstance(f, Pointer) and isinstance(f.to, Function) for f in signature.parameters)
    for index, (formal, argument) in enumerate(zip(signature.parameters, event.arguments, strict=False)):
        if _is_buffer(formal):
            own = _own_buffer(argument, ir)
            found = None if own is not None else _object(argument, ir)
            if own is not None or found is not None:
                yield Handed(callee, index, sized, found, -1 if own is None else own)


def filled(flows: Mapping[str, Iterable[Handed]], stated: Container[str]) -> set[Cell]:
    """Return what is filled, of what functions hand on, by function id; `stated` are functions of which a table tells."""
    names = {ident: ident.rpartition(":")[2] for ident in flows}
    bodies = set(names.values())
    parameters: set[tuple[str, int]] = set()
    found: set[Cell] = set()

    def fills(one: Handed) -> bool:
        if one.callee in bodies:
            return (one.callee, one.argument) in parameters
        return one.sized

    size = -1
    while size < len(parameters):
        size = len(parameters)
        for ident, some in flows.items():
            for one in some:
                if one.callee in stated or not fills(one):
                    continue
                if one.object is None:
                    parameters.add((names[ident], one.parameter))
                else:
                    found.add(one.object)
    return found


def _own_buffer(argument: Value, ir: FunctionIR) -> int | None:
    """Return the function's own parameter that `argument` is, if that is mere memory too."""
    match argument:
        case Load(AccessPath(Parameter(index, _), ())) if index < len(ir.parameters):
            return index if _is_buffer(ir.parameters[index].type) else None
    return None


def _clears(signature: Function, arguments: tuple[Value, ...]) -> bool:
    """Tell whether a function can but clear a buffer: besides, it gets numbers, and one of them is 0."""
    pairs = list(zip(signature.parameters, arguments, strict=False))
    others = [(formal, argument) for formal, argument in pairs if not _is_buffer(formal)]
    return (
        len(pairs) == len(others) + 1
        and not any(isinstance(formal, Pointer) for formal, _ in others)
        and any(isinstance(argument, Constant) and argument.value == 0 for _, argument in others)
    )


def _is_buffer(formal: CType) -> bool:
    return isinstance(formal, Pointer) and not formal.const and isinstance(formal.to, Scalar)


def _object(argument: Value, ir: FunctionIR) -> Cell | None:
    """Return the object that `argument` points to."""
    match argument:
        case AddressOf(path) | Load(path):
            last = next((s for s in reversed(path.selectors) if isinstance(s, Field)), None)
            if last is not None:
                return (last.record, last.member)
            return _root(path, ir, is_value=isinstance(argument, Load))
    return None


def _root(path: AccessPath, ir: FunctionIR, *, is_value: bool) -> Cell | None:
    ctype: CType = UNKNOWN
    match path.root:
        case Global(name):
            return ("", name)
        case Parameter(index, _) if index < len(ir.parameters):
            ctype = ir.parameters[index].type
        case Local(name):
            ctype = dict(ir.locals).get(name, UNKNOWN)
    ctype = element(ctype)
    if isinstance(ctype, Pointer) and (is_value or Deref() in path.selectors):
        ctype = ctype.to
    return (ctype.name, "") if isinstance(ctype, Record) else None
