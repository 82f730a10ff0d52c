# SPDX-License-Identifier: GPL-2.0-only
"""A tree at another time than now, as far as it differs from the files on disk.

In: paths with other contents, paths that are not there. Out: the translation units that there are then.

**Invariant:** a unit whose main file is not there is no unit; one that was renamed is compiled as it is under its other
name.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from analyzer.source.commands import UnitList


class Snapshot(Struct, frozen=True):
    """What is different; paths are absolute."""

    #: a file, on disk or not, and the file that has its content
    contents: tuple[tuple[str, Path], ...] = ()
    #: files on disk that are not there
    absent: tuple[str, ...] = ()
    #: files that there are on the other side of a comparison only
    elsewhere: tuple[str, ...] = ()
    #: main files and the names that they have on the other side
    renamed: tuple[tuple[str, str], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether the tree is as it lies on disk."""
        return not (self.contents or self.absent)


def units_at(units: UnitList, snapshot: Snapshot | None) -> UnitList:
    """Return the units that there are at the time of `snapshot`."""
    if snapshot is None:
        return units
    name = units.names.name
    absent = {name(path, units.names.tree) for path in (*snapshot.absent, *snapshot.elsewhere)}
    there = {command.name: command for command in units.commands}
    commands = {unit: command for unit, command in there.items() if unit not in absent}
    for path, other in snapshot.renamed:
        unit, like = name(path, units.names.tree), there.get(name(other, units.names.tree))
        if unit not in commands and unit not in absent and like is not None and like.arguments:
            commands[unit] = replace(like, name=unit, source=path)
    return replace(units, commands=tuple(commands[unit] for unit in sorted(commands)))
