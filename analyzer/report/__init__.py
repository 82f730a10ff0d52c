# SPDX-License-Identifier: GPL-2.0-only
"""Reports as text, one module for each output format.

In: `Report`, source lines, `Style`. Out: one string, ready to be written.

A module of this package whose name has no leading underscore is a format, named like the module, and has
`render(report: Report, sources: SourceReader, style: Style) -> str`. There is no registry.

**Invariant:** renderers neither sort nor judge; equal reports give equal text.
"""

from analyzer.report._callgraph import graph_format_names, graph_renderer
from analyzer.report._callgraph._answers import render_neighbours, render_paths, render_stats, render_unresolved
from analyzer.report._claims import render_claims
from analyzer.report._crosscheck import render_crosscheck, render_crosscheck_json
from analyzer.report._diagnoses import render_diagnoses
from analyzer.report._doc import render_doc_page, render_kernel_doc
from analyzer.report._drift import render_drift, render_drift_json
from analyzer.report._explained_json import render_explained_json
from analyzer.report._explanation import render_explanation
from analyzer.report._formats import Renderer, format_names, renderer
from analyzer.report._lock import render_lock
from analyzer.report._style import Blame, NoSources, SourceReader, Style
from analyzer.report._way import holding, told

__all__ = [
    "Blame",
    "NoSources",
    "Renderer",
    "SourceReader",
    "Style",
    "format_names",
    "graph_format_names",
    "graph_renderer",
    "holding",
    "render_claims",
    "render_crosscheck",
    "render_crosscheck_json",
    "render_diagnoses",
    "render_doc_page",
    "render_drift",
    "render_drift_json",
    "render_explained_json",
    "render_explanation",
    "render_kernel_doc",
    "render_lock",
    "render_neighbours",
    "render_paths",
    "render_stats",
    "render_unresolved",
    "renderer",
    "told",
]
