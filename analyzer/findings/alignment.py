# SPDX-License-Identifier: GPL-2.0-only
"""Which place of a function before is which place after.

In: two shapes, each a tuple of marks with line, column and text. Out: `Alignment`, which finds the counterpart of a place.

Marks that are equal and in the same order are the same. Where a run of marks was replaced by another one in its place,
what stands there was edited. What was taken out here and put in there is the same only if it moved with its
neighbours: a single statement that goes in one place and comes in another is two things.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from analyzer.ir.shape import Mark

Shape = Sequence[Mark]
#: what a mark does ends where its values begin: `_->vm::size = 3`, `f(_, 3)`
_VALUES = re.compile(r" (?:=|<-) |\(")
#: lines that must have moved together to count as moved
N_MOVED_LINES = 3


def index_of(shape: Shape, line: int, column: int) -> int | None:
    """Return the first mark at a place."""
    return next((n for n, mark in enumerate(shape) if (mark.line, mark.column) == (line, column)), None)


def similarity(before: Shape, after: Shape) -> float:
    """Return how much of two functions is equal, from 0 to 1."""
    return SequenceMatcher(None, _texts(before), _texts(after), autojunk=False).ratio()


class Alignment:
    """Two versions of a function, side by side."""

    def __init__(self, before: Shape, after: Shape) -> None:
        self._same: dict[int, int] = {}
        #: marks of runs that were replaced: the run, what is done, and which of those that do it
        self._edited_before: dict[int, tuple[int, str, int]] = {}
        self._edited_after: dict[int, tuple[int, str, int]] = {}
        matcher = SequenceMatcher(None, _texts(before), _texts(after), autojunk=False)
        for run, (tag, i1, i2, j1, j2) in enumerate(matcher.get_opcodes()):
            if tag == "equal":
                self._same.update(zip(range(i1, i2), range(j1, j2), strict=True))
            elif tag == "replace":
                self._edited_before.update(_numbered(before, run, range(i1, i2)))
                self._edited_after.update(_numbered(after, run, range(j1, j2)))
        self._add_moved(before, after)

    def is_same(self, before: int, after: int) -> bool:
        """Tell whether two marks are the same, unchanged."""
        return self._same.get(before) == after

    def is_edited(self, before: int, after: int) -> bool:
        """Tell whether a mark is what became of another one, in a run that was edited."""
        old, new = self._edited_before.get(before), self._edited_after.get(after)
        if old is None or new is None or old[0] != new[0]:
            return False
        return old == new or not (old in self._edited_after.values() or new in self._edited_before.values())

    def _add_moved(self, before: Shape, after: Shape) -> None:
        """Match runs of marks that went from one place to another."""
        gone = [i for i in range(len(before)) if i not in self._same]
        come = [j for j in range(len(after)) if j not in self._same.values()]
        matcher = SequenceMatcher(None, [before[i].text for i in gone], [after[j].text for j in come], autojunk=False)
        for block in matcher.get_matching_blocks():
            pairs = [(gone[block.a + n], come[block.b + n]) for n in range(block.size)]
            if len({before[i].line for i, _ in pairs}) >= N_MOVED_LINES:
                self._same.update(pairs)


def _numbered(shape: Shape, run: int, marks: range) -> Iterator[tuple[int, tuple[int, str, int]]]:
    """Number the marks of a run by what they do, whatever the values are that they do it with."""
    counts: Counter[str] = Counter()
    for mark in marks:
        deed = _VALUES.split(shape[mark].text, maxsplit=1)[0]
        yield mark, (run, deed, counts[deed])
        counts[deed] += 1


def _texts(shape: Shape) -> list[str]:
    return [mark.text for mark in shape]
