# SPDX-License-Identifier: GPL-2.0-only
"""The call graph as one page: search a function, unfold its callers and callees.

In: `CallGraphExport`. Out: an HTML document that holds script, style and the graph as JSON.

**Invariant:** the page asks the network for nothing, and its content security policy would not let it.
**Invariant:** names never become markup: the data cannot end its element, and the script writes text nodes only.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from analyzer.findings.callgraph import CallGraphExport

_FOLDER = Path(__file__).parent
#: what could end a script element or begin a comment in it, as JSON escapes
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def render(graph: CallGraphExport) -> str:
    """Return the page."""
    style = (_FOLDER / "page.css").read_text("utf-8")
    script = (_FOLDER / "page.js").read_text("utf-8")
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )
    page = (_FOLDER / "page.html").read_text("utf-8")
    parts = {"policy": policy, "style": style, "data": _data(graph), "script": script}
    # Split first: what is put in may itself hold what looks like a place to put something in.
    head, *rest = page.split("@@")
    return head + "".join(parts[part] if index % 2 == 0 else part for index, part in enumerate(rest))


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


class _Numbers:
    """Gives each text a number, in the order of their first use."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    def texts(self) -> list[str]:
        return list(self._numbers)


def _data(graph: CallGraphExport) -> str:
    """Return the graph as JSON, texts that come again and again as numbers."""
    words = _Numbers()
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
    return json.dumps(document, separators=(",", ":")).translate(_ESCAPES)
