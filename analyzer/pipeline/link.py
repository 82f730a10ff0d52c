# SPDX-License-Identifier: GPL-2.0-only
"""From facts to the linked program: functions of all units, pointer flow, the call graph, entry points.

In: an extraction, what is remembered of functions, and what a specification says of calls. Out: `Linked`, without any
rule.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from analyzer.analysis.assumptions import Assumptions
from analyzer.analysis.in_use import InUse, in_use
from analyzer.analysis.names import NameResolver
from analyzer.base.collection import without_collection
from analyzer.base.location import Location
from analyzer.facts.unit import FunctionFacts
from analyzer.pipeline.extract import Extraction
from analyzer.pipeline.remember import Remembered
from analyzer.program.entries import Entry, find_entries, of_part
from analyzer.program.flow import FlowFacts
from analyzer.program.graph import CallGraph
from analyzer.program.implementations import find_implementations
from analyzer.program.link import Program
from analyzer.program.overrides import Overrides
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.load import load
from analyzer.spec.model import ANY_LOCK, EntryPoint, Held, SpecSet


class Linked(Struct, frozen=True):
    """The program as one, and what it took to make it."""

    extraction: Extraction
    program: Program
    flows: Mapping[str, FlowFacts]
    graph: CallGraph
    entries: Mapping[str, Entry]
    #: which implementations functions run under, for those that do not run under all
    in_use: Mapping[str, InUse]
    #: wall-clock time of linking, extraction not counted
    seconds: float
    #: processor time of the same
    cpu_seconds: float
    #: the most memory that this process has taken so far
    peak_bytes: int
    #: what the specification takes for true of calls
    assumptions: Assumptions = Assumptions()

    def facts_of(self, ident: str) -> FunctionFacts:
        """Return the facts of the function with this id, as assumptions make it."""
        return self.assumptions.applied(self.extraction.functions[self.program.functions[ident].ref.facts_key])

    def digest_of(self, key: str) -> str:
        """Return the digest of a function's IR by the key of its facts."""
        return self.extraction.functions.outline(key).digest


def link(
    extraction: Extraction, remembered: Remembered, spec: SpecSet | None = None, *, partial: bool = False
) -> Linked:
    """Link the extracted units, calls as `spec` (by default the shipped one) describes them.

    `partial`: they are a part of the program, and the rest may call them.
    """
    if spec is None:
        spec = load()
    began, cpu_began = time.perf_counter(), time.process_time()
    with without_collection():
        functions = extraction.functions
        program = Program(extraction.units)

        def as_written(ident: str) -> FunctionFacts:
            return functions[program.functions[ident].ref.facts_key]

        flows = remembered.flows(program, lambda key: functions.outline(key).digest, as_written)
        assumptions = Assumptions(program, spec, as_written)
        overrides = Overrides(program, spec.targets)
        names = NameResolver(program, spec)
        callbacks = tuple(replace(row, holds=_classes(row.holds, row.location, names)) for row in spec.callbacks)
        graph = CallGraph(program, flows, callbacks, overrides)
        wrong = overrides.errors()
        if wrong:
            raise CombinedSpecError(wrong)
        entries = find_entries(program, graph, flows, with_classes(spec.entries, names))
        entries = of_part(entries) if partial else entries
        # what is not there may call anything
        used = {} if partial else in_use(*find_implementations(program, graph, flows, entries))
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Linked(extraction, program, flows, graph, entries, used, seconds, cpu_seconds, peak_bytes, assumptions)


def with_classes(rows: tuple[EntryPoint, ...], names: NameResolver) -> list[EntryPoint]:
    """Return `rows` with locks named by their classes; raise what is wrong with them."""
    result = [
        replace(
            row,
            holds=_classes(row.holds, row.location, names),
            leaves=_classes(row.leaves, row.location, names),
            sometimes=_classes(row.sometimes, row.location, names),
        )
        for row in rows
    ]
    if names.errors:
        raise CombinedSpecError(names.errors)
    return result


def _classes(locks: tuple[Held, ...], place: Location, names: NameResolver) -> tuple[Held, ...]:
    resolved = (held if held == ANY_LOCK else names.requirement(held, place) for held in locks)
    return tuple(held for held in resolved if isinstance(held, Held))
