# SPDX-License-Identifier: GPL-2.0-only
"""Entry points: functions that threads enter from outside the analysed units, and what is known of how.

In: program, call graph, and what the specification says of entries. Out: entries by function id. A function in
`file_operations.release`, which no analysed function calls through, is entered by the outside world holding no lock.
A slot whose functions flow into another that is called through (an ops table into static calls) is the program's own.

**Invariant:** every function that has no caller in the program has an entry, but for weak ones that give way.
**Invariant:** of several ways in, an entry tells what is true of all: the locks that each of them holds. What only some
hold stands apart.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from analyzer.facts.unit import FunctionRef
from analyzer.program.callbacks import slot_named, slot_of_row
from analyzer.program.flow import FlowFacts, Slot
from analyzer.program.graph import CallGraph, spell_slot
from analyzer.program.link import Program
from analyzer.program.static_calls import UPDATE
from analyzer.spec.model import ANY_LOCK, EntryPoint, Held


class Entry(Struct, frozen=True, gc=False):
    """One way into the program."""

    function: str
    #: `ops`, `deferred`, `initcall`, `exported`, `external`, `unreferenced`, `passed`, `stated`
    kind: str
    #: is it known that the caller holds no lock of the program?
    certain: bool
    #: one clause for people
    text: str
    #: locks held on entry: class and mode
    holds: tuple[tuple[str, str], ...] = ()
    #: in what context: `process`, `softirq`, `hardirq`, `atomic`; empty if that is not known
    context: str = ""
    #: where that is written down; empty if it was found out
    source: str = ""
    #: locks held when it returns, for whoever entered: class and mode
    leaves: tuple[tuple[str, str], ...] = ()
    #: nobody else is in the program then: no lock is missed
    alone: bool = False
    #: must locks come out even, but for those in `leaves`?
    even: bool = True
    #: further locks that some who enter hold: class and mode
    sometimes: tuple[tuple[str, str], ...] = ()


def find_entries(
    program: Program, graph: CallGraph, flows: Mapping[str, FlowFacts], rows: Sequence[EntryPoint] = ()
) -> dict[str, Entry]:
    """Return the entry of every function that has one; the locks in `rows` are lock classes."""
    return _Finder(program, graph, flows, rows).find()


def entries_again(
    known: Mapping[str, Entry],
    before: CallGraph,
    graph: CallGraph,
    rows: Sequence[EntryPoint],
    changed: Collection[str],
) -> dict[str, Entry]:
    """Return the same after the functions `changed` became others, and `graph` was patched, of what was `known` before."""
    program, finder = graph.program, _Finder(graph.program, graph, graph.flows, rows)
    old = before.program.functions
    if not program.functions.keys() <= old.keys():
        return finder.find()
    touched = {ident for ident, one in program.functions.items() if _nature(one.ref) != _nature(old[ident].ref)}
    for ident in changed:
        touched.update(edge.callee for edge in (*before.callees.get(ident, ()), *graph.callees.get(ident, ())))
    found = {ident: finder.of(ident) for ident in touched}
    if all(found[ident] == known.get(ident) for ident in touched):
        return dict(known)
    kept = {ident: entry for ident, entry in known.items() if ident not in touched}
    return dict(sorted({**kept, **{ident: entry for ident, entry in found.items() if entry is not None}}.items()))


def _nature(ref: FunctionRef) -> tuple[bool, bool, bool]:
    return ref.static, ref.inline, ref.weak


def of_part(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return the entries of a part of a program: who may be called from the other part is entered under unknown locks."""
    return {ident: _in_doubt(entry) if _may_have_callers(entry) else entry for ident, entry in entries.items()}


def _may_have_callers(entry: Entry) -> bool:
    """Tell whether functions elsewhere may call this one; what rows tell, and what the kernel calls later, stays."""
    return entry.kind in ("external", "exported") or (entry.kind == "ops" and not entry.source)


def _in_doubt(entry: Entry) -> Entry:
    return replace(entry, certain=False, text=f"{entry.text}; other units may call it")


class _Finder:
    def __init__(
        self, program: Program, graph: CallGraph, flows: Mapping[str, FlowFacts], rows: Sequence[EntryPoint]
    ) -> None:
        self._program = program
        self._graph = graph
        self._passed = _passed_outside(graph, flows)
        self._used = graph.targets.flows_into(graph.called_slots)
        self._slots: dict[Slot, EntryPoint] = {slot_named(row.member.parts): row for row in rows if row.member}
        #: members whose functions others call under the locks of whoever stored them
        self._now = {slot_of_row(row) for row in graph.callbacks.rows if row.member and row.runs == "now"}
        self._functions = {row.function: row for row in rows if row.function}

    def find(self) -> dict[str, Entry]:
        found = ((ident, self.of(ident)) for ident in sorted(self._program.functions))
        return {ident: entry for ident, entry in found if entry is not None}

    def of(self, ident: str) -> Entry | None:
        """Return the entry of one function; None if it has none."""
        if self._program.gives_way(ident):
            return None
        ways = self._ways(ident)
        return _joined(ways) if ways else self._other(ident)

    def _ways(self, ident: str) -> list[Entry]:
        """Return the ways in that slots, rows and callbacks tell of."""
        ways: list[Entry] = []
        function = self._program.functions[ident]
        row = self._functions.get(function.name)
        if row is not None:
            # whoever wrote it knew how the function is handed over
            return [_stated(ident, row, f"entry point: {function.name}() is called from outside")]
        later = self._graph.callbacks.later.get(ident)
        if later is not None:
            slot = slot_of_row(later)
            by = f"{later.function}() has it called" if later.function else f"called through {spell_slot(slot)}"
            text = f"entry point: {by} later"
            ways.append(Entry(ident, "deferred", True, text, _locks(later.holds), later.context, later.source))
        for slot in sorted(self._graph.targets.slots_of.get(ident, ())):
            if slot in self._slots:
                ways.append(_stated(ident, self._slots[slot], f"entry point through {spell_slot(slot)}"))
            elif slot in self._now:
                text = f"called through {spell_slot(slot)} by functions that are not analysed"
                ways.append(Entry(ident, "passed", False, text))
            elif slot[0] in ("m", "g") and slot not in self._used and later is None:
                ways.append(Entry(ident, "ops", True, f"entry point through {spell_slot(slot)}"))
        return ways

    def _other(self, ident: str) -> Entry | None:
        function = self._program.functions[ident]
        receiver = self._passed.get(ident)
        if function.name in self._program.initcalls:
            return Entry(ident, "initcall", True, "entry point when the module is loaded or unloaded", (), "process")
        if receiver is not None:
            return Entry(ident, "passed", False, f"its address is passed to {receiver}(), which is not analysed")
        if self._graph.callers.get(ident):
            return None
        if function.ref.inline:
            # the units that call it had it inlined elsewhere or reach it by name only: nobody enters it from outside
            return Entry(ident, "unreferenced", False, "no call of it was found")
        if function.name in self._program.exports:
            return Entry(ident, "exported", True, "entry point: exported, and no analysed function calls it")
        if function.ref.static:
            return Entry(ident, "unreferenced", False, "no call of it was found")
        return Entry(ident, "external", True, "entry point: no analysed function calls it")


def _stated(ident: str, row: EntryPoint, text: str) -> Entry:
    kind = "stated" if row.function else "ops"
    certain = ANY_LOCK not in row.holds
    if not certain:
        text += ", under locks that are not known"
    leaves = () if ANY_LOCK in row.leaves else _locks(row.leaves)
    return Entry(
        ident,
        kind,
        certain,
        text,
        _locks(row.holds),
        row.context,
        row.source,
        leaves,
        row.alone,
        certain and ANY_LOCK not in row.leaves,
        _locks(row.sometimes),
    )


def _locks(locks: Iterable[Held]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((str(held.lock), held.mode or "write") for held in locks if held != ANY_LOCK))


def _joined(ways: list[Entry]) -> Entry:
    """Return the way in that holds least, with the locks that all ways hold."""
    least = min(ways, key=lambda way: (not way.certain, way.alone, len(way.holds)))
    common = tuple(lock for lock in least.holds if all(lock in way.holds for way in ways))
    left = tuple(lock for way in ways for lock in way.leaves)
    some = {lock for way in ways for lock in (*way.holds, *way.sometimes)} - {*common}
    return replace(
        least, holds=common, leaves=left, alone=all(way.alone for way in ways), sometimes=tuple(sorted(some))
    )


def _passed_outside(graph: CallGraph, flows: Mapping[str, FlowFacts]) -> dict[str, str]:
    """Return, for functions that reach a parameter of a function without a body or row, one such receiver."""
    told = {slot_of_row(row) for row in graph.callbacks.rows}
    result: dict[str, str] = {}
    for slot, functions in graph.targets.held.items():
        if slot[0] == "p" and slot[1] not in flows and slot[1] != UPDATE[0] and slot not in told:
            for function in functions:
                result[function] = min(result.get(function, slot[1]), slot[1])
    return result
