# SPDX-License-Identifier: GPL-2.0-only
"""The call graph in numbers.

In: program, flows, call graph, atlas. Out: `Stats`: how many sites there are, how many targets they have, by mechanism.

**Invariant:** a site counts once, whatever its number of targets.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean, median

from msgspec import Struct

from analyzer.findings.callgraph import Mechanism, Stats
from analyzer.program.atlas import Atlas
from analyzer.program.flow import FlowFacts, Site
from analyzer.program.graph import CallEdge, CallGraph
from analyzer.program.link import Program

#: what the kinds of slots are for people; see `flow.Slot`
_MECHANISMS = {
    "s": "static call",
    "m": "member",
    "g": "global",
    "p": "parameter",
    "d": "pointee of a parameter",
    "l": "local",
    "r": "returned",
}
_COMPUTED = "computed pointer"
_CHOSEN = "pointer that a caller chooses"
#: kinds of edges that begin where a function's address is handed to others
_HANDED = ("callback", "deferred", "remote")


class Cost(Struct, frozen=True):
    """What it took to link the program."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def measure(
    program: Program, flows: Mapping[str, FlowFacts], graph: CallGraph, atlas: Atlas, n_entries: int, cost: Cost
) -> Stats:
    """Count what is in the call graph."""
    edges = [edge for called in atlas.calls.values() for edges in called.values() for edge in edges]
    sites = [(caller, site) for caller, flow in flows.items() for site in flow.sites]
    mechanisms = _indirect(graph, sites, edges)
    n_targets = [number for group in mechanisms.values() for number in group]
    external = [site for caller, site in sites if site.callee and not _resolved(program, caller, site)]
    return Stats(
        n_units=len(program.units),
        n_defined=sum(known.defined for known in atlas.functions.values()),
        n_declared=sum(not known.defined for known in atlas.functions.values()),
        n_direct_sites=len(sites) - len(n_targets),
        n_external_sites=len(external),
        n_indirect_sites=len(n_targets),
        n_outside_sites=sum(bool(call.origin) for call in graph.outside),
        n_unresolved_sites=sum(not call.origin for call in graph.outside),
        n_widened_sites=len(graph.widened),
        edges=tuple(sorted(Counter(edge.kind for edge in edges).items())),
        n_pairs=sum(map(len, atlas.calls.values())),
        mechanisms=tuple(_summed(name, mechanisms[name]) for name in sorted(mechanisms)),
        indirect=_summed("all indirect calls", n_targets),
        handed=_handed(edges),
        n_entries=n_entries,
        link_seconds=cost.seconds,
        link_cpu_seconds=cost.cpu_seconds,
        peak_bytes=cost.peak_bytes,
    )


def _indirect(graph: CallGraph, sites: Sequence[tuple[str, Site]], edges: Sequence[CallEdge]) -> dict[str, list[int]]:
    """Return the numbers of targets of the indirect call sites, by mechanism."""
    own: dict[tuple[str, Site], set[str]] = defaultdict(set)
    for edge in edges:
        own[(edge.caller, edge.site)].add(edge.callee)
    numbers: dict[str, list[int]] = defaultdict(list)
    for caller, site in sites:
        if site.callee:
            continue
        targets = own.get((caller, site))
        if targets:
            numbers[_mechanism(site)].append(len(targets))
            continue
        # no edge of its own: nothing is known, or the edges begin where a caller chooses the function
        chosen = graph.indirect(caller, site.slot)
        numbers[_CHOSEN if chosen else _mechanism(site)].append(len(chosen))
    return numbers


def _handed(edges: Sequence[CallEdge]) -> tuple[Mechanism, ...]:
    """Count the sites that hand functions on, by the kind of the call that comes of it."""
    targets: dict[str, dict[tuple[str, Site], set[str]]] = defaultdict(lambda: defaultdict(set))
    for edge in edges:
        if edge.kind in _HANDED:
            targets[edge.kind][(edge.caller, edge.site)].add(edge.callee)
    return tuple(_summed(kind, [len(found) for found in targets[kind].values()]) for kind in sorted(targets))


def _resolved(program: Program, caller: str, site: Site) -> bool:
    return program.resolve(program.functions[caller].unit, site.callee) is not None


def _mechanism(site: Site) -> str:
    return _MECHANISMS[site.slot[0]] if site.slot is not None else _COMPUTED


def _summed(name: str, n_targets: Sequence[int]) -> Mechanism:
    some = [number for number in n_targets if number]
    if not some:
        return Mechanism(name, len(n_targets), 0, 0.0, 0.0, 0)
    return Mechanism(name, len(n_targets), len(some), float(median(some)), fmean(some), max(some))
