# SPDX-License-Identifier: GPL-2.0-only
"""Symbolic evaluation: IR values and access paths to terms under a state.

In: `Load(AccessPath(Local("kvm"), (Deref(), Field("kvm", "lock"))))` and a state. Out: a term over the entry.
"""

from analyzer.analysis import ranges
from analyzer.analysis.state import State
from analyzer.analysis.terms import MAX_DEPTH, ZERO, Term, address, container, depth, member, pointee, size
from analyzer.ir.values import (
    AccessPath,
    AddressOf,
    Binary,
    Constant,
    Container,
    Deref,
    Field,
    FunctionAddress,
    Global,
    Index,
    Load,
    Local,
    Parameter,
    Pointee,
    Text,
    Unary,
    Value,
)

#: stands for a member name where an object is no member
_PLAIN = {"O": ("*", ""), "I": ("[]", ""), "C": ("^", "")}


def evaluate(state: State, value: Value) -> Term:
    """Return the term of `value`."""
    match value:
        case Load(path):
            return load(state, locate(state, path))
        case AddressOf(path):
            return address(locate(state, path))
        case Constant(number):
            return ("k", number)
        case FunctionAddress(name):
            return ("fn", name)
        case Text():
            return ("t",)
        case Unary(operator, operand):
            return _unary(operator, evaluate(state, operand))
        case Binary(operator, left, right):
            return _binary(operator, evaluate(state, left), evaluate(state, right))
        case _:
            return ("?", -1, value.text)


def locate(state: State, path: AccessPath) -> Term:
    """Return the object that `path` denotes."""
    root = path.root
    obj: Term
    match root:
        case Parameter(_, name) | Local(name):
            obj = ("L", name)
        case Global(name):
            obj = ("G", name)
        case Pointee(value):
            obj = pointee(evaluate(state, value))
    for selector in path.selectors:
        match selector:
            case Field(record, name):
                obj = member(obj, record, name)
            case Deref():
                obj = pointee(load(state, obj))
            case Index(value):
                obj = ("I", obj, evaluate(state, value))
            case Container(record, name):
                obj = container(obj, record, name)
    return obj


def load(state: State, obj: Term) -> Term:
    """Return what `obj` holds now."""
    if obj[0] == "L":
        return state.env.get(obj[1]) or _aggregate(state, obj)
    stored = state.memory.get(obj)
    if stored is not None:
        return stored
    if obj[0] == "F" and obj[1][0] == "L":
        whole = state.env.get(obj[1][1])
        if whole is not None and whole[0] == "agg":
            return next((value for key, value in whole[1:] if key == obj[2:]), ZERO)
    return ("ld", obj, state.epochs.get(cell(obj), 0))


def _aggregate(state: State, obj: Term) -> Term:
    """Return the struct value of a local whose members were stored one by one."""
    members = [(key[2:], value) for key, value in state.memory.items() if key[0] == "F" and key[1] == obj]
    return ("agg", *sorted(members)) if members else ("?", -1, obj[1])


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
        for (record, name), part in value[1:]:
            store(state, member(obj, record, name), part, epoch)
        return
    group = cell(obj)
    state.epochs[group] = epoch
    for other in [o for o in state.memory if cell(o) == group]:
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
    if operator in ("+", "-") and b == ("k", 0):
        return a
    if operator in ("+", "-") and a[0] == "ad":
        return ("ad", ("I", a[1], b))
    if depth(a) > MAX_DEPTH or size(a) + size(b) > MAX_DEPTH:
        return ("?", -1, operator)
    return ("op", operator, a, b)


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
            return int(bool(ranges.satisfies((a, a, False), operator, b)))
    return None
