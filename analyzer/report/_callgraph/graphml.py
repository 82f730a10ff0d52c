# SPDX-License-Identifier: GPL-2.0-only
"""The call graph as GraphML, for Gephi, yEd, igraph, networkx.

In: `CallGraphExport`. Out: one XML document; a node for each function, an edge for each call site and target, an
attribute `unresolved` on functions with calls of unknown target: their number.

**Source:** http://graphml.graphdrawing.org/specification.html
"""

from __future__ import annotations

import re
from collections import Counter
from xml.sax.saxutils import escape

from analyzer.findings.callgraph import CallGraphExport, GraphEdge, GraphFunction

#: (name, what it belongs to, type)
_KEYS = (
    ("name", "node", "string"),
    ("file", "node", "string"),
    ("line", "node", "int"),
    ("defined", "node", "boolean"),
    ("unresolved", "node", "int"),
    ("kind", "edge", "string"),
    ("site_file", "edge", "string"),
    ("site_line", "edge", "int"),
    ("via", "edge", "string"),
)
#: what XML 1.0 cannot hold in any spelling
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(graph: CallGraphExport) -> str:
    """Return the graph as a GraphML document."""
    unresolved = Counter(site.caller for site in graph.unresolved)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">']
    for name, owner, kind in _KEYS:
        lines.append(f' <key id="{owner}_{name}" for="{owner}" attr.name="{name}" attr.type="{kind}"/>')
    lines.append(' <graph id="callgraph" edgedefault="directed">')
    lines += [_node(function, unresolved[function.id]) for function in graph.functions]
    lines += [_edge(number, edge) for number, edge in enumerate(graph.edges)]
    return "\n".join([*lines, " </graph>", "</graphml>"]) + "\n"


def _node(function: GraphFunction, n_unresolved: int) -> str:
    place = function.location
    data = _data("node", name=function.name, file=place.file, line=place.line, defined=function.defined)
    return f'  <node id="{_text(function.id)}">{data}{_data("node", unresolved=n_unresolved)}</node>'


def _edge(number: int, edge: GraphEdge) -> str:
    data = _data("edge", kind=edge.kind, site_file=edge.site.file, site_line=edge.site.line, via=edge.via)
    ends = f'source="{_text(edge.caller)}" target="{_text(edge.callee)}"'
    return f'  <edge id="e{number}" {ends}>{data}</edge>'


def _data(owner: str, **values: str | int | bool) -> str:
    return "".join(f'<data key="{owner}_{name}">{_value(value)}</data>' for name, value in values.items())


def _value(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(str(value))


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text), {'"': "&quot;"})
