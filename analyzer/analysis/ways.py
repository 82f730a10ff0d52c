# SPDX-License-Identifier: GPL-2.0-only
"""Ways to a place: chains of callers up to where its locks are taken, or to an entry point.

In: the call graph and the must-locksets at call sites. Out: ways, shortest first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from msgspec import Struct

from analyzer.analysis.memo import Summaries
from analyzer.analysis.summary import HeldAt
from analyzer.ir.function import At
from analyzer.program.entries import Entry
from analyzer.program.graph import CallEdge, CallGraph

#: ways longer than this are cut: their upper end is no entry point
MAX_LENGTH = 16
#: callers looked at for one place
MAX_VISITS = 4000


class HeldIn(Struct, frozen=True):
    """A lock held on a way, and the function that holds it."""

    function: str
    lock: HeldAt


class CallerWay(Struct, frozen=True):
    """One chain of callers."""

    #: function ids, outermost first, the place's own last
    functions: tuple[str, ...]
    held: tuple[HeldIn, ...]
    #: how the outermost function is entered; None where the way was not followed further up
    entry: Entry | None


class Callers:
    """Knows which locks every function holds at its calls."""

    def __init__(self, graph: CallGraph, summaries: Summaries, entries: Mapping[str, Entry]) -> None:
        self._graph = graph
        self._summaries = summaries
        self._entries = entries
        self._at: dict[str, dict[tuple[At, str], tuple[HeldAt, ...]]] = {}

    def held_at(self, ident: str, at: At, what: str) -> tuple[HeldAt, ...]:
        """Return the locks that `ident` itself holds at a call of function `what`, or at access `what`."""
        known = self._at.get(ident)
        if known is None:
            known = self._at[ident] = {(s.at, s.what): s.setting.held for s in self._summaries.locks(ident)}
        return known.get((at, what), ())

    def ways(
        self, ident: str, held: tuple[HeldAt, ...], enough: Callable[[tuple[HeldIn, ...]], bool], limit: int
    ) -> tuple[list[CallerWay], int]:
        """Return at most `limit` ways to a place in `ident` where it holds `held`, and how many more were seen.

        A way ends at an entry point, or as soon as its locks are `enough`.
        """
        found: list[CallerWay] = []
        start = tuple(HeldIn(ident, lock) for lock in held)
        queue: deque[tuple[tuple[str, ...], tuple[HeldIn, ...]]] = deque([((ident,), start)])
        visits = 0
        while queue and visits < MAX_VISITS:
            visits += 1
            functions, locks = queue.popleft()
            entry = self._entries.get(functions[0])
            callers = self._graph.callers.get(functions[0], ())
            if enough(locks) or len(functions) >= MAX_LENGTH:
                found.append(CallerWay(functions, locks, None))
                continue
            if entry is not None or not callers:
                found.append(CallerWay(functions, locks, entry))
            for caller, above in self._above(functions[0]):
                if not set(caller) & set(functions):
                    queue.append(((*caller, *functions), (*above, *locks)))
        return found[:limit], max(0, len(found) - limit) + len(queue)

    def _above(self, callee: str) -> list[tuple[tuple[str, ...], tuple[HeldIn, ...]]]:
        """Return the callers of `callee` with the locks that they hold there, each pair once.

        Above a function that was provided come its provider and, below that one, the function that calls it. Who only
        asks for a call later is no caller.
        """
        edges = [edge for edge in self._graph.callers.get(callee, ()) if edge.kind != "deferred"]
        return sorted({self._step(edge, callee) for edge in edges}, key=repr)

    def _step(self, edge: CallEdge, callee: str) -> tuple[tuple[str, ...], tuple[HeldIn, ...]]:
        held = self.held_at(edge.caller, edge.site.at, edge.called or callee)
        functions, locks = [edge.caller], [HeldIn(edge.caller, lock) for lock in held]
        if edge.through is not None and edge.through[0] != edge.caller:
            ident, site = edge.through
            functions.append(ident)
            locks += [HeldIn(ident, lock) for lock in self.held_at(ident, site.at, callee)]
        return tuple(functions), tuple(locks)
