# SPDX-License-Identifier: GPL-2.0-only
"""`grace-period`: whoever reads what updaters wait for readers of is where they wait for him.

In: a GracePeriod rule, what updaters change before grace periods. Out: problems: a reader outside the section that the
grace period waits for, who does not keep the updaters off either; a grace period that waits for nobody who reads.

A member that the program itself shows is looked at only if it is given up there (set to NULL, or what it led to is used
or freed afterwards), or somebody reads it inside the section. Where another rule says what its readers need, that rule
is asked about them. Functions that change the member, and those that call them, are updaters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from analyzer.analysis.descent import Place
from analyzer.analysis.formula import atoms
from analyzer.analysis.locksets import Setting
from analyzer.analysis.names import NameResolver, lock_texts
from analyzer.analysis.obligations import Trail
from analyzer.analysis.problems import Judged, LockFacts, Problem
from analyzer.analysis.retired import Cell, Retired
from analyzer.analysis.retired import Place as Where
from analyzer.analysis.sections import Section, Site, number
from analyzer.analysis.summary import Cause, Own
from analyzer.analysis.told import Told
from analyzer.analysis.watch import Watch
from analyzer.analysis.witness import place_of
from analyzer.program.link import Program
from analyzer.spec.model import AnyOf, GracePeriod, Rule

NOUN = "access"
KIND = "grace-period"
CHECK = GracePeriod
_NOTHING = Setting((), ())
#: readers told by name
MAX_TOLD = 3


class Subject(NamedTuple):
    """A member with those who are waited for before what it led to goes."""

    cell: Cell
    #: as people write it
    name: str
    #: what readers are in; the first tells them by name
    domain: tuple[str, ...]

    @property
    def object(self) -> str:
        """Return what stands for both in places."""
        return f"{self.name} in {self.domain[0]}"


def section_watches(
    rule: Rule, names: NameResolver, retired: Iterable[Retired], program: Program, said: frozenset[Told]
) -> Iterator[Watch]:
    """Return the watches of `rule`: all accesses to the members, in the domains that are waited for."""
    check = rule.check
    assert isinstance(check, GracePeriod)
    retired = tuple(retired)
    for subject, places in subjects(rule, names, retired).items():
        sites = _sites(rule, subject, places, retired, program)
        section = _section(rule, subject, sites, said)
        allowed = AnyOf(()) if check.updaters is None else names.requirement(check.updaters, rule.location)
        yield Watch(rule.id, subject.cell, "", subject.object, "any", allowed, rule.unless, section=section)


def _section(rule: Rule, subject: Subject, sites: tuple[Site, ...], said: frozenset[Told]) -> Section:
    """Return what the rule asks of readers, but for those of whom other rules say that they are in the section."""
    check = rule.check
    assert isinstance(check, GracePeriod)
    mine = [cell for cell, side, grace in said if side in subject.domain and not (grace and check.fields)]
    functions = sorted({name for record, name in mine if not record and name.endswith("()")})
    return Section(subject.domain, sites, subject.cell in mine, tuple(functions))


def _sites(
    rule: Rule, subject: Subject, places: Iterable[Retired], retired: Iterable[Retired], program: Program
) -> tuple[Site, ...]:
    """Return where the member is changed: at `places`, or, where the rule names it, anywhere."""
    assert isinstance(rule.check, GracePeriod)
    mine = places if not rule.check.fields else [one for one in retired if one.cell == subject.cell]
    return tuple(sorted({_site(one.changed, program) for one in mine}))


def _site(place: Where, program: Program) -> Site:
    function, at = place
    return program.functions[function].name, at.line, at.column


def subjects(rule: Rule, names: NameResolver, retired: Iterable[Retired]) -> dict[Subject, list[Retired]]:
    """Return what the rule speaks about, with the places where it is changed and its readers are waited for."""
    check = rule.check
    assert isinstance(check, GracePeriod)
    found: dict[Subject, list[Retired]] = {}
    if not check.fields:
        for one in retired:
            if one.leads and one.domain:
                name = ".".join(part for part in one.cell if part)
                found.setdefault(Subject(one.cell, name, one.domain), []).append(one)
        return found
    wanted = "" if check.readers is None else names.lock(check.readers, rule.location)
    for field in check.fields:
        cell = names.cell(field, rule.location)
        mine = [one for one in retired if one.cell == cell and wanted in one.domain]
        # the longest has the contexts that are waited for as well
        domain = max((one.domain for one in mine), key=len, default=(wanted,))
        if cell is not None:
            found[Subject(cell, str(field), (wanted, *(name for name in domain if name != wanted)))] = mine
    return found


def problems(rule: Rule, facts: LockFacts, names: NameResolver) -> Judged:
    """Return the readers that no grace period waits for, and the grace periods that wait for no reader."""
    check = rule.check
    assert isinstance(check, GracePeriod)
    found: dict[tuple[str, object, str], Problem] = {}
    looked_at = 0
    for subject, places in subjects(rule, names, facts.retired).items():
        sites = _sites(rule, subject, places, facts.retired, facts.program)
        case = _Case(rule, subject, [one for one in places if _matters(rule, subject, sites, one, facts)], facts)
        if not case.counts:
            continue
        looked_at += len(case.readers) + len({one.waited for one in places})
        for problem in (*case.outside(), *case.needless()):
            key = (problem.function, problem.at, problem.message)
            known = found.get(key)
            if known is None or len(problem.threads[0].links) < len(known.threads[0].links):
                found[key] = problem
    for problem in _confused(rule, facts, names) if check.fields else ():
        found.setdefault((problem.function, problem.at, problem.message), problem)
        looked_at += 1
    return Judged(looked_at, tuple(found.values()))


def _confused(rule: Rule, facts: LockFacts, names: NameResolver) -> Iterator[Problem]:
    """Yield the changes of members after which others are waited for than the rule says read them, or nobody."""
    for subject, right in subjects(rule, names, facts.retired).items():
        known = {one.changed for one in right}
        sites = _sites(rule, subject, right, facts.retired, facts.program)
        for one in facts.retired:
            is_other = one.cell == subject.cell and one.changed not in known
            if is_other and _matters(rule, subject, sites, one, facts):
                yield _waits_elsewhere(subject, one, facts) if one.domain else _waits_for_nobody(subject, one, facts)


def _waits_elsewhere(subject: Subject, one: Retired, facts: LockFacts) -> Problem:
    function, at = one.waited
    trail = facts.way(function, Cause(Own("", one.domain[0], "wait", at), _NOTHING))
    message = f"waits for readers of {one.domain[0]}, but {subject.name} is read in {subject.domain[0]}"
    why = f"{subject.name} is changed before, at {place_of(facts.program, *one.changed)}"
    return Problem(function, at, one.domain[0], "wait", "violation", message, why, (trail,), (subject.domain[0],))


def _waits_for_nobody(subject: Subject, one: Retired, facts: LockFacts) -> Problem:
    function, at = one.changed
    trail = facts.way(function, Cause(Own("", subject.name, "write", at), _NOTHING))
    message = f"write of {subject.name}, and no grace period of {subject.domain[0]} afterwards"
    why = "who has read it before may still use what it led to, and nobody waits for him"
    return Problem(function, at, subject.name, "write", "violation", message, why, (trail,), (subject.domain[0],))


def _matters(rule: Rule, subject: Subject, sites: tuple[Site, ...], one: Retired, facts: LockFacts) -> bool:
    """Tell whether an object is changed there that others can reach."""
    return ((rule.id, subject.object), number(sites, _site(one.changed, facts.program))) in facts.kept.changed


@lru_cache(1)
def _places(facts: LockFacts) -> dict[tuple[str, str], list[Place]]:
    """Return the places that rules speak about, by rule and what is accessed."""
    found: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for ident in facts.summaries.speaking():
        for own in facts.summaries[ident].own:
            found[own.rule, own.object].append(Place(ident, own))
    return found


class _Case:
    """One subject of one rule."""

    def __init__(self, rule: Rule, subject: Subject, retired: list[Retired], facts: LockFacts) -> None:
        self.rule = rule
        self.subject = subject
        self.retired = retired
        self.facts = facts
        self.places = _places(facts).get((rule.id, subject.object), [])
        changed = {(place.function, place.own.at) for place in self.places if place.own.access == "write"}
        inner = {one.function for one in retired} | {one.changed[0] for one in retired}
        above = {edge.caller for ident in inner for edge in facts.graph.callers.get(ident, ()) if edge.kind == "direct"}
        self.updaters = inner | above
        #: reads that are no part of a change
        self.readers = [
            place
            for place in self.places
            if place.own.access in ("read", "use") and (place.function, place.own.at) not in changed
        ]
        key = (rule.id, subject.object)
        self.section = _section(rule, subject, (), facts.told)
        is_told = any(self._is_told_elsewhere(place) for place in self.readers)
        self.inside = is_told or key in facts.kept.inside or any(place.own.access == "inside" for place in self.places)

    @property
    def counts(self) -> bool:
        """Tell whether there is anything to say: the rule names the member, or it is given up, or read inside."""
        assert isinstance(self.rule.check, GracePeriod)
        if self.rule.check.fields:
            return True
        return bool(self.retired) and (self.inside or any(one.gives_up for one in self.retired))

    def outside(self) -> Iterator[Problem]:
        """Yield a problem for each reader that is not waited for."""
        assert isinstance(self.rule.check, GracePeriod)
        for place in self.readers:
            if self._is_told_elsewhere(place):
                continue
            for trail in self.facts.trails.get(place, ()):
                is_updater = any(ident in self.updaters for ident, _ in trail.links[-2:])
                if not is_updater and (trail.verdict == "violation" or self.rule.check.fields):
                    yield self._outside(place, trail)

    def _is_told_elsewhere(self, place: Place) -> bool:
        """Tell whether another rule says that readers of the member, or callers of the reader, are in the section."""
        return not self.section.asks(self.facts.program.functions[place.function].name, place.own.access)

    def _outside(self, place: Place, trail: Trail) -> Problem:
        name, side = self.subject.name, self.subject.domain[0]
        *above, (ident, cause) = trail.links
        if isinstance(cause.what, Own):
            cause = Cause(Own("", name, cause.what.access, cause.what.at), cause.setting)
        waited = self._waited()
        message = f"use of what was read of {name}, after" if place.own.access == "use" else f"read of {name} outside"
        message += (
            f" {side}: the grace period at {waited} does not wait for it"
            if waited
            else f" {side}, which its updaters wait for"
        )
        why = trail.reason or self._why()
        return Problem(
            place.function,
            place.own.at,
            name,
            place.own.access,
            trail.verdict,
            message,
            why,
            (trail.with_links((*above, (ident, cause))), *self._ways()),
            self._requires(),
        )

    def _why(self) -> str:
        if not self.retired:
            return f"the reader is in no section of {self.subject.domain[0]}, and holds nothing that keeps updaters off"
        one = self.retired[0]
        function, at = self._spot(one.changed)
        return (
            f"{function}() changes it at {at} and waits for the readers of {self.subject.domain[0]} only: "
            "this reader may still use what is given up then"
        )

    def _requires(self) -> tuple[str, ...]:
        check = self.rule.check
        assert isinstance(check, GracePeriod)
        if check.updaters is not None:
            return (self.subject.domain[0], *lock_texts(check.updaters))
        locks = self.facts.kept.locks.get((self.rule.id, self.subject.object), frozenset())
        return (self.subject.domain[0], *sorted({name for name, _ in locks}))

    def _spot(self, place: Where) -> tuple[str, str]:
        function, at = place
        return self.facts.program.functions[function].name, str(place_of(self.facts.program, function, at))

    def _waited(self) -> str:
        if not self.retired:
            return ""
        function, at = self._spot(self.retired[0].waited)
        return f"{at} in {function}()"

    def _ways(self) -> Iterator[Trail]:
        """Yield the ways to where the member is changed, and to the grace period."""
        for one in self.retired[:1]:
            changed, waited = Own("", self.subject.name, "write", one.changed[1]), one.waited
            yield self.facts.way(one.changed[0], Cause(changed, _NOTHING))
            yield self.facts.way(waited[0], Cause(Own("", self.subject.domain[0], "wait", waited[1]), _NOTHING))

    def _is_certain(self) -> bool:
        """Tell whether all that is read is known: no function without a body may have read it."""
        places = {(place.function, place.own) for place in self.places}
        return not any(
            (ident, cause.what) in places and any(atom[0] == "maybe" for atom in atoms(demand.formula))
            for ident in {place.function for place in self.places}
            for demand in self.facts.summaries[ident].demands
            for cause in demand.causes
        )

    def _waits_for_more(self, waited: Where) -> bool:
        """Tell whether anything else is changed before a grace period: its readers may be waited for."""
        return any(one.waited == waited and one.domain and one.cell != self.subject.cell for one in self.facts.retired)

    def needless(self) -> Iterator[Problem]:
        """Yield a problem for each grace period that waits for nobody, if all readers are known."""
        readers = [place for place in self.readers if place.function not in self.updaters]
        if self.facts.partial or self.inside or not readers or not self.retired or not self._is_certain():
            return
        side, name = self.subject.domain[0], self.subject.name
        for waited in dict.fromkeys(one.waited for one in self.retired):
            if self._waits_for_more(waited):
                continue
            function, at = waited
            trail = self.facts.way(function, Cause(Own("", side, "wait", at), _NOTHING))
            told = ", ".join(dict.fromkeys(f"{self._spot((p.function, p.own.at))[0]}()" for p in readers[:MAX_TOLD]))
            message = f"waits for readers of {side}, but nobody reads {name} in there"
            why = f"its readers ({told}) are in no section of {side}: there is nothing to wait for"
            yield Problem(function, at, side, "wait", "violation", message, why, (trail,))
