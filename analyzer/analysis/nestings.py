# SPDX-License-Identifier: GPL-2.0-only
"""Nestings of the whole program: a lock taken, or a grace period waited for, while another lock is held.

In: summaries, and the locks that entry points are entered with. Out: `Nesting`s, of which orders and circles are made.

**Invariant:** attempts are no nestings, and neither are contexts: nobody waits in the one and for the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from analyzer.analysis.locks import lock_class
from analyzer.analysis.locksets import Setting
from analyzer.analysis.obligations import Trail, Verdict
from analyzer.analysis.problems import LockFacts
from analyzer.analysis.summary import ACCESS, Acquisition, Cause, Nested, Own, Passed
from analyzer.analysis.terms import Term
from analyzer.ir.function import At

#: locks with their modes
Beside = tuple[tuple[Term, str], ...]


class Nesting(Struct, frozen=True):
    """An acquisition or a wait (the inner) while a lock (the outer) is held."""

    #: the function that holds the outer lock, by id
    function: str
    #: class and mode of the lock that is held
    outer: str
    held_mode: str
    #: the lock itself, over the function's parameters
    outer_key: Term
    #: `lock` or `grace`
    what: str
    #: class and mode of the lock that is taken or waited for
    inner: str
    mode: str
    recursive: bool
    waits: str
    inner_key: Term
    at: At
    link: Passed | None
    setting: Setting
    #: why it may not happen; empty if nothing speaks against it
    doubt: str = ""
    #: the other locks held, with their modes
    beside: Beside = ()
    #: are both locks the same one? None where that is not known, or the classes differ
    same: bool | None = None
    #: do those who enter the function hold the outer lock?
    entered: bool = False

    @property
    def access(self) -> str:
        """Say what a thread does at the inner lock."""
        return ACCESS[self.what]

    def way(self, facts: LockFacts, verdict: Verdict = "violation", reason: str = "") -> Trail:
        """Return the way to the inner lock."""
        cause = Cause(self.link or Own("", self.inner, self.access, self.at), self.setting)
        trail = facts.way(self.function, cause, self.inner, verdict, reason)
        entry, lock = trail.entry, (self.outer, self.held_mode)
        if self.entered and entry is not None and lock not in entry.holds:
            return replace(trail, entry=replace(entry, holds=(*entry.holds, lock)))
        return trail


@lru_cache(1)
def nestings(facts: LockFacts) -> tuple[Nesting, ...]:
    """Return all nestings of locks that are known by their class."""
    alone = _alone(facts)
    return tuple(
        nesting
        for nesting in (*_own(facts), *_at_entries(facts))
        if nesting.outer and nesting.inner and nesting.function not in alone
    )


def _alone(facts: LockFacts) -> set[str]:
    """Return the functions that only those call who are alone in the program: they wait for nobody."""
    alone = [ident for ident, entry in facts.entries.items() if entry.alone]
    if not alone:
        return set()
    others = [ident for ident, entry in facts.entries.items() if not entry.alone]
    return _below(alone, facts) - _below(others, facts)


def _below(work: list[str], facts: LockFacts) -> set[str]:
    seen = set(work)
    while work:
        for edge in facts.graph.callees.get(work.pop(), ()):
            if edge.callee not in seen:
                seen.add(edge.callee)
                work.append(edge.callee)
    return seen


def _own(facts: LockFacts) -> Iterator[Nesting]:
    for ident in facts.summaries.nesting():
        for one in facts.summaries[ident].nested:
            counts = one.what != "sleep" and not one.unshared and not one.held.context
            if counts and not facts.is_forgotten(ident, one.held):
                yield _nesting(ident, one)


def _nesting(ident: str, one: Nested) -> Nesting:
    return Nesting(
        ident,
        one.held.name,
        one.held.mode,
        one.outer,
        one.what,
        one.name,
        one.mode,
        one.recursive,
        one.waits,
        one.inner,
        one.at,
        one.link,
        one.setting,
        one.doubt,
        one.beside,
        one.same,
    )


def _at_entries(facts: LockFacts) -> Iterator[Nesting]:
    """Yield what entry points take under locks that those who enter hold."""
    for ident, entry in sorted(facts.entries.items()):
        for name, mode in (*entry.holds, *entry.sometimes):
            for one in facts.summaries[ident].takes if ident in facts.summaries else ():
                if one.what != "sleep" and (one.waits != "none" or one.what == "grace") and name not in one.without:
                    yield _entered(ident, name, mode, one)


def _entered(ident: str, name: str, mode: str, one: Acquisition) -> Nesting:
    return Nesting(
        ident,
        name,
        mode,
        ("unknown", name),
        one.what,
        lock_class(one.key) or "",
        one.mode,
        one.recursive,
        one.waits,
        one.key,
        one.at,
        one.link,
        one.setting,
        entered=True,
    )
