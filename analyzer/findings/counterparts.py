# SPDX-License-Identifier: GPL-2.0-only
"""What functions and places of one revision are in another one.

In: two sides of a comparison. Out: the present name of a function that was renamed or moved; whether two findings are at
the same place.

A function keeps its name, or moved to another file under its name, or is the one whose shape is nearly the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from msgspec import Struct

from analyzer.findings.alignment import Alignment, index_of, similarity
from analyzer.findings.model import Finding, Report
from analyzer.ir.shape import Mark

#: functions that have less in common are not the same under another name
MIN_SIMILARITY = 0.6
#: how places correspond: unchanged; edited; carried into another function together with the code around
Relation = Literal["same", "edited", "carried"]


class Side(Struct, frozen=True):
    """One of two runs that are compared."""

    report: Report
    #: what happens in the functions in which places lie or what is wrong begins, by `file:function`; lines are the file's
    shapes: Mapping[str, tuple[Mark, ...]]
    #: all functions, as `file:function`, each with a digest of what it does
    functions: Mapping[str, str]
    #: all that `Finding.parts` could name
    parts: frozenset[tuple[str, str]] = frozenset()
    #: main files of units that could not be analysed
    lost: frozenset[str] = frozenset()
    #: there are units of which not even the functions are known
    is_partial: bool = False


def function_of(finding: Finding) -> str:
    """Return the function in which a finding is, as `file:function`."""
    return f"{finding.location.file}:{finding.function}"


class Counterparts:
    """Finds what is the same on both sides; `renamed` has the present names of files."""

    def __init__(self, before: Side, after: Side, renamed: Mapping[str, str]) -> None:
        self._before = before
        self._after = after
        self._renamed = renamed
        self._names: dict[str, str] = {}
        self._alignments: dict[tuple[str, str], Alignment] = {}

    def present(self, function: str) -> str:
        """Return the present name of a function of before; itself where there is no such function any more."""
        if function not in self._names:
            self._names[function] = self._find(function)
        return self._names[function]

    def is_new(self, function: str) -> bool:
        """Tell whether a function of after is none of before."""
        return function not in self._digests

    def is_gone(self, function: str) -> bool:
        """Tell whether a function of before is not there any more."""
        return self.present(function) not in self._after.functions

    def is_touched(self, function: str) -> bool:
        """Tell whether a function of after does something else than it did, or is new."""
        was = self._digests.get(function)
        return was is None or was != self._after.functions.get(function)

    def came_from_nowhere(self, new: Finding) -> bool:
        """Tell whether it cannot be said that a finding was not there before."""
        lost = _touches(new, self._before.lost)
        return lost or (self._before.is_partial and self.is_new(function_of(new)))

    def went_nowhere(self, old: Finding) -> bool:
        """Tell whether it cannot be said that a finding is not there any more."""
        lost = _touches(old, self._after.lost)
        return lost or (self._after.is_partial and self.is_gone(function_of(old)))

    def relation(self, old: Finding, new: Finding) -> Relation | None:
        """Tell how the places of two findings about the same thing correspond."""
        was, now = function_of(old), function_of(new)
        if self.present(was) == now:
            return self._within(was, now, old, new)
        if (self.is_new(now) and _goes_through(new, self.present(was))) or (
            self.is_gone(was) and _goes_through(old, now)
        ):
            return "carried" if self._text(self._before, old) == self._text(self._after, new) else None
        return None

    def _within(self, was: str, now: str, old: Finding, new: Finding) -> Relation | None:
        before, after = self._before.shapes.get(was, ()), self._after.shapes.get(now, ())
        i = index_of(before, old.location.line, old.location.column)
        j = index_of(after, new.location.line, new.location.column)
        if i is None or j is None:
            return "same" if i == j else None
        alignment = self._alignments.get((was, now))
        if alignment is None:
            alignment = self._alignments[was, now] = Alignment(before, after)
        if alignment.is_same(i, j):
            return "same"
        return "edited" if alignment.is_edited(i, j) else None

    def _text(self, side: Side, finding: Finding) -> str | None:
        shape = side.shapes.get(function_of(finding), ())
        index = index_of(shape, finding.location.line, finding.location.column)
        return None if index is None else shape[index].text

    @cached_property
    def _by_name(self) -> Mapping[str, list[str]]:
        """Return the functions of after that were not there before, by name."""
        found: dict[str, list[str]] = {}
        for function in sorted(self._after.functions.keys() - self._moved):
            found.setdefault(function.rpartition(":")[2], []).append(function)
        return found

    @cached_property
    def _moved(self) -> frozenset[str]:
        """Return the functions of before under the present names of their files."""
        return frozenset(map(self._in_file, self._before.functions))

    @cached_property
    def _digests(self) -> Mapping[str, str]:
        """Return the functions of before by their present names."""
        return {self.present(function): digest for function, digest in self._before.functions.items()}

    def _find(self, function: str) -> str:
        moved = self._in_file(function)
        if moved in self._after.functions:
            return moved
        elsewhere = self._by_name.get(function.rpartition(":")[2], [])
        if len(elsewhere) == 1:
            return elsewhere[0]
        shape = self._before.shapes.get(function)
        new = sorted(self._after.shapes.keys() - self._moved)
        if not shape or not new:
            return moved
        likeness, best = max((similarity(shape, self._after.shapes[name]), name) for name in new)
        return best if likeness >= MIN_SIMILARITY else moved

    def _in_file(self, function: str) -> str:
        file, _, name = function.rpartition(":")
        return f"{self._renamed.get(file, file)}:{name}"


def _goes_through(finding: Finding, function: str) -> bool:
    """Tell whether the way to a finding goes through `function`."""
    return function in finding.chain


def _touches(finding: Finding, files: frozenset[str]) -> bool:
    """Tell whether the way to a finding goes through one of `files`."""
    return any(function.rpartition(":")[0] in files for function in (function_of(finding), *finding.chain))
