# SPDX-License-Identifier: GPL-2.0-only
"""Rounds over mutually recursive functions: what a block did in an earlier one, while what it asked for is the same.

In: a block and the state at its beginning. Out: what is seen in it and the states at its end, found or made.

Such functions are summarised again whenever one of them turns out to do more than was known. Most of their blocks call
none of the others, or none that changed.

**Invariant:** what is found is what would be made: it hangs on the state and on the summaries that were asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from analyzer.analysis.memo import Summaries
from analyzer.analysis.state import State
from analyzer.analysis.summary import FunctionSummary

if TYPE_CHECKING:
    from analyzer.analysis.places import Recorder

#: the summaries that were asked for, by function; None where there was none yet
_Asked = dict[str, FunctionSummary | None]


class _Run(NamedTuple):
    """One run of a block."""

    before: State
    asked: _Asked
    recorder: Recorder
    after: list[State]


class Rounds:
    """Remembers the blocks of one function."""

    def __init__(self, summaries: Summaries) -> None:
        self._summaries = summaries
        #: filled by whoever asks for the summary of one of the functions, while a block runs
        self.asked: _Asked = {}
        self._runs: dict[int, list[_Run]] = defaultdict(list)

    def run(
        self, block: int, state: State, inside: Callable[[int, State], tuple[Recorder, list[State]]]
    ) -> tuple[Recorder, list[State]]:
        """Return what `inside` makes of a block and the state at its beginning."""
        runs = self._runs[block] = [one for one in self._runs[block] if self._holds(one)]
        for one in runs:
            if one.before == state:
                return one.recorder, [after.fork() for after in one.after]
        self.asked, before = {}, state.fork()
        recorder, states = inside(block, state)
        runs.append(_Run(before, self.asked, recorder, [after.fork() for after in states]))
        return recorder, states

    def _holds(self, one: _Run) -> bool:
        return all(self._summaries.reached(ident) is known for ident, known in one.asked.items())
