# SPDX-License-Identifier: GPL-2.0-only
"""The call graph: resolved call sites, callers, and the order in which summaries are made.

In: the program and every function's flow. Out: `CallGraph`.

**Invariant:** every call site of every function has an edge, or stands in `external` or `unresolved`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

import networkx as nx
from msgspec import Struct

from analyzer.program.flow import FlowFacts, Site, Slot
from analyzer.program.link import Program
from analyzer.program.targets import Targets


class CallEdge(Struct, frozen=True, gc=False):
    """A call site with one of its targets."""

    caller: str
    callee: str
    site: Site
    #: `direct`, `indirect` or `cleanup`
    kind: str
    #: for an indirect call, the slot in words: `file_operations.release`
    via: str = ""


class CallGraph:
    """Who calls whom, and where."""

    def __init__(self, program: Program, flows: Mapping[str, FlowFacts]) -> None:
        self.targets = Targets(program, flows)
        #: edges by caller id
        self.callees: dict[str, list[CallEdge]] = defaultdict(list)
        #: edges by callee id
        self.callers: dict[str, list[CallEdge]] = defaultdict(list)
        #: (caller, site) of indirect calls without a known target
        self.unresolved: list[tuple[str, Site]] = []
        #: slots that some call site in the program calls through
        self.called_slots: set[Slot] = set()
        self._program = program
        for ident in sorted(flows):
            for site in flows[ident].sites:
                self._add(ident, site)

    def _add(self, caller: str, site: Site) -> None:
        unit = self._program.functions[caller].unit
        if site.callee:
            callee = self._program.resolve(unit, site.callee)
            if callee is not None:
                self._edge(CallEdge(caller, callee, site, site.origin or "direct"))
            return
        targets = self.indirect(caller, site.slot)
        if not targets:
            self.unresolved.append((caller, site))
        for callee in targets:
            self._edge(CallEdge(caller, callee, site, "indirect", spell_slot(site.slot)))

    def _edge(self, edge: CallEdge) -> None:
        self.callees[edge.caller].append(edge)
        self.callers[edge.callee].append(edge)

    def indirect(self, caller: str, slot: Slot | None) -> list[str]:
        """Return the functions that a call through `slot` in `caller` can reach, sorted."""
        if slot is None:
            return []
        qualified = self.targets.qualify(self._program.functions[caller].unit, caller, slot)
        self.called_slots.add(qualified)
        return sorted(self.targets.held.get(qualified, ()))

    def components(self) -> Iterator[list[str]]:
        """Yield the strongly connected components, callees before callers, each sorted."""
        graph = nx.DiGraph()
        graph.add_nodes_from(sorted(self._program.functions))
        graph.add_edges_from((caller, edge.callee) for caller in sorted(self.callees) for edge in self.callees[caller])
        for component in nx.strongly_connected_components(graph):
            yield sorted(component)


def spell_slot(slot: Slot | None) -> str:
    """Spell `slot` for people: `file_operations.release`, a global's name, `parameter 2`."""
    if slot is None:
        return "a computed pointer"
    kind, name, detail = slot
    match kind:
        case "m":
            return f"{name}.{detail}"
        case "p":
            return f"parameter {int(detail) + 1}"
        case "l":
            return f"local {detail}"
        case "s":
            return f"static_call({name})"
    return name
