# SPDX-License-Identifier: GPL-2.0-only
"""Obligations, top-down: which unmet requirements have a way in from an entry point.

In: summaries and entry points. Out: for every place that a rule speaks about, its verdict; for those that are not
proven, the shortest trail of calls that leads to it.

A demand fails at an entry point, which holds nothing; or at a call site where no caller can mend it. From there the
failure goes down to the callee's demand, and so on to the place itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from analyzer.analysis.descent import Descents, Links, Node, Place, links_below, node_below
from analyzer.analysis.formula import at_entry, atoms
from analyzer.analysis.memo import Summaries
from analyzer.analysis.sections import Exclusion
from analyzer.analysis.summary import Failure, Own, Passed
from analyzer.program.entries import Entry

Verdict = Literal["violation", "unknown"]


class Trail(Struct, frozen=True):
    """A way to a place: functions from the outermost to the one that holds the place, with the cause in each."""

    #: (function id, its cause): every cause but the last is `Passed`
    links: Links
    verdict: Verdict
    #: how the outermost function is entered; None where the requirement cannot be met whoever calls
    entry: Entry | None
    #: why the verdict is unknown; empty for a violation
    reason: str
    #: number of links that only lead to the function in which what is wrong begins
    n_leading: int = 0

    def with_links(self, links: Links) -> Trail:
        """Return the same way with other links below those that lead there."""
        return Trail(links, self.verdict, self.entry, self.reason, self.n_leading)


class _Start(Struct, frozen=True):
    node: Node
    verdict: Verdict
    entry: Entry | None
    reason: str
    #: the links above the node, for a failure inside a caller
    above: Links


def find_trails(
    summaries: Summaries,
    entries: Mapping[str, Entry],
    exclusion: Exclusion | None = None,
    descents: Descents | None = None,
) -> dict[Place, tuple[Trail, ...]]:
    """Return the trails of every place that is not proven: the shortest one from each outermost function.

    `exclusion` tells for members whose readers are waited for what keeps updaters off; `descents` what was found before.

    Where there are violations, ways whose verdict is unknown are left out.
    """
    descents = Descents() if descents is None else descents
    trails: dict[Place, dict[str, Trail]] = defaultdict(dict)
    verdicts: tuple[Verdict, Verdict] = ("violation", "unknown")
    own, starts = list(_own(summaries, entries)), list(_starts(summaries, entries, exclusion))
    for verdict in verdicts:
        found: dict[Place, dict[str, Trail]] = defaultdict(dict)
        for place, trail in own:
            if trail.verdict == verdict:
                found[place].setdefault(place.function, trail)
        for start in starts:
            if start.verdict == verdict:
                _follow(summaries, start, found, descents, exclusion)
        for place, ways in found.items():
            if place not in trails or verdict == "violation":
                trails[place] = ways
    descents.keep(start.node for start in starts)
    return {place: _apart(ways) for place, ways in trails.items()}


def _own(summaries: Summaries, entries: Mapping[str, Entry]) -> Iterator[tuple[Place, Trail]]:
    """Yield the places that fail whoever calls."""
    for ident in summaries.speaking():
        for failure in summaries[ident].failures:
            what = failure.cause.what
            if isinstance(what, Own):
                links = ((ident, failure.cause),)
                yield Place(ident, what), Trail(links, _verdict(failure), entries.get(ident), failure.reason)


def _follow(
    summaries: Summaries,
    start: _Start,
    found: dict[Place, dict[str, Trail]],
    descents: Descents,
    exclusion: Exclusion | None,
) -> None:
    """Add the trails from where one demand fails."""
    outermost = start.above[0][0] if start.above else start.node[0]
    for place, below in descents.below(summaries, start.node, exclusion):
        ways = found[place]
        known = ways.get(outermost)
        if known is None or len(known.links) > len(start.above) + len(below):
            ways[outermost] = Trail((*start.above, *below), start.verdict, start.entry, start.reason)


def failing(summaries: Summaries, entries: Mapping[str, Entry]) -> dict[Node, Verdict]:
    """Return the demands that some way in does not meet, with the worst verdict of such a way."""
    found: dict[Node, Verdict] = {}
    descents = Descents()
    starts = sorted(_starts(summaries, entries, None), key=lambda start: start.verdict, reverse=True)
    for start in starts:
        work = [start.node]
        while work:
            node = work.pop()
            if node in found:
                continue
            found[node] = start.verdict
            work += [
                node_below(cause.what) for cause in descents.causes(summaries, node) if isinstance(cause.what, Passed)
            ]
    return found


def _apart(ways: Mapping[str, Trail]) -> tuple[Trail, ...]:
    """Return the trails that are not another one with callers before it: to mend the shorter one mends both."""
    ordered = sorted(ways.items())
    apart = tuple(
        trail
        for outermost, trail in ordered
        if not any(ident in ways and ident != outermost for ident, _ in trail.links[1:])
    )
    # two that go through each other are both kept
    return apart or tuple(trail for _, trail in ordered)


def _verdict(failure: Failure) -> Verdict:
    return "violation" if failure.definite else "unknown"


def _starts(summaries: Summaries, entries: Mapping[str, Entry], exclusion: Exclusion | None) -> Iterator[_Start]:
    for ident in summaries.speaking():
        summary = summaries[ident]
        entry = entries.get(ident)
        for demand in summary.demands if entry is not None and not entry.alone else ():
            if entry is None:
                continue
            # the context is a word that claims may ask for, like a lock that whoever enters there holds
            left = at_entry(demand.formula, (*entry.holds, (entry.context, "write")), exclusion)
            if left is True:
                continue
            doubts = [str(atom[1]) for atom in atoms(left)]
            certain = entry.certain and not doubts
            reason = "" if certain else (doubts[0] if doubts else entry.text)
            yield _Start((ident, demand.id), "violation" if certain else "unknown", entry, reason, ())
        for failure in summary.failures:
            what = failure.cause.what
            if not isinstance(what, Own):
                links, node = links_below(ident, failure.cause, what)
                yield _Start(node, _verdict(failure), entries.get(ident), failure.reason, links)
