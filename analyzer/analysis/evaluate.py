# SPDX-License-Identifier: GPL-2.0-only
"""Symbolic evaluation: IR values and access paths to terms under a state.

In: `Load(AccessPath(Local("kvm"), (Deref(), Field("kvm", "lock"))))` and a state. Out: a term over the entry.
"""

from typing import Any

from analyzer.analysis import ranges
from analyzer.analysis.rewrites import last
from analyzer.analysis.state import State
from analyzer.analysis.terms import (
    MAX_DEPTH,
    OPEN,
    REST,
    ZERO,
    Term,
    address,
    container,
    depth,
    member,
    part,
    pointee,
    size,
)
from analyzer.ir.values import (
    AccessPath,
    AddressOf,
    Binary,
    Constant,
    Deref,
    Field,
    FunctionAddress,
    Global,
    Index,
    Load,
    Local,
    Parameter,
    Text,
    Unary,
    Value,
)

#: stands for a member name where an object is no member
_PLAIN = {"O": ("*", ""), "I": ("[]", ""), "C": ("^", "")}

#: what a function calls by a name of its own
_NAMED = (Local, Parameter)
#: kinds of values that are no records
_SCALARS = frozenset(("P", "ad", "op", "un", "fn", "t"))


def evaluate(state: State, value: Value) -> Term:
    """Return the term of `value`."""
    # the commonest first: this is asked for most often of all, and patterns of classes take twice as long
    if isinstance(value, Load):
        return load(state, locate(state, value.path))
    if isinstance(value, Constant):
        return ("k", value.value)
    if isinstance(value, AddressOf):
        return address(locate(state, value.path))
    if isinstance(value, Binary):
        return _binary(value.operator, evaluate(state, value.left), evaluate(state, value.right))
    if isinstance(value, Unary):
        return _unary(value.operator, evaluate(state, value.operand))
    if isinstance(value, FunctionAddress):
        return ("fn", value.name)
    return ("t",) if isinstance(value, Text) else ("?", -1, value.text)


def locate(state: State, path: AccessPath) -> Term:
    """Return the object that `path` denotes."""
    root = path.root
    obj: Term
    if isinstance(root, _NAMED):
        obj = ("L", root.name)
    elif isinstance(root, Global):
        obj = ("G", root.name)
    else:
        obj = pointee(evaluate(state, root.value))
    for selector in path.selectors:
        if isinstance(selector, Field):
            obj = member(obj, selector.record, selector.member)
        elif isinstance(selector, Deref):
            obj = pointee(load(state, obj))
        elif isinstance(selector, Index):
            obj = ("I", obj, evaluate(state, selector.value))
        else:
            obj = container(obj, selector.record, selector.member)
    return obj


def load(state: State, obj: Term) -> Term:
    """Return what `obj` holds now."""
    if obj[0] == "L":
        return _aggregate(state, obj)
    stored = state.memory.get(obj)
    if stored is not None:
        return stored
    group = cell(obj)
    epoch = state.epochs.get(group) or (last(state.rewrites, state.bit(group)) if state.rewrites else 0)
    whole = _whole(state, obj[1]) if obj[0] == "F" else None
    if whole is None:
        back = state.backlinks.follow(obj, lambda other: load(state, other))
        return ("ld", obj, epoch) if back is None else back
    return part(whole, obj[2], obj[3])


def _whole(state: State, obj: Term) -> Term | None:
    """Return the value that the record `obj` in this function's frame was given as a whole; None if it was not."""
    if obj[0] == "L":
        return state.env.get(obj[1])
    if obj[0] != "F":
        return None
    stored = state.memory.get(obj)
    if stored is not None or _whole(state, obj[1]) is None:
        return stored
    return load(state, obj)


def _aggregate(state: State, obj: Term) -> Term:
    """Return the value of a local; of a record, what it was given as a whole with what was stored to its members."""
    whole = state.env.get(obj[1])
    if whole is not None and (not state.memory or whole[0] in _SCALARS):
        return whole
    members = [(key, value) for key, value in state.memory.items() if key[0] == "F" and _frame(key) == obj]
    if not members:
        return whole or ("?", -1, obj[1])
    known: dict[Any, Term] = dict(whole[1:]) if whole is not None and whole[0] == "agg" else {}
    if whole != ZERO and not known:
        known[REST] = OPEN
    for key, value in members:
        if key[1] == obj:
            known[key[2:]] = value
        else:
            # a member of a member: what is known of it is not told by the outer one
            while key[1] != obj:
                key = key[1]
            known.setdefault(key[2:], OPEN)
    return ("agg", *sorted(known.items(), key=_rest_last))


def _rest_last(item: tuple[Any, Term]) -> tuple[bool, Any]:
    return (item[0] == REST, item[0])


def _frame(obj: Term) -> Term:
    """Return the local that `obj` is a part of; what it lies in otherwise."""
    while obj[0] in ("F", "I"):
        obj = obj[1]
    return obj


def cell(obj: Term) -> tuple[str, str]:
    """Return what stands for all objects that may be the same storage as `obj`."""
    if obj[0] == "F":
        return (obj[2], obj[3])
    if obj[0] == "G":
        return ("", obj[1])
    return _PLAIN.get(obj[0], ("?", ""))


def store(state: State, obj: Term, value: Term, epoch: tuple[int, int]) -> None:
    """Write `value` to `obj`; whatever may be the same storage becomes unknown."""
    if depth(value) > MAX_DEPTH:
        value = ("?", *epoch)
    if obj[0] == "L":
        state.env[obj[1]] = value
        state.forget_object(obj)
        return
    if value[0] == "agg":
        state.forget_object(obj)
        for key, part in value[1:]:
            if key != REST:
                store(state, member(obj, *key), part if part != OPEN else ("?", *epoch), epoch)
        return
    group = cell(obj)
    state.epochs[group] = epoch
    mine = _frame(obj)
    for other in [o for o in state.memory if cell(o) == group]:
        frame = _frame(other)
        if frame[0] != "L":
            del state.memory[other]
        elif mine[0] != "L":
            # a pointer may lead to a local, too
            state.memory[other] = ("?", *epoch)
        elif mine == frame and obj[0] == "I":
            del state.memory[other]
    state.memory[obj] = value


def _unary(operator: str, a: Term) -> Term:
    if a[0] == "k":
        n = a[1]
        return ("k", {"!": int(n == 0), "-": -n, "~": ~n}.get(operator, n))
    if operator == "!" and a[0] == "un" and a[1] == "!" and a[2][0] in ("op", "un"):
        return a[2]  # type: ignore[no-any-return]
    return ("un", operator, a)


def _binary(operator: str, a: Term, b: Term) -> Term:
    if a[0] == "k" and b[0] == "k":
        folded = _fold(operator, a[1], b[1])
        if folded is not None and ranges.LOW <= folded <= ranges.HIGH:
            return ("k", folded)
    if operator == "&" and b[0] == "k":
        a = _uncleared(a, b[1])
    if operator in ("+", "-") and b == ("k", 0):
        return a
    if operator in ("+", "-") and a[0] == "ad":
        return ("ad", ("I", a[1], b))
    if depth(a) > MAX_DEPTH or size(a) + size(b) > MAX_DEPTH:
        return ("?", -1, operator)
    return ("op", operator, a, b)


def _uncleared(value: Term, bits: int) -> Term:
    """Return what has the same `bits` as `value`: what it was before others were cleared, perhaps."""
    while value[0] == "op" and value[1] == "&":
        mask = value[3][2] if value[3][:2] == ("op", "|") else value[3]
        if mask[0] != "k" or bits & ~mask[1]:
            break
        value = value[2]
    return value


def _fold(operator: str, a: int, b: int) -> int | None:
    match operator:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "&":
            return a & b
        case "|":
            return a | b
        case "^":
            return a ^ b
        case "<<" if 0 <= b < 64:
            return (a << b) & ((1 << 64) - 1) if a >= 0 else a << b
        case ">>" if 0 <= b < 64:
            return a >> b
        case "==" | "!=" | "<" | "<=" | ">" | ">=":
            return int(bool(ranges.satisfies(ranges.only(a), operator, b)))
    return None
