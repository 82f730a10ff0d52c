# SPDX-License-Identifier: GPL-2.0-only
"""Two runs held against each other: which findings came, which went, which are the same.

In: two sides, each a report with the shapes of the functions in it. Out: `Comparison(introduced=…, fixed=…, …)`.

A finding is the same if its place is (`findings.counterparts`: whatever moved around it) and if what is wrong begins in
the same function: an entry point that merely leads there, or a caller that now stands before it, makes no other
finding. A further way into a place, from elsewhere, is one.

**Invariant:** every finding after is introduced, pre-existing or not judged; none is two of them.
**Invariant:** an unknown verdict that became a violation is introduced; a violation that became unknown is not fixed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from msgspec import Struct
from msgspec.structs import replace

from analyzer.findings.counterparts import Counterparts, Relation, Side, function_of
from analyzer.findings.model import Finding

_RELATIONS: tuple[Relation, ...] = ("same", "edited", "carried")
#: what a finding is about, wherever it is
_Subject = tuple[str, str, str, str]


class Comparison(Struct, frozen=True):
    """What became of the findings."""

    introduced: tuple[Finding, ...]
    #: as they were before
    fixed: tuple[Finding, ...]
    #: as they are now
    pre_existing: tuple[Finding, ...]
    #: findings after of which it is not known whether they were there before
    not_judged: tuple[Finding, ...]


def compare(before: Side, after: Side, renamed: Mapping[str, str]) -> Comparison:
    """Hold two runs against each other; `renamed` has the present names of files that had others."""
    counterparts = Counterparts(before, after, renamed)
    match = _Match(before, after, counterparts)
    introduced, pre_existing, not_judged = [], [], []
    for number, finding in enumerate(after.report.findings):
        name = match.class_of(number)
        if name == "introduced":
            functions = dict.fromkeys((*finding.chain, *(function for function, _ in finding.parts)))
            touched = tuple(filter(counterparts.is_touched, functions))
            introduced.append(replace(finding, change=name, touched=touched))
        elif name:
            pre_existing.append(replace(finding, change="pre-existing"))
        else:
            not_judged.append(finding)
    fixed = (replace(finding, change="fixed") for finding in match.fixed())
    return Comparison(tuple(introduced), tuple(fixed), tuple(pre_existing), tuple(not_judged))


class _Match:
    """Pairs findings, the plainest pairs first; findings are known by their position in the reports."""

    def __init__(self, before: Side, after: Side, counterparts: Counterparts) -> None:
        self._before = before
        self._after = after
        self._counterparts = counterparts
        self._olds = before.report.findings
        self._news = after.report.findings
        #: which finding of before is this one
        self._was: dict[int, int] = {}
        #: findings of before that are still there, or of which nothing can be said
        self._kept: set[int] = set()
        for olds, news in _groups(self._olds, self._news):
            self._pair(olds, news)
        self._pair_parts()

    def class_of(self, number: int) -> str:
        """Return the class of a finding of after; empty where it cannot be told."""
        was, finding = self._was.get(number), self._news[number]
        if was is not None:
            worse = self._olds[was].verdict == "unknown" and finding.verdict == "violation"
            return "introduced" if worse else "pre-existing"
        return "" if self._counterparts.came_from_nowhere(finding) else "introduced"

    def fixed(self) -> Iterable[Finding]:
        """Return the findings of before that are gone, and were looked for."""
        rules = {rule.id for rule in self._after.report.rules}
        for number, finding in enumerate(self._olds):
            seen = finding.rule in rules and not self._counterparts.went_nowhere(finding)
            if seen and number not in self._kept:
                yield finding

    def _pair(self, olds: list[int], news: list[int]) -> None:
        """Pair findings about the same thing."""
        near = {
            (old, new): relation
            for old, new in self._candidates(olds, news)
            if (relation := self._counterparts.relation(self._olds[old], self._news[new]))
        }
        for wanted in _RELATIONS:
            pairs = [pair for pair, relation in near.items() if relation == wanted]
            for old, new in pairs:
                if self._is_open(old, new) and self._same_cause(old, new):
                    self._add(old, new)
            loose = [pair for pair in pairs if self._is_open(*pair) and self._leads_into(*pair)]
            for old, new in loose:
                self._add(old, new)
        for old, new in near:
            self._hide(old, new)

    def _candidates(self, olds: list[int], news: list[int]) -> Iterator[tuple[int, int]]:
        """Yield what can be in the same place: in the same function, or one of two that came or went."""
        inside: dict[str, list[int]] = defaultdict(list)
        for new in news:
            inside[function_of(self._news[new])].append(new)
        came = [new for function, some in inside.items() if self._counterparts.is_new(function) for new in some]
        for old in olds:
            function = function_of(self._olds[old])
            here = inside.get(self._counterparts.present(function), [])
            for new in news if self._counterparts.is_gone(function) else dict.fromkeys((*here, *came)):
                yield old, new

    def _is_open(self, old: int, new: int) -> bool:
        return old not in self._kept and new not in self._was

    def _add(self, old: int, new: int) -> None:
        self._kept.add(old)
        self._was.setdefault(new, old)

    def _same_cause(self, old: int, new: int) -> bool:
        """Tell whether what is wrong begins in the same function, and needs the same other places."""
        before, after = self._own_chain(self._olds[old]), _own_chain(self._news[new])
        return before[0] == after[0] and self._same_parts(old, new)

    def _leads_into(self, old: int, new: int) -> bool:
        """Tell whether one way is the other one with callers before it."""
        before, after = self._own_chain(self._olds[old]), _own_chain(self._news[new])
        return (before[0] in after or after[0] in before) and self._same_parts(old, new)

    def _same_parts(self, old: int, new: int) -> bool:
        return self._parts(self._olds[old]) == set(self._news[new].parts)

    def _hide(self, old: int, new: int) -> None:
        """Of one place, unknown ways are told only where no way is a violation: what comes or goes so is no news."""
        verdicts = (self._olds[old].verdict, self._news[new].verdict)
        if verdicts == ("unknown", "violation"):
            self._kept.add(old)
        elif verdicts == ("violation", "unknown"):
            self._was.setdefault(new, old)

    def _pair_parts(self) -> None:
        """Pair findings that need several places: each could be told by any of them, and by others that are there."""
        olds = [number for number, finding in enumerate(self._olds) if finding.parts]
        news = [number for number, finding in enumerate(self._news) if finding.parts]
        was = {(self._counterparts.present(function), what) for function, what in self._before.parts if olds and news}
        for old, new in product(olds, news):
            before, after = self._parts(self._olds[old]), set(self._news[new].parts)
            same_rule = self._olds[old].rule == self._news[new].rule
            if not same_rule or {what for _, what in before} != {what for _, what in after}:
                continue
            if after <= was:
                self._was.setdefault(new, old)
            if before <= self._after.parts:
                self._kept.add(old)

    def _parts(self, finding: Finding) -> set[tuple[str, str]]:
        return {(self._counterparts.present(function), what) for function, what in finding.parts}

    def _own_chain(self, finding: Finding) -> list[str]:
        return [self._counterparts.present(function) for function in _own_chain(finding)]


def _own_chain(finding: Finding) -> list[str]:
    """Return the functions from the one on in which what is wrong begins."""
    return list(finding.chain[finding.root :] or (function_of(finding),))


def _subject(finding: Finding) -> _Subject:
    return finding.rule, finding.kind, finding.object, finding.access


def _groups(olds: Iterable[Finding], news: Iterable[Finding]) -> Iterable[tuple[list[int], list[int]]]:
    """Put findings about the same thing together, those of both sides; only where there are some on both."""
    groups: dict[_Subject, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, findings in enumerate((olds, news)):
        for number, finding in enumerate(findings):
            groups[_subject(finding)][side].append(number)
    return [group for group in groups.values() if all(group)]
