# SPDX-License-Identifier: GPL-2.0-only
"""The call graph for programs.

In: `CallGraphExport`. Out: one JSON object, described by `docs/callgraph.schema.json`; each function, edge and
unresolved call stands on its own line.

**Invariant:** keys and their order never change within one `version`; a new key is a new version.
**Invariant:** the text is ASCII, so that a file name of any bytes survives.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from analyzer.base.location import Location
from analyzer.findings.callgraph import CallGraphExport, GraphEdge, GraphFunction, UnresolvedSite

VERSION = 1


def render(graph: CallGraphExport) -> str:
    """Return the graph as JSON text."""
    parts = (
        _list("functions", map(_function, graph.functions)),
        _list("edges", map(_edge, graph.edges)),
        _list("unresolved", map(_unresolved, graph.unresolved)),
    )
    return f'{{"version": {VERSION},\n' + ",\n".join(parts) + "}\n"


def _list(key: str, items: Iterable[dict[str, object]]) -> str:
    lines = ",\n".join(f" {json.dumps(item)}" for item in items)
    return f'"{key}": [\n{lines}\n]' if lines else f'"{key}": []'


def _function(function: GraphFunction) -> dict[str, object]:
    return {
        "id": function.id,
        "name": function.name,
        "file": function.location.file,
        "line": function.location.line,
        "defined": function.defined,
    }


def _edge(edge: GraphEdge) -> dict[str, object]:
    return {
        "caller": edge.caller,
        "callee": edge.callee,
        "kind": edge.kind,
        "site": _site(edge.site),
        "via": edge.via,
    }


def _unresolved(site: UnresolvedSite) -> dict[str, object]:
    return {"caller": site.caller, "site": _site(site.site), "expression": site.expression, "cause": site.cause}


def _site(location: Location) -> dict[str, object]:
    return {"file": location.file, "line": location.line}
