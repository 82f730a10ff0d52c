# SPDX-License-Identifier: GPL-2.0-only
"""From facts to the linked program: functions of all units, pointer flow, the call graph, entry points.

In: an extraction and what is remembered of functions. Out: `Linked`, without any lock or rule.
"""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from msgspec import Struct

from analyzer.facts.unit import FunctionFacts
from analyzer.pipeline.extract import Extraction
from analyzer.pipeline.remember import Remembered
from analyzer.program.entries import Entry, find_entries
from analyzer.program.flow import FlowFacts
from analyzer.program.graph import CallGraph
from analyzer.program.link import Program


class Linked(Struct, frozen=True):
    """The program as one, and what it took to make it."""

    extraction: Extraction
    program: Program
    flows: Mapping[str, FlowFacts]
    graph: CallGraph
    entries: Mapping[str, Entry]
    #: wall-clock time of linking, extraction not counted
    seconds: float
    #: the most memory that this process has taken so far
    peak_bytes: int

    def facts_of(self, ident: str) -> FunctionFacts:
        """Return the facts of the function with this id."""
        return self.extraction.functions[self.program.functions[ident].ref.facts_key]

    def digest_of(self, key: str) -> str:
        """Return the digest of a function's IR by the key of its facts."""
        return self.extraction.functions.outline(key).digest


def link(extraction: Extraction, remembered: Remembered) -> Linked:
    """Link the extracted units."""
    began = time.perf_counter()
    with _without_collection():
        functions = extraction.functions
        program = Program(extraction.units)
        flows = remembered.flows(
            program,
            lambda key: functions.outline(key).digest,
            lambda ident: functions[program.functions[ident].ref.facts_key],
        )
        graph = CallGraph(program, flows)
        entries = find_entries(program, graph, flows)
    seconds = time.perf_counter() - began
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Linked(extraction, program, flows, graph, entries, seconds, peak_bytes)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keep Python from searching for cycles: all that linking makes stays, and looking through it takes half the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
