# SPDX-License-Identifier: GPL-2.0-only
"""The call graph: resolved call sites, callers, and the order in which summaries are made.

In: the program, every function's flow, and what the specification says of calls. Out: `CallGraph`.

**Invariant:** every call site of every function has an edge, or its callee has no body, or it stands in `outside`.
**Invariant:** callees come before callers in `components` for every function that a call can reach, whoever decides
which: an edge from the function that provides a pointer does not replace the one from the function that calls it there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Literal

import networkx as nx
from msgspec import Struct

from analyzer.program.callbacks import Callbacks
from analyzer.program.flow import UNTOLD, FlowFacts, Site, Slot
from analyzer.program.link import Program
from analyzer.program.overrides import Overrides
from analyzer.program.providers import Choice, Providers
from analyzer.program.targets import Targets
from analyzer.spec.model import Callback

EdgeKind = Literal["direct", "indirect", "static_call", "callback", "deferred", "remote", "cleanup"]


class CallEdge(Struct, frozen=True, gc=False):
    """A call site with one of its targets."""

    caller: str
    callee: str
    site: Site
    #: `callback`: the caller provides the function, another one calls it. `deferred`: it is called later, by others.
    #: `remote`: on another processor
    kind: EdgeKind
    #: for an indirect call, the slot in words: `file_operations.release`
    via: str = ""
    #: where the caller only provides the callee: what it calls itself at the site, by id or, without a body, by name
    called: str = ""
    #: where the caller only provides the callee: the function that calls it, and where; None if that has no body
    through: tuple[str, Site] | None = None


class Outside(Struct, frozen=True, gc=False):
    """An indirect call of which no target is in the program."""

    caller: str
    site: Site
    #: where its target comes from, in words; empty if that is not known
    origin: str


class CallGraph:
    """Who calls whom, and where."""

    def __init__(
        self,
        program: Program,
        flows: Mapping[str, FlowFacts],
        callbacks: Sequence[Callback] = (),
        overrides: Overrides | None = None,
    ) -> None:
        self.targets = Targets(program, flows)
        #: edges by caller id
        self.callees: dict[str, list[CallEdge]] = defaultdict(list)
        #: edges by callee id
        self.callers: dict[str, list[CallEdge]] = defaultdict(list)
        #: functions whose summary depends on that of the function, by function id
        self.dependents: dict[str, set[str]] = defaultdict(set)
        #: functions that a function's callees may call on its behalf: it put them there, or handed them on
        self.answers: dict[str, set[str]] = defaultdict(set)
        #: indirect calls without a target in the program
        self.outside: list[Outside] = []
        #: (caller, site) of indirect calls that may reach any escaped function of their type
        self.widened: list[tuple[str, Site]] = []
        #: edges from whoever chooses what a call site reaches, by caller and site, where that is not the caller
        self.provided: dict[tuple[str, Site], list[CallEdge]] = {}
        #: slots that some call site in the program calls through
        self.called_slots: set[Slot] = set()
        self._program = program
        self._flows = flows
        self._overrides = overrides or Overrides(program, ())
        self._providers = Providers(program, flows, self.targets)
        self.callbacks = Callbacks(program, flows, self.targets, self._providers, callbacks)
        for ident in sorted(flows):
            self.add_calls(ident)
        self._add_callbacks()

    def successor(self, program: Program, flows: Mapping[str, FlowFacts]) -> CallGraph:
        """Return a copy for a program in which function pointers go where they went; its lists may be changed."""
        successor = copy(self)
        successor._program, successor._flows = program, flows
        successor.targets = self.targets.successor(program, flows)
        successor.callees = defaultdict(list, self.callees)
        successor.callers = defaultdict(list, self.callers)
        successor.dependents = defaultdict(set, {ident: set(some) for ident, some in self.dependents.items()})
        successor.outside, successor.widened = list(self.outside), list(self.widened)
        return successor

    @property
    def program(self) -> Program:
        """Return the program whose calls these are."""
        return self._program

    @property
    def flows(self) -> Mapping[str, FlowFacts]:
        """Return every function's flow."""
        return self._flows

    @property
    def asked(self) -> set[str]:
        """Return the functions whose callers decide what is called somewhere, by id or by name."""
        return self._providers.asked

    def add_calls(self, caller: str) -> None:
        """Add the calls of one function."""
        for site in self._flows[caller].sites:
            self._add(caller, site)

    @property
    def unresolved(self) -> list[tuple[str, Site]]:
        """Indirect calls without a target of which it is not even known where it comes from, with their callers."""
        return [(call.caller, call.site) for call in self.outside if not call.origin]

    def _add(self, caller: str, site: Site) -> None:
        unit = self._program.functions[caller].unit
        if site.callee:
            callee = self._program.resolve(unit, site.callee)
            if callee is not None:
                self._edge(CallEdge(caller, callee, site, "cleanup" if site.origin == "cleanup" else "direct"))
            return
        targets = self.indirect(caller, site.slot)
        if self.is_widened(caller, site.slot):
            self.widened.append((caller, site))
        if not targets:
            self.outside.append(Outside(caller, site, self._origin(caller, site.slot)))
        provided = self._provided(caller, site, targets) if len(targets) > 1 else None
        if provided is not None:
            self.provided[(caller, site)] = provided
            for edge in provided:
                self._edge(edge)
            return
        kind: EdgeKind = "static_call" if site.slot is not None and site.slot[0] == "s" else "indirect"
        for callee in targets:
            self._edge(CallEdge(caller, callee, site, kind, spell_slot(site.slot)))

    def _provided(self, caller: str, site: Site, targets: list[str]) -> list[CallEdge] | None:
        """Return edges from whoever chooses what `site` calls; None if that is the function itself, or not known."""
        if site.choice < 0 or site.slot is None:
            return None
        slot = site.slot
        found, way = self._providers.of(Choice(caller, site.choice, None if slot[0] == "p" else slot))
        for ident in way:
            self.answers[ident].update(targets)
        for callee in targets:
            self.dependents[callee].add(caller)
        if found is None or not {provided.function for provided in found} <= set(targets):
            return None
        via = f"{self._program.functions[caller].name}(): {spell_slot(slot)}"
        through = (caller, site)
        return [
            CallEdge(p.provider, p.function, p.site, "callback", via, self._called(p.provider, p.site), through)
            for p in found
        ]

    def _called(self, caller: str, site: Site) -> str:
        """Return what `site` calls directly; empty for an indirect call."""
        return self._program.resolve(self._program.functions[caller].unit, site.callee) or site.callee

    def _add_callbacks(self) -> None:
        for handed in self.callbacks.handed():
            row = handed.row
            now = row.runs == "now" or row.waits is not None
            kind: EdgeKind = "remote" if row.remote else "callback" if now else "deferred"
            via = f"{row.function}()" if row.function else str(row.member)
            called = self._called(handed.provider, handed.site)
            self._edge(CallEdge(handed.provider, handed.function, handed.site, kind, via, called))
        for ident, functions in self.callbacks.answers.items():
            self.answers[ident].update(functions)
        for ident, functions in self.answers.items():
            for function in functions if ident in self._program.functions else ():
                self.dependents[function].add(ident)

    def _edge(self, edge: CallEdge) -> None:
        self.callees[edge.caller].append(edge)
        self.callers[edge.callee].append(edge)
        if edge.kind != "deferred":
            self.dependents[edge.callee].add(edge.caller)

    def indirect(self, caller: str, slot: Slot | None) -> list[str]:
        """Return the functions that a call through `slot` in `caller` can reach, whoever decides which, sorted."""
        qualified = slot or UNTOLD
        if caller in self._program.functions and slot is not None:
            stated = self._overrides.reached(self._program.functions[caller].name, slot)
            if stated is not None:
                return stated
            qualified = self.targets.qualify(self._program.functions[caller].unit, caller, slot)
        self.called_slots.add(qualified)
        found = self.targets.held.get(qualified, set()) if slot is not None else set()
        return sorted(found | self._widening(caller, slot) if qualified in self.targets.untold else found)

    def _widening(self, caller: str, slot: Slot | None) -> set[str]:
        """Return the escaped functions of the types that are called through `slot` in `caller`."""
        sites = self._flows[caller].sites if caller in self._flows else ()
        types = {site.type for site in sites if not site.callee and site.slot == slot}
        return {ident for ident in self.targets.escaped if self._flows[ident].type in types}

    def is_widened(self, caller: str, slot: Slot | None) -> bool:
        """Tell whether a call through `slot` may reach escaped functions."""
        if slot is None:
            return True
        return self.targets.qualify(self._program.functions[caller].unit, caller, slot) in self.targets.untold

    def _origin(self, caller: str, slot: Slot | None) -> str:
        """Say where the target of a call without one comes from; empty if it may come from anywhere."""
        if slot is None:
            return ""
        qualified = self.targets.qualify(self._program.functions[caller].unit, caller, slot)
        origins = self.targets.origins(qualified)
        if UNTOLD in origins and self.targets.escaped:
            return ""
        return spell_slot(next((origin for origin in origins if origin != UNTOLD), slot))

    def components(self) -> Iterator[list[str]]:
        """Yield the strongly connected components, callees before callers, each sorted."""
        graph = nx.DiGraph()
        graph.add_nodes_from(sorted(self._program.functions))
        for callee in sorted(self.dependents):
            graph.add_edges_from((caller, callee) for caller in sorted(self.dependents[callee]))
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
