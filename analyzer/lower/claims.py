# SPDX-License-Identifier: GPL-2.0-only
"""Claims: what the text says of locks and nothing evaluates.

In: the syntax of `__lockspec_claim("lockdep_assert_held", lockdep_is_held(&kvm->lock))`. Out: a `Claim` event.

The headers in `source/forced/` make assertions such markers. Text that was preprocessed without them has what is left
of the assertions in a kernel without lockdep, and that is a claim of a less certain form:

    do { (void)(&kvm->lock); } while (0)
    do { } while (0 && (!(lockdep_is_held(&kvm->lock))));

**Invariant:** a claim adds no call, no access and no block to its function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pycparser import c_ast

from analyzer.frontend.types_scalars import INT, VOID
from analyzer.ir.claims import ALWAYS, NEVER, Asked, Both, Either, Named, Negated, Other, Statement, negated
from analyzer.ir.function import Call, Claim, Done, Store
from analyzer.ir.types import Pointer, Record
from analyzer.ir.values import Constant, Value
from analyzer.lower.conditions import is_expectation
from analyzer.lower.context import NO_VALUE, Lowering, Typed
from analyzer.lower.flow import Draft

#: the word of a forced header: a text that names the form, and what is claimed
MARKER = "__lockspec_claim"
#: questions that the forced headers ask inside a claim; outside of one, they are true, as in a kernel without lockdep
QUESTION = "__lockspec_"
#: forms of claims that are known by what is left of them
POINTER_SHAPE = "(void)lock"
CONDITION_SHAPE = "while (0 && …)"


def _marked(low: Lowering, node: Any, arguments: list[Any]) -> Typed:
    """Lower a marker to a claim."""
    if len(arguments) == 2 and type(arguments[0]) is c_ast.Constant:
        _claim(low, node, arguments[0].value.strip('"'), arguments[1])
    return NO_VALUE, VOID


def _question(_: Lowering, __: Any, ___: list[Any]) -> Typed:
    return Constant(1), INT


MARKERS: dict[str, Callable[[Lowering, Any, list[Any]], Typed]] = {MARKER: _marked} | {
    QUESTION + word: _question
    for word in (
        "held",
        "held_read",
        "held_write",
        "irqs_off",
        "in_hardirq",
        "in_softirq",
        "atomic",
        "locked",
        "stays",
        "threaded",
        "pointer",
    )
}


def claim_by_shape(low: Lowering, node: Any) -> None:
    """Emit the claim that a `do … while (0)` is the rest of, if it is."""
    items = node.stmt.block_items or [] if type(node.stmt) is c_ast.Compound else None
    if items is None or len(items) > 1 or low.flow.current is None:
        return
    if items:
        pointer = _discarded(items[0])
        if pointer is None or _is_marked(low):
            return
        statement, before = evaluate_aside(low, lambda: _named(low, pointer))
        if statement is not None:
            low.flow.emit(Claim(POINTER_SHAPE, statement, low.at(node), before))
    elif type(node.cond) is c_ast.BinaryOp and node.cond.op == "&&" and low.types.constant(node.cond.left) == 0:
        _claim(low, node, CONDITION_SHAPE, node.cond.right, opposite=True)


def _is_marked(low: Lowering) -> bool:
    """Tell whether the unit was preprocessed with the forced headers: then no assertion is known by its shape alone."""
    return low.types.declaration(MARKER) is not None


def _discarded(item: Any) -> Any | None:
    """Return what is cast to void."""
    if type(item) is not c_ast.Cast:
        return None
    declared = item.to_type.type
    is_void = type(declared) is c_ast.TypeDecl and getattr(declared.type, "names", None) == ["void"]
    return item.expr if is_void else None


def _named(low: Lowering, pointer: Any) -> Statement | None:
    value, ctype = low.value(pointer)
    if isinstance(ctype, Pointer) and isinstance(ctype.to, Record):
        return Named(value, ctype.to)
    return None


def _claim(low: Lowering, node: Any, form: str, said: Any, *, opposite: bool = False) -> None:
    if low.flow.current is None:
        return
    statement, before = evaluate_aside(low, lambda: _statement(low, said))
    if statement is not None and _asks(statement):
        low.flow.emit(Claim(form, negated(statement) if opposite else statement, low.at(node), before))


def _asks(statement: Statement) -> bool:
    """Tell whether anything is asked that may be about locks."""
    match statement:
        case Either(parts) | Both(parts):
            return any(_asks(part) for part in parts)
        case Negated(part):
            return _asks(part)
    return isinstance(statement, Asked)


def evaluate_aside(low: Lowering, build: Callable[[], Statement | None]) -> tuple[Statement | None, tuple[Done, ...]]:
    """Return a statement, and the events that evaluating it would take; they leave no trace in the function."""
    here, times, n_gaps = low.flow.current, list(low.times), len(low.gaps)
    aside = low.flow.current = Draft()
    aside.reached = True
    statement = build()
    branched = low.flow.current is not aside
    low.flow.current = here
    low.times[:] = times
    del low.gaps[n_gaps:]
    if branched and statement is not None:
        return Other("a statement that takes decisions to evaluate"), ()
    return statement, tuple(event for event in aside.events if isinstance(event, Store | Call))


def _statement(low: Lowering, node: Any) -> Statement:
    """Return what the expression `node` says."""
    constant = low.types.constant(node)
    if constant is not None:
        return ALWAYS if constant else NEVER
    kind = type(node)
    if kind is c_ast.Cast:
        return _statement(low, node.expr)
    if kind is c_ast.UnaryOp and node.op == "!":
        return negated(_statement(low, node.expr))
    if kind is c_ast.BinaryOp:
        return _of_two(low, node)
    if kind is c_ast.TernaryOp and node.iftrue is not None:
        return _chosen(low, node)
    if kind is c_ast.ExprList and len(node.exprs) == 1:
        return _statement(low, node.exprs[0])
    if is_expectation(node):
        return _statement(low, node.args.exprs[0])
    if kind is c_ast.FuncCall and type(node.name) is c_ast.ID:
        given = node.args.exprs if node.args is not None else ()
        arguments: tuple[Value, ...] = tuple([low.value(argument)[0] for argument in given])
        return Asked(node.name.name, arguments)
    return Other("a condition about something else")


def _of_two(low: Lowering, node: Any) -> Statement:
    """Return what a binary expression says; a comparison with 0 or 1 is about what is compared."""
    if node.op in {"&&", "||"}:
        parts = (_statement(low, node.left), _statement(low, node.right))
        return _join(parts, both=node.op == "&&")
    if node.op in {"==", "!="}:
        for side, other in ((node.left, node.right), (node.right, node.left)):
            number = low.types.constant(other)
            if number in {0, 1} and type(side) is c_ast.FuncCall:
                said = _statement(low, side)
                return said if (node.op == "==") == (number == 1) else negated(said)
    return Other("a comparison")


def _join(parts: tuple[Statement, ...], *, both: bool) -> Statement:
    """Return that all of `parts` are so, or one of them, without what is always or never so."""
    if both:
        left = tuple(part for part in parts if part != ALWAYS)
        return NEVER if NEVER in left else left[0] if len(left) == 1 else Both(left)
    left = tuple(part for part in parts if part != NEVER)
    return ALWAYS if ALWAYS in left else left[0] if len(left) == 1 else Either(left)


def _chosen(low: Lowering, node: Any) -> Statement:
    """Return what `c ? a : b` says."""
    condition = low.types.constant(node.cond)
    if condition is not None:
        return _statement(low, node.iftrue if condition else node.iffalse)
    first, second = _statement(low, node.iftrue), _statement(low, node.iffalse)
    said = _statement(low, node.cond)
    return Both((Either((negated(said), first)), Either((said, second))))
