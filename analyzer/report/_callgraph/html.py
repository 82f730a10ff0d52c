# SPDX-License-Identifier: GPL-2.0-only
"""The call graph as one page: search a function, unfold its callers and callees.

In: `CallGraphExport`. Out: an HTML document that holds script, style and the graph as JSON.

**Invariant:** the page asks the network for nothing, and its content security policy would not let it.
**Invariant:** names never become markup: the data cannot end its element, and the script writes text nodes only.
"""

from __future__ import annotations

from pathlib import Path

from analyzer.findings.callgraph import CallGraphExport
from analyzer.report._page import Words, page


def render(graph: CallGraphExport) -> str:
    """Return the page, texts that come again and again as numbers."""
    words = Words()
    index = {function.id: number for number, function in enumerate(graph.functions)}
    functions = [[f.id, f.name, words(f.location.file), f.location.line, int(f.defined)] for f in graph.functions]
    edges = [
        [index[e.caller], index[e.callee], words(e.kind), words(e.via), words(e.site.file), e.site.line]
        for e in graph.edges
    ]
    unresolved = [
        [index[u.caller], words(u.site.file), u.site.line, words(u.expression), words(u.cause)]
        for u in (*graph.unresolved, *graph.chosen)
    ]
    document = {"words": words.texts(), "functions": functions, "edges": edges, "unresolved": unresolved}
    return page(Path(__file__).parent, document)
