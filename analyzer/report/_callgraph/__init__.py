# SPDX-License-Identifier: GPL-2.0-only
"""The call graph as text, one module for each form.

In: values of `findings.callgraph`. Out: one string, ready to be written.

A module of this package is a format of the whole graph, named like the module, if it has
`render(graph: CallGraphExport) -> str`; `_answers` answers single questions for people.

**Invariant:** renderers neither sort nor judge; equal graphs give equal text.
"""

import importlib
import pkgutil
from pathlib import Path
from typing import Protocol, cast

from analyzer.findings.callgraph import CallGraphExport


class GraphRenderer(Protocol):
    """What a format's module calls `render`."""

    def __call__(self, graph: CallGraphExport) -> str:
        """Return the whole graph as one string that ends in a newline."""


def graph_format_names() -> tuple[str, ...]:
    """List the formats, in alphabetical order, without importing them."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return tuple(sorted(module.name for module in found if not module.name.startswith("_")))


def graph_renderer(name: str) -> GraphRenderer:
    """Import the renderer of format `name`, one of `graph_format_names()`."""
    assert name in graph_format_names(), name
    return cast(GraphRenderer, importlib.import_module(f"{__name__}.{name}").render)
