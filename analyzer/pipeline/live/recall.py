# SPDX-License-Identifier: GPL-2.0-only
"""What analysis remembers, in memory before the store: the same functions are asked for after every change.

In: the store. Out: flows and summaries, decoded once.
"""

from __future__ import annotations

from collections.abc import Callable

from analyzer.facts.store import Store
from analyzer.facts.unit import FunctionFacts
from analyzer.pipeline.remember import Remembered
from analyzer.program.flow import FlowFacts, read_flow
from analyzer.program.link import Program

#: summaries that are kept in memory; then they are looked for in the store again
_MAX_SUMMARIES = 100_000


class Recall(Remembered):
    """A `Remembered` that outlives the runs of one session."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._flows: dict[tuple[str, str], FlowFacts] = {}
        self._summaries: dict[bytes, bytes] = {}
        #: called every so often; whoever has enough raises
        self.pulse: Callable[[], None] = lambda: None

    def flows(
        self, program: Program, digest_of: Callable[[str], str], facts_of: Callable[[str], FunctionFacts]
    ) -> dict[str, FlowFacts]:
        """Return the flow of every function of the program."""
        self.pulse()
        keys = {ident: (one.name, digest_of(one.ref.facts_key)) for ident, one in program.functions.items()}
        if not self._flows:
            found = super().flows(program, digest_of, facts_of)
            self._flows = {keys[ident]: flow for ident, flow in found.items()}
            return found
        for ident, key in keys.items():
            if key not in self._flows:
                self._flows[key] = read_flow(facts_of(ident))
        return {ident: self._flows[keys[ident]] for ident in sorted(keys)}

    def find(self, key: bytes) -> bytes | None:
        """Return the summaries kept under `key`."""
        self.pulse()
        found = self._summaries.get(key)
        if found is None:
            found = super().find(key)
            if found is not None:
                self._summaries[key] = found
        return found

    def keep(self, key: bytes, value: bytes) -> None:
        """Keep summaries under `key`: in memory at once, in the store at the next `flush`."""
        if len(self._summaries) > _MAX_SUMMARIES:
            self._summaries.clear()
        self._summaries[key] = value
        super().keep(key, value)
