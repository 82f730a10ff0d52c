# SPDX-License-Identifier: GPL-2.0-only
"""Edits: what lies between two versions of a text.

In: the lines before and after. Out: `Edit(first=120, n_old=1, n_new=2)`: line 120 became two lines.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class Edit(Struct, frozen=True):
    """Some lines in the place of others."""

    #: first line that differs, 1-based
    first: int
    n_old: int
    n_new: int

    @property
    def shift(self) -> int:
        """Return by how many lines the text behind moved."""
        return self.n_new - self.n_old

    def moved(self, line: int) -> int:
        """Return where a line of the old text stands in the new one; within the edit, its first line."""
        if line < self.first:
            return line
        return line + self.shift if line >= self.first + self.n_old else min(line, self.first + max(self.n_new - 1, 0))


def edit_between(old: Sequence[str], new: Sequence[str]) -> Edit | None:
    """Return the edit that makes `new` of `old`; None where they are equal."""
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    if head == len(old) == len(new):
        return None
    left = shorter - head
    tail = next((n for n in range(left) if old[-1 - n] != new[-1 - n]), left)
    return Edit(head + 1, len(old) - head - tail, len(new) - head - tail)
