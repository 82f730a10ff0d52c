# SPDX-License-Identifier: GPL-2.0-only
"""Explanations: who accesses a field or calls a function, on which ways, with which locks held.

In: options and a target: `struct.field`, `function()`, a rule id, or a finding's fingerprint. Out: `Explanation`.
"""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.analysis.descent import Place
from analyzer.analysis.locksets import HeldAt
from analyzer.analysis.names import NameResolver, lock_texts
from analyzer.analysis.obligations import Trail
from analyzer.analysis.summary import Own
from analyzer.analysis.watch import Watch
from analyzer.analysis.ways import Callers, CallerWay, HeldIn
from analyzer.analysis.witness import place_of
from analyzer.base.errors import InputError
from analyzer.base.location import Location
from analyzer.facts.store import Store
from analyzer.findings.claims import ClaimedBy
from analyzer.findings.explanation import Explanation, HeldFrom, Site, Way
from analyzer.findings.lock import LockExplanation
from analyzer.findings.model import Report, Verdict
from analyzer.pipeline.analyse import Analysis
from analyzer.pipeline.check import examine, report
from analyzer.pipeline.claims import claimed
from analyzer.pipeline.explain_lock import explain_lock
from analyzer.pipeline.options import CheckOptions, Progress
from analyzer.pipeline.ruling import exemption, note, speaks_of, targets
from analyzer.spec.model import AllOf, Name, Rule, requirement_of

#: the pseudo-rule that makes every access of the target a place
_OBSERVER = "explain"
_PLACE = Location("<target>", 1)
#: ways looked at for each place, and those shown of them: under a lock that a rule asks for, and without
MAX_WAYS, N_LOCKED, N_BARE = 400, 8, 4


def explain(options: CheckOptions, target: str, progress: Progress) -> Explanation | LockExplanation:
    """Explain `target`; raise `InputError` if there is no such thing."""
    with Store(options.cache) as store:
        extraction, analysis = examine(options, store, progress, lambda names: _observers(target, names))
        told = report(extraction, analysis)
        if any(finding.fingerprint == target for finding in told.findings):
            told = report(extraction, analysis, explain_paths=True)
        elif _named(target, analysis.names) is not None:
            found = explain_lock(analysis, told, target)
            if found is not None:
                return found
    return explanation(analysis, told, target)


def explained(analysis: Analysis, told: Report, target: str) -> Explanation | LockExplanation | None:
    """Explain a lock, or what rules speak about, in an analysed program; None for another target.

    Of the target, only the places that rules speak about are told: nothing else was watched.
    """
    if _named(target, analysis.names) is not None:
        return explain_lock(analysis, told, target)
    if not any(target in (*targets(rule), rule.id) for rule in analysis.rules):
        return None
    return explanation(analysis, told, target, observed=False)


def explanation(analysis: Analysis, told: Report, target: str, *, observed: bool = True) -> Explanation:
    """Explain `target`; raise `InputError` if there is no such thing.

    Where it was not `observed`, only the places that rules speak about are told.
    """
    return _Explainer(analysis, told).explain(target, observed=observed)


def _observers(target: str, names: NameResolver) -> Iterable[Watch]:
    """Return the watches that see every access of a field or every call of a function."""
    if target.endswith("()"):
        yield Watch(_OBSERVER, None, target[:-2], target, "call", AllOf(()))
    elif "/" not in target and _named(target, names) is None:
        cell = names.cell(Name(tuple(target.split("."))), _PLACE)
        if cell is not None:
            yield Watch(_OBSERVER, cell, "", target, "any", AllOf(()))


def _named(target: str, names: NameResolver) -> Name | None:
    """Return the lock class that `target` names; None if it is something else."""
    if "/" in target or target.endswith("()"):
        return None
    lock = Name(tuple(names.lock(Name(tuple(target.split("."))), _PLACE).split(".")))
    return lock if names.is_lock(lock) else None


class _Explainer:
    def __init__(self, analysis: Analysis, told: Report) -> None:
        self.analysis = analysis
        self.told = told
        self.callers = Callers(analysis.context.graph, analysis.context.summaries, analysis.entries)

    def explain(self, target: str, *, observed: bool) -> Explanation:
        finding = next((f for f in self.told.findings if f.fingerprint == target), None)
        if finding is not None:
            target = finding.object
            chosen = {finding.rule}
        else:
            chosen = {_OBSERVER} | {rule.id for rule in self.analysis.rules if rule.id == target}
        rules = [rule for rule in self.analysis.rules if rule.id in chosen or target in targets(rule)]
        if not observed and finding is None:
            chosen |= {rule.id for rule in rules}
        named = [place for place in self._places(chosen) if observed or target in (place.own.object, place.own.rule)]
        sites = [self._site(place, rules) for place in named]
        contracts = self._contracts(target)
        assumed = tuple(self._assumed(target))
        if not (sites or rules or contracts or assumed):
            raise InputError(
                f"{target}: no analysed function accesses or calls it; give struct.field, function(), a rule id "
                "or the fingerprint of a finding"
            )
        speaking = {rule.id for rule in rules}
        findings = tuple(f for f in self.told.findings if f.rule in speaking and (not finding or f == finding))
        notes = tuple(note(rule) for rule in rules)
        return Explanation(target, notes, tuple(sites), contracts, findings, (*assumed, *self._notes()))

    def _contracts(self, target: str) -> tuple[ClaimedBy, ...]:
        """Return what the functions that `target` names claim themselves."""
        if not target.endswith("()"):
            return ()
        return claimed(self.analysis, frozenset(self.analysis.program.named(target[:-2])))

    def _places(self, chosen: set[str]) -> list[Place]:
        summaries = self.analysis.context.summaries
        places = {
            (own.object, own.access != "write", self._location(Place(ident, own)), ident): Place(ident, own)
            for ident in summaries.speaking()
            for own in summaries[ident].own
            if own.rule in chosen
        }
        return [places[key] for key in sorted(places)]

    def _location(self, place: Place) -> Location:
        return place_of(self.analysis.program, place.function, place.own.at)

    def _site(self, place: Place, rules: list[Rule]) -> Site:
        own = place.own
        wanted = {
            text.split(" ")[0].rsplit(".", 1)[-1] for rule in rules for text in lock_texts(requirement_of(rule.check))
        }

        def enough(locks: tuple[HeldIn, ...]) -> bool:
            return any(held.lock.name.rsplit(".", 1)[-1] in wanted for held in locks)

        must = self.callers.must_at(place.function, own.at, f"{own.object} {own.access}")
        found, more = self.callers.ways(place.function, must, enough, MAX_WAYS)
        locked, bare = [way for way in found if enough(way.held)], [way for way in found if not enough(way.held)]
        ways = locked[:N_LOCKED] + bare[:N_BARE]
        more += len(found) - len(ways)
        trails = self._trails(place, rules)
        ruling = [rule for rule in rules if speaks_of(rule, own.access)]
        told = tuple(self._way(way, trails, "" if enough(way.held) else exemption(ruling)) for way in ways)
        verdict: Verdict = trails[0].verdict if trails else "proven"
        name = self.analysis.program.functions[place.function].name
        return Site(own.access, name, self._location(place), verdict, told, more, bool(ruling))

    def _trails(self, place: Place, rules: list[Rule]) -> tuple[Trail, ...]:
        for rule in rules:
            own = Own(rule.id, place.own.object, place.own.access, place.own.at)
            found = self.analysis.trails.get(Place(place.function, own))
            if found:
                return found
        return ()

    def _way(self, way: CallerWay, trails: tuple[Trail, ...], exemption: str) -> Way:
        names = tuple(self.analysis.program.functions[ident].name for ident in way.functions)
        trail = next((t for t in trails if t.links[0][0] == way.functions[0]), None)
        held = tuple(dict.fromkeys(self._held(lock) for lock in sorted(way.held, key=lambda held: held.lock.context)))
        if trail is None:
            return Way(names, held, "proven", exemption)
        return Way(names, held, trail.verdict, trail.reason or (trail.entry.text if trail.entry else ""))

    def _held(self, held: HeldIn) -> HeldFrom:
        lock: HeldAt = held.lock
        name = lock.name or "a lock"
        location = place_of(self.analysis.program, held.function, lock.at)
        text = f"{name} (read)" if lock.mode == "read" else name
        return HeldFrom(text, self.analysis.program.functions[held.function].name, location)

    def _assumed(self, target: str) -> Iterable[str]:
        """Tell what is assumed of calls of the function that `target` names, and of calls in it."""
        if not target.endswith("()"):
            return
        about = [(row, "") for row in self.analysis.assumptions.about(target[:-2])]
        for ident in self.analysis.program.named(target[:-2]):
            inside = self.analysis.assumptions.calls(self.analysis.facts_of(ident))
            about += [(row, "in it, ") for row, _ in inside]
        for row, where in dict.fromkeys(about):
            yield f"assumed without proof, {row.id}: {where}{row.text}; {row.why} (after {row.source})"

    def _notes(self) -> tuple[str, ...]:
        unresolved = len(self.analysis.context.graph.unresolved)
        if not unresolved:
            return ()
        return (f"{unresolved} indirect call sites have no known target: ways through them are not shown",)
