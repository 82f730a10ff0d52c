# SPDX-License-Identifier: GPL-2.0-only
"""The call graph, asked: callers, callees, paths, calls without a target, numbers, the whole.

In: `CheckOptions` and names of functions. Out: the values of `findings.callgraph`.

**Invariant:** no lock is looked at; what is told is what `check` follows.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from analyzer.base.errors import InputError
from analyzer.base.gap import GapKind
from analyzer.base.location import Location
from analyzer.facts.store import Store
from analyzer.findings.callgraph import (
    Branching,
    CallGraphExport,
    GraphEdge,
    GraphFunction,
    Link,
    Neighbours,
    Paths,
    Stats,
    UnresolvedSites,
)
from analyzer.pipeline.extract import extract
from analyzer.pipeline.link import Linked, link
from analyzer.pipeline.options import CheckOptions, Progress
from analyzer.pipeline.remember import Remembered
from analyzer.pipeline.unresolved import chosen_calls, describe, open_calls, rank, widened_calls
from analyzer.program.atlas import Atlas
from analyzer.program.measure import Cost, measure
from analyzer.program.paths import shortest_length, simple_paths
from analyzer.source.commands import read_units
from analyzer.spec.load import load
from analyzer.spec.suggest import did_you_mean

#: functions named where a name means several
_N_CANDIDATES = 12


def open_call_graph(options: CheckOptions, progress: Progress) -> CallGraphView:
    """Extract and link what `options` name; raise `InputError` or `SpecError` for what the user must mend."""
    spec = load(options.specs or None)
    with Store(options.cache) as store:
        units = read_units(
            tree=options.tree,
            build=options.build,
            compile_commands=options.compile_commands,
            preprocessed=options.preprocessed,
            under=options.under,
            units=options.units,
        )
        extraction = extract(units, store, progress, jobs=options.jobs, overlays=options.overlays)
        progress.begin("link", 1)
        return CallGraphView(link(extraction, Remembered(store), spec))


class CallGraphView:
    """The linked program, ready to be asked."""

    def __init__(self, linked: Linked) -> None:
        self.linked = linked
        self._atlas = Atlas(linked.program, linked.flows, linked.graph)
        #: why units are missing
        self.failed = tuple(gap for gap in linked.extraction.gaps if gap.kind is GapKind.UNIT)
        #: were all units and all functions in them understood?
        self.is_complete = not linked.extraction.failed and all(
            ref.facts_key for unit in linked.extraction.units for ref in unit.functions
        )

    def callers(self, name: str, depth: int = 1) -> Neighbours:
        """Return who calls a function; raise `InputError` for a name that means none or several."""
        ident = self._the(name)
        entry = self.linked.entries.get(ident)
        return Neighbours(
            function=self._function(ident),
            direction="callers",
            branches=self._branches(ident, depth, callers=True),
            entry=entry.text if entry else "",
            variants=tuple(self._atlas.variants(ident)),
        )

    def callees(self, name: str, depth: int = 1) -> Neighbours:
        """Return whom a function calls; raise `InputError` for a name that means none or several."""
        ident = self._the(name)
        without = (*open_calls(self.linked.graph), *chosen_calls(self.linked))
        unresolved = [call for call in without if call[0] == ident]
        return Neighbours(
            function=self._function(ident),
            direction="callees",
            branches=self._branches(ident, depth, callers=False),
            unresolved=describe(self.linked, self._atlas, unresolved),
            variants=tuple(self._atlas.variants(ident)),
        )

    def paths(self, start: str, end: str, *, limit: int, max_length: int) -> Paths:
        """Return simple paths, the shortest first; raise `InputError` for a name that means none or several."""
        first, last = self._the(start), self._the(end)
        if first == last:
            raise InputError(f"{start} and {end} are the same function: give two")
        graph = self._atlas.graph()
        found = list(islice(simple_paths(graph, first, last, max_length), limit + 1))
        return Paths(
            start=self._function(first),
            end=self._function(last),
            paths=tuple(tuple(map(self._link, path, path[1:])) for path in found[:limit]),
            more=len(found) > limit,
            max_length=max_length,
            shortest=shortest_length(graph, first, last),
        )

    def unresolved(self, limit: int | None = None) -> UnresolvedSites:
        """Return the calls that are not known to reach certain functions, those first that may reach most."""
        graph = self.linked.graph
        sites = rank(self.linked, describe(self.linked, self._atlas, (*open_calls(graph), *widened_calls(graph))))
        return UnresolvedSites(sites[:limit], len(sites))

    def stats(self) -> Stats:
        """Return the call graph in numbers."""
        linked = self.linked
        cost = Cost(linked.seconds, linked.cpu_seconds, linked.peak_bytes)
        return measure(linked.program, linked.flows, linked.graph, self._atlas, len(linked.entries), cost)

    def export(self) -> CallGraphExport:
        """Return the whole graph, sorted by id and place."""
        atlas = self._atlas
        edges = (self._edges(caller, callee) for caller, called in atlas.calls.items() for callee in called)
        return CallGraphExport(
            functions=tuple(map(self._function, sorted(atlas.functions))),
            edges=tuple(edge for group in edges for edge in group),
            unresolved=describe(self.linked, atlas, open_calls(self.linked.graph)),
            chosen=describe(self.linked, atlas, chosen_calls(self.linked)),
        )

    def _the(self, name: str) -> str:
        """Return the id of the one function that `name` means."""
        found = self._atlas.find(name)
        if not found:
            bare = name.removesuffix("()")
            known = self._atlas.functions if ":" in bare else self._atlas.names()
            raise InputError(f"no analysed unit defines or declares a function {name}{did_you_mean(bare, known)}")
        if len(found) > 1:
            left_out = f" and {len(found) - _N_CANDIDATES} more" if len(found) > _N_CANDIDATES else ""
            raise InputError(
                f"{name} is the name of {len(found)} functions; give one of {', '.join(found[:_N_CANDIDATES])}{left_out}"
            )
        return found[0]

    def _function(self, ident: str) -> GraphFunction:
        known = self._atlas.functions[ident]
        # without the column, which counts preprocessed text
        return GraphFunction(known.id, known.name, Location(known.location.file, known.location.line), known.defined)

    def _edges(self, caller: str, callee: str) -> tuple[GraphEdge, ...]:
        at = self._atlas.at
        calls = self._atlas.calls[caller][callee]
        return tuple(GraphEdge(caller, callee, edge.kind, at(caller, edge.site), edge.via) for edge in calls)

    def _link(self, caller: str, callee: str) -> Link:
        edges = dict.fromkeys(self._edges(caller, callee))  # several calls in one line are told once
        return Link(self._function(caller), self._function(callee), tuple(edges))

    def _next(self, ident: str, callers: bool) -> Iterable[str]:
        """Return the functions one step from `ident`: callees in the order of the source."""
        if callers:
            return self._atlas.callers.get(ident, ())
        called = self._atlas.calls.get(ident, {})
        return sorted(called, key=lambda callee: (called[callee][0].site.at.line, callee))

    def _branches(self, root: str, depth: int, *, callers: bool) -> tuple[Branching, ...]:
        """Return the tree of `depth` steps; a function's own branches stand where it is nearest to the root."""
        home: dict[str, tuple[str, int]] = {root: ("", 0)}
        wave = [root]
        for level in range(1, depth):
            found = [(ident, near) for near in wave for ident in self._next(near, callers)]
            wave = [ident for ident, near in found if home.setdefault(ident, (near, level)) == (near, level)]

        def grow(near: str, level: int) -> tuple[Branching, ...]:
            return tuple(branch(near, ident, level) for ident in self._next(near, callers))

        def branch(near: str, ident: str, level: int) -> Branching:
            link = self._link(ident, near) if callers else self._link(near, ident)
            if home.get(ident) == (near, level):
                return Branching(link, grow(ident, level + 1))
            return Branching(link, (), ident in home and any(True for _ in self._next(ident, callers)))

        return grow(root, 1)
