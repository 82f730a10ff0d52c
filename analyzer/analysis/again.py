# SPDX-License-Identifier: GPL-2.0-only
"""Summaries after a few functions changed: only those are made again that may differ.

In: the summaries before, the program now, and which functions are others. Out: summaries of all functions.

While summaries are found, `TracedKeys` notes which functions the key of each component asked about. A component is looked
at again where one of its functions changed, or one that its key asked about is seen otherwise than before.

**Invariant:** the summaries are those that `solve` would make.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping

from msgspec import Struct

from analyzer.analysis.context import Context
from analyzer.analysis.keys import Keys
from analyzer.analysis.memo import Keep, Summaries
from analyzer.analysis.solve import FactsOf, settle
from analyzer.program.flow import FlowFacts


class TracedKeys(Keys):
    """Keys, with a note of what each asked about."""

    def __init__(
        self,
        context: Context,
        flows: Mapping[str, FlowFacts],
        digest_of: Callable[[str], str],
        asked_by: dict[str, set[str]] | None = None,
    ) -> None:
        super().__init__(context, flows, digest_of)
        #: functions in whose components' keys a function has a part, by its id
        self.asked_by: dict[str, set[str]] = defaultdict(set) if asked_by is None else asked_by
        self._first = ""

    def key(self, component: list[str]) -> bytes:
        """Return the key of `component`, and note what it asks about."""
        self._first = component[0]
        return super().key(component)

    def _conduct(self, ident: str) -> bytes:
        self.asked_by[ident].add(self._first)
        return super()._conduct(ident)


class Resolved(Struct, frozen=True):
    """What was made again."""

    #: functions whose summaries were looked for again
    n_asked: int
    #: functions that were analysed, for want of a kept summary
    n_analysed: int
    #: callers that see something else, and were left as they were
    n_left: int = 0


class _Counting:
    """Kept summaries, and how many were not there."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self.n_missed = 0

    def find(self, key: bytes) -> bytes | None:
        """Return what was kept under `key`."""
        found = self._keep.find(key)
        self.n_missed += found is None
        return found

    def keep(self, key: bytes, value: bytes) -> None:
        """Keep `value` under `key`."""
        self._keep.keep(key, value)


def solve_again(
    context: Context,
    before: Summaries,
    components: Iterable[list[str]],
    facts_of: FactsOf,
    keys: TracedKeys,
    keep: Keep,
    changed: Collection[str],
    different: Collection[str],
    *,
    spread: bool = True,
) -> Resolved:
    """Fill `context.summaries`; functions `changed` are others, those in `different` treat their arguments otherwise.

    Of recursive functions that go together otherwise than before, all are among `changed`. Without `spread`, all others
    keep their summaries, even where they would see something else: an answer for the time being.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        counting = _Counting(keep)
        stale = set(changed)
        seen = stale if spread else set[str]()
        for ident in different:
            seen |= keys.asked_by.get(ident, set())
        n_asked = 0
        for component in components:
            if stale.isdisjoint(component):
                for ident in component:
                    context.summaries.adopt(before, ident)
                continue
            settle(context, component, facts_of, keys, counting)
            n_asked += len(component)
            for ident in component:
                if context.summaries.view(ident) != before.view(ident):
                    seen |= keys.asked_by.get(ident, set())
        return Resolved(n_asked, counting.n_missed, 0 if spread else len(seen - stale))
    finally:
        if collecting:
            gc.enable()
