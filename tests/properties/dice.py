# SPDX-License-Identifier: GPL-2.0-only
"""Where generated programs get their decisions from.

In: a function that returns a number below another. Out: choices; the smaller the numbers, the simpler what is made of
them, so that Hypothesis can make failures small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Decides."""

    def __init__(self, below: Callable[[int], int]) -> None:
        #: returns a number from 0 to its argument, that excluded
        self.below = below

    def pick(self, items: Sequence[T]) -> T:
        """Return one of `items`, the first where it does not matter."""
        return items[self.below(len(items))]

    def chance(self, percent: int) -> bool:
        """Return True so many times out of a hundred; the simpler answer is False."""
        return self.below(100) >= 100 - percent
