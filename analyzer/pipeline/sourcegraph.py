# SPDX-License-Identifier: GPL-2.0-only
"""The source graph as the cross-check asks it: by a unit and by names, as an object file spells them.

In: the linked program. Out: `graph.calls("virt/kvm/kvm_main.c", "kvm_vcpu_kick", "kvm_vcpu_wake_up")`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping

from analyzer.facts.unit import FunctionFacts, Initialiser
from analyzer.ir.function import Assembly
from analyzer.ir.values import Constant, Field, Global, Index
from analyzer.program.flow import FlowFacts
from analyzer.program.graph import CallGraph
from analyzer.program.link import Program
from analyzer.program.static_calls import trampoline_slot

#: a branch in inline assembly: to a name that may have operands in it, or to an operand
_BRANCH = re.compile(r"\b(?:call|jmp)[a-z]?\s+([A-Za-z_.%][\w.%\[\]$]*)")
_OPERAND = re.compile(r"%[a-zA-Z]?(?:\d+|\[\w+\])")


class SourceGraph:
    """Edges, address-taken functions and initialised slots."""

    def __init__(
        self,
        program: Program,
        flows: Mapping[str, FlowFacts],
        graph: CallGraph,
        facts_of: Callable[[str], FunctionFacts],
    ) -> None:
        self._program = program
        self._graph = graph
        self._facts_of = facts_of
        self._edges: dict[str, set[str]] = defaultdict(set)
        #: functions that call through a pointer
        self._calling_pointers: set[str] = set()
        #: called where the compiler chooses between equals
        self._chosen: dict[str, set[str]] = defaultdict(set)
        self._assembly: dict[str, tuple[re.Pattern[str], ...]] = {}
        self._taken: dict[str, set[str]] = defaultdict(set)
        for ident, flow in flows.items():
            self._add(ident, flow)
        for unit in program.units.values():
            for item in unit.initialisers:
                self._taken[unit.name].add(item.function)
        #: a header's function belongs to the first unit that holds it
        self._anywhere = frozenset().union(*self._taken.values())

    def _add(self, ident: str, flow: FlowFacts) -> None:
        edges = self._edges[_plain(ident)]
        unit = self._program.functions[ident].unit
        for site in flow.sites:
            if site.callee:
                edges.add(self._target(unit, site.callee))
                continue
            self._calling_pointers.add(_plain(ident))
            if site.slot is not None:
                edges.add(repr(site.slot))
                # who provides a function pointer may have the edge; here the code counts that calls it
                edges.update(_plain(target) for target in self._graph.indirect(ident, site.slot))
        edges.update(_plain(edge.callee) for edge in self._graph.callees.get(ident, ()))
        facts = self._facts_of(ident)
        self._chosen[_plain(ident)].update(self._target(unit, name) for name in facts.calls)
        self._taken[unit].update(taken.function for taken in facts.address_taken)
        self._taken[unit].update(item.function for item in facts.initialisers)

    def _target(self, unit: str, name: str) -> str:
        ident = self._program.resolve(unit, name)
        return name if ident is None else _plain(ident)

    def units(self) -> list[str]:
        """List the units."""
        return sorted(self._program.units)

    def knows(self, unit: str, function: str) -> bool:
        """Tell whether `function` of `unit` was analysed."""
        return self._program.resolve(unit, function) is not None

    def calls(self, unit: str, caller: str, callee: str) -> bool:
        """Tell whether there is an edge, direct or not."""
        slot = trampoline_slot(caller)
        if slot is not None:
            return self._target(unit, callee) in {_plain(ident) for ident in self._graph.targets.held.get(slot, ())}
        ident = self._program.compiled(unit, caller)
        edges = self._edges.get(_plain(ident), set()) if ident is not None else set()
        slot = trampoline_slot(callee)
        return self._target(unit, callee) in edges or (slot is not None and repr(slot) in edges)

    def callees(self, unit: str, caller: str) -> set[str]:
        """Name the analysed functions that `caller` calls in the source."""
        ident = self._program.compiled(unit, caller)
        if ident is None:
            return set()
        found = self._edges.get(_plain(ident), set()) | self._chosen.get(_plain(ident), set())
        return {target.rpartition(":")[2] for target in found if ":" in target}

    def defines_plainly(self, unit: str, function: str) -> bool:
        """Tell whether `unit` itself defines `function`, and not as an inline one."""
        ident = self._program.compiled(unit, function)
        found = None if ident is None else self._program.functions[ident]
        return found is not None and found.unit == unit and not found.ref.inline

    def is_same_text(self, unit: str, one: str, other: str) -> bool:
        """Tell whether two functions are defined in one place: a file that is included once for each of them."""
        first, second = (self._program.resolve(unit, name) for name in (one, other))
        if first is None or second is None:
            return False
        functions = self._program.functions
        return functions[first].ref.location == functions[second].ref.location

    def may_choose(self, unit: str, caller: str, callee: str) -> bool:
        """Tell whether the compiler may choose to call `callee` in `caller` instead of an equal function."""
        ident = self._program.compiled(unit, caller)
        return ident is not None and self._target(unit, callee) in self._chosen.get(_plain(ident), ())

    def has(self, unit: str, caller: str, callee: str) -> bool:
        """Tell whether there is an edge, also one that the compiler may choose instead."""
        return self.calls(unit, caller, callee) or self.may_choose(unit, caller, callee)

    def may_call_outside(self, unit: str, caller: str, callee: str) -> bool:
        """Tell whether `caller` calls through a pointer, and `unit` takes the address of `callee`, which none defines.

        Targets of indirect calls are functions with a body.
        """
        ident = self._program.compiled(unit, caller)
        outside = self._program.resolve(unit, callee) is None and callee in self._taken[unit]
        return outside and ident is not None and _plain(ident) in self._calling_pointers

    def calls_in_assembly(self, unit: str, caller: str, callee: str) -> bool:
        """Tell whether inline assembly of `caller` branches to `callee`."""
        ident = self._program.compiled(unit, caller)
        if ident is None:
            return False
        patterns = self._assembly.get(ident)
        if patterns is None:
            patterns = self._assembly[ident] = tuple(self._branches(ident))
        return any(pattern.fullmatch(callee) for pattern in patterns)

    def _branches(self, ident: str) -> list[re.Pattern[str]]:
        """Return what the branches in the assembly of a function may be to; an operand is a function it mentions."""
        facts = self._facts_of(ident)
        operands = sorted(re.escape(taken.function) for taken in facts.address_taken)
        return [
            _pattern(target, operands)
            for block in facts.ir.blocks
            for event in block.events
            if isinstance(event, Assembly)
            for target in _BRANCH.findall(event.text.replace("\\n", "\n").replace("\\t", "\t"))
        ]

    def takes_address(self, unit: str, function: str) -> bool:
        """Tell whether the address of `function` is known to be taken in `unit`, or by a header's function anywhere."""
        return function in self._taken[unit] or function in self._anywhere

    def is_exported(self, name: str) -> bool:
        """Tell whether `name` is exported."""
        return name in self._program.exports

    def is_initcall(self, name: str) -> bool:
        """Tell whether the kernel or the module loader calls `name` when it comes or goes."""
        return name in self._program.initcalls

    def slots(self, unit: str) -> dict[str, dict[str, set[str]]]:
        """Return, by variable and by the way to the slot, the functions that initialisers of `unit` put there."""
        found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for item in self._program.units[unit].initialisers:
            way = _way(item)
            if way is not None and isinstance(item.path.root, Global):
                found[item.path.root.name][way].add(item.function)
        return found


def _way(item: Initialiser) -> str | None:
    """Write the selectors of an initialised slot as in `Leaf.path`; None for an object without a name."""
    text = ""
    for selector in item.path.selectors:
        match selector:
            case Field(_, member):
                text += f".{member}"
            case Index(Constant(number)):
                text += f"[{number}]"
            case _:
                return None
    return text


def _pattern(target: str, operands: list[str]) -> re.Pattern[str]:
    """Compile what a branch to `target` may reach."""
    if _OPERAND.fullmatch(target):
        return re.compile("|".join(operands) or r"(?!)")
    parts = _OPERAND.split(target)
    return re.compile(r"\w+".join(re.escape(part) for part in parts))


def _plain(ident: str) -> str:
    """Name a header's function alike in all units, also where a macro makes its text differ."""
    return ident.partition("#")[0]
