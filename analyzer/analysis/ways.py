# SPDX-License-Identifier: GPL-2.0-only
"""Ways to a place: chains of callers up to where its locks are taken, or to an entry point.

In: the call graph and the must-locksets at call sites. Out: ways, shortest first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import Struct

from analyzer.analysis.locksets import HeldAt, MayLocks, MustLocks, SiteLocks
from analyzer.analysis.memo import Summaries
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


class _Open(NamedTuple):
    """A way that may go on upwards."""

    functions: tuple[str, ...]
    locks: tuple[HeldIn, ...]
    #: classes of locks that those above do not hold any more at the place
    gone: frozenset[str]


class Callers:
    """Knows which locks every function holds at its calls."""

    def __init__(self, graph: CallGraph, summaries: Summaries, entries: Mapping[str, Entry]) -> None:
        self._graph = graph
        self._summaries = summaries
        self._entries = entries
        self._at: dict[str, dict[tuple[At, str], SiteLocks]] = {}

    def must_at(self, ident: str, at: At, what: str) -> MustLocks:
        """Return what `ident` itself holds for certain at a call of function `what`, or at access `what`."""
        site = self._site(ident, at, what)
        return MustLocks((), ()) if site is None else site.must

    def may_at(self, ident: str, at: At, what: str) -> MayLocks:
        """Return what may be held at a call of function `what` in `ident`, or at access `what`, whoever calls."""
        found = self._may(ident, at, what)
        seen, work = {ident}, [ident]
        while work:
            callee = work.pop()
            entry = self._entries.get(callee)
            if entry is not None:
                found = found.under(MayLocks(tuple(HeldAt(name, mode, At(0), name) for name, mode in entry.holds)))
            for edge in self._graph.callers.get(callee, ()):
                if edge.kind == "deferred":
                    continue
                found = found.under(self._may(edge.caller, edge.site.at, edge.called or callee))
                if edge.through is not None:
                    found = found.under(self._may(edge.through[0], edge.through[1].at, callee))
                if edge.caller not in seen:
                    seen.add(edge.caller)
                    work.append(edge.caller)
        return found

    def _may(self, ident: str, at: At, what: str) -> MayLocks:
        site = self._site(ident, at, what)
        return MayLocks(()) if site is None else site.may

    def _site(self, ident: str, at: At, what: str) -> SiteLocks | None:
        known = self._at.get(ident)
        if known is None:
            known = self._at[ident] = {(site.at, site.what): site for site in self._summaries.locks(ident)}
        return known.get((at, what))

    def ways(
        self, ident: str, must: MustLocks, enough: Callable[[tuple[HeldIn, ...]], bool], limit: int
    ) -> tuple[list[CallerWay], int]:
        """Return at most `limit` ways to a place in `ident` where it holds `must`, and how many more were seen.

        A way ends at an entry point, or as soon as its locks are `enough`.
        """
        found: list[CallerWay] = []
        queue: deque[_Open] = deque([_Open((ident,), _in(ident, must), frozenset(must.gone))])
        visits = 0
        while queue and visits < MAX_VISITS:
            visits += 1
            functions, locks, gone = queue.popleft()
            entry = self._entries.get(functions[0])
            callers = self._graph.callers.get(functions[0], ())
            if enough(locks) or len(functions) >= MAX_LENGTH:
                found.append(CallerWay(functions, locks, None))
                continue
            if entry is not None or not callers:
                found.append(CallerWay(functions, locks, entry))
            for caller, above, dropped in self._above(functions[0]):
                if not set(caller) & set(functions):
                    queue.append(_Open((*caller, *functions), (*_left(above, gone), *locks), gone | dropped))
        return found[:limit], max(0, len(found) - limit) + len(queue)

    def _above(self, callee: str) -> list[_Open]:
        """Return the callers of `callee` with the locks that they hold there, each pair once.

        Above a function that was provided come its provider and, below that one, the function that calls it. Who only
        asks for a call later is no caller.
        """
        edges = [edge for edge in self._graph.callers.get(callee, ()) if edge.kind != "deferred"]
        return sorted({self._step(edge, callee) for edge in edges}, key=repr)

    def _step(self, edge: CallEdge, callee: str) -> _Open:
        outer = self.must_at(edge.caller, edge.site.at, edge.called or callee)
        step = _Open((edge.caller,), _in(edge.caller, outer), frozenset(outer.gone))
        if edge.through is None or edge.through[0] == edge.caller:
            return step
        ident, site = edge.through
        inner = self.must_at(ident, site.at, callee)
        locks = (*_left(step.locks, frozenset(inner.gone)), *_in(ident, inner))
        return _Open((edge.caller, ident), locks, step.gone | frozenset(inner.gone))


def _in(ident: str, must: MustLocks) -> tuple[HeldIn, ...]:
    return tuple(HeldIn(ident, lock) for lock in must.held)


def _left(locks: tuple[HeldIn, ...], gone: frozenset[str]) -> tuple[HeldIn, ...]:
    """Return what is left of callers' locks below, where those of the classes `gone` are dropped."""
    return () if "" in gone else tuple(held for held in locks if held.lock.name not in gone)
