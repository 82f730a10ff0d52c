# SPDX-License-Identifier: GPL-2.0-only
"""Changes of members, and the grace periods after them.

In: what `retiring` finds in functions. Out: values: `Change`, `Waited`, and `Retired`, which is both.
"""

from __future__ import annotations

from typing import NamedTuple

from analyzer.ir.function import At

#: (function id, place)
Place = tuple[str, At]
Cell = tuple[str, str]


class Change(NamedTuple):
    """A member that is changed."""

    cell: Cell
    place: Place
    #: to NULL
    cleared: bool = False
    #: locals that hold what was there before
    old: frozenset[str] = frozenset()
    #: readers find objects by it: a pointer, or a link
    leads: bool = True


class Waited(NamedTuple):
    """A grace period."""

    #: lock classes, or parameters (by index) that point to the lock
    domain: tuple[str | int, ...]
    place: Place
    #: the record that is freed after it; empty if all who hold the lock are waited for right there
    record: str = ""


class Retired(NamedTuple):
    """A member that is changed before readers are waited for."""

    cell: Cell
    #: empty: nobody is waited for
    domain: tuple[str, ...]
    changed: Place
    waited: Place
    #: function that does both, itself or in what it calls
    function: str
    #: changed to NULL, or what was there before is used after the wait, or freed after the grace period
    gives_up: bool
    #: readers find objects by it
    leads: bool
