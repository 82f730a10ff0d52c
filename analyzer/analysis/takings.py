# SPDX-License-Identifier: GPL-2.0-only
"""Every place where a lock is taken or its holders are waited for, and what is called while it is held.

In: a lock class, the analysed program. Out: `Taking`s, each with the functions that the source goes through to the
primitive; `Under`s, the calls made with the lock held.

Summaries keep one place of each acquisition; here all are asked for. So the functions that have one are analysed again.

**Invariant:** a place inside an inline function, or in one that takes what it is given, is told at whoever calls it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from msgspec import Struct

from analyzer.analysis.context import Context, Scope
from analyzer.analysis.function import FunctionAnalysis, settled
from analyzer.analysis.locks import lock_class
from analyzer.analysis.problems import LockFacts
from analyzer.analysis.summary import Acquisition, Passed
from analyzer.facts.unit import FunctionFacts
from analyzer.ir.function import At


class Taking(Struct, frozen=True):
    """One place where a function takes a lock, or waits for its holders."""

    #: `lock` or `grace`
    what: str
    mode: str
    #: function id
    function: str
    at: At
    #: the functions called for it, from the place down to the primitive; none where the function calls that itself
    through: tuple[str, ...]
    #: it fails rather than waits
    attempt: bool


class Under(Struct, frozen=True):
    """A call made with a lock held."""

    #: ids of the function that holds it, and of the one that it calls
    function: str
    callee: str
    at: At
    #: held on every way there, or on some only
    certain: bool


class AroundLock:
    """What is done about the locks of one class."""

    def __init__(self, name: str, context: Context, facts: LockFacts, facts_of: Callable[[str], FunctionFacts]) -> None:
        self.name = name
        self._context = context
        self._facts = facts
        self._facts_of = facts_of
        self._takes = {
            ident: takes
            for ident in sorted(context.summaries)
            if (takes := [one for one in context.summaries[ident].takes if self._is_mine(one)])
        }

    def _is_mine(self, one: Acquisition) -> bool:
        return one.what != "sleep" and lock_class(one.key) == self.name

    @property
    def is_taken(self) -> bool:
        """Tell whether any function takes or waits for such a lock."""
        return bool(self._takes)

    def takings(self) -> tuple[Taking, ...]:
        """Return the places where it is taken or waited for, sorted."""
        blocks = any(one.waits != "none" for takes in self._takes.values() for one in takes if one.what == "lock")
        found = {
            taking for ident in self._takes if self._may_take(ident) for taking in self._in_function(ident, blocks)
        }
        return tuple(sorted(found, key=_place))

    def _may_take(self, ident: str) -> bool:
        """Tell whether a function can have a place of its own: it is cheap to ask, and few have."""
        if self._is_part(ident):
            return False
        if any(one.link is None for one in self._takes[ident]):
            return True
        return any(self._leaves_place(edge.callee) for edge in self._facts.graph.callees.get(ident, ()))

    def _is_part(self, ident: str) -> bool:
        """Tell whether a function is a part of whoever calls it."""
        return self._facts.program.functions[ident].ref.inline and bool(self._facts.graph.callers.get(ident))

    def _leaves_place(self, callee: str) -> bool:
        """Tell whether what `callee` takes is told at its callers."""
        if callee in self._takes and self._is_part(callee):
            return True
        summary = self._context.summaries.get(callee)
        return summary is not None and any(lock_class(one.key) is None for one in summary.takes if one.what != "sleep")

    def _in_function(self, ident: str, blocks: bool) -> Iterator[Taking]:
        analysis, _ = settled(Scope(self._context, ident, self._facts_of(ident)), FunctionAnalysis)
        for recorder in analysis.recorders.values():
            for wait, drafts in recorder.log.takes.items():
                if wait.what == "sleep" or lock_class(wait.key) != self.name:
                    continue
                attempt = wait.what == "lock" and wait.waits == "none" and blocks
                for draft in drafts.values():
                    through = self._through(draft.link)
                    if through is not None:
                        yield Taking(wait.what, wait.mode, ident, draft.at, through, attempt)

    def _through(self, link: Passed | None) -> tuple[str, ...] | None:
        """Return the functions that are called for an acquisition; None if it is told at one of these."""
        through: list[str] = []
        while link is not None:
            while link.then is not None:
                link = link.then
            one = self._facts.acquisition(link.callee, link.demand)
            if one is None or link.callee in through:
                break
            if lock_class(one.key) is not None and not self._is_part(link.callee):
                return None
            through.append(link.callee)
            link = one.link
        return tuple(through)

    def under(self) -> tuple[Under, ...]:
        """Return the calls made while the function itself holds such a lock, sorted."""
        found = [
            Under(ident, site.what, site.at, any(lock.name == self.name for lock in site.must.held))
            for ident in self._context.summaries
            for site in self._context.summaries.locks(ident)
            if site.what in self._facts.program.functions
            and any(lock.name == self.name for lock in (*site.must.held, *site.may.held))
        ]
        return tuple(sorted(found, key=_place))

    def reached(self, callees: set[str]) -> set[str]:
        """Return what runs in and below `callees`, but for calls before which the lock is dropped."""
        seen, work = set(callees), deque(sorted(callees))
        while work:
            ident = work.popleft()
            dropped = {
                (site.at, site.what)
                for site in self._context.summaries.locks(ident)
                if self.name in site.must.gone or "" in site.must.gone
            }
            for edge in self._facts.graph.callees.get(ident, ()):
                gone = (edge.site.at, edge.called or edge.callee) in dropped
                if edge.kind != "deferred" and not gone and edge.callee not in seen:
                    seen.add(edge.callee)
                    work.append(edge.callee)
        return seen


def _place(one: Taking | Under) -> tuple[object, ...]:
    rest = (one.what, one.mode, one.through) if isinstance(one, Taking) else (one.callee,)
    return (one.function, one.at.line, one.at.column, *rest)
