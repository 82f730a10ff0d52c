# SPDX-License-Identifier: GPL-2.0-only
"""Calls through a pointer that the caller gave: decided where the pointer is known.

In: `kvm_handle_range(kvm, &range)` calls `range->handler(kvm, …)`. Out: a demand of the called function,
`("calls", pointer, arguments, locks, site)`, which every caller answers with the function that it put there.

A function pointer in a parameter, or in a member of the object that a parameter points to, is the caller's choice; two
callers with different handlers do not reach each other's.

A function without a body that calls what it is handed, as a specification says, makes the same demand. If it does so
later, or on a processor that nobody waits for, the demand has no locks (None): none of its caller's count.

**Invariant:** an entry point defers nothing: nobody above it could answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from analyzer.analysis.bits import is_question
from analyzer.analysis.context import Scope, Target
from analyzer.analysis.effects import change
from analyzer.analysis.formula import Formula
from analyzer.analysis.locks import is_perhaps, lock_class, perhaps
from analyzer.analysis.ranges import NONZERO, NULL
from analyzer.analysis.state import Hold, State
from analyzer.analysis.summary import PLAIN, Demand, FunctionSummary, Passed, demand
from analyzer.analysis.terms import OPEN, Term, is_entry_term, spell
from analyzer.ir.function import At
from analyzer.program.callbacks import slot_of_row
from analyzer.program.flow import Slot
from analyzer.program.graph import spell_slot
from analyzer.spec.model import Callback

#: a handler that calls a handler that calls a handler …
MAX_NESTING = 4


def is_callers_choice(pointer: Term) -> bool:
    """Tell whether `pointer` is a parameter, lies in the object that one points to, or is a question about such."""
    if is_question(pointer):
        pointer = pointer[2]
    if pointer[0] == "P":
        return True
    if pointer[0] == "ld" and pointer[2] == 0:
        obj = pointer[1]
    elif pointer[0] == "w":
        obj = pointer[2]
    else:
        return False
    while obj[0] == "F":
        obj = obj[1]
    return bool(obj[0] == "O" and obj[1][0] == "P")


def may_defer(scope: Scope, pointer: Term, targets: tuple[Target, ...]) -> bool:
    """Tell whether a call through `pointer` is left to the callers."""
    if not _is_choice(scope, pointer, targets):
        return False
    watched = scope.context.watches.heard
    return not any(target.name in watched or _changes(scope, target) for target in targets)


def undecided_call(scope: Scope, pointer: Term, targets: tuple[Target, ...]) -> str:
    """Say why a call through `pointer` may not come to one of its targets, if that is not known here.

    One that changes locks cannot be left to the callers, who would know which of them it is.
    """
    if not _is_choice(scope, pointer, targets) or not any(_changes(scope, target) for target in targets):
        return ""
    name = spell(pointer, scope.parameter_names())
    return f"whether {name} points to it on this way is not known: what it may point to changes locks"


def _is_choice(scope: Scope, pointer: Term, targets: tuple[Target, ...]) -> bool:
    return not scope.is_entry and len(targets) > 1 and is_callers_choice(pointer)


def _changes(scope: Scope, target: Target) -> bool:
    """Tell whether a call of `target` may change what is held or known."""
    return scope.primitive(target.name) is not None or any(
        outcome.changes or outcome.establishes for outcome in scope.summary(target).outcomes
    )


def demand_call(
    scope: Scope, state: State, pointer: Term, arguments: tuple[Term, ...], at: At, slot: Slot | None
) -> Formula:
    """Return the demand that a call through `pointer` makes of the callers."""
    given = tuple(argument if is_entry_term(argument) else OPEN for argument in arguments)
    return ("calls", pointer, given, _locks(state), (scope.id, at.line, at.column, slot))


def pass_on(
    scope: Scope,
    formula: tuple[Any, ...],
    state: State,
    pointer: Term,
    arguments: tuple[Term, ...],
    at: At,
    over: Callable[[Term], Term],
) -> Formula:
    """Return a callee's deferred call as this function's own: its locks come on top.

    `over` rewrites the callee's terms over the arguments of its call.
    """
    given = tuple(argument if is_entry_term(argument) else OPEN for argument in arguments)
    locks = (
        None if formula[3] is None else (*_locks(state), *((_known(over(lock[0])), *lock[1:]) for lock in formula[3]))
    )
    return (
        "calls",
        pointer,
        given,
        locks,
        formula[4] if formula[4][0] else (scope.id, at.line, at.column, formula[4][3]),
    )


def _locks(state: State) -> tuple[tuple[Term, int, str, bool, bool], ...]:
    """Return the locks that the function itself holds, as far as a caller can know them."""
    found = []
    for key, hold in state.locks.items():
        found.append((_known(key), hold.times, hold.mode, hold.recursive, hold.atomic))
    return tuple(found)


def _known(key: Term) -> Term:
    """Return the lock `key` as callers can know it."""
    if is_entry_term(key):
        return key
    some: Term = ("unknown", lock_class(key) or "")
    return perhaps(some) if is_perhaps(key) else some


def handover_summaries(rows: Iterable[Callback]) -> dict[str, FunctionSummary]:
    """Return the summaries of functions without a body that call what they are handed, as `rows` say."""
    demands: dict[str, list[Demand]] = defaultdict(list)
    for row in rows:
        pointer, given = ("P", row.argument), tuple(("P", index) for index in row.passes)
        site = ("", 0, 0, slot_of_row(row))
        if row.waits is not None:
            term = ("P", row.waits)
            demands[row.function].append(demand(("calls", pointer, given, (), site), ((term, NONZERO),), ()))
            demands[row.function].append(demand(("calls", pointer, given, None, site), ((term, NULL),), ()))
        elif row.runs == "now" and row.function:
            demands[row.function].append(demand(("calls", pointer, given, (), site), (), ()))
    return {name: replace(PLAIN, demands=tuple(found)) for name, found in demands.items()}


def answered(scope: Scope, what: Passed, target: Target, demand: str, site: tuple[Any, ...]) -> Passed:
    """Return `what`, a callee's deferred call, as it comes to the demand `demand` (its id) of `target`."""
    _, line, column, slot = site
    via = spell_slot(slot)
    if slot is not None and slot[0] == "p" and slot[1] not in scope.context.program.functions:
        via = f"{slot[1]}()"
    then = Passed(target.id or "", demand, At(line, column), via)
    return _behind(what, then)


def _behind(what: Passed, then: Passed) -> Passed:
    if not what.callee:
        return replace(then, at=what.at)
    return replace(what, then=then if what.then is None else _behind(what.then, then))


def with_locks(formula: tuple[Any, ...], state: State, over: Callable[[Term], Term], at: At) -> State:
    """Return `state` with the locks that the callee holds when it makes the deferred call, as `over` rewrites them."""
    inside = state.fork()
    if formula[3] is None:
        inside.locks.clear()
        inside.dropped.clear()
        return inside
    for key, times, mode, recursive, atomic in formula[3]:
        change(inside, over(key), Hold(times, mode, recursive, at, atomic))
    return inside
