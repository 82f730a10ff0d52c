# SPDX-License-Identifier: GPL-2.0-only
"""How a thread gets to a function that fails whoever calls it: the shortest chain of calls from an entry point.

In: the call graph, entry points, must-locksets at calls. Out: a trail that begins at an entry point.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from msgspec.structs import replace

from analyzer.analysis.in_use import Chosen, InUse
from analyzer.analysis.locksets import Setting
from analyzer.analysis.memo import Summaries
from analyzer.analysis.obligations import Trail
from analyzer.analysis.summary import Cause, Passed
from analyzer.program.entries import Entry
from analyzer.program.graph import CallEdge, CallGraph

Links = tuple[tuple[str, Cause], ...]


class Leads:
    """Finds and remembers the chains of one run."""

    def __init__(
        self,
        graph: CallGraph,
        summaries: Summaries,
        entries: Mapping[str, Entry],
        in_use: Mapping[str, InUse],
    ) -> None:
        self._graph = graph
        self._summaries = summaries
        self._entries = entries
        self._in_use = in_use
        self._known: dict[str, tuple[Links, Entry | None]] = {}

    def led(self, trail: Trail) -> Trail:
        """Return `trail` from an entry point on, if there is a way to where it begins."""
        if trail.entry is not None:
            return trail
        links, entry = self.to(trail.links[0][0])
        return replace(trail, links=(*links, *trail.links), entry=entry, n_leading=len(links))

    def to(self, ident: str) -> tuple[Links, Entry | None]:
        """Return the calls that lead to a function from an entry point; none if there is no such way."""
        if ident not in self._known:
            self._known[ident] = self._find(ident)
        return self._known[ident]

    def _find(self, ident: str) -> tuple[Links, Entry | None]:
        below: dict[str, CallEdge | None] = {ident: None}
        chosen = Chosen(self._in_use.get(ident, ()))
        queue = deque([ident])
        while queue:
            function = queue.popleft()
            entry = self._entries.get(function)
            if entry is not None:
                return self._links(function, below), entry
            for edge in sorted(self._graph.callers.get(function, ()), key=self._preference):
                if edge.caller not in below and chosen.allows(self._in_use.get(edge.caller, ())):
                    below[edge.caller] = edge
                    queue.append(edge.caller)
        return (), None

    def _links(self, function: str, below: Mapping[str, CallEdge | None]) -> Links:
        links = []
        while (edge := below[function]) is not None:
            links.append((function, Cause(Passed(edge.callee, "", edge.site.at, edge.via), self._setting(edge))))
            function = edge.callee
        return tuple(links)

    def _setting(self, edge: CallEdge) -> Setting:
        for site in self._summaries.locks(edge.caller):
            if site.at == edge.site.at and site.what == edge.callee:
                return Setting(site.must.held, site.dropped)
        return Setting((), ())

    def _preference(self, edge: CallEdge) -> tuple[int, str, int, int, str]:
        """Rank calls of one function: those with the fewest locks held show most plainly what is missing."""
        held = len(self._setting(edge).held)
        return (held, edge.caller, edge.site.at.line, edge.site.at.column, edge.via)
