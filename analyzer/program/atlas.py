# SPDX-License-Identifier: GPL-2.0-only
"""The call graph with everything in it that people name: functions without a body too.

In: program, flows, call graph. Out: `Atlas`: functions by id, calls by pair of ids; `atlas.find("kvm_gmem_bind")`.

**Invariant:** every call site of every function is a call or stands in the graph's `unresolved`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import networkx as nx
from msgspec import Struct

from analyzer.base.location import Location
from analyzer.ir.function import At
from analyzer.program.flow import FlowFacts, Site
from analyzer.program.graph import CallEdge, CallGraph, EdgeKind
from analyzer.program.link import Program

_NOWHERE = Location("", 0)


class Known(Struct, frozen=True, gc=False):
    """A function that some unit defines or declares."""

    id: str
    name: str
    location: Location
    defined: bool


class Atlas:
    """All functions and calls."""

    def __init__(self, program: Program, flows: Mapping[str, FlowFacts], graph: CallGraph) -> None:
        self._program = program
        #: by id
        self.functions: dict[str, Known] = {}
        #: ids of functions without facts, by name
        self._outside: dict[str, str] = {}
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for function in program.functions.values():
            self._learn(Known(function.id, function.name, function.ref.location, True))
        self._learn_skipped()
        for name in sorted(program.declared):
            if program.resolve("", name) is None and name not in self._outside:
                self._learn_outside(name, program.declared[name], False)
        #: edges by caller and callee, each once, in the order of the source
        self.calls: dict[str, dict[str, list[CallEdge]]] = {}
        for caller in sorted(program.functions):
            calls: dict[str, dict[tuple[Site, str, str], CallEdge]] = defaultdict(dict)
            for edge in self._edges(caller, flows, graph):
                calls[edge.callee].setdefault((edge.site, edge.kind, edge.via), edge)
            self.calls[caller] = {callee: sorted(calls[callee].values(), key=_place) for callee in sorted(calls)}
        #: ids of callers, by callee
        self.callers: dict[str, list[str]] = defaultdict(list)
        for caller, called in self.calls.items():
            for callee in called:
                self.callers[callee].append(caller)

    def _learn(self, known: Known) -> None:
        self.functions[known.id] = known
        self._by_name[known.name].append(known.id)

    def _learn_outside(self, name: str, location: Location, defined: bool) -> str:
        ident = f"{location.file}:{name}" if location.file else name
        if ident in self.functions:
            # the header that declares it defines it too, in units that see another variant of it
            ident = f"{ident}#declared"
        self._outside[name] = ident
        self._learn(Known(ident, name, location, defined))
        return ident

    def _learn_skipped(self) -> None:
        """Learn functions that are defined but were not understood: extraction tells them as gaps."""
        for unit in self._program.units.values():
            for ref in unit.functions:
                skipped = not ref.facts_key and self._program.resolve(unit.name, ref.name) is None
                if skipped and ref.name not in self._outside:
                    self._learn_outside(ref.name, ref.location, True)

    def outside(self, name: str) -> str:
        """Return the id of a function that no unit defines, or that was skipped."""
        return self._outside.get(name) or self._learn_outside(name, _NOWHERE, False)

    def _edges(self, caller: str, flows: Mapping[str, FlowFacts], graph: CallGraph) -> Iterator[CallEdge]:
        unit = self._program.functions[caller].unit
        for edge in graph.callees.get(caller, ()):
            if edge.callee in self.functions:
                yield edge
            else:
                yield CallEdge(caller, self.outside(edge.callee), edge.site, edge.kind, edge.via)
        for site in flows[caller].sites:
            if site.callee and self._program.resolve(unit, site.callee) is None:
                kind: EdgeKind = "cleanup" if site.origin == "cleanup" else "direct"
                yield CallEdge(caller, self.outside(site.callee), site, kind)
        for name in flows[caller].otherwise:
            callee = self._program.resolve(unit, name)
            known = callee if callee is not None and callee in self.functions else self.outside(name)
            yield CallEdge(caller, known, Site(name, None, (), At(0)), "direct", "a constant argument")

    def at(self, caller: str, site: Site) -> Location:
        """Return where `site` of `caller` stands."""
        ref = self._program.functions[caller].ref
        return Location(ref.location.file, ref.first_line + site.at.line)

    def find(self, text: str) -> list[str]:
        """Return the ids that `text` may mean: an id, the end of one, or a name; defined functions before others."""
        text = text.removesuffix("()")
        if text in self.functions:
            return [text]
        if ":" in text:
            return sorted(ident for ident in self.functions if ident.endswith(f"/{text}"))
        found = sorted(self._by_name.get(text, ()))
        return [ident for ident in found if self.functions[ident].defined] or found

    def variants(self, ident: str) -> list[str]:
        """Return the ids of other definitions under this file and name, which other units see."""
        base = ident.partition("#")[0]
        name = self.functions[ident].name
        return sorted(i for i in self._by_name[name] if i != ident and i.partition("#")[0] == base)

    def names(self) -> list[str]:
        """Return the names of all functions, sorted."""
        return sorted(self._by_name)

    def graph(self) -> nx.DiGraph:
        """Return functions and pairs of caller and callee; nodes and edges stand in the order of ids."""
        graph = nx.DiGraph()
        graph.add_nodes_from(sorted(self.functions))
        graph.add_edges_from((caller, callee) for caller, called in self.calls.items() for callee in called)
        return graph


def _place(edge: CallEdge) -> tuple[int, int, str, str]:
    return (edge.site.at.line, edge.site.at.column, edge.kind, edge.via)
