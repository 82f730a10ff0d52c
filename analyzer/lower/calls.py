# SPDX-License-Identifier: GPL-2.0-only
"""Calls, direct and indirect, and GCC's builtins.

In: the syntax of `kvm->ops->run(vcpu)`. Out: `Call(Load(kvm->ops->run), (vcpu,), %1)`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any

from pycparser import c_ast

from analyzer.frontend.types_scalars import BOOL, INT, UNSIGNED_LONG, VOID
from analyzer.ir.function import Call
from analyzer.ir.types import CType, Function, Pointer, Record, element
from analyzer.ir.values import AccessPath, Binary, Constant, FunctionAddress, Load, Opaque, Value
from analyzer.lower import claims
from analyzer.lower.atomics import atomic
from analyzer.lower.conditions import is_expectation
from analyzer.lower.context import NO_VALUE, Lowering, Typed
from analyzer.lower.operators import converted
from analyzer.lower.paths import deref

#: builtins that call the library function of that name
_LIBRARY = {
    "memcpy",
    "memmove",
    "memset",
    "memcmp",
    "memchr",
    "bcmp",
    "strlen",
    "strcmp",
    "strncmp",
    "strcpy",
    "strncpy",
} | {"strcat", "strncat", "strchr", "strrchr", "strstr", "printf", "sprintf", "snprintf", "vsnprintf"}
_ENDS = {"__builtin_unreachable", "__builtin_trap", "__builtin_abort"}


def value_of_call(low: Lowering, node: Any) -> Typed:
    """Evaluate a call for its value."""
    return _call(low, node, used=True)


def effect_of_call(low: Lowering, node: Any) -> None:
    """Evaluate a call as a statement."""
    _call(low, node, used=False)


def _call(low: Lowering, node: Any, *, used: bool) -> Typed:
    name = node.name.name if type(node.name) is c_ast.ID else ""
    handler = atomic(name) or claims.MARKERS.get(name)
    if handler is not None:
        return handler(low, node, node.args.exprs if node.args is not None else [])
    if name.startswith("__builtin_"):
        found = _builtin(low, name, node, used=used)
        if found is not None:
            return found
    entry = low.types.names.ordinary.get(name)
    if entry is not None and entry.never:
        # The unit compiles, so control never gets here. But what the compiler knows of constant arguments after
        # inlining decides that, and is not known here: going on loses nothing.
        return NO_VALUE, VOID
    callee, signature, noreturn = _callee(low, node.name, name)
    formals = signature.parameters if isinstance(signature, Function) else ()
    given = [low.value(argument) for argument in (node.args.exprs if node.args is not None else ())]
    arguments = tuple([_argument(typed, formal) for typed, formal in zip_longest(given, formals[: len(given)])])
    returns = signature.returns if isinstance(signature, Function) else low.types.returned(signature, node)
    result = low.temporary(returns) if used and returns != VOID and not noreturn else None
    low.call(Call(callee, arguments, result, low.at(node), signature))
    if noreturn:
        low.flow.finish("unreachable", (), [])
    return (NO_VALUE if result is None else Load(AccessPath(result))), returns


def _argument(typed: Typed, formal: CType | None) -> Value:
    """Return an argument as the function gets it: a parameter that is a truth value is given one."""
    value, ctype = typed
    return converted(value, ctype, BOOL) if formal == BOOL else value


def _callee(low: Lowering, node: Any, name: str) -> tuple[Value, CType, bool]:
    """Find what is called, its type, and whether it never returns."""
    if name:
        entry = low.types.names.ordinary.get(name)
        if entry is not None and entry.kind == "function":
            outside = low.types.declaration(name)
            return FunctionAddress(name), entry.type, entry.noreturn or (outside is not None and outside.noreturn)
        if entry is None:
            declared = low.types.declaration(name)
            if declared is None:
                return FunctionAddress(name), Function(INT, (), True), False
            if declared.kind == "function":
                return FunctionAddress(name), declared.type, declared.noreturn
    callee, ctype = low.value(node)
    if isinstance(ctype, Pointer):
        ctype = ctype.to
    noreturn = False
    if type(callee) is FunctionAddress:
        declared = low.types.declaration(callee.name)
        noreturn = declared is not None and declared.noreturn
    return callee, ctype, noreturn


def _builtin(low: Lowering, name: str, node: Any, *, used: bool) -> Typed | None:
    """Evaluate a builtin; None if it calls a function after all."""
    arguments = node.args.exprs if node.args is not None else []
    if is_expectation(node):
        for argument in arguments[1:]:
            low.effect(argument)
        if not used:
            low.effect(arguments[0])
            return NO_VALUE, VOID
        return low.value(arguments[0])
    if name in _ENDS:
        low.flow.finish("unreachable", (), [])
        return NO_VALUE, VOID
    known = _BUILTINS.get(name)
    if known is not None:
        return known(low, node, arguments)
    if name.removeprefix("__builtin_").removesuffix("_chk") in _LIBRARY or low.types.declaration(name) is not None:
        return _library(low, name, node, used=used)
    for argument in arguments:
        if type(argument) is not c_ast.Typename:
            low.value(argument)
    constant = low.types.constant(node)
    return (Opaque(name) if constant is None else Constant(constant)), low.types.builtin(name, node)


def _library(low: Lowering, name: str, node: Any, *, used: bool) -> Typed:
    arguments = tuple([low.value(argument)[0] for argument in (node.args.exprs if node.args is not None else ())])
    returns = low.types.builtin(name, node)
    result = low.temporary(returns) if used else None
    low.call(Call(FunctionAddress(name), arguments, result, low.at(node), Function(returns, (), True)))
    return (NO_VALUE if result is None else Load(AccessPath(result))), returns


def _constant_p(low: Lowering, node: Any, _: list[Any]) -> Typed:
    found = low.types.constant(node)
    return Constant(found or 0), INT


def _offsetof(low: Lowering, _: Any, arguments: list[Any]) -> Typed:
    """Evaluate `__builtin_offsetof`, symbolically: `container_of` needs the members, not the number."""
    ctype = low.types.build(arguments[0].type)
    chain = _chain(low, ctype, arguments[1])
    if chain is None:
        number = low.types.offset_of(ctype, arguments[1])
        return (Opaque("offsetof") if number is None else Constant(number)), UNSIGNED_LONG
    text = "offsetof " + " ".join(f"{record}.{member}" for record, member in chain)
    text += " element" * (type(arguments[1]) is c_ast.ArrayRef)
    low.offsets[text] = chain
    low.symbolic[text] = lambda: low.types.offset_of(ctype, arguments[1])
    return Opaque(text), UNSIGNED_LONG


def _chain(low: Lowering, ctype: CType, designator: Any) -> tuple[tuple[str, str], ...] | None:
    """List record and member of each step of a designator, outermost first; an element counts as its array."""
    names: list[str] = []
    while type(designator) is not c_ast.ID:
        if type(designator) is c_ast.StructRef:
            names.append(designator.field.name)
        designator = designator.name
    names.append(designator.name)
    chain: list[tuple[str, str]] = []
    for name in reversed(names):
        ctype = element(ctype)
        if not isinstance(ctype, Record):
            return None
        chain.append((ctype.name, name))
        ctype = low.types.member_of(ctype, name, designator)
    return tuple(chain)


def _overflow(low: Lowering, node: Any, arguments: list[Any]) -> Typed:
    """Evaluate `__builtin_add_overflow(a, b, &result)` and its like: the result is stored."""
    left, _ = low.value(arguments[0])
    right, _ = low.value(arguments[1])
    pointer, _ = low.value(arguments[2])
    operator = {"a": "+", "s": "-", "m": "*"}[node.name.name[len("__builtin_")]]
    low.store(deref(pointer), Binary(operator, left, right), low.at(node))
    return Opaque("overflow"), BOOL


def _object_size(low: Lowering, _: Any, arguments: list[Any]) -> Typed:
    """Evaluate `__builtin_object_size` as GCC does where it knows nothing of the object."""
    return Constant(0 if low.types.constant(arguments[1]) in {2, 3} else 2**64 - 1), UNSIGNED_LONG


def _va_arg(low: Lowering, _: Any, arguments: list[Any]) -> Typed:
    return Opaque("variadic argument"), low.types.build(arguments[1].type)


def _only_effects(low: Lowering, _: Any, arguments: list[Any]) -> Typed:
    for argument in arguments:
        low.effect(argument)
    return NO_VALUE, VOID


_BUILTINS: dict[str, Callable[[Lowering, Any, list[Any]], Typed]] = {
    "__builtin_constant_p": _constant_p,
    "__builtin_offsetof": _offsetof,
    "__builtin_add_overflow": _overflow,
    "__builtin_sub_overflow": _overflow,
    "__builtin_mul_overflow": _overflow,
    "__builtin_object_size": _object_size,
    "__builtin_dynamic_object_size": _object_size,
    "__builtin_va_arg": _va_arg,
    "__builtin_prefetch": _only_effects,
    "__builtin_va_start": _only_effects,
    "__builtin_va_end": _only_effects,
    "__builtin_va_copy": _only_effects,
}
