# SPDX-License-Identifier: GPL-2.0-only
"""Jumps out of scopes and between labels, and the cleanups that run on the way.

In: the syntax of `goto out;` below a `guard`. Out: a block that calls the guard's cleanup function and jumps on.

**Invariant:** a jump runs the cleanups of every variable whose scope it leaves, the last declared first.
"""

from __future__ import annotations

from typing import Any

from analyzer.frontend.types_scalars import VOID
from analyzer.ir.function import Call, Event
from analyzer.ir.values import AddressOf, FunctionAddress, Value
from analyzer.lower.context import Cleanup, Lowering
from analyzer.lower.flow import Draft
from analyzer.lower.operators import converted


def cleanup_calls(active: Cleanup | None, kept: Cleanup | None) -> list[Event]:
    """List the calls of the cleanups in `active` but not in `kept`, the last declared first."""
    calls: list[Event] = []
    depth = 0 if kept is None else kept.depth
    while active is not None and active.depth > depth:
        calls.append(_call(active))
        active = active.before
    # a jump into another scope: both chains may have grown since their common beginning
    while active is not kept and active is not None and kept is not None:
        if active.depth >= kept.depth:
            calls.append(_call(active))
            active = active.before
        else:
            kept = kept.before
    return calls


def _call(cleanup: Cleanup) -> Event:
    argument = AddressOf(cleanup.path)
    return Call(FunctionAddress(cleanup.function), (argument,), None, cleanup.at, cleanup.signature, "cleanup")


def run_cleanups(low: Lowering, kept: Cleanup | None) -> None:
    """Run the cleanups active here but not in `kept`."""
    if low.cleanups is kept:
        return
    for event in cleanup_calls(low.cleanups, kept):
        low.flow.emit(event)
    low.times[2] += 1


def leave_scope(low: Lowering, kept: Cleanup | None) -> None:
    """Run the cleanups of the scope that ends here and forget them."""
    run_cleanups(low, kept)
    low.cleanups = kept


def lower_break(low: Lowering, _: Any) -> None:
    """Lower `break`."""
    target, kept = low.breaks[-1]
    run_cleanups(low, kept)
    low.flow.jump(target)


def lower_continue(low: Lowering, _: Any) -> None:
    """Lower `continue`."""
    target, kept = low.continues[-1]
    run_cleanups(low, kept)
    low.flow.jump(target)


def lower_return(low: Lowering, node: Any) -> None:
    """Lower `return`; the value is computed before the cleanups run."""
    value: Value | None = None
    if node.expr is not None:
        value, ctype = low.value(node.expr)
        value = None if ctype == VOID else converted(value, ctype, low.returns)
        if low.cleanups is not None and value is not None:
            value = low.kept(value, ctype, node)
    run_cleanups(low, None)
    low.flow.finish("return", (value, low.at(node)), [])


def label_draft(low: Lowering, name: str) -> Draft:
    """Find the block of a label, by its name in sight."""
    name = low.types.names.labels.get(name, name)
    found = low.labels.get(name)
    if found is None:
        found = low.labels[name] = Draft()
    return found


def label_target(low: Lowering, name: str) -> Draft:
    """Make the block that goes to a label; it runs cleanups once the label's scope is known."""
    if low.cleanups is None:
        return label_draft(low, name)
    draft = Draft()
    draft.end = ("jump", ())
    target = label_draft(low, name)
    target.reached = True
    draft.targets = [target]
    low.gotos.append((draft, low.cleanups, low.types.names.labels.get(name, name)))
    return draft


def lower_goto(low: Lowering, node: Any) -> None:
    """Lower `goto label`."""
    low.flow.jump(label_target(low, node.name))


def lower_computed_goto(low: Lowering, node: Any) -> None:
    """Lower `goto *p`: it may go to every label whose address is taken."""
    low.value(node.expr)
    draft = Draft()
    low.flow.jump(draft)
    low.computed.append((draft, low.cleanups, low.at(node)))


def lower_label(low: Lowering, node: Any) -> None:
    """Lower a label: control may come from anywhere."""
    name = low.types.names.labels.get(node.name, node.name)
    draft = label_draft(low, name)
    draft.reached = True
    low.label_scopes[name] = low.cleanups
    low.flow.enter(draft)
    low.forget()
    if node.stmt is not None:
        low.statement(node.stmt)


def declare_labels(low: Lowering, node: Any) -> None:
    """Lower `__label__`: labels of this scope alone."""
    for name in node.names:
        low.n_local_labels += 1
        low.types.names.declare_label(name, f"{name}#{low.n_local_labels}")


def resolve(low: Lowering) -> None:
    """Fill the blocks of gotos that wait for their label's scope, and of computed gotos."""
    for draft, active, name in low.gotos:
        draft.events[:0] = cleanup_calls(active, low.label_scopes.get(name))
    for draft, active, at in low.computed:
        targets = []
        for name in low.addressed_labels:
            calls = cleanup_calls(active, low.label_scopes.get(name))
            target = label_draft(low, name)
            if calls:
                between = Draft()
                between.events, between.end, between.targets = calls, ("jump", ()), [target]
                target = between
            targets.append(target)
        draft.end, draft.targets = ("goto", (at,)) if targets else ("unreachable", ()), targets
