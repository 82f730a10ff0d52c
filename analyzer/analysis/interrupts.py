# SPDX-License-Identifier: GPL-2.0-only
"""What interrupts and bottom halves take, and what is taken where they can come in between.

In: summaries, the contexts of entry points and of functions that others call in an interrupt. Out: `Taking`s.

**Invariant:** a taking in an interrupt is one that waits: an attempt fails, and the interrupt goes on. One that an
interrupt interrupts may have been an attempt: it got the lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

from msgspec import Struct

from analyzer.analysis.locks import lock_class
from analyzer.analysis.obligations import Trail, Verdict
from analyzer.analysis.problems import LockFacts
from analyzer.analysis.summary import Acquisition, Cause, Own, Passed
from analyzer.analysis.terms import Term


class Taking(Struct, frozen=True):
    """A lock taken somewhere below a function that threads, or interrupts, begin in."""

    #: the function that they begin in, by id
    function: str
    name: str
    one: Acquisition
    #: why it is not known in which context that is; empty if it is
    doubt: str = ""

    @property
    def key(self) -> Term:
        """Return the lock over the function's parameters."""
        return self.one.key

    def way(self, facts: LockFacts, verdict: Verdict = "violation") -> Trail:
        """Return the way to where the lock is taken."""
        cause = Cause(self.one.link or Own("", self.name, "acquire", self.one.at), self.one.setting)
        return facts.way(self.function, cause, self.name, verdict, self.doubt)


class Interrupts:
    """Knows which functions run in which context."""

    def __init__(self, facts: LockFacts) -> None:
        self._facts = facts
        #: functions by the contexts in which they are called
        self._in: dict[str, set[str]] = {}
        #: (function, called through) of calls that come before the caller goes on, and in an interrupt
        self._at_once: set[tuple[str, str]] = set()
        for ident, entry in facts.entries.items():
            self._in.setdefault(entry.context, set()).add(ident)
        for handed in facts.graph.callbacks.handed():
            self._in.setdefault(handed.row.context, set()).add(handed.function)
            if handed.row.context in ("hardirq", "softirq"):
                self._at_once.add((handed.function, f"{handed.row.function}()"))

    def taken_in(self, context: str) -> Iterator[Taking]:
        """Yield the locks that code in `context` waits for."""
        for ident in sorted(self._in.get(context, ())):
            for name, one in self._locks(ident):
                if one.waits != "none":
                    yield Taking(ident, name, one)

    def elsewhere(self, by: str, off: frozenset[str], at_stake: Set[str]) -> Iterator[tuple[Taking, bool]]:
        """Yield where locks `at_stake` are taken and code in context `by` may come in between; is it kept away by one of `off`?"""
        contexts = {"hardirq": ("process", "softirq", ""), "softirq": ("process", "")}[by]
        for ident, entry in sorted(self._facts.entries.items()):
            if entry.alone or entry.context not in contexts or ident in self._in.get(by, ()):
                continue
            doubt = "" if entry.certain else entry.text
            entered = {name for name, _ in entry.holds}
            for name, one in self._locks(ident):
                if name not in at_stake:
                    continue
                kept_away = bool(off & {*one.off, *entered}) or self._runs_elsewhere(one, name)
                yield Taking(ident, name, one, doubt), kept_away

    def _locks(self, ident: str) -> Iterator[tuple[str, Acquisition]]:
        for one in self._facts.summaries[ident].takes if ident in self._facts.summaries else ():
            name = lock_class(one.key)
            if one.what == "lock" and name:
                yield name, one

    def _runs_elsewhere(self, one: Acquisition, name: str) -> bool:
        """Tell whether the lock is taken by a function that is called in an interrupt meanwhile."""
        if one.link is None:
            return False
        links = [one.link, *(cause.what for _, cause in self._facts.below(one.link, name))]
        calls = [link for link in links if isinstance(link, Passed)]
        return any((call.callee, call.via) in self._at_once for call in calls)
