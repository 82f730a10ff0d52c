# SPDX-License-Identifier: GPL-2.0-only
"""Global locks that a function is always entered under.

In: the call graph, locks at calls, entry points. Out: for a function, the global locks that every way to it holds. Which
object's lock a caller holds is not told: only a global lock is one lock whoever holds it.
"""

from __future__ import annotations

from analyzer.analysis.problems import LockFacts
from analyzer.analysis.terms import Term
from analyzer.program.graph import CallEdge

Locks = tuple[tuple[Term, str], ...]


class Above:
    """Finds and remembers the locks of one run."""

    def __init__(self, facts: LockFacts) -> None:
        self._facts = facts
        self._known: dict[str, frozenset[tuple[str, str]]] = {}
        self._globals = {item.name for unit in facts.program.units.values() for item in unit.globals}

    def __call__(self, ident: str) -> Locks:
        """Return the locks that all ways to function `ident` hold, with their modes."""
        return tuple((("G", name), mode) for name, mode in sorted(self._of(ident)))

    def _of(self, ident: str) -> frozenset[tuple[str, str]]:
        known = self._known.get(ident)
        if known is None:
            # whoever gets here again by recursion came from outside first
            self._known[ident] = frozenset()
            known = self._known[ident] = self._common(ident)
        return known

    def _common(self, ident: str) -> frozenset[tuple[str, str]]:
        entry = self._facts.entries.get(ident)
        ways = [frozenset(lock for lock in entry.holds if lock[0] in self._globals)] if entry else []
        for edge in self._facts.graph.callers.get(ident, ()):
            if ways and not ways[-1]:
                break
            if edge.kind != "deferred":
                ways.append(self._at_call(edge))
        return frozenset.intersection(*ways) if ways else frozenset()

    def _at_call(self, edge: CallEdge) -> frozenset[tuple[str, str]]:
        if edge.kind == "remote":
            return frozenset()
        above = self._of(edge.caller)
        for site in self._facts.summaries.locks(edge.caller):
            if site.at == edge.site.at and site.what == edge.callee:
                held = {(lock.name, lock.mode) for lock in site.must.held if lock.name in self._globals}
                gone = site.must.gone
                return frozenset(held) | {lock for lock in above if lock[0] not in gone and "" not in gone}
        return above
