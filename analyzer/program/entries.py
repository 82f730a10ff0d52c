# SPDX-License-Identifier: GPL-2.0-only
"""Entry points: functions that threads enter from outside the analysed units, and what is known of how.

In: program and call graph. Out: entries by function id. A function in `file_operations.release`, which no analysed
function calls through, is entered by the outside world holding no lock. A slot whose functions flow into another that
is called through (an ops table into static calls) is the program's own.

**Invariant:** every function that has no caller in the program has an entry.
"""

from collections.abc import Mapping

from msgspec import Struct

from analyzer.program.flow import FlowFacts, Slot
from analyzer.program.graph import CallGraph, spell_slot
from analyzer.program.link import Program
from analyzer.program.static_calls import UPDATE


class Entry(Struct, frozen=True, gc=False):
    """One way into the program."""

    function: str
    #: `ops`, `initcall`, `exported`, `external`, `unreferenced`, `passed`
    kind: str
    #: is it known that the caller holds no lock of the program?
    certain: bool
    #: one clause for people
    text: str


def find_entries(program: Program, graph: CallGraph, flows: Mapping[str, FlowFacts]) -> dict[str, Entry]:
    """Return the entry of every function that has one."""
    entries: dict[str, Entry] = {}
    passed = _passed_outside(graph, flows)
    used = graph.targets.flows_into(graph.called_slots)
    for ident in sorted(program.functions):
        entry = _entry(program, graph, ident, passed.get(ident), used)
        if entry is not None:
            entries[ident] = entry
    return entries


def _entry(program: Program, graph: CallGraph, ident: str, receiver: str | None, used: set[Slot]) -> Entry | None:
    function = program.functions[ident]
    outside = sorted(
        spell_slot(slot) for slot in graph.targets.slots_of.get(ident, ()) if slot[0] in ("m", "g") and slot not in used
    )
    if outside:
        return Entry(ident, "ops", True, f"entry point through {outside[0]}")
    if function.name in program.initcalls:
        return Entry(ident, "initcall", True, "entry point when the module is loaded or unloaded")
    if receiver is not None:
        return Entry(ident, "passed", False, f"its address is passed to {receiver}(), which is not analysed")
    if graph.callers.get(ident):
        return None
    if function.ref.inline:
        # the units that call it had it inlined elsewhere or reach it by name only: nobody enters it from outside
        return Entry(ident, "unreferenced", False, "no call of it was found")
    if function.name in program.exports:
        return Entry(ident, "exported", True, "entry point: exported, and no analysed function calls it")
    if function.ref.static:
        return Entry(ident, "unreferenced", False, "no call of it was found")
    return Entry(ident, "external", True, "entry point: no analysed function calls it")


def _passed_outside(graph: CallGraph, flows: Mapping[str, FlowFacts]) -> dict[str, str]:
    """Return, for functions whose address reaches a parameter of a function without a body, one such receiver."""
    result: dict[str, str] = {}
    for slot, functions in graph.targets.held.items():
        if slot[0] == "p" and slot[1] not in flows and slot[1] != UPDATE[0]:
            for function in functions:
                result[function] = min(result.get(function, slot[1]), slot[1])
    return result
