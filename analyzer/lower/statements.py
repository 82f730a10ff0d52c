# SPDX-License-Identifier: GPL-2.0-only
"""Statements: blocks, decisions, loops and switches.

In: the syntax of `while (p) p = p->next;`. Out: a block that branches on `p`, one that loops.

**Invariant:** where control never gets, only what holds a label is lowered.
"""

from __future__ import annotations

from typing import Any

from pycparser import c_ast

from analyzer.frontend.types_scalars import VOID, decay
from analyzer.ir.types import CType
from analyzer.ir.values import Constant, Opaque, Value
from analyzer.lower.claims import claim_by_shape
from analyzer.lower.context import NO_VALUE, Lowering, Typed
from analyzer.lower.flow import Draft
from analyzer.lower.jumps import leave_scope


class Switching:
    """A switch while its body is lowered."""

    __slots__ = ("cases", "default", "live", "unknown", "value")

    def __init__(self, value: int | None, *, live: bool) -> None:
        #: of the expression switched on, if it is constant
        self.value = value
        #: control gets to the switch
        self.live = live
        self.cases: list[tuple[tuple[int, int], Draft]] = []
        self.default: Draft | None = None
        #: where labels stand whose value is not known: anything that meets no other label may get there
        self.unknown: list[Draft] = []


def holds_label(node: Any) -> bool:
    """Tell whether control can jump into the statement `node`."""
    pending = [node]
    while pending:
        node = pending.pop()
        kind = type(node)
        if kind is c_ast.Label or kind is c_ast.Case or kind is c_ast.Default:
            return True
        if kind is c_ast.Compound:
            pending.extend(node.block_items or ())
        elif kind is c_ast.If:
            pending.append(node.iftrue)
            pending.append(node.iffalse)
        elif kind in _WITH_BODY:
            pending.append(node.stmt)
    return False


_WITH_BODY = {c_ast.While, c_ast.DoWhile, c_ast.For, c_ast.Switch, c_ast.AttributedStatement}


def _is_dead(low: Lowering, node: Any) -> bool:
    """Tell whether control never gets to `node` or into it."""
    return low.flow.current is None and not holds_label(node)


def lower_compound(low: Lowering, node: Any) -> None:
    """Lower a block: a scope of its own."""
    if _is_dead(low, node):
        return
    kept = low.cleanups
    macro = _is_expression(node)
    low.types.names.push()
    low.macro_depth += macro
    for item in node.block_items or ():
        low.statement(item)
    leave_scope(low, kept)
    low.macro_depth -= macro
    low.types.names.pop()


def _is_expression(node: Any) -> bool:
    """Tell whether a block that stands as a statement was written as `({ … });`."""
    coord = node.coord
    if coord is None:
        return False
    before = coord.lines.text[max(coord.position - 64, 0) : coord.position].rstrip()
    return bool(before.endswith("("))


def value_of_block(low: Lowering, node: Any) -> Typed:
    """Evaluate a statement expression for the value of its last expression."""
    items = node.block_items or []
    kept = low.cleanups
    low.types.names.push()
    low.macro_depth += 1
    for item in items[:-1]:
        low.statement(item)
    last: Any = items[-1] if items else None
    while type(last) is c_ast.Label:
        label, last = last, last.stmt
        low.statement(c_ast.Label(label.name, None, label.coord))
    value: Value = NO_VALUE
    ctype: CType = VOID
    if type(last) in low.values:
        value, ctype = low.value(last)
        if low.cleanups is not kept and ctype != VOID:
            value = low.kept(value, ctype, node)
    elif last is not None:
        low.statement(last)
    leave_scope(low, kept)
    low.macro_depth -= 1
    low.types.names.pop()
    return value, decay(ctype)


def condition_of_block(low: Lowering, node: Any, true: Draft, false: Draft) -> None:
    """Decide on the last expression of a statement expression."""
    items = node.block_items or []
    kept = low.cleanups
    low.types.names.push()
    low.macro_depth += 1
    for item in items[:-1]:
        low.statement(item)
    if items and type(items[-1]) in low.values and low.cleanups is kept:
        low.condition(items[-1], true, false)
        low.macro_depth -= 1
        low.types.names.pop()
        return
    value, ctype = low.value(items[-1]) if items else (NO_VALUE, VOID)
    if low.cleanups is not kept:
        value = low.kept(value, ctype, node)
    leave_scope(low, kept)
    low.macro_depth -= 1
    low.types.names.pop()
    low.flow.branch(value, true, false, low.at(node))


def lower_if(low: Lowering, node: Any) -> None:
    """Lower `if`."""
    if _is_dead(low, node):
        return
    true, false = Draft(), Draft()
    after = Draft() if node.iffalse is not None else false
    low.condition(node.cond, true, false)
    low.flow.enter(true)
    if node.iftrue is not None:
        low.statement(node.iftrue)
    low.flow.jump(after)
    if node.iffalse is not None:
        low.flow.enter(false)
        low.statement(node.iffalse)
        low.flow.jump(after)
    low.flow.enter(after)


def lower_while(low: Lowering, node: Any) -> None:
    """Lower `while`."""
    if _is_dead(low, node):
        return
    head, body, after = Draft(), Draft(), Draft()
    _begin_loop(low, head)
    low.condition(node.cond, body, after)
    _body(low, node.stmt, body, head, after)
    low.flow.jump(head)
    low.flow.enter(after)


def _begin_loop(low: Lowering, head: Draft) -> None:
    """Enter a loop; one that is jumped into is reached by its own way round."""
    head.reached = True
    low.flow.enter(head)
    low.forget()


def _body(low: Lowering, stmt: Any, body: Draft, again: Draft, after: Draft) -> None:
    """Lower the body of a loop."""
    low.breaks.append((after, low.cleanups))
    low.continues.append((again, low.cleanups))
    low.flow.enter(body)
    if stmt is not None:
        low.statement(stmt)
    low.breaks.pop()
    low.continues.pop()


def lower_do(low: Lowering, node: Any) -> None:
    """Lower `do … while`; one that runs once, as macros are written, is no loop."""
    if _is_dead(low, node):
        return
    body, condition, after = Draft(), Draft(), Draft()
    once = low.types.constant(node.cond) == 0
    if once:
        claim_by_shape(low, node)
    depth = low.macro_depth
    low.macro_depth = depth + 1 if once else 0
    low.flow.jump(body)
    if not once:
        body.reached = True
        low.forget()
    _body(low, node.stmt, body, condition, after)
    low.macro_depth = depth
    low.flow.enter(condition)
    if condition.reached:
        low.condition(node.cond, body, after)
    low.flow.enter(after)


def lower_for(low: Lowering, node: Any) -> None:
    """Lower `for`; the cleanups of what it declares run behind the loop."""
    if _is_dead(low, node):
        return
    kept = low.cleanups
    low.types.names.push()
    if type(node.init) is c_ast.DeclList:
        for decl in node.init.decls:
            low.statement(decl)
    elif node.init is not None and low.flow.current is not None:
        low.effect(node.init)
    head, body, step, after = Draft(), Draft(), Draft(), Draft()
    _begin_loop(low, head)
    if node.cond is None:
        low.flow.jump(body)
    else:
        low.condition(node.cond, body, after)
    _body(low, node.stmt, body, step, after)
    low.flow.enter(step)
    if node.next is not None and low.flow.current is not None:
        low.effect(node.next)
    low.flow.jump(head)
    low.flow.enter(after)
    leave_scope(low, kept)
    low.types.names.pop()


def lower_switch(low: Lowering, node: Any) -> None:
    """Lower `switch`."""
    if _is_dead(low, node):
        return
    value, _ = low.value(node.cond)
    value = low.known(value)
    constant = value.value if type(value) is Constant else None
    switching = Switching(constant, live=low.flow.current is not None)
    dispatch, low.flow.current = low.flow.current, None
    after = Draft()
    low.switches.append(switching)
    low.breaks.append((after, low.cleanups))
    low.statement(node.stmt)
    low.breaks.pop()
    low.switches.pop()
    low.flow.jump(after)
    default = _with_unknown(low, node, switching, switching.default or after)
    low.flow.current = dispatch
    if constant is not None:
        matching = [draft for (lo, hi), draft in switching.cases if lo <= constant <= hi]
        low.flow.jump(matching[0] if matching else default)
    else:
        ranges = tuple(bounds for bounds, _ in switching.cases)
        targets = [draft for _, draft in switching.cases] + [default]
        low.flow.finish("switch", (value, ranges, low.at(node)), targets)
    low.flow.enter(after)


def _with_unknown(low: Lowering, node: Any, switching: Switching, default: Draft) -> Draft:
    """Return where control goes that meets no known label."""
    for draft in switching.unknown:
        chooser = Draft()
        chooser.reached = switching.live
        low.flow.enter(chooser)
        low.flow.branch(Opaque("case label"), draft, default, low.at(node))
        default = chooser
    return default


def lower_case(low: Lowering, node: Any) -> None:
    """Lower a `case` label."""
    expression = node.expr
    first = low.types.constant(getattr(expression, "low", expression))
    last = low.types.constant(getattr(expression, "high", expression))
    draft = Draft()
    switching = low.switches[-1] if low.switches else None
    if switching is not None:
        if first is None or last is None:
            switching.unknown.append(draft)
            draft.reached = switching.live
        else:
            switching.cases.append(((first, last), draft))
            draft.reached = switching.live and (switching.value is None or first <= switching.value <= last)
    _labelled(low, draft, node.stmts)


def lower_default(low: Lowering, node: Any) -> None:
    """Lower a `default` label."""
    draft = Draft()
    if low.switches:
        low.switches[-1].default = draft
        draft.reached = low.switches[-1].live
    _labelled(low, draft, node.stmts)


def _labelled(low: Lowering, draft: Draft, stmts: Any) -> None:
    low.flow.enter(draft)
    low.forget()
    for stmt in stmts or ():
        low.statement(stmt)


def lower_attributed(low: Lowering, node: Any) -> None:
    """Lower a statement behind attributes."""
    low.statement(node.stmt)


def lower_nothing(low: Lowering, node: Any) -> None:
    """Leave out a statement without effect."""
