# SPDX-License-Identifier: GPL-2.0-only
"""Values as C spells them, and what a branch taken says of one.

In: `Binary("==", Load(…), Constant(0))` and the branch's outcome. Out: `kvm->dirty == 0`, `locked is not 0`.
"""

from __future__ import annotations

from collections.abc import Mapping

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

#: what was computed into a temporary, by its name
Temporaries = Mapping[str, str]
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def assumption(condition: Value, truth: bool, temporaries: Temporaries) -> str:
    """Say what holds if `condition` is not 0 (`truth`) or 0."""
    while isinstance(condition, Unary) and condition.operator == "!":
        condition, truth = condition.operand, not truth
    if isinstance(condition, Binary) and condition.operator in _OPPOSITE:
        operator = condition.operator if truth else _OPPOSITE[condition.operator]
        return f"{_inner(condition.left, temporaries)} {operator} {_inner(condition.right, temporaries)}"
    return f"{spell_value(condition, temporaries)} is {'not ' if truth else ''}0"


def spell_value(value: Value, temporaries: Temporaries) -> str:
    """Spell `value` as C does."""
    match value:
        case Load(path):
            return spell_path(path, temporaries)
        case AddressOf(path):
            return f"&{spell_path(path, temporaries)}"
        case Constant(number):
            return str(number)
        case Text(text):
            return f'"{text}"'
        case FunctionAddress(name):
            return name
        case Unary(operator, operand):
            return f"{operator}{_inner(operand, temporaries)}"
        case Binary(operator, left, right):
            return f"{_inner(left, temporaries)} {operator} {_inner(right, temporaries)}"
        case _:
            return value.text


def _inner(value: Value, temporaries: Temporaries) -> str:
    text = spell_value(value, temporaries)
    return f"({text})" if isinstance(value, Binary) else text


def spell_path(path: AccessPath, temporaries: Temporaries) -> str:
    """Spell the object at `path` as C does."""
    text, is_pointer = _root(path, temporaries), isinstance(path.root, Pointee)
    for selector in path.selectors:
        match selector:
            case Deref():
                text, is_pointer = (f"*{text}" if is_pointer else text), True
                continue
            case Field(_, member):
                text = f"{text}->{member}" if is_pointer else f"{text}.{member}"
            case Index(value):
                text = f"{text}[{spell_value(value, temporaries)}]"
            case Container(record, member):
                text = f"*container_of({text if is_pointer else f'&{text}'}, struct {record}, {member})"
        is_pointer = False
    return f"*{text}" if is_pointer else text


def _root(path: AccessPath, temporaries: Temporaries) -> str:
    match path.root:
        case Global(name):
            return name
        case Local(name) | Parameter(_, name):
            return temporaries.get(name) or name.partition("#")[0]
        case Pointee(value):
            return _inner(value, temporaries)
