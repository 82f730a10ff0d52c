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
from typing import NamedTuple

from msgspec import Struct

from analyzer.analysis.locksets import Setting
from analyzer.analysis.memo import Packed, Summaries
from analyzer.analysis.summary import Cause, Own, Passed

#: a function and one of its demands, by id
Node = tuple[str, str]
#: (function id, its cause), from the outermost function down
Links = tuple[tuple[str, Cause], ...]


class Place(Struct, frozen=True):
    """A place that a rule speaks about."""

    function: str
    own: Own


class _Found(NamedTuple):
    """What is below a demand."""

    places: tuple[tuple[Place, Links], ...]
    #: what that was read from, by function
    read: tuple[tuple[str, Packed | None], ...]


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
        self._causes: dict[str, tuple[Packed | None, Mapping[str, tuple[Cause, ...]]]] = {}

    def below(self, summaries: Summaries, start: Node) -> tuple[tuple[Place, Links], ...]:
        """Return the places below a demand, the nearest first, each with the links that lead there."""
        found = self._found.get(start)
        if found is None or any(summaries.packed(ident) is not packed for ident, packed in found.read):
            found = self._found[start] = self._descend(summaries, start)
        return found.places

    def keep(self, starts: Iterable[Node]) -> None:
        """Let go of what is known of other demands than `starts`."""
        wanted = set(starts)
        self._found = {node: found for node, found in self._found.items() if node in wanted}

    def causes(self, summaries: Summaries, node: Node) -> tuple[Cause, ...]:
        """Return the causes of a demand."""
        ident, wanted = node
        packed, known = summaries.packed(ident), self._causes.get(ident)
        if known is None or known[0] is not packed:
            demands = reversed(summaries[ident].demands)
            known = self._causes[ident] = packed, {demand.id: demand.causes for demand in demands}
        return known[1].get(wanted, ())

    def _descend(self, summaries: Summaries, start: Node) -> _Found:
        steps = {start: _Step(None, (), 0)}
        places: dict[Place, tuple[int, Node, Cause]] = {}
        queue: deque[Node] = deque([start])
        while queue:
            node = queue.popleft()
            ident, n_links = node[0], steps[node].n_links + 1
            for cause in self.causes(summaries, node):
                what = cause.what
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
        return _Found(found, tuple((ident, summaries.packed(ident)) for ident in {ident for ident, _ in steps}))


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
