# SPDX-License-Identifier: GPL-2.0-only
"""Targets of indirect calls: which functions a slot can hold.

In: the program and every function's flow. Out: slot → function ids. `.release = kvm_gmem_release` in a
`struct file_operations` puts that function into the slot `("m", "file_operations", "release")`.

Slots are members by record and name (whatever object they stand in), globals, parameters, locals and return values;
function pointers flow from slot to slot along assignments, arguments and returns, through indirect calls too.

**Invariant:** a slot's targets are a superset of what it holds. What is stored where no name stands for it (`escaped`)
may come back where something is loaded from such a place: there every escaped function of the called type counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from copy import copy

from analyzer.ir.values import Field, Global
from analyzer.program.flow import UNTOLD, FlowFacts, Site, Slot
from analyzer.program.link import Program
from analyzer.program.static_calls import key_slot


class Targets:
    """The flow of function pointers, solved."""

    def __init__(self, program: Program, flows: Mapping[str, FlowFacts]) -> None:
        self._program = program
        self._flows = flows
        self._into: dict[Slot, set[Slot]] = defaultdict(set)
        #: (caller, site) of indirect calls by the slot that they call through
        self._called: dict[Slot, list[tuple[str, Site]]] = defaultdict(list)
        #: functions that a slot can hold, by slot
        self.held: dict[Slot, set[str]] = defaultdict(set)
        #: slots with a static initialiser or a store, by function id
        self.slots_of: dict[str, set[Slot]] = defaultdict(set)
        self._sources: dict[Slot, set[Slot]] | None = None
        self._relevant: set[Slot] | None = None
        for unit in program.units.values():
            for item in unit.initialisers:
                ident = program.resolve(unit.name, item.function)
                slot = _initialised(item.path.selectors, item.path.root)
                if ident is not None and slot is not None:
                    self.held[slot].add(ident)
        for ident, flow in flows.items():
            unit_name = program.functions[ident].unit
            for to, source in flow.copies:
                self._copy(self.qualify(unit_name, ident, to), unit_name, ident, source)
            for site in flow.sites:
                self._pass(unit_name, ident, site)
        self._solve()
        #: functions whose address is stored where no name stands for the place
        self.escaped = frozenset(self.held.get(UNTOLD, ()))
        #: slots that may hold what was loaded from such a place
        self.untold = {UNTOLD, *self._reached_from(UNTOLD)} if self.escaped else {UNTOLD}

    def successor(self, program: Program, flows: Mapping[str, FlowFacts]) -> Targets:
        """Return the same for a program in which function pointers go where they went."""
        successor = copy(self)
        successor._program, successor._flows = program, flows
        return successor

    def _copy(self, target: Slot, unit: str, ident: str, source: Slot) -> None:
        if source[0] == "f":
            function = self._program.resolve(unit, source[1])
            if function is not None:
                self.held[target].add(function)
            return
        self._into[self.qualify(unit, ident, source)].add(target)

    def _pass(self, unit: str, ident: str, site: Site) -> None:
        """Let pointers flow into the callee of a direct call; note an indirect one."""
        if not site.callee:
            if site.slot is not None:
                self._called[self.qualify(unit, ident, site.slot)].append((ident, site))
            return
        self._bind(ident, site, self._program.resolve(unit, site.callee) or site.callee)

    def _bind(self, ident: str, site: Site, callee: str) -> list[Slot]:
        """Let pointers flow between `site` and `callee`; return the slots that feed the callee or the result."""
        unit = self._program.functions[ident].unit
        sources: list[Slot] = []
        for index, given in enumerate(site.given):
            for source in given:
                if source[0] != "a":
                    self._copy(("p", callee, str(index)), unit, ident, source)
                    sources.append(("p", callee, str(index)) if source[0] == "f" else self.qualify(unit, ident, source))
        if site.result:
            self._into[("r", callee, "")].add(("l", ident, site.result))
            sources.append(("r", callee, ""))
        return sources

    def qualify(self, unit: str, ident: str, slot: Slot) -> Slot:
        """Replace the function name in a slot of `ident` or of one that it calls by the function's id."""
        kind, name, detail = slot
        if kind not in ("p", "d", "l", "r"):
            return slot
        if name == self._program.functions[ident].name:
            return (kind, ident, detail)
        return (kind, self._program.resolve(unit, name) or name, detail)

    def _solve(self) -> None:
        bound: dict[Slot, set[str]] = defaultdict(set)
        work = [slot for slot, functions in self.held.items() if functions]
        while work:
            slot = work.pop()
            held = self.held[slot]
            for function in sorted(held - bound[slot]) if slot in self._called else ():
                bound[slot].add(function)
                for caller, site in self._called[slot]:
                    work += [s for s in self._bind(caller, site, function) if self.held.get(s)]
            for target in self._into.get(slot, ()):
                missing = held - self.held[target]
                if missing and target != UNTOLD:
                    self.held[target] |= missing
                    work.append(target)
                elif missing:
                    self.held[UNTOLD] |= missing
        for slot, functions in self.held.items():
            for function in functions:
                self.slots_of[function].add(slot)

    def _reached_from(self, slot: Slot) -> set[Slot]:
        found: set[Slot] = set()
        work = [slot]
        while work:
            for target in self._into.get(work.pop(), ()):
                if target not in found:
                    found.add(target)
                    work.append(target)
        return found

    def relevant(self, called: set[Slot]) -> set[Slot]:
        """Return `flows_into(called)` of the slots that the program calls through, found once."""
        if self._relevant is None:
            self._relevant = self._upstream(called)
        return self._relevant

    def flows_into(self, slots: set[Slot]) -> set[Slot]:
        """Return `slots` and every slot whose functions can get into one of them."""
        return self._upstream(slots)

    def sources(self, slot: Slot) -> list[Slot]:
        """Return the slots that `slot` gets its content from at once, sorted."""
        return sorted(self._back().get(slot, ()))

    def origins(self, slot: Slot) -> list[Slot]:
        """Return the slots that `slot` gets its content from and that get theirs from no other, sorted."""
        back = self._back()
        return sorted(source for source in self._upstream({slot}) if not back.get(source))

    def _upstream(self, slots: set[Slot]) -> set[Slot]:
        back = self._back()
        found, work = set(slots), list(slots)
        while work:
            for source in back.get(work.pop(), ()):
                if source not in found:
                    found.add(source)
                    work.append(source)
        return found

    def _back(self) -> dict[Slot, set[Slot]]:
        """Return the slots that flow into a slot, by slot."""
        if self._sources is None:
            self._sources = defaultdict(set)
            for source, targets in self._into.items():
                for target in targets:
                    self._sources[target].add(source)
        return self._sources


def _initialised(selectors: tuple[object, ...], root: object) -> Slot | None:
    if isinstance(root, Global) and (slot := key_slot(root.name)) is not None:
        return slot
    for selector in reversed(selectors):
        if isinstance(selector, Field):
            return ("m", selector.record, selector.member)
    return ("g", root.name, "") if isinstance(root, Global) else None
