# SPDX-License-Identifier: GPL-2.0-only
"""Implementations: several tables of operations of which one is in use at a time.

In: the call graph, entry points. Out: for functions that run under some implementations only, which those are.

Static calls are patched from one table of operations, once for all of them: `static_call_update(kvm_x86_vcpu_run,
kvm_x86_ops.vcpu_run)`. A thread that went through `svm_vcpu_run()` that way is not going to come through
`vmx_skip_emulated_instruction()`: it is in another table. What only functions of one implementation call, or take the
address of, runs under that one only.

**Invariant:** what a function runs under is a superset of what it can run under: all, where nothing tells.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from analyzer.ir.values import Field, Global
from analyzer.program.flow import FlowFacts, Slot
from analyzer.program.graph import CallEdge, CallGraph
from analyzer.program.link import Program

#: a table: the unit that defines it, and its name
Table = tuple[str, str]


class Operations(Struct, frozen=True):
    """A record type whose tables are implementations of one another."""

    record: str
    tables: tuple[Table, ...]


#: for a function, by record: which tables (by their number) it runs under
Usage = dict[str, frozenset[int]]


def find_implementations(
    program: Program, graph: CallGraph, flows: Mapping[str, FlowFacts], entries: Iterable[str]
) -> tuple[dict[str, Operations], dict[str, Usage]]:
    """Return the records that static calls are patched from, by name, and what functions run under not all of."""
    variables = _Variables(program)
    records: dict[str, Operations] = {}
    usage: dict[str, Usage] = defaultdict(dict)
    for record, slots in sorted(_patched(graph).items()):
        filled = _filled(program, record)
        tables = tuple(sorted({table for held in filled.values() for table in held}))
        if len(tables) < 2:
            continue
        records[record] = Operations(record, tables)
        stored = _stored(program, graph, flows, record)
        number = {table: place for place, table in enumerate(tables)}
        held = {
            (slot, function): frozenset(number[table] for table in filled[member, function])
            for slot, member in slots.items()
            for function in graph.targets.held[slot]
            if (member, function) in filled and (member, function) not in stored
        }
        own = {variables.key(unit, name): frozenset((place,)) for (unit, name), place in number.items()}
        spread = _Spread(program, graph, flows, variables, frozenset(number.values()))
        for function, under in spread.run(entries, own, held).items():
            if function[0] != "&" and under and len(under) < len(tables):
                usage[function][record] = under
    return records, dict(usage)


def same_usage(before: CallGraph, now: CallGraph, entries: Collection[str], changed: Collection[str]) -> bool:
    """Tell whether all functions run under what they ran under before the functions `changed` were others.

    The graph `now` is one that was patched, with the same `entries`. False where it would take a look at everything to
    tell.
    """
    for ident in changed:
        old, new = before.flows.get(ident), now.flows[ident]
        names = _variables(new) ^ (_variables(old) if old is not None else set())
        if any(_hands_out(now.program, name) for name in names):
            return False
        calls = {*map(_call, before.callees.get(ident, ()))} ^ {*map(_call, now.callees.get(ident, ()))}
        touched = {callee for callee, *_ in calls} | ({ident} if old is None else set())
        if not all(_is_everywhere(other, now, entries, changed) for other in touched):
            return False
    return True


def _variables(flow: FlowFacts) -> set[str]:
    return {name for record, name in flow.mentions if not record}


def _hands_out(program: Program, name: str) -> bool:
    """Tell whether a variable holds the address of a function, or of another variable, from the start."""
    root = Global(name)
    return any(
        any(item.path.root == root for item in unit.initialisers)
        or any(item.path.root == root for item in unit.addresses)
        for unit in program.units.values()
    )


def _call(edge: CallEdge) -> tuple[str, bool, Slot | None, str]:
    """Return what of a call tells what its callee runs under."""
    return edge.callee, bool(edge.site.callee), edge.site.slot, edge.kind


def _is_everywhere(ident: str, graph: CallGraph, entries: Collection[str], changed: Collection[str]) -> bool:
    """Tell whether an entry leads to a function by calls of names alone, through none of those that `changed`.

    Then it runs under everything, before and after, whoever else calls it.
    """
    seen, work = {ident}, deque([ident])
    while work:
        function = work.popleft()
        if function in entries:
            return True
        for edge in graph.callers.get(function, ()):
            if edge.site.callee and edge.caller not in seen and edge.caller not in changed:
                seen.add(edge.caller)
                work.append(edge.caller)
    return False


def _patched(graph: CallGraph) -> dict[str, dict[Slot, str]]:
    """Return the static calls that one member each is the source of, by its record: slot → member."""
    found: dict[str, dict[Slot, str]] = defaultdict(dict)
    for slot in graph.called_slots:
        if slot[0] == "s":
            sources = [source for source in graph.targets.sources(slot) if source[0] == "m"]
            if len(sources) == 1:
                found[sources[0][1]][slot] = sources[0][2]
    return found


def _filled(program: Program, record: str) -> dict[tuple[str, str], set[Table]]:
    """Return the tables of type `record` whose initialiser puts a function into a member: (member, function) → tables."""
    found: dict[tuple[str, str], set[Table]] = defaultdict(set)
    for unit in program.units.values():
        for item in unit.initialisers:
            match item.path.root, item.path.selectors:
                case Global(name), (Field(of, member),) if of == record:
                    ident = program.resolve(unit.name, item.function)
                    if ident is not None:
                        found[member, ident].add((unit.name, name))
    return found


def _stored(program: Program, graph: CallGraph, flows: Mapping[str, FlowFacts], record: str) -> set[tuple[str, str]]:
    """Return the functions that are put into a member of `record` by a statement: (member, function)."""
    found = set()
    for ident, flow in flows.items():
        for to, source in flow.copies:
            if to[:2] == ("m", record) and source[0] == "f":
                function = program.resolve(program.functions[ident].unit, source[1])
                found.add((to[2], function or source[1]))
            elif to[:2] == ("m", record) and source[:2] != ("m", record):
                held = graph.targets.held.get(graph.targets.qualify(program.functions[ident].unit, ident, source), ())
                found.update((to[2], function) for function in held)
    return found


class _Spread:
    """What functions and tables run under: what those run under that call them, or that hand out their address."""

    def __init__(
        self,
        program: Program,
        graph: CallGraph,
        flows: Mapping[str, FlowFacts],
        variables: _Variables,
        everything: frozenset[int],
    ) -> None:
        self._program = program
        self._graph = graph
        self._variables = variables
        self._everything = everything
        #: who hands out the address of a function, or of a table: functions and tables
        self._takers: dict[str, set[str]] = defaultdict(set)
        #: the other way round
        self._handed: dict[str, set[str]] = defaultdict(set)
        self.under: dict[str, frozenset[int]] = defaultdict(frozenset)
        for ident, flow in flows.items():
            self._read(ident, flow)
        for unit in program.units.values():
            for item in unit.initialisers:
                if isinstance(item.path.root, Global) and (function := program.resolve(unit.name, item.function)):
                    self._note(self._variables.key(unit.name, item.path.root.name), function)
            for address in unit.addresses:
                if isinstance(address.path.root, Global):
                    self._note(
                        self._variables.key(unit.name, address.path.root.name),
                        self._variables.key(unit.name, address.variable),
                    )

    def _read(self, ident: str, flow: FlowFacts) -> None:
        unit = self._program.functions[ident].unit
        slots = [source for _, source in flow.copies]
        slots += [slot for site in flow.sites for given in site.given for slot in given]
        for slot in slots:
            if slot[0] == "f" and (function := self._program.resolve(unit, slot[1])) is not None:
                self._note(ident, function)
        for record, name in flow.mentions:
            if not record:
                self._note(ident, self._variables.key(unit, name))

    def _note(self, taker: str, taken: str) -> None:
        self._takers[taken].add(taker)
        self._handed[taker].add(taken)

    def run(
        self,
        entries: Iterable[str],
        tables: Mapping[str, frozenset[int]],
        held: Mapping[tuple[Slot, str], frozenset[int]],
    ) -> Mapping[str, frozenset[int]]:
        """Return what everything runs under, given that of `tables`, and when a static call goes where."""
        self.under.update((ident, self._everything) for ident in entries)
        # of a variable that nobody is seen to name, all is possible
        self.under.update((key, self._everything) for key in self._handed if key[0] == "&" and key not in self._takers)
        self.under.update(tables)
        work = sorted(self.under)
        while work:
            node = work.pop()
            for other in self._handed.get(node, ()):
                if other[0] != "&":
                    work += [edge.callee for edge in self._graph.callers.get(other, ()) if self._follow(edge, held)]
                elif other not in tables and not self.under[node] <= self.under[other]:
                    self.under[other] |= self.under[node]
                    work.append(other)
            work += [edge.callee for edge in self._graph.callees.get(node, ()) if self._follow(edge, held)]
        return self.under

    def _follow(self, edge: CallEdge, held: Mapping[tuple[Slot, str], frozenset[int]]) -> bool:
        """Let the callee run under what `edge` lets through; tell whether that is news."""
        run = self.under[edge.caller] & self._lets(edge, held)
        if run <= self.under[edge.callee]:
            return False
        self.under[edge.callee] |= run
        return True

    def _lets(self, edge: CallEdge, held: Mapping[tuple[Slot, str], frozenset[int]]) -> frozenset[int]:
        """Return the implementations under which the pointer that `edge` goes through can hold the callee."""
        if edge.site.callee or edge.site.slot is None or edge.kind not in ("indirect", "static_call"):
            return self._everything
        if edge.site.slot[0] == "s":
            return held.get((edge.site.slot, edge.callee), self._everything)
        takers = self._takers.get(edge.callee)
        return frozenset().union(*(self.under[taker] for taker in takers)) if takers else self._everything


class _Variables:
    """Tells variables of one name in several units apart."""

    def __init__(self, program: Program) -> None:
        self._static = {
            (unit.name, variable.name)
            for unit in program.units.values()
            for variable in unit.globals
            if variable.static
        }

    def key(self, unit: str, name: str) -> str:
        """Return the key of the variable that `name` means in `unit`."""
        return f"&{unit}:{name}" if (unit, name) in self._static else f"&{name}"
