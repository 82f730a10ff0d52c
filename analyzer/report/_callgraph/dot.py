# SPDX-License-Identifier: GPL-2.0-only
r"""The call graph for Graphviz.

In: `CallGraphExport`. Out: a digraph whose nodes are function ids; one edge for each pair of functions and kind.
Functions without a definition are dashed, calls that are not direct are dashed and labelled with their kind.

**Source:** https://graphviz.org/doc/info/lang.html: `\N` and its like in labels are escapes, and a backslash
before the closing quote would take it away.
"""

from __future__ import annotations

from analyzer.findings.callgraph import CallGraphExport, GraphEdge, GraphFunction

_WRITTEN = ("direct", "cleanup")


def render(graph: CallGraphExport) -> str:
    """Return the graph in the DOT language."""
    lines = ["digraph callgraph {", "\tnode [shape=box];"]
    lines += [f"\t{_quoted(function.id)} [{_node(function)}];" for function in graph.functions]
    groups: dict[tuple[str, str, str], list[GraphEdge]] = {}
    for edge in graph.edges:
        groups.setdefault((edge.caller, edge.callee, edge.kind), []).append(edge)
    lines += [
        f"\t{_quoted(caller)} -> {_quoted(callee)} [{_edge(kind, group)}];"
        for (caller, callee, kind), group in groups.items()
    ]
    return "\n".join([*lines, "}"]) + "\n"


def _node(function: GraphFunction) -> str:
    place = f"tooltip={_quoted(str(function.location))}"
    return f"label={_quoted(function.name)} {place}{'' if function.defined else ' style=dashed'}"


def _edge(kind: str, edges: list[GraphEdge]) -> str:
    sites = ", ".join(str(edge.site) for edge in edges)
    how = "" if kind in _WRITTEN else f"label={_quoted(kind)} style=dashed "
    via = " ".join(dict.fromkeys(edge.via for edge in edges if edge.via))
    return f"{how}tooltip={_quoted(f'{sites} {via}'.rstrip())}"


def _quoted(text: str) -> str:
    """Quote an ID or a label; a backslash would begin an escape."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
