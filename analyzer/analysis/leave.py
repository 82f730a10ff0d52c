# SPDX-License-Identifier: GPL-2.0-only
"""States in which a function returns.

In: a state at a return statement. Out: `Leave`, and the range of the value returned there.
"""

from typing import NamedTuple

from analyzer.analysis import conditions, ranges
from analyzer.analysis.state import State
from analyzer.analysis.terms import Term
from analyzer.ir.function import At


class Leave(NamedTuple):
    """A state in which the function returns."""

    state: State
    value: Term | None
    at: At


def value_range(leave: Leave) -> ranges.Range:
    """Return the values that may be returned there; any, for a function without a value."""
    return ranges.FULL if leave.value is None else conditions.range_of(leave.state.facts, leave.value)
