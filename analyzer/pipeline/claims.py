# SPDX-License-Identifier: GPL-2.0-only
"""Every claim of a tree about locks, with a verdict for each call of the function that makes it.

In: options. Out: `ClaimedBy`, by file and line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from analyzer.analysis.descent import Node, node_below
from analyzer.analysis.obligations import Verdict, failing
from analyzer.analysis.summary import Own, Passed
from analyzer.analysis.witness import place_of
from analyzer.base.location import Location
from analyzer.facts.store import Store
from analyzer.findings.claims import CalledBy, ClaimedBy, Judgement
from analyzer.findings.model import Assumed
from analyzer.ir.function import At
from analyzer.pipeline.analyse import Analysis
from analyzer.pipeline.assumed import assumed
from analyzer.pipeline.check import examine
from analyzer.pipeline.options import CheckOptions, Progress

#: from good to bad
_JUDGEMENTS: tuple[Judgement, ...] = ("proven", "unknown", "violation")


class _Call(NamedTuple):
    """A call at which a demand is passed on, and the verdict of what comes above."""

    caller: str
    at: At
    verdict: Judgement


def claims(options: CheckOptions, progress: Progress) -> tuple[ClaimedBy, ...]:
    """List what functions claim, as far as the rules of `options` are about its form."""
    return judged_claims(options, progress)[0]


def judged_claims(options: CheckOptions, progress: Progress) -> tuple[tuple[ClaimedBy, ...], tuple[Assumed, ...]]:
    """List what functions claim, and what was assumed when the verdicts were made."""
    with Store(options.cache) as store:
        extraction, analysis = examine(options, store, progress)
        return claimed(analysis), assumed(extraction, analysis)


def claimed(analysis: Analysis, functions: frozenset[str] | None = None) -> tuple[ClaimedBy, ...]:
    """List what functions claim in an analysed program: all, or those with these ids, by file and line."""
    found: dict[tuple[Location, str, str, str], dict[tuple[str, Location], Judgement]] = defaultdict(dict)
    for one in _Claims(analysis).all(functions):
        # a header's function is several where its macros mean different things
        ways = found[one.location, one.claim, one.rule, one.function]
        for way in one.ways:
            known = ways.get((way.function, way.location), "proven")
            ways[way.function, way.location] = max(known, way.verdict, key=_JUDGEMENTS.index)
    return tuple(
        ClaimedBy(
            function, location, claim, rule, tuple(CalledBy(*way, verdict) for way, verdict in sorted(ways.items()))
        )
        for (location, claim, rule, function), ways in sorted(found.items())
    )


class _Claims:
    """Answers about one analysis."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._summaries = analysis.context.summaries
        self._failing: Mapping[Node, Verdict] = failing(self._summaries, analysis.entries)
        self._asked: dict[Node, list[_Call]] = defaultdict(list)
        for ident in self._summaries.speaking():
            self._note(ident)

    def _note(self, ident: str) -> None:
        """Note where `ident` is asked for what its callees demand."""
        summary = self._summaries[ident]
        for demand in summary.demands:
            verdict: Judgement = self._failing.get((ident, demand.id), "proven")
            for cause in demand.causes:
                if isinstance(cause.what, Passed):
                    self._asked[node_below(cause.what)].append(_Call(ident, cause.what.at, verdict))
        for failure in summary.failures:
            if isinstance(failure.cause.what, Passed):
                verdict = "violation" if failure.definite else "unknown"
                self._asked[node_below(failure.cause.what)].append(_Call(ident, failure.cause.what.at, verdict))

    def all(self, functions: frozenset[str] | None) -> Iterator[ClaimedBy]:
        program = self._analysis.program
        for ident in self._summaries.speaking():
            if (functions is not None and ident not in functions) or self._is_primitive(ident):
                continue
            for own in self._summaries[ident].own:
                if own.access == "claim":
                    location = place_of(program, ident, own.at)
                    ways = tuple(self._ways(ident, own))
                    yield ClaimedBy(program.functions[ident].name, location, own.object, own.rule, ways)

    def _is_primitive(self, ident: str) -> bool:
        """Tell whether callers go by a row: what the function claims itself they are not asked."""
        row = self._analysis.context.spec.primitives.get(self._analysis.program.functions[ident].name)
        return row is not None and row.is_whole

    def _ways(self, ident: str, own: Own) -> Iterator[CalledBy]:
        """Yield each way into the function, or the function itself where no caller matters."""
        summary = self._summaries[ident]
        here = place_of(self._analysis.program, ident, own.at)
        for failure in summary.failures:
            if failure.cause.what == own:
                yield CalledBy("", here, "violation" if failure.definite else "unknown")
        asked = [demand for demand in summary.demands if any(cause.what == own for cause in demand.causes)]
        if not asked:
            if not any(failure.cause.what == own for failure in summary.failures):
                yield CalledBy("", here, "proven")
            return
        yield from self._callers(ident, [(ident, demand.id) for demand in asked])

    def _callers(self, ident: str, nodes: list[Node]) -> Iterator[CalledBy]:
        program, functions = self._analysis.program, self._analysis.program.functions
        verdicts: dict[tuple[str, At], Judgement] = {}
        for edge in self._analysis.locks.graph.callers.get(ident, ()):
            if edge.kind != "deferred":
                verdicts[(edge.caller, edge.site.at)] = "proven"
        for call in (call for node in nodes for call in self._asked.get(node, ())):
            known = verdicts.get((call.caller, call.at), "proven")
            verdicts[(call.caller, call.at)] = max(known, call.verdict, key=_JUDGEMENTS.index)
        for (caller, at), verdict in sorted(
            verdicts.items(), key=lambda way: (way[0][0], way[0][1].line, way[0][1].column)
        ):
            yield CalledBy(functions[caller].name, place_of(program, caller, at), verdict)
        if ident in self._analysis.entries:
            entered = [self._failing[node] for node in nodes if node in self._failing]
            worst: Judgement = "violation" if "violation" in entered else "unknown" if entered else "proven"
            if not verdicts or worst == "proven":
                ref = functions[ident].ref
                yield CalledBy("", ref.location, worst)
