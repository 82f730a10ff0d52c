# SPDX-License-Identifier: GPL-2.0-only
"""Expressions: unary and binary operators, casts, assignments and literals.

In: the syntax of `p->count += n`. Out: `Read(p->count)`, `Store(p->count, p->count + n, update)`.
"""

from __future__ import annotations

from typing import Any

from pycparser import c_ast

from analyzer.frontend.types import text_of
from analyzer.frontend.types_constant import literal
from analyzer.frontend.types_scalars import BOOL, INT, UNSIGNED_LONG, VOID, is_floating, promote
from analyzer.ir.types import Array, CType, Pointer, Record, Scalar, spell
from analyzer.ir.values import AccessPath, Binary, Constant, Load, Local, Opaque, Parameter, Text, Value
from analyzer.lower.conditions import effect_of_truth, value_of_truth
from analyzer.lower.context import NO_VALUE, Lowering, Typed
from analyzer.lower.operators import binary, converted, pointer_of_sum, unary
from analyzer.lower.paths import ONE, address_of, in_memory
from analyzer.lower.places import read


def value_of_literal(low: Lowering, node: Any) -> Typed:
    """Evaluate a literal."""
    text = node.value
    if text.endswith('"'):
        return Text(text_of(text)), Pointer(Scalar("char"))
    found = literal(text)
    if found is not None:
        return Constant(found[0]), found[1]
    return Opaque("floating"), low.types.type_of(node)


def value_of_unary(low: Lowering, node: Any) -> Typed:
    """Evaluate a unary operator."""
    operator = node.op
    if operator == "*":
        path, ctype = low.places[c_ast.UnaryOp](low, node)
        return read(low, path, ctype, node)
    if operator == "&":
        return _address(low, node.expr)
    if operator in _STEPS:
        return _step(low, node)
    if operator == "sizeof" or operator == "_Alignof":
        return _size(low, node)
    if operator == "!":
        return value_of_truth(low, node)
    value, ctype = low.value(node.expr)
    if operator == "+":
        return value, promote(ctype)
    return unary(operator, low.known(value), ctype)


def _address(low: Lowering, node: Any) -> Typed:
    path, ctype = low.place(node)
    root = path.root
    if not in_memory(path) and (type(root) is Local or type(root) is Parameter):
        low.escaped.add(root.name)
    return address_of(path), Pointer(ctype)


def _size(low: Lowering, node: Any) -> Typed:
    """Evaluate `sizeof`; a record's stays symbolic, so that the function does not hang on the record's layout."""
    operand = node.expr
    types = low.types
    ctype = types.build(operand.type) if type(operand) is c_ast.Typename else types.type_of(operand)
    innermost = ctype
    while type(innermost) is Array:
        innermost = innermost.of
    compute = types.size if node.op == "sizeof" else types.alignment
    if type(innermost) is not Record:
        number = compute(ctype)
        if number is not None:
            return Constant(number), UNSIGNED_LONG
    text = f"{node.op.strip('_').lower()} {spell(ctype)}"
    low.symbolic[text] = lambda: compute(ctype)
    low.sized[text] = ctype
    return Opaque(text), UNSIGNED_LONG


_STEPS = {"++": "+", "--": "-", "p++": "+", "p--": "-"}


def _step(low: Lowering, node: Any) -> Typed:
    """Evaluate `++` and `--`."""
    path, ctype = low.place(node.expr)
    old = low.load(path, node)
    at = low.at(node)
    after = node.op[0] == "p"
    if after:
        held = AccessPath(low.hold(old, ctype, node))
    new, _ = binary(low, _STEPS[node.op], old, ctype, ONE, INT)
    low.store(path, new, at, update=True)
    return Load(held if after else path), ctype


def effect_of_unary(low: Lowering, node: Any) -> None:
    """Evaluate a unary operator for its side effects: nothing is read but by a volatile access."""
    operator = node.op
    if operator in _STEPS:
        path, ctype = low.place(node.expr)
        new, _ = binary(low, _STEPS[operator], low.load(path, node), ctype, ONE, INT)
        low.store(path, new, low.at(node), update=True)
    elif operator == "*" and _is_volatile(node.expr):
        low.value(node)
    elif operator not in {"sizeof", "_Alignof"}:
        low.effect(node.expr)


def _is_volatile(node: Any) -> bool:
    """Tell whether `node` is a cast to a pointer to volatile."""
    if type(node) is not c_ast.Cast:
        return False
    pointer = node.to_type.type
    return type(pointer) is c_ast.PtrDecl and "volatile" in (getattr(pointer.type, "quals", None) or ())


def value_of_binary(low: Lowering, node: Any) -> Typed:
    """Evaluate a binary operator."""
    operator = node.op
    if operator in {"&&", "||"}:
        return value_of_truth(low, node)
    left, left_type = low.value(node.left)
    right, right_type = low.value(node.right)
    return binary(low, operator, left, left_type, right, right_type)


def effect_of_operands(low: Lowering, node: Any) -> None:
    """Evaluate a binary operator for its operands' side effects."""
    if node.op in {"&&", "||"}:
        effect_of_truth(low, node)
        return
    low.effect(node.left)
    low.effect(node.right)


def value_of_assignment(low: Lowering, node: Any) -> Typed:
    """Evaluate an assignment; its value is what the object then holds."""
    path, ctype, value = _assign(low, node)
    if not in_memory(path) or type(ctype) is Record:
        return Load(path), ctype
    return value, ctype


def effect_of_assignment(low: Lowering, node: Any) -> None:
    """Evaluate an assignment as a statement."""
    _assign(low, node)


def _assign(low: Lowering, node: Any) -> tuple[AccessPath, CType, Value]:
    path, ctype = low.place(node.lvalue)
    operator = node.op
    if operator == "=":
        value, from_type = low.value(node.rvalue)
        value = converted(value, from_type, ctype)
        low.store(path, value, low.at(node))
        low.rebind(node.lvalue, value)
        return path, ctype, value
    right, right_type = low.value(node.rvalue)
    old = low.load(path, node.lvalue)
    value, result = binary(low, operator[:-1], old, ctype, right, right_type)
    value = converted(value, result, ctype) if ctype == BOOL else value
    low.store(path, value, low.at(node), update=True)
    low.rebind(node.lvalue, value)
    return path, ctype, value


def value_of_cast(low: Lowering, node: Any) -> Typed:
    """Evaluate a cast: the value stays, the type changes."""
    ctype = low.types.build(node.to_type.type)
    if ctype == VOID:
        low.effect(node.expr)
        return NO_VALUE, VOID
    value, from_type = low.value(node.expr)
    if is_floating(ctype) or is_floating(from_type):
        return (value if type(value) is Constant else Opaque("floating")), ctype
    if type(ctype) is Record and type(from_type) is not Record:
        return _cast_to_union(low, value, ctype, node), ctype
    if type(ctype) is Pointer and type(value) is Binary and value.operator == "+":
        return pointer_of_sum(value), ctype
    return converted(value, from_type, ctype), ctype


def _cast_to_union(low: Lowering, value: Value, ctype: CType, node: Any) -> Value:
    """Make the union that GNU C's cast to a union type makes."""
    return Load(AccessPath(low.hold(value, ctype, node)))


def effect_of_cast(low: Lowering, node: Any) -> None:
    """Evaluate a cast for its operand's side effects."""
    low.effect(node.expr)


def value_of_list(low: Lowering, node: Any) -> Typed:
    """Evaluate a comma expression."""
    for expression in node.exprs[:-1]:
        low.effect(expression)
    return low.value(node.exprs[-1])


def effect_of_list(low: Lowering, node: Any) -> None:
    """Evaluate a comma expression for its side effects."""
    for expression in node.exprs:
        low.effect(expression)


def effect_of_member(low: Lowering, node: Any) -> None:
    """Evaluate a member access for the side effects before it."""
    low.effect(node.name)


def effect_of_element(low: Lowering, node: Any) -> None:
    """Evaluate an element access for the side effects in it."""
    low.effect(node.name)
    low.effect(node.subscript)


def no_effect(low: Lowering, node: Any) -> None:
    """Leave out what has no side effects."""


def value_of_chosen(low: Lowering, node: Any) -> Typed:
    """Evaluate the operand that `__builtin_choose_expr` or `_Generic` chooses."""
    chosen = low.types.chosen(node)
    if chosen is None:
        return low.unmodelled(node, "choice that is not constant")
    return low.value(chosen)


def effect_of_chosen(low: Lowering, node: Any) -> None:
    """Evaluate the chosen operand for its side effects."""
    chosen = low.types.chosen(node)
    if chosen is not None:
        low.effect(chosen)


def value_of_constant(low: Lowering, node: Any) -> Typed:
    """Evaluate what is constant by its nature."""
    found = low.types.constant(node)
    return (Opaque("constant") if found is None else Constant(found)), INT


def value_of_label(low: Lowering, node: Any) -> Typed:
    """Take the address of a label."""
    name = low.types.names.labels.get(node.name, node.name)
    if name not in low.addressed_labels:
        low.addressed_labels.append(name)
    return Opaque(f"label {node.name}"), Pointer(VOID)
