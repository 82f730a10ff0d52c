# SPDX-License-Identifier: GPL-2.0-only
"""What keeps updaters off: locks that every updater of a member holds for writing, on some way there.

In: summaries with what is left of updaters' writes at entry points. Out: lock classes for each member that readers are
waited for of. An updater that holds nothing (while an object is taken apart) excludes nobody by a lock, and says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

from msgspec import Struct

from analyzer.analysis.descent import Descents, Node
from analyzer.analysis.formula import atoms
from analyzer.analysis.memo import Summaries
from analyzer.analysis.sections import Exclusion, Key, Mode, kept
from analyzer.program.entries import Entry


class Kept(Struct, frozen=True):
    """What is known of sections once every way is."""

    #: by member and rule, what keeps updaters off
    locks: Exclusion
    #: members that are read on ways that begin inside the section
    inside: frozenset[Key]
    #: places where an object is changed that others can reach, see `sections.number`
    changed: frozenset[tuple[Key, str]] = frozenset()


def kept_off(summaries: Summaries, entries: Mapping[str, Entry], descents: Descents) -> Kept:
    """Return what keeps the updaters of each member off."""
    sites: dict[Key, dict[str, set[Mode]]] = defaultdict(lambda: defaultdict(set))
    ways: dict[tuple[Key, str], set[Node]] = defaultdict(set)
    inside = set()
    for node, entry, atom in _at_entries(summaries, entries):
        _, key, place, domain, _ = atom
        locks = kept(atom, entry.holds)
        if place:
            sites[key][place] |= locks
            ways[key, place].add(node)
        elif any(name in domain for name, _ in locks):
            inside.add(key)
        else:
            sites.setdefault(key, defaultdict(set))
    for (key, place), starts in ways.items():
        sites[key][place] |= descents.held_below(summaries, starts)
    off = {}
    for key, places in sites.items():
        some = [frozenset(locks) for locks in places.values() if locks]
        off[key] = reduce(_common, some) if some else frozenset()
    changed = frozenset((key, place) for key, places in sites.items() for place in places)
    return Kept(off, frozenset(inside), changed)


def _common(some: frozenset[Mode], others: frozenset[Mode]) -> frozenset[Mode]:
    """Return the locks that are in both, for writing only if they are so in both."""
    names = {name for name, _ in some} & {name for name, _ in others}
    return frozenset(
        (name, "write" if (name, "write") in some and (name, "write") in others else "read") for name in names
    )


def _at_entries(summaries: Summaries, entries: Mapping[str, Entry]) -> Iterator[tuple[Node, Entry, tuple[Any, ...]]]:
    """Yield what is asked of entry points for certain."""
    for ident in summaries.speaking():
        entry = entries.get(ident)
        for demand in summaries[ident].demands if entry is not None and not entry.alone else ():
            asked = atoms(demand.formula)
            if entry is not None and not any(atom[0] == "maybe" for atom in asked):
                yield from (((ident, demand.id), entry, atom) for atom in asked if atom[0] == "section")
