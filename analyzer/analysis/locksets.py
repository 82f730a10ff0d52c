# SPDX-License-Identifier: GPL-2.0-only
"""Locksets at places: what a function holds there on every way, and what on some.

In: the locks at a place in each state in which it is reached. Out: one `SiteLocks` for the place.

Both are relative to the function's entry; `under` puts them on top of what a caller holds.

**Invariant:** a must-lockset is joined by intersection, a may-lockset by union, and neither can be taken for the other.
**Invariant:** equal locksets are equal values, in whatever order they were joined.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from analyzer.analysis.terms import Term
from analyzer.ir.function import At


class HeldAt(Struct, frozen=True, array_like=True):
    """A lock that the function itself holds at a place."""

    #: lock class; "" where only a caller can tell
    name: str
    mode: str
    at: At
    #: the lock in words: `&kvm->slots_lock`
    text: str
    #: a state of this CPU rather than a lock: it excludes nobody, and its holder may enter it again
    context: bool = False
    #: the callee that took it there (its id), and the lock as the callee knows it
    origin: tuple[str, Term] | None = None
    #: the same thread may hold it oftener: a read side, a context
    recursive: bool = False


class DroppedAt(Struct, frozen=True, array_like=True):
    """A lock that the function acquired and dropped, or dropped for its caller, before a place."""

    name: str
    at: At
    #: where it was acquired; None for the caller's
    acquired: At | None = None
    mode: str = "write"
    context: bool = False


class Setting(Struct, frozen=True, array_like=True):
    """What the function itself has done about locks when it gets to a place."""

    held: tuple[HeldAt, ...]
    dropped: tuple[DroppedAt, ...]
    #: classes of locks of which it is not known any more whether they are held
    unsure: tuple[str, ...] = ()


class MustLocks(Struct, frozen=True, array_like=True):
    """Locks held on every way to a place."""

    held: tuple[HeldAt, ...]
    #: classes of the caller's locks that are gone on some way; "" for one that only a caller can tell
    gone: tuple[str, ...]

    def join(self, other: MustLocks) -> MustLocks:
        """Return what is held on these ways and on those."""
        held = [_weaker(mine, theirs) for mine in self.held for theirs in other.held if _which(mine) == _which(theirs)]
        return MustLocks(_ordered(held), tuple(sorted({*self.gone, *other.gone})))

    def under(self, caller: MustLocks) -> MustLocks:
        """Return what is held at this place if the function is called where `caller` is held."""
        if "" in self.gone:
            return MustLocks(self.held, tuple(sorted({*self.gone, *caller.gone})))
        left = [lock for lock in caller.held if lock.name not in self.gone]
        return MustLocks(_ordered([*left, *self.held]), tuple(sorted({*self.gone, *caller.gone})))


class MayLocks(Struct, frozen=True, array_like=True):
    """Locks held on some way to a place."""

    held: tuple[HeldAt, ...]
    #: other locks may be held too: the function has too many situations to tell them all
    open: bool = False

    def join(self, other: MayLocks) -> MayLocks:
        """Return what is held on some of these ways or of those."""
        return MayLocks(_ordered([*self.held, *other.held]), self.open or other.open)

    def under(self, caller: MayLocks) -> MayLocks:
        """Return what may be held at this place if the function is called where `caller` may be held."""
        return self.join(caller)


class SiteLocks(Struct, frozen=True, array_like=True):
    """Locks that a function holds at a place."""

    at: At
    #: called function's id, or `field` and access as `kvm_memory_slot.gmem.file write`
    what: str
    must: MustLocks
    may: MayLocks
    #: what it has dropped before, on every way
    dropped: tuple[DroppedAt, ...]

    def join(self, other: SiteLocks) -> SiteLocks:
        """Return the locks at the same place over more ways."""
        names = {one.name for one in other.dropped}
        dropped = tuple(one for one in self.dropped if one.name in names)
        return SiteLocks(self.at, self.what, self.must.join(other.must), self.may.join(other.may), dropped)


_NOTHING_MUST, _NOTHING_MAY = MustLocks((), ()), MayLocks(())


def must_of(setting: Setting) -> MustLocks:
    """Return the must-lockset of one state."""
    if not (setting.held or setting.dropped or setting.unsure):
        return _NOTHING_MUST
    gone = {*setting.unsure, *(one.name for one in setting.dropped if one.acquired is None)}
    return MustLocks(_ordered(setting.held), tuple(sorted(gone)))


def may_of(setting: Setting, *, is_open: bool) -> MayLocks:
    """Return the may-lockset of one state; `is_open` where states were merged that differ in locks."""
    return MayLocks(_ordered(setting.held), is_open) if setting.held or is_open else _NOTHING_MAY


def at_places(places: Iterable[tuple[At, str, Setting]], *, is_open: bool) -> tuple[SiteLocks, ...]:
    """Return the locks at each place, given what holds in every state that reaches it."""
    found: dict[tuple[At, str], SiteLocks] = {}
    for at, what, setting in places:
        here = SiteLocks(at, what, must_of(setting), may_of(setting, is_open=is_open), setting.dropped)
        known = found.get((at, what))
        found[(at, what)] = here if known is None else known.join(here)
    return tuple(sorted(found.values(), key=lambda site: (site.at.line, site.at.column, site.what)))


def _which(lock: HeldAt) -> tuple[str, str]:
    return (lock.name, lock.text)


def _weaker(a: HeldAt, b: HeldAt) -> HeldAt:
    """Return the lock as both ways hold it; of two places, the one that comes first in the text."""
    return min(a, b, key=_key) if a.mode == b.mode else a if a.mode == "read" else b


def _key(lock: HeldAt) -> tuple[int, int, str, str, str, str]:
    return (lock.at.line, lock.at.column, lock.name, lock.text, lock.mode, repr(lock.origin))


def _ordered(locks: Iterable[HeldAt]) -> tuple[HeldAt, ...]:
    """Return each lock once in each mode, by the place where it is taken first."""
    found: dict[tuple[str, str, str], HeldAt] = {}
    for lock in sorted(locks, key=_key):
        found.setdefault((*_which(lock), lock.mode), lock)
    return tuple(found.values())
