# SPDX-License-Identifier: GPL-2.0-only
"""Lvalues and what reading them gives.

In: the syntax of `slot->gmem.file`. Out: its access path with `Read(slot->gmem.file)` emitted, and `Load` of it.
"""

from __future__ import annotations

from typing import Any

from pycparser import c_ast

from analyzer.base.gap import GapKind
from analyzer.frontend.types import Entry, text_of
from analyzer.ir.types import INT, UNKNOWN, Array, CType, Function, Pointer, Record
from analyzer.ir.values import (
    AccessPath,
    Constant,
    FunctionAddress,
    Global,
    Opaque,
    Pointee,
    Text,
    Value,
)
from analyzer.lower.context import NO_VALUE, Lowering, Place, Typed
from analyzer.lower.initialise import initialise
from analyzer.lower.paths import ZERO, address_of, deref, element, field, pointed_element

_FUNCTION_NAMES = {"__func__", "__FUNCTION__", "__PRETTY_FUNCTION__"}


def read(low: Lowering, path: AccessPath, ctype: CType, node: Any) -> Typed:
    """Convert an lvalue to a value: arrays and functions decay, the rest is read."""
    if type(ctype) is Array:
        return address_of(path), Pointer(ctype.of)
    if type(ctype) is Function:
        return address_of(path), Pointer(ctype)
    return low.load(path, node), ctype


def value_of_place(low: Lowering, node: Any) -> Typed:
    """Evaluate an lvalue for its value."""
    path, ctype = low.places[type(node)](low, node)
    return read(low, path, ctype, node)


def value_of_name(low: Lowering, node: Any) -> Typed:
    """Evaluate a name: a variable, function or enumerator."""
    name = node.name
    entry = low.types.names.ordinary.get(name)
    if entry is None:
        return _value_outside(low, node)
    if entry.kind == "variable":
        bound = low.bound_value(entry)
        if bound is not None:
            return bound, entry.type
        assert entry.root is not None
        return read(low, AccessPath(entry.root), entry.type, node)
    if entry.kind == "enumerator":
        return (Opaque(f"enumerator {name}") if entry.value is None else Constant(entry.value)), INT
    return FunctionAddress(name), Pointer(entry.type)


def _value_outside(low: Lowering, node: Any) -> Typed:
    name = node.name
    declared = low.types.declaration(name)
    if declared is not None:
        if declared.kind == "function":
            return FunctionAddress(name), Pointer(declared.type)
        return read(low, AccessPath(Global(name)), declared.type, node)
    constant = low.types.typed_constant(node)
    if constant is not None:
        return Constant(constant[0]), constant[1]
    if name in _FUNCTION_NAMES:
        return Text(low.name), Pointer(low.types.type_of(node))
    low.gap(GapKind.TYPE, node, f"name {name} is not declared")
    return Opaque(name), UNKNOWN


def place_of_name(low: Lowering, node: Any) -> Place:
    """Find the lvalue that a name is; whoever asks may write it, so no value stands for it any longer."""
    name = node.name
    entry = low.types.names.ordinary.get(name)
    if entry is not None and entry.kind == "variable":
        assert entry.root is not None
        entry.binding = None
        return AccessPath(entry.root), entry.type
    if entry is None:
        declared = low.types.declaration(name)
        if declared is not None and declared.kind == "variable":
            return AccessPath(Global(name)), declared.type
    value, ctype = value_of_name(low, node)
    return AccessPath(Pointee(value)), ctype.to if type(ctype) is Pointer else ctype


def place_of_member(low: Lowering, node: Any) -> Place:
    """Find the lvalue of `a.m` or `p->m`."""
    if node.type == "->":
        path, ctype = pointed(low, node.name)
    else:
        path, ctype = base_place(low, node.name)
    member = node.field.name
    if type(ctype) is Record:
        found = low.types.member(ctype, member)
        if found is not None:
            return field(path, ctype.name, member), found
    low.gap(GapKind.TYPE, node, f"member {member} of an object whose type is not known")
    return field(path, getattr(ctype, "name", "?"), member), UNKNOWN


def base_place(low: Lowering, node: Any) -> Place:
    """Find the object before a `.`; a local that a value stands for keeps it."""
    if type(node) is c_ast.ID:
        entry = low.types.names.ordinary.get(node.name)
        if entry is not None and entry.kind == "variable":
            assert entry.root is not None
            return AccessPath(entry.root), entry.type
    return low.place(node)


def pointed(low: Lowering, node: Any) -> Place:
    """Find the object that the pointer or array `node` points to."""
    array, value, ctype = _pointer(low, node)
    if array is not None:
        return element(array, ZERO), ctype
    if type(ctype) is Pointer:
        return deref(value), ctype.to
    low.gap(GapKind.TYPE, node, "dereferenced value is no pointer")
    return deref(value), UNKNOWN


def _pointer(low: Lowering, node: Any) -> tuple[AccessPath | None, Value, CType]:
    """Evaluate a pointer; of an array give the path and the type of its elements."""
    kind = type(node)
    if kind is c_ast.ID:
        array = _array_named(low, node)
        if array is not None:
            return array[0], NO_VALUE, array[1]
    elif _is_place(low, node):
        path, ctype = low.places[kind](low, node)
        if type(ctype) is Array:
            return path, NO_VALUE, ctype.of
        return None, *read(low, path, ctype, node)
    return None, *low.value(node)


def _is_place(low: Lowering, node: Any) -> bool:
    """Tell whether `node` is written as an lvalue."""
    kind = type(node)
    if kind is c_ast.UnaryOp:
        return bool(node.op == "*")
    if kind is c_ast.ExprList:
        return _is_place(low, node.exprs[-1])
    return kind in low.places and (kind is not c_ast.Constant or node.value.endswith('"'))


def _array_named(low: Lowering, node: Any) -> Place | None:
    """Find path and element type of the array that a name is, if it is one."""
    entry: Entry | None = low.types.names.ordinary.get(node.name)
    if entry is not None:
        if entry.kind == "variable" and type(entry.type) is Array:
            assert entry.root is not None
            return AccessPath(entry.root), entry.type.of
        return None
    declared = low.types.declaration(node.name)
    if declared is not None and type(declared.type) is Array:
        return AccessPath(Global(node.name)), declared.type.of
    return None


def place_of_element(low: Lowering, node: Any) -> Place:
    """Find the lvalue of `a[i]`, which may also be written `i[a]`."""
    array, pointer, ctype = _pointer(low, node.name)
    index, index_type = low.value(node.subscript)
    if array is not None:
        return element(array, index), ctype
    if type(ctype) is not Pointer:
        pointer, ctype, index = index, index_type, pointer
    if type(ctype) is Pointer:
        return pointed_element(pointer, index), ctype.to
    low.gap(GapKind.TYPE, node, "subscripted value is no pointer")
    return pointed_element(pointer, index), UNKNOWN


def place_of_unary(low: Lowering, node: Any) -> Place:
    """Find the lvalue of `*p`."""
    if node.op == "*":
        path, ctype = pointed(low, node.expr)
        return path, ctype
    value, ctype = low.value(node)
    return AccessPath(low.hold(value, ctype, node)), ctype


def place_of_literal(low: Lowering, node: Any) -> Place:
    """Make the object of a compound literal."""
    ctype = low.types.type_of(node)
    path = AccessPath(low.temporary(ctype))
    initialise(low, path, ctype, node.init)
    return path, ctype


def place_of_text(low: Lowering, node: Any) -> Place:
    """Find the object of a string literal."""
    if node.value.endswith('"'):
        return AccessPath(Pointee(Text(text_of(node.value)))), low.types.type_of(node)
    value, ctype = low.value(node)
    return AccessPath(low.hold(value, ctype, node)), ctype


def place_of_list(low: Lowering, node: Any) -> Place:
    """Find the lvalue that a parenthesised or comma expression is."""
    for expression in node.exprs[:-1]:
        low.effect(expression)
    return low.place(node.exprs[-1])


def place_of_chosen(low: Lowering, node: Any) -> Place:
    """Find the lvalue that `__builtin_choose_expr` or `_Generic` chooses."""
    chosen = low.types.chosen(node)
    if chosen is not None:
        return low.place(chosen)
    value, ctype = low.unmodelled(node, "choice that is not constant")
    return AccessPath(low.hold(value, ctype, node)), ctype
