# SPDX-License-Identifier: GPL-2.0-only
"""Simple paths through the call graph, the shortest first.

In: functions and pairs, two function ids, a bound. Out: lists of ids from the first to the second.

**Invariant:** every path within the bound is given, once, unless the caller stops asking.
**Invariant:** their order depends on the order of the graph's functions and pairs alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx


def shortest_length(graph: nx.DiGraph, start: str, end: str) -> int | None:
    """Return the number of calls on a shortest path; None if there is no path."""
    try:
        return int(nx.shortest_path_length(graph, start, end))
    except nx.NetworkXNoPath:
        return None


def simple_paths(graph: nx.DiGraph, start: str, end: str, max_length: int) -> Iterator[list[str]]:
    """Yield the simple paths of at most `max_length` calls from `start` to `end`, which differ."""
    forward = nx.single_source_shortest_path_length(graph, start, cutoff=max_length)
    backward = nx.single_source_shortest_path_length(graph.reverse(copy=False), end, cutoff=max_length)
    # what lies on no path within the bound would only be searched in vain
    near = {ident for ident in forward.keys() & backward.keys() if forward[ident] + backward[ident] <= max_length}
    if not near:
        return
    inner = nx.DiGraph()  # a view of `graph` would come in the order of a set
    inner.add_nodes_from(sorted(near))
    inner.add_edges_from((caller, callee) for caller in sorted(near) for callee in graph[caller] if callee in near)
    for path in nx.shortest_simple_paths(inner, start, end):
        if len(path) > max_length + 1:
            return
        yield path
