# SPDX-License-Identifier: GPL-2.0-only
"""What a comparison of two revisions cannot see of the changes between them.

In: the changes, both runs. Out: a gap for each change that is not looked at, and what to do about it; the sides, which
know what they lack.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from posixpath import basename

from msgspec import Struct
from msgspec.structs import replace

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.findings.counterparts import Side
from analyzer.pipeline.options import CheckOptions
from analyzer.pipeline.side import Run
from analyzer.source.names import FileNames
from analyzer.source.revisions import Change, Untracked

#: files that say how the kernel is configured and compiled
_BUILD = re.compile(r"(Kconfig|Makefile|Kbuild)([.-].*)?|.*\.(mk|config)|.*_defconfig")
#: what is told of most changes of a big tree of which little was compiled
UNREAD = "no unit that is analysed reads this file: its change is not looked at"
_REMEDY = "compile it, then write the compile database anew, as with make compile_commands.json"


class Sides:
    """Both runs, and how files are called in them."""

    def __init__(self, before: Run, after: Run, names: FileNames) -> None:
        self.before = before
        self.after = after
        self._names = names

    def name(self, path: str) -> str:
        """Return the name of a file; one that lies elsewhere has one path, whatever links lead to it."""
        name = self._names.name(path, self._names.tree)
        return os.path.realpath(name) if os.path.isabs(name) else name  # noqa: PTH117 - a name, no path

    @cached_property
    def read_before(self) -> frozenset[str]:
        """Return the names of all files that the base was made of."""
        return self._read(self.before)

    @cached_property
    def read_after(self) -> frozenset[str]:
        """Return the names of all files that the head was made of."""
        return self._read(self.after)

    def _read(self, run: Run) -> frozenset[str]:
        return frozenset((*map(self.name, run.files), *run.units, *run.failed))


class Covered(Struct, frozen=True):
    """The sides with what they lack, and the gaps that tell it."""

    before: Side
    after: Side
    gaps: tuple[Gap, ...]


def not_covered(changes: Iterable[Change], untracked: Untracked, sides: Sides, options: CheckOptions) -> Covered:
    """Return what is not seen of `changes`."""
    gaps = [*_failures(sides), *_untracked(untracked, sides)]
    blind = {"before": False, "after": False}
    for change in changes:
        for name, text, side in _unseen(change, sides, options):
            gaps.append(Gap(GapKind.CHANGE, Location(name, 1), text))
            if side:
                blind[side] = True
    return Covered(
        replace(sides.before.side, lost=frozenset(sides.before.failed), is_partial=blind["before"]),
        replace(sides.after.side, lost=frozenset(sides.after.failed), is_partial=blind["after"]),
        tuple(gaps),
    )


def _failures(sides: Sides) -> Iterator[Gap]:
    """Tell which units could not be read at the base: what is found in them now cannot be compared."""
    for gap in sides.before.gaps:
        if gap.kind is GapKind.UNIT and gap.location.file in sides.before.failed:
            yield Gap(
                GapKind.CHANGE, gap.location, f"at the base, {gap.text}: findings on ways through it are not judged"
            )


def _untracked(untracked: Untracked, sides: Sides) -> Iterator[Gap]:
    """Tell what git does not know, and what is made of it."""
    for paths, taken in ((untracked.new, "for a new one"), (untracked.undated, "to be there at the base too")):
        for path in paths:
            text = f"git does not track this file: it is taken {taken}"
            yield Gap(GapKind.CHANGE, Location(sides.name(path), 1), text)


def _unseen(change: Change, sides: Sides, options: CheckOptions) -> Iterator[tuple[str, str, str]]:
    """Yield what is not seen of one change: a file, a text, and the side that lacks a unit because of it."""
    old, new = sides.name(change.old), sides.name(change.new)
    if _BUILD.fullmatch(basename(new)):
        yield new, "says how the kernel is configured or compiled: both sides are analysed as the build was", ""
    if not _in_scope(new, options) and not _in_scope(old, options):
        return
    if change.is_link:
        yield new, "is or was a symbolic link: both sides read what it names on disk", ""
        return
    was_read, is_read = old in sides.read_before, new in sides.read_after
    if change.status in "AR" and new.endswith(".c") and not is_read:
        yield new, f"is new and has no compile command, so it is not analysed; {_REMEDY}", "after"
    elif change.status == "R" and old.endswith(".c") and not was_read:
        yield old, "was renamed, and could not be analysed under its old name", "before"
    elif change.status == "D" and old.endswith(".c") and not was_read:
        text = "was deleted, and the build has no compile command for it: what moved from there counts as not judged"
        yield old, text, "before"
    elif new.endswith((".c", ".h")) and not (was_read or is_read):
        yield new, UNREAD, ""


def _in_scope(name: str, options: CheckOptions) -> bool:
    if options.units:
        return name in options.units
    return not options.under or any(name.startswith(f"{folder.rstrip('/')}/") for folder in options.under)
