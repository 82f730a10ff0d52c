# SPDX-License-Identifier: GPL-2.0-only
"""Who accesses members and takes locks in a tree, counted.

In: an analysed program that watches the members. Out: `Measured` for a member, `Accessor`s for a lock.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from analyzer.analysis.names import Cell
from analyzer.analysis.obligations import Verdict
from analyzer.analysis.takings import AroundLock
from analyzer.base.location import Location
from analyzer.findings.doc import Accessor, Measured
from analyzer.ir.function import At
from analyzer.pipeline.analyse import Analysis
from analyzer.spec.model import Name, Rule

#: the pseudo-rule that makes every access of a documented member a place
OBSERVER = "doc"
_PLACE = Location("<rules>", 1)


def text_of(cell: Cell) -> str:
    """Return a member as reports name it."""
    return ".".join(part for part in cell if part)


class Measurements:
    """Answers about one tree."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        #: by member: places, each with the function and the access
        self._seen: dict[str, set[tuple[str, str, At]]] = defaultdict(set)
        summaries = analysis.context.summaries
        for ident in summaries.speaking():
            for own in summaries[ident].own:
                if own.rule == OBSERVER:
                    self._seen[own.object].add((ident, own.access, own.at))

    def way(self, name: Name) -> tuple[Cell, ...]:
        """Return the members that lead to `name`; none for a global, or for what the tree does not have."""
        return self.analysis.names.way(name, _PLACE) if len(name.parts) > 1 else ()

    def cell(self, name: Name) -> str:
        """Return a member or a lock as reports name it."""
        return self.analysis.names.lock(name, _PLACE)

    def accessed_by(self, function: str) -> set[str]:
        """Return the members that the functions called `function` access themselves."""
        named = {ident for ident, one in self.analysis.program.functions.items() if one.name == function}
        return {cell for cell, places in self._seen.items() if any(ident in named for ident, _, _ in places)}

    def accesses(self, name: Name, rules: Iterable[Rule]) -> Measured:
        """Count who writes and who reads a member; `rules` are those that check it."""
        verdicts = self._verdicts({rule.id for rule in rules})
        places = self._seen.get(self.cell(name), set())
        return Measured(
            self._counted(((i, at) for i, access, at in places if access == "write"), verdicts),
            self._counted(((i, at) for i, access, at in places if access != "write"), verdicts),
        )

    def _verdicts(self, rules: set[str]) -> dict[tuple[str, At], Verdict]:
        return {
            (place.function, place.own.at): ways[0].verdict
            for place, ways in self.analysis.trails.items()
            if place.own.rule in rules
        }

    def _counted(
        self, places: Iterable[tuple[str, At]], verdicts: Mapping[tuple[str, At], Verdict]
    ) -> tuple[Accessor, ...]:
        counts: Counter[str] = Counter()
        wrong: dict[str, Counter[str]] = defaultdict(Counter)
        for ident, at in places:
            name = self.analysis.program.functions[ident].name
            counts[name] += 1
            wrong[name][verdicts.get((ident, at), "")] += 1
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Accessor(name, n, wrong[name]["violation"], wrong[name]["unknown"]) for name, n in ordered)

    def takers(self, lock: Name) -> tuple[Accessor, ...]:
        """Count who takes a lock."""
        around = AroundLock(self.cell(lock), self.analysis.context, self.analysis.locks, self.analysis.facts_of)
        places = {(one.function, one.at) for one in around.takings() if one.what == "lock"}
        return self._counted(places, {})
