# SPDX-License-Identifier: GPL-2.0-only
"""Rounds over mutually recursive functions: what a call did in an earlier one, while what it asked for is the same.

In: a call and the state before it. Out: what is seen of it and the states after it, found or made.

Such functions are summarised again whenever one of them turns out to do more than was known. Most of their calls are
calls of other functions, or of one that did not change.

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
#: a call: its block, and the number of the event there
Place = tuple[int, int]


class _Run(NamedTuple):
    """What one call did in one state."""

    before: State
    asked: _Asked
    recorder: Recorder
    after: list[State]


class Rounds:
    """Remembers the calls of one function."""

    def __init__(self, summaries: Summaries) -> None:
        self._summaries = summaries
        #: filled by whoever asks for the summary of one of the functions, while a call is looked at
        self.asked: _Asked = {}
        self._runs: dict[Place, list[_Run]] = defaultdict(list)

    def run(
        self, place: Place, state: State, recorder: Recorder, call: Callable[[State], list[State]]
    ) -> tuple[Recorder, list[State]]:
        """Return what is seen of a call in `state`, and the states after it; `call` makes them, and fills `recorder`."""
        runs = self._runs[place] = [one for one in self._runs[place] if self._holds(one)]
        for one in runs:
            if one.before == state:
                return one.recorder, [after.fork() for after in one.after]
        self.asked, before = {}, state.fork()
        states = call(state)
        # what is asked for from here on is asked by others
        asked, self.asked = self.asked, {}
        runs.append(_Run(before, asked, recorder, [after.fork() for after in states]))
        return recorder, states

    def _holds(self, one: _Run) -> bool:
        return all(self._summaries.reached(ident) is known for ident, known in one.asked.items())
