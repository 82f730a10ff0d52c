# SPDX-License-Identifier: GPL-2.0-only
"""`lock-order`: locks are taken in one order.

In: a LockOrder rule, nestings. Out: problems: a lock taken inside one that the rule puts inside it, with the way there;
or, of a rule without an order, threads that would wait for each other in a circle, with the way of each.

A circle that needs a nesting of which it is not known whether it can happen is unknown. A lock nested in another of its
class is no circle: which of the two comes first in other threads is not known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from analyzer.analysis.above import Above
from analyzer.analysis.circles import Circle, Search
from analyzer.analysis.names import NameResolver
from analyzer.analysis.nestings import Nesting, nestings
from analyzer.analysis.obligations import Verdict
from analyzer.analysis.problems import Judged, LockFacts, Problem
from analyzer.analysis.witness import place_of
from analyzer.spec.model import LockOrder, Name, Rule

NOUN = "nesting"
KIND = "lock-order"
CHECK = LockOrder


def problems(rule: Rule, facts: LockFacts, names: NameResolver) -> Judged:
    """Return what is wrong with the order of the locks that `rule` speaks about."""
    check = rule.check
    assert isinstance(check, LockOrder)
    everything = nestings(facts)
    if check.order or check.inside or check.leaves:
        return _declared(everything, facts, *_tests(rule, check, names))
    found = [*_waits_for_itself(everything, facts), *_circles(everything, facts)]
    sites = {(one.function, one.outer, one.inner) for one in everything}
    return Judged(len(sites), tuple(found), frozenset(map(_part, everything)))


# -- declared orders ----------------------------------------------------------------------------------------------

#: of a nesting: does the rule speak about it; is it wrong
Test = Callable[[Nesting], bool]


def _tests(rule: Rule, check: LockOrder, names: NameResolver) -> tuple[Test, Test]:
    def classes(locks: Iterable[Name]) -> list[str]:
        cells = (names.cell(lock, rule.location) for lock in locks)
        return [".".join(part for part in cell if part) if cell else "" for cell in cells]

    rank = {name: place for place, name in enumerate(classes(check.order)) if name}
    inside, never = set(classes(check.inside or check.leaves)), set(classes(check.never))

    def concerned(one: Nesting) -> bool:
        return one.outer in inside or (one.outer in rank and one.inner in rank and one.outer != one.inner)

    def wrong(one: Nesting) -> bool:
        if check.leaves:
            return one.outer != one.inner
        return one.inner in never or (one.inner in rank and rank[one.inner] < rank[one.outer])

    return concerned, wrong


def _declared(everything: Iterable[Nesting], facts: LockFacts, concerned: Test, wrong: Test) -> Judged:
    looked_at, found = set(), dict[tuple[str, str, str], Problem]()
    for one in everything:
        if not concerned(one):
            continue
        place = (one.function, one.outer, one.inner)
        looked_at.add(place)
        if wrong(one):
            problem, known = _misplaced(one, facts), found.get(place)
            if known is None or _rank(problem) < _rank(known):
                found[place] = problem
    return Judged(len(looked_at), tuple(found.values()))


def _rank(problem: Problem) -> tuple[bool, int]:
    return (problem.verdict == "unknown", len(problem.threads[0].links))


def _misplaced(one: Nesting, facts: LockFacts) -> Problem:
    verdict: Verdict = "unknown" if one.doubt else "violation"
    trail = one.way(facts, verdict, one.doubt)
    function, at = facts.place(trail)
    message = f"{_taken(one)} inside {_held(one)}"
    why = one.doubt or "the rule wants it the other way round"
    return Problem(function, at, one.inner, one.access, verdict, message, why, (trail,))


# -- circles ------------------------------------------------------------------------------------------------------


def _waits_for_itself(everything: Iterable[Nesting], facts: LockFacts) -> Iterator[Problem]:
    """Yield the grace periods that are waited for by one of those whom they wait for."""
    seen = set()
    for one in everything:
        if one.what == "grace" and one.same:
            verdict: Verdict = "unknown" if one.doubt else "violation"
            trail = one.way(facts, verdict, one.doubt)
            function, at = facts.place(trail)
            place = (function, at, one.inner)
            if place not in seen:
                seen.add(place)
                message = f"{_taken(one)} inside {_held(one)}"
                why = one.doubt or "the reader waits for itself"
                yield Problem(function, at, one.inner, one.access, verdict, message, why, (trail,))


def _circles(everything: tuple[Nesting, ...], facts: LockFacts) -> Iterator[Problem]:
    n_nestings = Counter((one.outer, one.inner) for one in everything)
    search = Search(everything, Above(facts))
    for circle in search.circles():
        # the odd one out comes first: it is what most likely has to change; of two alike, the later one
        places = [place_of(facts.program, one.function, one.at) for one in circle]
        first = max(range(len(circle)), key=lambda n: (-n_nestings[circle[n].outer, circle[n].inner], places[n]))
        yield _deadlock((*circle[first:], *circle[:first]), facts)
    if search.left is not None:
        yield _given_up(search.left, facts)


def _given_up(one: Nesting, facts: LockFacts) -> Problem:
    why = "there are more rounds of locks than can be looked at"
    trail = one.way(facts, "unknown", why)
    function, at = facts.place(trail)
    message = f"{_taken(one)} inside {_held(one)}, and others perhaps the other way round"
    return Problem(function, at, one.inner, one.access, "unknown", message, why, (trail,))


def _deadlock(circle: Circle, facts: LockFacts) -> Problem:
    doubt = next((one.doubt for one in circle if one.doubt), "")
    verdict: Verdict = "unknown" if doubt else "violation"
    threads = tuple(one.way(facts, verdict, one.doubt) for one in circle)
    first = circle[0]
    function, at = facts.place(threads[0])
    others = ", and ".join(f"{_taken(one)} inside {_held(one)}" for one in circle[1:])
    message = f"{_taken(first)} inside {_held(first)}, but elsewhere {others}"
    readers = any(
        one.mode == one_after.held_mode == "read" for one, one_after in zip(circle, (*circle[1:], first), strict=True)
    )
    behind = ", a reader behind a writer that waits too" if readers else ""
    why = doubt or f"each thread waits for what the next one holds{behind}"
    parts = tuple(map(_part, circle))
    return Problem(function, at, first.inner, first.access, verdict, message, why, threads, parts=parts)


def _part(one: Nesting) -> tuple[str, str]:
    return one.function, f"{_taken(one)} inside {_held(one)}"


def _taken(one: Nesting) -> str:
    if one.what == "grace":
        return f"readers of {one.inner} waited for"
    return f"{one.inner} taken for reading" if one.mode == "read" else f"{one.inner} taken"


def _held(one: Nesting) -> str:
    return f"{one.outer} (read)" if one.held_mode == "read" else one.outer
