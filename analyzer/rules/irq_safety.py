# SPDX-License-Identifier: GPL-2.0-only
"""`irq-safety`: a lock that interrupts take is not taken where they can come in between.

In: an IrqSafety rule, what interrupts take, nestings. Out: problems: a lock taken with interrupts on that an interrupt
takes too, or that is taken inside one that an interrupt takes; with the way of every thread, the one that is interrupted
first, then the interrupt.

An interrupt that reads a spinning lock is let in beside readers, even where a writer waits.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from analyzer.analysis.circles import blocks
from analyzer.analysis.interrupts import Interrupts, Taking
from analyzer.analysis.names import NameResolver
from analyzer.analysis.nestings import Nesting, nestings
from analyzer.analysis.obligations import Verdict
from analyzer.analysis.problems import Judged, LockFacts, Problem
from analyzer.spec.model import IrqSafety, Name, Rule

NOUN = "acquisition"
KIND = "irq-safety"
CHECK = IrqSafety
#: what is on, and who comes
_WORDS = {"hardirq": ("interrupts", "an interrupt"), "softirq": ("bottom halves", "a bottom half")}


class _Sort(NamedTuple):
    """One sort of interrupts."""

    context: str
    #: contexts that keep them away, as the rule names them
    off: tuple[Name, ...]


class _Danger(NamedTuple):
    """A lock that an interrupt cannot wait for: it takes it, or a lock that others hold while they wait for it."""

    #: from the lock that the interrupt takes to this one
    nested: tuple[Nesting, ...]
    #: how the interrupt takes the first of them
    interrupt: Taking


def problems(rule: Rule, facts: LockFacts, names: NameResolver) -> Judged:
    """Return the locks that interrupts take and others take with interrupts on."""
    check = rule.check
    assert isinstance(check, IrqSafety)
    interrupts, found = Interrupts(facts), list[Problem]()
    n_takings = 0
    for sort in (_Sort("hardirq", check.hardirq), _Sort("softirq", check.softirq)):
        cells = [names.cell(lock, rule.location) for lock in sort.off]
        off = frozenset(".".join(part for part in cell if part) for cell in cells if cell)
        taken = list(interrupts.taken_in(sort.context)) if sort.off else []
        dangers = _dangers(taken, nestings(facts)) if taken else {}
        at_stake = {name for name, _ in dangers}
        places = list(interrupts.elsewhere(sort.context, off, at_stake)) if dangers else []
        n_takings += len(places)
        found += _clashes(sort, [one for one, kept_away in places if not kept_away], dangers, facts)
    return Judged(n_takings, tuple(found))


def _dangers(taken: Iterable[Taking], nested: Iterable[Nesting]) -> dict[tuple[str, bool], _Danger]:
    """Return the locks that must not be taken with interrupts on: by class, and whether readers may be let in."""
    inside: dict[str, list[Nesting]] = defaultdict(list)
    for one in nested:
        if one.what == "lock" and one.waits == "spin" and not one.doubt:
            inside[one.outer].append(one)
    dangers: dict[tuple[str, bool], _Danger] = {}
    for taking in sorted(taken, key=lambda one: (one.name, one.one.link is not None, one.function)):
        reads = taking.one.mode == "read"
        dangers.setdefault((taking.name, reads), _Danger((), taking))
    queue = deque(dangers.items())
    while queue:
        (name, reads), danger = queue.popleft()
        for one in inside[name]:
            free = not danger.nested and reads and one.held_mode == "read"
            if free or (danger.nested and not blocks(danger.nested[-1], one)):
                continue
            node = (one.inner, one.mode == "read")
            if node not in dangers:
                dangers[node] = _Danger((*danger.nested, one), danger.interrupt)
                queue.append((node, dangers[node]))
    return dangers


def _clashes(
    sort: _Sort, interrupted: Iterable[Taking], dangers: dict[tuple[str, bool], _Danger], facts: LockFacts
) -> Iterator[Problem]:
    found: dict[tuple[object, ...], Problem] = {}
    for one in interrupted:
        met = [dangers.get((one.name, False)), dangers.get((one.name, True)) if one.one.mode == "write" else None]
        danger = min((danger for danger in met if danger), key=lambda danger: len(danger.nested), default=None)
        if danger is None:
            continue
        problem = _problem(sort, one, danger, facts)
        place = (problem.function, problem.at, problem.object)
        known = found.get(place)
        if known is None or _rank(problem) < _rank(known):
            found[place] = problem
    yield from found.values()


def _rank(problem: Problem) -> tuple[bool, int]:
    return (problem.verdict == "unknown", len(problem.threads[0].links))


def _problem(sort: _Sort, one: Taking, danger: _Danger, facts: LockFacts) -> Problem:
    verdict: Verdict = "unknown" if one.doubt else "violation"
    trail = one.way(facts, verdict)
    function, at = facts.place(trail)
    on, who = _WORDS[sort.context]
    how = " for reading" if one.one.mode == "read" else ""
    message = f"{one.name} taken{how} with {on} on, but {who} takes it"
    why = f"the {'interrupt' if sort.context == 'hardirq' else 'bottom half'} waits for whom it has interrupted"
    if danger.nested:
        first = danger.nested[0].outer
        message = f"{one.name} taken{how} with {on} on, and inside {first} elsewhere, which {who} takes"
        why = f"whoever holds {first} waits for whom it has interrupted"
    threads = (trail, danger.interrupt.way(facts), *(nesting.way(facts) for nesting in danger.nested))
    requires = tuple(str(name) for name in sort.off)
    return Problem(function, at, one.name, "acquire", verdict, message, one.doubt or why, threads, requires)
