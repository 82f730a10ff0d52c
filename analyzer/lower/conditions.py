# SPDX-License-Identifier: GPL-2.0-only
"""Conditions as control flow: `&&`, `||`, `!`, `?:` and statement expressions.

In: the syntax of `a && !b`. Out: `Branch(a)` to a block that ends in `Branch(b)`.

**Invariant:** an arm that a constant condition rules out is not lowered.
"""

from __future__ import annotations

from typing import Any

from pycparser import c_ast

from analyzer.frontend.types_scalars import INT, VOID, decay
from analyzer.ir.function import Store
from analyzer.ir.types import CType, Pointer
from analyzer.ir.values import AccessPath, Load, Value
from analyzer.lower.context import NO_VALUE, Lowering, Typed
from analyzer.lower.flow import Draft
from analyzer.lower.operators import converted, unary
from analyzer.lower.paths import ONE, ZERO

_EXPECTATIONS = {"__builtin_expect", "__builtin_expect_with_probability"}


def is_expectation(node: Any) -> bool:
    """Tell whether `node` is a `__builtin_expect`: its first argument."""
    return type(node) is c_ast.FuncCall and type(node.name) is c_ast.ID and node.name.name in _EXPECTATIONS


def _is_decision(node: Any) -> bool:
    """Tell whether the truth of `node` is decided by control flow."""
    kind = type(node)
    if kind is c_ast.BinaryOp:
        return node.op in {"&&", "||"}
    if kind is c_ast.UnaryOp:
        return node.op == "!" and _is_decision(node.expr)
    if kind is c_ast.FuncCall:
        return is_expectation(node) and _is_decision(node.args.exprs[0])
    if kind is c_ast.Cast:
        return _is_decision(node.expr)
    return False


def value_of_truth(low: Lowering, node: Any) -> Typed:
    """Evaluate `&&`, `||` or `!` for its value, 0 or 1."""
    if node.op == "!" and not _is_decision(node.expr):
        value, ctype = low.value(node.expr)
        return unary("!", low.known(value), ctype)
    true, false, after = Draft(), Draft(), Draft()
    low.condition(node, true, false)
    if not true.reached or not false.reached:
        low.flow.enter(true if true.reached else false)
        return (ONE if true.reached else ZERO), INT
    path = AccessPath(low.temporary(INT))
    for arm, value in ((true, ONE), (false, ZERO)):
        low.flow.enter(arm)
        low.flow.emit(Store(path, value, low.at(node)))
        low.flow.jump(after)
    low.flow.enter(after)
    return Load(path), INT


def effect_of_truth(low: Lowering, node: Any) -> None:
    """Evaluate `&&` or `||` for the side effects of its operands."""
    right, after = Draft(), Draft()
    low.condition(node.left, *((right, after) if node.op == "&&" else (after, right)))
    low.flow.enter(right)
    if right.reached:
        low.effect(node.right)
    low.flow.jump(after)
    low.flow.enter(after)


def condition_of_unary(low: Lowering, node: Any, true: Draft, false: Draft) -> None:
    """Decide on a unary operator."""
    if node.op == "!":
        low.condition(node.expr, false, true)
    else:
        decide(low, node, true, false)


def decide(low: Lowering, node: Any, true: Draft, false: Draft) -> None:
    """Decide on an expression's value."""
    value, _ = low.values[type(node)](low, node)
    low.flow.branch(low.known(value), true, false, low.at(node))


def condition_of_binary(low: Lowering, node: Any, true: Draft, false: Draft) -> None:
    """Decide on a binary operator."""
    operator = node.op
    if operator not in {"&&", "||"}:
        decide(low, node, true, false)
        return
    right = Draft()
    low.condition(node.left, *((right, false) if operator == "&&" else (true, right)))
    if right.reached:
        low.flow.enter(right)
        low.condition(node.right, true, false)


def condition_of_call(low: Lowering, node: Any, true: Draft, false: Draft) -> None:
    """Decide on a call; on what is expected of a value, on the value."""
    if is_expectation(node):
        low.condition(node.args.exprs[0], true, false)
    else:
        decide(low, node, true, false)


def condition_of_cast(low: Lowering, node: Any, true: Draft, false: Draft) -> None:
    """Decide on a cast: the truth of `&&`, `||` and `!` survives every cast."""
    if _is_decision(node.expr):
        low.condition(node.expr, true, false)
    else:
        decide(low, node, true, false)


def condition_of_list(low: Lowering, node: Any, true: Draft, false: Draft) -> None:
    """Decide on a comma expression."""
    for expression in node.exprs[:-1]:
        low.effect(expression)
    low.condition(node.exprs[-1], true, false)


def condition_of_ternary(low: Lowering, node: Any, true: Draft, false: Draft) -> None:
    """Decide on `c ? a : b` without storing its value."""
    if node.iftrue is None:
        other = Draft()
        low.condition(node.cond, true, other)
        arms = [(other, node.iffalse)]
    else:
        first, second = Draft(), Draft()
        low.condition(node.cond, first, second)
        arms = [(first, node.iftrue), (second, node.iffalse)]
    for arm, expression in arms:
        if arm.reached:
            low.flow.enter(arm)
            low.condition(expression, true, false)


def condition_of_chosen(low: Lowering, node: Any, true: Draft, false: Draft) -> None:
    """Decide on the operand that `__builtin_choose_expr` or `_Generic` chooses."""
    chosen = low.types.chosen(node)
    if chosen is None:
        decide(low, node, true, false)
    else:
        low.condition(chosen, true, false)


def value_of_ternary(low: Lowering, node: Any) -> Typed:
    """Evaluate `c ? a : b` for its value."""
    if node.iftrue is None:
        return _value_of_elvis(low, node)
    first, second = Draft(), Draft()
    low.condition(node.cond, first, second)
    if not first.reached or not second.reached:
        low.flow.enter(first if first.reached else second)
        value, from_type = low.value(node.iftrue if first.reached else node.iffalse)
        ctype = decay(low.types.type_of(node))
        return converted(value, from_type, ctype), ctype
    low.flow.enter(first)
    left, left_type = low.value(node.iftrue)
    left_end, low.flow.current = low.flow.current, None
    low.flow.enter(second)
    right, right_type = low.value(node.iffalse)
    ctype = _type_of_two(low, left_type, right_type, node)
    return _join(low, left_end, left, right, ctype, node)


def _value_of_elvis(low: Lowering, node: Any) -> Typed:
    """Evaluate `a ?: b`."""
    left, left_type = low.value(node.cond)
    first, second = Draft(), Draft()
    left = low.kept(low.known(left), left_type, node)
    low.flow.branch(left, first, second, low.at(node))
    if not first.reached or not second.reached:
        low.flow.enter(first if first.reached else second)
        return (left, left_type) if first.reached else low.value(node.iffalse)
    low.flow.enter(first)
    left_end, low.flow.current = low.flow.current, None
    low.flow.enter(second)
    right, right_type = low.value(node.iffalse)
    ctype = _type_of_two(low, left_type, right_type, node)
    return _join(low, left_end, left, right, ctype, node)


def _join(low: Lowering, left_end: Draft | None, left: Value, right: Value, ctype: CType, node: Any) -> Typed:
    """Bring two arms together: the one that ended at `left_end`, and the current one."""
    after = Draft()
    at = low.at(node)
    right_end = low.flow.current
    if ctype == VOID or left_end is None or right_end is None:
        value = NO_VALUE if ctype == VOID else right if left_end is None else left
    else:
        path = AccessPath(low.temporary(ctype))
        left_end.events.append(Store(path, left, at))
        right_end.events.append(Store(path, right, at))
        value = Load(path)
    for end in (left_end, right_end):
        low.flow.current = end
        low.flow.jump(after)
    low.flow.enter(after)
    return value, ctype


def effect_of_ternary(low: Lowering, node: Any) -> None:
    """Evaluate `c ? a : b` for the side effects of its operands."""
    first, second, after = Draft(), Draft(), Draft()
    low.condition(node.cond, first, second)
    for arm, expression in ((first, node.iftrue), (second, node.iffalse)):
        low.flow.enter(arm)
        if arm.reached and expression is not None:
            low.effect(expression)
        low.flow.jump(after)
    low.flow.enter(after)


def _type_of_two(low: Lowering, left: CType, right: CType, node: Any) -> CType:
    """Type a conditional expression whose arms have the decayed types `left` and `right`."""
    if isinstance(left, Pointer) or isinstance(right, Pointer):
        return low.types.pointer_of_two(left, node.iftrue or node.cond, right, node.iffalse)
    return low.types.of_two(left, right)
