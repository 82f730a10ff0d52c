# SPDX-License-Identifier: GPL-2.0-only
"""Ways to what functions take, drop and keep: from facts in summaries to trails.

In: summaries, entry points, the call graph. Out: `LockFacts`, which rule kinds that look at the whole program ask;
`Problem`, what they answer with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from analyzer.analysis.descent import Place
from analyzer.analysis.exclusion import Kept
from analyzer.analysis.feasible import Feasibility
from analyzer.analysis.in_use import Chosen, InUse
from analyzer.analysis.lead import Leads
from analyzer.analysis.locks import lock_class
from analyzer.analysis.locksets import HeldAt, Setting
from analyzer.analysis.memo import Summaries
from analyzer.analysis.obligations import Trail, Verdict
from analyzer.analysis.ranges import HIGH, meet
from analyzer.analysis.retired import Retired
from analyzer.analysis.summary import ACCESS, Acquisition, Cause, Elsewhere, LockChange, Nested, Outcome, Own, Passed
from analyzer.analysis.terms import Term, thaw
from analyzer.analysis.told import Told
from analyzer.ir.function import At
from analyzer.program.entries import Entry
from analyzer.program.graph import CallGraph
from analyzer.program.link import Program

Links = tuple[tuple[str, Cause], ...]
#: a callee that changes a lock (its id), and the lock as the callee knows it
Origin = tuple[str, Term]
_NOTHING = Setting((), ())


class Problem(Struct, frozen=True):
    """A finding of a rule that looks at the whole program."""

    #: the function that holds the place, by id
    function: str
    at: At
    #: what it is about: a lock class
    object: str
    #: what is done: `acquire`, `release`, `return`, `sleep`, `wait`
    access: str
    verdict: Verdict
    message: str
    #: why, in one clause
    cause: str
    #: one way for each thread, the one to the place first
    threads: tuple[Trail, ...]
    requires: tuple[str, ...] = ()
    #: of one that needs several places: the function of each, by id, and what it does there
    parts: tuple[tuple[str, str], ...] = ()


class Judged(Struct, frozen=True):
    """What a rule found in the whole program."""

    #: places that it looked at
    sites: int
    problems: tuple[Problem, ...]
    #: all that the parts of its problems could be
    parts: frozenset[tuple[str, str]] = frozenset()


class LockFacts(Struct, frozen=True, eq=False):
    """What the analysis knows of locks, for rules that look at the whole program."""

    program: Program
    graph: CallGraph
    summaries: Summaries
    entries: Mapping[str, Entry]
    leads: Leads
    #: what is changed before readers are waited for
    retired: tuple[Retired, ...] = ()
    #: where the readers are, and what keeps updaters off
    kept: Kept = Kept({}, frozenset())
    #: of places that are not proven
    trails: Mapping[Place, tuple[Trail, ...]] = {}
    #: what rules say of readers
    told: frozenset[Told] = frozenset()
    #: the units are a part of the program: others may read what they change
    partial: bool = False
    #: which implementations functions run under, for those that do not run under all
    in_use: Mapping[str, InUse] = {}
    #: which ways to sleeping can be taken; None: those that summaries tell
    feasibility: Feasibility | None = None

    def sleeping(self, ident: str, one: Nested) -> Trail | None:
        """Return the trail to what sleeps under a lock that function `ident` holds; None if no way can be taken."""
        access = "sleep" if one.what == "sleep" else "acquire"
        known: Links = ((ident, Cause(one.link or Own("", one.name, access, one.at), one.setting)),)
        if self.feasibility is not None and one.link is not None:
            found = self.feasibility.way(ident, one, known)
            return None if found is None else self._led(found, one.name)
        return self._led(known, one.name)

    def way(self, ident: str, cause: Cause, lock: str = "", verdict: Verdict = "violation", reason: str = "") -> Trail:
        """Return the trail to a place in function `ident`, and below it if `lock` is taken in a callee."""
        return self._led(((ident, cause),), lock, verdict, reason)

    def _led(self, links: Links, lock: str, verdict: Verdict = "violation", reason: str = "") -> Trail:
        """Return the trail whose last links are `links`, with what leads to the first and what the last leads to."""
        ident = links[0][0]
        own = (*links, *self.below(links[-1][1].what, lock, links[-1][0]))
        entry = self.entries.get(ident)
        above: Links = ()
        if entry is None:
            above, entry = self.leads.to(ident)
        return Trail((*above, *own), verdict, entry, reason, len(above))

    def place(self, trail: Trail) -> tuple[str, At]:
        """Return the place that a finding is told at: the last one of the way that is not inside an inline function.

        An inline function, a guard's constructor for one, is a part of whoever calls it.
        """
        places = [(ident, cause.what.at) for ident, cause in trail.links]
        own = [place for place in places if not self.program.functions[place[0]].ref.inline]
        return (own or places)[-1]

    def below(self, what: Own | Passed, lock: str, ident: str = "") -> Links:
        """Return the links from a call in function `ident` that takes `lock`, or sleeps, below, down to that place."""
        links: list[tuple[str, Cause]] = []
        seen: set[tuple[str, str]] = set()
        chosen = Chosen(self.in_use.get(ident, ()))
        while isinstance(what, Passed):
            while what.then is not None:
                links.append((what.callee, Cause(what.then, _NOTHING)))
                what = what.then
            one = self.acquisition(what.callee, what.demand)
            if one is None or (what.callee, one.id) in seen:
                break
            seen.add((what.callee, one.id))
            chosen.add(self.in_use.get(what.callee, ()))
            places: tuple[Acquisition | Elsewhere, ...] = (one, *one.elsewhere)
            place = chosen.first(places)
            chosen.add(place.choices)
            cause = Cause(place.link or Own("", lock, ACCESS[one.what], place.at), place.setting)
            links.append((what.callee, cause))
            what = cause.what
        return tuple(links)

    def acquisition(self, ident: str, wanted: str) -> Acquisition | None:
        """Return one of a function's acquisitions by its id."""
        if ident not in self.summaries:
            return None
        return next((one for one in self.summaries[ident].takes if one.id == wanted), None)

    def change(self, origin: Origin, sign: int) -> tuple[Outcome, LockChange] | None:
        """Return the change of a lock that a callee makes, with the way to return on which it does."""
        ident, key = origin[0], thaw(list(origin[1]))
        for outcome in self.summaries[ident].outcomes if ident in self.summaries else ():
            for change in outcome.changes:
                if change.key == key and (change.count > 0) == (sign > 0):
                    return outcome, change
        return None

    def taken_in(self, held: HeldAt) -> tuple[tuple[str, At], ...]:
        """Return where a held lock is taken: the functions below the one that calls for it, each with the place."""
        return tuple((origin[0], change.at) for origin, _, change in self.changes(held.origin, 1))

    def changes(self, origin: Origin | None, sign: int) -> Iterator[tuple[Origin, Outcome, LockChange]]:
        """Yield how a lock is changed below: the callee, how it returns, the change; then what it calls for that.

        What a recursion goes back to is not told again.
        """
        seen: set[str] = set()
        while origin is not None and origin[0] not in seen:
            seen.add(origin[0])
            found = self.change(origin, sign)
            if found is None:
                return
            yield origin, *found
            origin = found[1].origin

    def is_forgotten(self, ident: str, held: HeldAt) -> bool:
        """Tell whether a lock is held in function `ident` because it, or who took it for it, forgets to drop it.

        That is what is wrong there; what happens under the lock afterwards is not told again.
        """
        takers = (ident, *(function for function, _ in self.taken_in(held)))
        return any(self._forgets(function, held.name) for function in takers)

    def _forgets(self, ident: str, name: str) -> bool:
        summary = self.summaries[ident]
        if any(one.name == name and one.kind in ("unequal", "kept") for one in summary.imbalances):
            return True
        changes = [
            change for outcome in summary.outcomes for change in outcome.changes if lock_class(change.key) == name
        ]
        return any(change.count > 0 and forgets(summary.outcomes, change) for change in changes)


def forgets(outcomes: tuple[Outcome, ...], change: LockChange) -> bool:
    """Tell whether a function keeps a lock where it fails and not where it succeeds."""
    kept = [outcome for outcome in outcomes if keeps(outcome, change)]
    return len(kept) < len(outcomes) and all(meet(outcome.returns, ((0, HIGH),)) is None for outcome in kept)


def keeps(outcome: Outcome, change: LockChange) -> bool:
    """Tell whether a way to return leaves the lock of `change` held."""
    return any(one.key == change.key and one.count > 0 for one in outcome.changes)
