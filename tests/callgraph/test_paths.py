# SPDX-License-Identifier: GPL-2.0-only
"""Paths against the definition: all of them, none twice, the shortest first."""

from itertools import pairwise, permutations

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from analyzer.program.paths import shortest_length, simple_paths

NODES = "abcdef"
_pairs = st.sets(st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)))


def graph_of(pairs: set[tuple[str, str]]) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(NODES)
    graph.add_edges_from(sorted(pairs))
    return graph


def by_definition(pairs: set[tuple[str, str]], max_length: int) -> set[tuple[str, ...]]:
    """Return the simple paths from the first node to the last."""
    found = set()
    for n_inner in range(max_length):
        for inner in permutations(NODES[1:-1], n_inner):
            path = (NODES[0], *inner, NODES[-1])
            if pairs.issuperset(pairwise(path)):
                found.add(path)
    return found


@given(_pairs, st.integers(1, 5))
def test_all_paths_and_only_those(pairs: set[tuple[str, str]], max_length: int) -> None:
    found = [tuple(path) for path in simple_paths(graph_of(pairs), NODES[0], NODES[-1], max_length)]
    assert len(set(found)) == len(found)
    assert set(found) == by_definition(pairs, max_length)
    assert [len(path) for path in found] == sorted(len(path) for path in found)


@given(_pairs)
def test_the_shortest(pairs: set[tuple[str, str]]) -> None:
    lengths = [len(path) - 1 for path in by_definition(pairs, 5)]
    assert shortest_length(graph_of(pairs), NODES[0], NODES[-1]) == min(lengths, default=None)
