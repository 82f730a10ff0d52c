# SPDX-License-Identifier: GPL-2.0-only
"""From a demand that fails down to the places that make it, along the calls that pass it on.

In: summaries, a demand. Out: the places below it, each with the shortest links that lead there.

After a change most of a program is as it was. So what was found below a demand is remembered with the summaries that it
was read from, and holds as long as these are the ones that the functions have.

**Invariant:** what is remembered is what would be found.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from msgspec import Struct

from analyzer.analysis.formula import section_of
from analyzer.analysis.locksets import Setting
from analyzer.analysis.memo import Packed, Summaries
from analyzer.analysis.sections import Exclusion, Mode, excludes, held_at, kept
from analyzer.analysis.summary import Cause, Demand, Own, Passed

#: a function and one of its demands, by id
Node = tuple[str, str]
#: (function id, its cause), from the outermost function down
Links = tuple[tuple[str, Cause], ...]
#: what something was read from, by function
_Read = tuple[tuple[str, Packed | None], ...]


class Place(Struct, frozen=True):
    """A place that a rule speaks about."""

    function: str
    own: Own


class _Found(NamedTuple):
    """What is below a demand."""

    places: tuple[tuple[Place, Links], ...]
    #: what that was read from, by function
    read: _Read
    #: what kept updaters off then, see `sections`
    keeps_off: frozenset[Mode]


class _Step(NamedTuple):
    """How a demand was come to."""

    #: the demand above; None at the start
    above: Node | None
    #: from there
    links: Links
    #: number of links from the start
    n_links: int


class Descents:
    """Looks below demands, and remembers what it found from one analysis of the program to the next."""

    def __init__(self) -> None:
        self._found: dict[Node, _Found] = {}
        self._held: dict[frozenset[Node], tuple[frozenset[Mode], _Read]] = {}
        self._asked: set[frozenset[Node]] = set()
        self._demands: dict[str, tuple[Packed | None, Mapping[str, Demand]]] = {}

    def below(
        self, summaries: Summaries, start: Node, exclusion: Exclusion | None = None
    ) -> tuple[tuple[Place, Links], ...]:
        """Return the places below a demand, the nearest first, each with the links that lead there.

        If the demand is one of a reader, those are left out that are led to under a lock that keeps updaters off.
        """
        asked = self._section(summaries, start)
        keeps_off = frozenset[Mode]() if asked is None else (exclusion or {}).get(asked[1], frozenset())
        found = self._found.get(start)
        if (
            found is None
            or found.keeps_off != keeps_off
            or any(summaries.packed(ident) is not packed for ident, packed in found.read)
        ):
            found = self._found[start] = self._descend(summaries, start, keeps_off)
        return found.places

    def keep(self, starts: Iterable[Node]) -> None:
        """Let go of what is known of other demands than `starts`, and of locks that nobody asked about since the last time."""
        wanted = set(starts)
        self._found = {node: found for node, found in self._found.items() if node in wanted}
        self._held = {asked: held for asked, held in self._held.items() if asked in self._asked}
        self._asked = set()

    def causes(self, summaries: Summaries, node: Node) -> tuple[Cause, ...]:
        """Return the causes of a demand."""
        found = self._demand(summaries, node)
        return () if found is None else found.causes

    def held(self, summaries: Summaries, cause: Cause) -> frozenset[Mode]:
        """Return the locks that are held at a cause, and still where the access is that it leads to."""
        locks = held_at(cause.setting)
        if not locks or isinstance(cause.what, Own):
            return locks
        return kept(self._section(summaries, node_below(cause.what)), locks)

    def held_below(self, summaries: Summaries, starts: Iterable[Node]) -> frozenset[Mode]:
        """Return all locks that are held on some way from demands of `starts` to where they come from."""
        asked = frozenset(starts)
        self._asked.add(asked)
        known = self._held.get(asked)
        if known is None or any(summaries.packed(ident) is not packed for ident, packed in known[1]):
            known = self._held[asked] = self._hold(summaries, asked)
        return known[0]

    def _hold(self, summaries: Summaries, starts: frozenset[Node]) -> tuple[frozenset[Mode], _Read]:
        seen, work, found = set(starts), list(starts), set[Mode]()
        while work:
            for cause in self.causes(summaries, work.pop()):
                found |= self.held(summaries, cause)
                if isinstance(cause.what, Passed) and (below := node_below(cause.what)) not in seen:
                    seen.add(below)
                    work.append(below)
        return frozenset(found), _read(summaries, seen)

    def _demand(self, summaries: Summaries, node: Node) -> Demand | None:
        ident, wanted = node
        packed, known = summaries.packed(ident), self._demands.get(ident)
        if known is None or known[0] is not packed:
            demands = reversed(summaries[ident].demands)
            known = self._demands[ident] = packed, {demand.id: demand for demand in demands}
        return known[1].get(wanted)

    def _section(self, summaries: Summaries, node: Node) -> tuple[Any, ...] | None:
        """Return what a demand asks about a section; None if it asks nothing of that kind."""
        found = self._demand(summaries, node)
        return None if found is None else section_of(found.formula)

    def _descend(self, summaries: Summaries, start: Node, keeps_off: frozenset[Mode]) -> _Found:
        steps = {start: _Step(None, (), 0)}
        places: dict[Place, tuple[int, Node, Cause]] = {}
        queue: deque[Node] = deque([start])
        while queue:
            node = queue.popleft()
            ident, n_links = node[0], steps[node].n_links + 1
            for cause in self.causes(summaries, node):
                what = cause.what
                if keeps_off and excludes(self.held(summaries, cause), keeps_off):
                    continue
                if isinstance(what, Own):
                    place = Place(ident, what)
                    known = places.get(place)
                    if known is None or known[0] > n_links:
                        places[place] = n_links, node, cause
                    continue
                links, below = links_below(ident, cause, what)
                if below not in steps and below[0]:
                    steps[below] = _Step(node, links, n_links - 1 + len(links))
                    queue.append(below)
        found = tuple(
            (place, (*_way(steps, node), (place.function, cause))) for place, (_, node, cause) in places.items()
        )
        read = _read(summaries, steps)
        return _Found(found, read, keeps_off)


def node_below(what: Passed) -> Node:
    """Return the demand that is passed on in the end."""
    while what.then is not None:
        what = what.then
    return (what.callee, what.demand)


def links_below(ident: str, cause: Cause, what: Passed) -> tuple[Links, Node]:
    """Return the links of a cause, and the demand that it passes on; a deferred call has the calling function too."""
    links = [(ident, cause)]
    while what.then is not None:
        links.append((what.callee, Cause(what.then, Setting((), ()))))
        what = what.then
    return tuple(links), (what.callee, what.demand)


def _way(steps: Mapping[Node, _Step], node: Node) -> Links:
    """Return the links from the start to a demand."""
    parts = []
    above: Node | None = node
    while above is not None:
        step = steps[above]
        parts.append(step.links)
        above = step.above
    return tuple(link for part in reversed(parts) for link in part)


def _read(summaries: Summaries, nodes: Iterable[Node]) -> _Read:
    return tuple((ident, summaries.packed(ident)) for ident in {ident for ident, _ in nodes})
