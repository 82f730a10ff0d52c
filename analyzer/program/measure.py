# SPDX-License-Identifier: GPL-2.0-only
"""The call graph in numbers.

In: program, flows, call graph, atlas. Out: `Stats`: how many sites there are, how many targets they have, by mechanism.

**Invariant:** a site counts once, whatever its number of targets.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean, median

from analyzer.findings.callgraph import Mechanism, Stats
from analyzer.program.atlas import Atlas
from analyzer.program.flow import FlowFacts, Site
from analyzer.program.graph import CallGraph
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


def measure(
    program: Program,
    flows: Mapping[str, FlowFacts],
    graph: CallGraph,
    atlas: Atlas,
    n_entries: int,
    link_seconds: float,
    peak_bytes: int,
) -> Stats:
    """Count what is in the call graph."""
    edges = [edge for called in atlas.calls.values() for edges in called.values() for edge in edges]
    targets: dict[tuple[str, Site], set[str]] = defaultdict(set)
    for edge in edges:
        if not edge.site.callee:
            targets[(edge.caller, edge.site)].add(edge.callee)
    sites = [(caller, site) for caller, flow in flows.items() for site in flow.sites]
    by_mechanism: dict[str, list[int]] = defaultdict(list)
    for caller, site in sites:
        if not site.callee:
            by_mechanism[_mechanism(site)].append(len(targets.get((caller, site), ())))
    indirect = [n_targets for group in by_mechanism.values() for n_targets in group]
    external = [site for caller, site in sites if site.callee and not _resolved(program, caller, site)]
    return Stats(
        n_units=len(program.units),
        n_defined=sum(known.defined for known in atlas.functions.values()),
        n_declared=sum(not known.defined for known in atlas.functions.values()),
        n_direct_sites=len(sites) - len(indirect),
        n_external_sites=len(external),
        n_indirect_sites=len(indirect),
        n_unresolved_sites=len(graph.unresolved),
        edges=tuple(sorted(Counter(edge.kind for edge in edges).items())),
        n_pairs=sum(map(len, atlas.calls.values())),
        mechanisms=tuple(_summed(name, by_mechanism[name]) for name in sorted(by_mechanism)),
        indirect=_summed("all indirect calls", indirect),
        n_entries=n_entries,
        link_seconds=link_seconds,
        peak_bytes=peak_bytes,
    )


def _resolved(program: Program, caller: str, site: Site) -> bool:
    return program.resolve(program.functions[caller].unit, site.callee) is not None


def _mechanism(site: Site) -> str:
    return _MECHANISMS[site.slot[0]] if site.slot is not None else _COMPUTED


def _summed(name: str, n_targets: Sequence[int]) -> Mechanism:
    some = [number for number in n_targets if number]
    if not some:
        return Mechanism(name, len(n_targets), 0, 0.0, 0.0, 0)
    return Mechanism(name, len(n_targets), len(some), float(median(some)), fmean(some), max(some))
