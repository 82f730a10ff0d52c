# SPDX-License-Identifier: GPL-2.0-only
"""Targets of indirect calls: which functions a slot can hold.

In: the program and every function's flow. Out: slot → function ids. `.release = kvm_gmem_release` in a
`struct file_operations` puts that function into the slot `("m", "file_operations", "release")`.

Slots are members by record and name (whatever object they stand in), globals, parameters, locals and return values;
function pointers flow from slot to slot along assignments, arguments and returns.

**Invariant:** a slot's targets are a superset of what it holds, unless a function's address escapes (`escaped`).
"""

from collections import defaultdict
from collections.abc import Mapping

from analyzer.ir.values import Field, Global
from analyzer.program.flow import FlowFacts, Slot
from analyzer.program.link import Program
from analyzer.program.static_calls import key_slot


class Targets:
    """The flow of function pointers, solved."""

    def __init__(self, program: Program, flows: Mapping[str, FlowFacts]) -> None:
        self._program = program
        self._into: dict[Slot, set[Slot]] = defaultdict(set)
        #: functions that a slot can hold, by slot
        self.held: dict[Slot, set[str]] = defaultdict(set)
        #: slots with a static initialiser or a store, by function id
        self.slots_of: dict[str, set[Slot]] = defaultdict(set)
        for unit in program.units.values():
            for item in unit.initialisers:
                ident = program.resolve(unit.name, item.function)
                slot = _initialised(item.path.selectors, item.path.root)
                if ident is not None and slot is not None:
                    self.held[slot].add(ident)
        for ident, flow in flows.items():
            unit_name = program.functions[ident].unit
            for to, source in flow.copies:
                self._copy(unit_name, ident, to, source)
        self._solve()

    def _copy(self, unit: str, ident: str, to: Slot, source: Slot) -> None:
        target = self.qualify(unit, ident, to)
        if source[0] == "f":
            function = self._program.resolve(unit, source[1])
            if function is not None:
                self.held[target].add(function)
            return
        self._into[self.qualify(unit, ident, source)].add(target)

    def qualify(self, unit: str, ident: str, slot: Slot) -> Slot:
        """Replace the function name in a slot of `ident` or of one that it calls by the function's id."""
        kind, name, detail = slot
        if kind not in ("p", "d", "l", "r"):
            return slot
        if name == self._program.functions[ident].name:
            return (kind, ident, detail)
        return (kind, self._program.resolve(unit, name) or name, detail)

    def _solve(self) -> None:
        work = [slot for slot, functions in self.held.items() if functions]
        while work:
            slot = work.pop()
            for target in self._into.get(slot, ()):
                missing = self.held[slot] - self.held[target]
                if missing:
                    self.held[target] |= missing
                    work.append(target)
        for slot, functions in self.held.items():
            for function in functions:
                self.slots_of[function].add(slot)

    def flows_into(self, slots: set[Slot]) -> set[Slot]:
        """Return `slots` and every slot whose functions can get into one of them."""
        back: dict[Slot, set[Slot]] = defaultdict(set)
        for source, targets in self._into.items():
            for target in targets:
                back[target].add(source)
        found, work = set(slots), list(slots)
        while work:
            for source in back.get(work.pop(), ()):
                if source not in found:
                    found.add(source)
                    work.append(source)
        return found


def _initialised(selectors: tuple[object, ...], root: object) -> Slot | None:
    if isinstance(root, Global) and (slot := key_slot(root.name)) is not None:
        return slot
    for selector in reversed(selectors):
        if isinstance(selector, Field):
            return ("m", selector.record, selector.member)
    return ("g", root.name, "") if isinstance(root, Global) else None
