# SPDX-License-Identifier: GPL-2.0-only
"""Pointers that lead back to where one came from.

In: rows of the specification. Out: `Backlinks`: `vcpu->arch.apic->vcpu` is `vcpu`, so a lock of the one is the lock of
the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import reduce
from typing import NamedTuple

from analyzer.analysis.names import Cell, NameResolver
from analyzer.analysis.over import Loader
from analyzer.analysis.terms import Term, address, is_lasting, member, now, pointee
from analyzer.base.errors import SpecError
from analyzer.spec.model import Backlink


class _Way(NamedTuple):
    """A row, its members resolved."""

    #: members of the pointer's own record around the pointer, the innermost first
    inside: tuple[Cell, ...]
    #: members that lead to that record, the last one first
    through: tuple[Cell, ...]
    #: members that lead from where `through` begins to what the pointer holds as well
    onward: tuple[Cell, ...]


class Backlinks:
    """The rows of one run; without any, no pointer leads back."""

    __slots__ = ("_ways", "errors")

    def __init__(self, rows: Iterable[Backlink] = (), names: NameResolver | None = None) -> None:
        #: by the member that points back
        self._ways: dict[tuple[str, ...], list[_Way]] = defaultdict(list)
        #: names in the rows that the program does not have
        self.errors: list[SpecError] = []
        if names is None:
            return
        for row in rows:
            pointer = names.way(row.member, row.location)
            through = names.way(row.through, row.location)
            onward = names.way(row.target, row.location)
            if pointer and through and (onward or len(row.target.parts) == 1):
                self._ways[pointer[-1]].append(_Way(pointer[-2::-1], through[::-1], onward))
        self.errors = names.errors

    @property
    def everywhere(self) -> Backlinks:
        """Return what holds in any function."""
        return self

    def follow(self, obj: Term, loader: Loader) -> Term | None:
        """Return the value of the pointer `obj` where it leads back; None where no row says so."""
        for way in self._ways.get(obj[2:], ()) if obj[0] == "F" else ():
            record = _strip(obj[1], way.inside)
            earlier = record is not None and record[0] == "O" and record[1][0] == "fix"
            if record is not None and earlier:
                record = pointee(now(record[1]))
            if record is not None and record[0] == "O" and record[1][0] == "ld":
                record = record[1][1]
            elif record is not None and record[0] == "O" and record[1][0] == "in":
                # wherever it is in there
                record = record[1][1]
            holder = None if record is None else _strip(record, way.through)
            if holder is None or (earlier and not is_lasting(holder)):
                # what was found in an earlier pass of a loop may have been found in something else then
                continue
            if not way.onward:
                return address(holder)
            return loader(reduce(lambda inner, cell: member(inner, *cell), way.onward, holder))
        return None


class Entered(Backlinks):
    """The rows of a run, and what members hold where one function begins, over its parameters."""

    __slots__ = ("_everywhere", "_held")

    def __init__(self, everywhere: Backlinks, held: Mapping[Term, Term]) -> None:
        super().__init__()
        self._everywhere = everywhere
        self._held = held

    def follow(self, obj: Term, loader: Loader) -> Term | None:
        """Return the value of the pointer `obj` where it is known."""
        return self._held.get(obj) or self._everywhere.follow(obj, loader)

    @property
    def everywhere(self) -> Backlinks:
        """Return what holds in any function."""
        return self._everywhere


def _strip(obj: Term, members: tuple[Cell, ...]) -> Term | None:
    """Return the object of which `obj` is the member that `members` lead to, the last one first."""
    for cell in members:
        while obj[0] == "I":
            obj = obj[1]
        if obj[0] != "F" or obj[2:] != cell:
            return None
        obj = obj[1]
    return obj
