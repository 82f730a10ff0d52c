# SPDX-License-Identifier: GPL-2.0-only
"""Explanations of locks: where one is taken, what it is for, what is taken, waited for and called under it.

In: the analysed program and a lock's name. Out: `LockExplanation`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from analyzer.analysis.agreement import locks_in
from analyzer.analysis.contracts import contracts
from analyzer.analysis.locks import is_context
from analyzer.analysis.nestings import Nesting, nestings
from analyzer.analysis.summary import Cause, Own
from analyzer.analysis.takings import AroundLock, Taking, Under
from analyzer.analysis.witness import place_of
from analyzer.base.location import Location
from analyzer.findings.lock import Asserted, Holder, LockExplanation, Other, Spoken, Taken, TakenAs
from analyzer.findings.model import Finding, Report
from analyzer.pipeline.analyse import Analysis
from analyzer.pipeline.ruling import locks_of, note, spell, targets
from analyzer.spec.effect import LockAbstract
from analyzer.spec.model import Balance, Context, IrqSafety, LockOrder, Name, Rule

_PLACE = Location("<target>", 1)


def explain_lock(analysis: Analysis, told: Report, target: str) -> LockExplanation | None:
    """Explain the lock that `target` names; None if no rule names it, nothing takes it and nobody enters with it."""
    return _Explainer(analysis, told, target).explain()


class _Explainer:
    def __init__(self, analysis: Analysis, told: Report, target: str) -> None:
        self.analysis = analysis
        self.told = told
        self.target = target
        self.lock = analysis.names.lock(Name(tuple(target.split("."))), _PLACE)
        self.around = AroundLock(self.lock, analysis.context, analysis.locks, analysis.facts_of)

    def explain(self) -> LockExplanation | None:
        rules = [rule for rule in self.analysis.rules if self._names_it(rule)]
        orders = [rule for rule in rules if isinstance(rule.check, LockOrder | Balance | Context | IrqSafety)]
        entered = self._entered()
        if not (rules or entered or self.around.is_taken):
            return None
        under = self.around.under()
        everything = nestings(self.analysis.locks)
        inner = [one for one in everything if one.outer == self.lock and one.inner != self.lock]
        outer = [one for one in everything if one.inner == self.lock and one.what == "lock" and one.outer != self.lock]
        waited = [one for one in everything if one.inner == self.lock and one.what == "grace"]
        reached = self.around.reached({*entered, *(one.callee for one in under)})
        return LockExplanation(
            self.target,
            self.lock,
            self._taken(),
            tuple(self._spoken(rule) for rule in rules if rule not in orders),
            tuple(self._spoken(rule) for rule in orders),
            self._others(inner, lambda one: (_moded(one.inner, one.mode), one.what)),
            self._others(outer, lambda one: (_moded(one.outer, one.held_mode), one.what)),
            self._others(waited, lambda one: (_moded(one.outer, one.held_mode), one.what)),
            self._holders(under),
            tuple(sorted(map(self._name, entered))),
            tuple(sorted({self._name(ident) for ident in reached})),
            tuple(self._asserted()),
            self._findings({rule.id for rule in rules if rule not in orders}),
            self._notes(),
        )

    def _names_it(self, rule: Rule) -> bool:
        return self.lock in {self.analysis.names.lock(name, rule.location) for name in locks_of(rule.check)}

    def _findings(self, rules: set[str]) -> tuple[Finding, ...]:
        """Return the findings about the lock, and those of `rules`, which ask for it."""
        about = (self.lock, self.target)
        return tuple(one for one in self.told.findings if one.object in about or one.rule in rules)

    def _entered(self) -> list[str]:
        entries = self.analysis.entries
        return [ident for ident in entries if self.lock in [name for name, _ in entries[ident].holds]]

    def _name(self, ident: str) -> str:
        return self.analysis.program.functions[ident].name

    # -- taken ------------------------------------------------------------------------------------------------------

    def _taken(self) -> tuple[Taken, ...]:
        groups: dict[tuple[str, str, tuple[str, ...], bool], list[Location]] = defaultdict(list)
        for one in self.around.takings():
            through = tuple(map(self._name, one.through))
            place = place_of(self.analysis.program, one.function, one.at)
            groups[(_taken_as(one), self._name(one.function), through, one.attempt)].append(place)
        told = [
            Taken(_mode(mode), function, tuple(sorted(set(places))), through, attempt)
            for (mode, function, through, attempt), places in groups.items()
        ]
        return tuple(sorted(told, key=lambda one: (one.mode, one.attempt, one.locations)))

    def _asserted(self) -> Iterator[Asserted]:
        """Yield what the source claims of the lock."""
        program, spec = self.analysis.program, self.analysis.context.spec
        for claim in contracts(program, self.analysis.facts_of, spec):
            if self.lock in locks_in(claim.requires):
                says = f"not {spell(claim.requires)}" if claim.negated else spell(claim.requires)
                place = place_of(program, claim.function, claim.at)
                yield Asserted(self._name(claim.function), claim.form, says, place)

    # -- rules ------------------------------------------------------------------------------------------------------

    def _spoken(self, rule: Rule) -> Spoken:
        count = next((count for count in self.told.rules if count.id == rule.id), None)
        return Spoken(note(rule), targets(rule), count)

    # -- other locks ------------------------------------------------------------------------------------------------

    def _others(self, found: list[Nesting], which: Callable[[Nesting], tuple[str, str]]) -> tuple[Other, ...]:
        groups: dict[tuple[str, str], list[Nesting]] = defaultdict(list)
        for one in found:
            groups[which(one)].append(one)
        others = [self._other(lock, ones) for (lock, _), ones in groups.items()]
        return tuple(sorted(others, key=lambda one: (one.what, -one.n_holders, one.lock)))

    def _other(self, lock: str, ones: list[Nesting]) -> Other:
        ways = [(bool(one.doubt), one, *self._way(one)) for one in ones]
        doubtful, first, _, functions, place = min(ways, key=lambda way: (way[0], way[2], len(way[3]), *way[3:]))
        holders = len({one.function for one in ones})
        what: Literal["lock", "grace"] = "grace" if first.what == "grace" else "lock"
        return Other(lock, what, holders, functions, place, first.doubt if doubtful else "")

    def _way(self, one: Nesting) -> tuple[bool, tuple[str, ...], Location]:
        """Return the functions from the one that holds the outer lock to the one that takes the inner one, and the place.

        First comes whether the way ends above it, at a call that its callers decide.
        """
        facts = self.analysis.locks
        cause = Cause(one.link or Own("", one.inner, one.access, one.at), one.setting)
        links = ((one.function, cause), *facts.below(cause.what, one.inner, one.function))
        places = [(ident, cause.what.at) for ident, cause in links]
        own = [place for place in places if not self.analysis.program.functions[place[0]].ref.inline] or places
        is_open = not isinstance(links[-1][1].what, Own)
        return is_open, tuple(self._name(ident) for ident, _ in own), place_of(self.analysis.program, *own[-1])

    # -- calls ------------------------------------------------------------------------------------------------------

    def _holders(self, under: Iterable[Under]) -> tuple[Holder, ...]:
        groups: dict[str, list[Under]] = defaultdict(list)
        for one in under:
            if not self.analysis.program.functions[one.callee].ref.inline:
                groups[one.function].append(one)
        return tuple(self._holder(ident, ones) for ident, ones in sorted(groups.items()))

    def _holder(self, ident: str, ones: list[Under]) -> Holder:
        certain = {one.callee for one in ones if one.certain}
        calls = dict.fromkeys(self._name(one.callee) for one in ones)
        perhaps = {self._name(one.callee) for one in ones if one.callee not in certain}
        return Holder(self._name(ident), tuple(calls), tuple(name for name in calls if name in perhaps))

    def _is_state(self) -> bool:
        effects = (effect for row in self.analysis.context.spec.primitives.values() for effect in row.effects)
        return any(
            effect.lock == LockAbstract(self.lock)
            and is_context(("abstract", self.lock), effect.mode, effect.recursive)
            for effect in effects
            if effect.kind == "acquire"
        )

    def _notes(self) -> tuple[str, ...]:
        notes = []
        if self._is_state():
            notes.append("it is a state of this CPU rather than a lock: where it begins and ends is not listed")
        unresolved = len(self.analysis.context.graph.unresolved)
        if unresolved:
            notes.append(f"{unresolved} indirect call sites have no known target: what is called there is not shown")
        return tuple(notes)


def _taken_as(one: Taking) -> str:
    return "wait" if one.what == "grace" else one.mode


def _mode(text: str) -> TakenAs:
    return "wait" if text == "wait" else "read" if text == "read" else "write"


def _moded(lock: str, mode: str) -> str:
    return f"{lock} (read)" if mode == "read" else lock
