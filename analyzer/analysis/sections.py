# SPDX-License-Identifier: GPL-2.0-only
"""Read-side sections: is a reader where a grace period waits for him, and if not, what does he hold?

In: accesses to members that updaters change before they wait for readers. Out: atoms of formulas that travel to the
callers until a lock of the section itself is held:

  ("section", (rule, object), site, domain, gone)

`site` tells an updater's write, empty for a read; `domain` are the locks, and contexts, of which one is
enough; `gone` are classes of which the callers' hold is dropped on the way.

What else is held on a way keeps updaters off, or readers. It is no part of the atom, which would be another one after
each lock: it is read from the causes of demands, which lead down every way.

**Invariant:** which locks keep updaters off is known once every way is: only then are the atoms decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from analyzer.analysis import ranges
from analyzer.analysis.effects import LAST
from analyzer.analysis.locks import lock_class
from analyzer.analysis.locksets import Setting
from analyzer.analysis.state import State

#: (rule, object) of a watch
Key = tuple[str, str]
#: a lock class and the mode in which it is held
Mode = tuple[str, str]
#: for each key, the locks that updaters hold
Exclusion = Mapping[Key, frozenset[Mode]]


#: a function's name, and a place in it: line and column
Site = tuple[str, int, int]


class Section(Struct, frozen=True, array_like=True):
    """What a rule asks of the readers of a member."""

    #: locks, and contexts, any of which an updater waits for
    domain: tuple[str, ...]
    #: places where updaters change the member, sorted
    sites: tuple[Site, ...]
    #: another rule says what readers of the member need, or what callers of these functions, `name()`, do: it is asked
    is_told: bool = False
    told_in: tuple[str, ...] = ()

    def asks(self, function: str, access: str) -> bool:
        """Tell whether an access in a function is asked to be in a section."""
        return access != "read" or not (self.is_told or f"{function}()" in self.told_in)


def number(sites: Iterable[Site], site: Site) -> str:
    """Return what stands for one of the sites: its number in its function, which edits elsewhere in there leave alone."""
    own = [one for one in sites if one[0] == site[0]]
    return f"{site[0]}#{own.index(site)}" if site in own else ""


def atom(key: Key, section: Section, mode: str, site: Site) -> bool | tuple[Any, ...]:
    """Return what an access asks for; True where it asks for nothing."""
    place = number(section.sites, site) if mode == "write" else ""
    if mode == "write" and not place:
        return True
    return ("section", key, place, section.domain, ())


def left(one: tuple[Any, ...], state: State) -> bool | tuple[Any, ...]:
    """Return what is left of an atom in `state`: True inside the section.

    Nobody is asked where the last reference to an object was dropped on the way: it is taken apart.
    """
    if is_inside(one, state) or _is_last(state):
        return True
    if not state.locks:
        return one
    gone = {lock_class(lock) or "" for lock, hold in state.locks.items() if hold.times < 0}
    return (*one[:4], tuple(sorted(gone.union(one[4])))) if gone else one


def _is_last(state: State) -> bool:
    return any(term[0] == "w" and term[1] == LAST and known == ranges.NULL for term, known in state.facts.items())


def is_inside(one: tuple[Any, ...], state: State) -> bool:
    """Tell whether a read is inside the section that its atom asks for."""
    _, _, place, domain, gone = one
    return (
        not place
        and bool(state.locks)
        and any(
            hold.times > 0 and (name := lock_class(lock)) in domain and name not in gone
            for lock, hold in state.locks.items()
        )
    )


def entered(one: tuple[Any, ...], holds: Iterable[Mode], exclusion: Exclusion | None) -> bool:
    """Tell whether a way that begins with `holds` is right; without `exclusion` nobody asks yet."""
    _, key, place, domain, _ = one
    if exclusion is None or place or key not in exclusion:
        return True
    locks = kept(one, holds)
    return any(name in domain for name, _ in locks) or excludes(locks, exclusion[key])


def excludes(mine: Iterable[Mode], theirs: Iterable[Mode]) -> bool:
    """Tell whether two threads with these locks keep each other off: both hold one, and not both for reading."""
    return any(name == other and "write" in (mode, other_mode) for name, mode in mine for other, other_mode in theirs)


def kept(one: tuple[Any, ...] | None, holds: Iterable[Mode]) -> frozenset[Mode]:
    """Return those of `holds` that are still held where an atom comes from; None: where the access itself is."""
    return frozenset(holds) if one is None else frozenset((name, mode) for name, mode in holds if name not in one[4])


def held_at(setting: Setting) -> frozenset[Mode]:
    """Return the locks of `setting` that keep others off."""
    if not setting.held:
        return frozenset()
    dropped = {gone.name for gone in setting.dropped if gone.acquired is None}
    return frozenset(
        (held.name, held.mode) for held in setting.held if held.name and not held.recursive and held.name not in dropped
    )
