# SPDX-License-Identifier: GPL-2.0-only
"""What functions claim of locks, with a verdict for each way in which they are called, as values.

In: nothing. Out: `ClaimedBy("f", …, ways=(CalledBy("g", …, "proven"),))`.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from analyzer.base.location import Location

Judgement = Literal["proven", "violation", "unknown"]


class CalledBy(Struct, frozen=True):
    """One call of a function that claims something; or how others enter it."""

    #: the calling function; empty: the function itself sees to it, or an entry point
    function: str
    location: Location
    verdict: Judgement


class ClaimedBy(Struct, frozen=True):
    """One claim."""

    function: str
    location: Location
    #: `lockdep_assert_held_write(kvm.mmu_lock)`
    claim: str
    rule: str
    ways: tuple[CalledBy, ...]

    @property
    def verdict(self) -> Judgement:
        """Return the worst verdict of a way."""
        found = {way.verdict for way in self.ways}
        return "violation" if "violation" in found else "unknown" if "unknown" in found else "proven"
