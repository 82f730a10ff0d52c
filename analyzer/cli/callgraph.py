# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec callgraph`: who calls whom, as far as the units tell.

In: options and names of functions. Out: text for people, or the whole graph in one of the formats.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.cli import output, progress
from analyzer.cli.common_options import Common, with_common_options
from analyzer.cli.status import Status
from analyzer.report import (
    graph_format_names,
    graph_renderer,
    render_neighbours,
    render_paths,
    render_stats,
    render_unresolved,
)

if TYPE_CHECKING:
    from analyzer.pipeline.callgraph import CallGraphView

app = typer.Typer(help="Show who calls whom, indirect calls included.", rich_markup_mode=None)

_NAME_HELP = "A function's name; file:name where several have it."
Function = Annotated[str, typer.Argument(metavar="FUNCTION", help=_NAME_HELP)]
Depth = Annotated[int, typer.Option("--depth", min=1, metavar="N", help="Unfold that many steps.")]

EXAMPLES = """\b
Examples:
  lockspec callgraph callers kvm_gmem_bind --tree ~/linux
  lockspec callgraph paths kvm_vcpu_ioctl kvm_gmem_get_pfn
  lockspec callgraph export --format graphml --output graph.xml
  lockspec callgraph --html --output graph.html
"""
PATHS_EXAMPLES = """\b
Examples:
  lockspec callgraph paths kvm_vcpu_ioctl kvm_gmem_get_pfn
  lockspec callgraph paths kvm_vm_ioctl kvm_gmem_bind --limit 3 --max-length 6
"""
EXPORT_EXAMPLES = """\b
Examples:
  lockspec callgraph export --format json             for programs, see docs/callgraph.schema.json
  lockspec callgraph export --format dot | dot -Tsvg  for Graphviz
  lockspec callgraph export --html -o graph.html      a page to search and unfold in
"""


@app.callback(invoke_without_command=True, epilog=EXAMPLES)
@with_common_options
def callgraph(
    common: Common,
    context: typer.Context,
    html: Annotated[bool, typer.Option("--html", help="Without a command: the same as export --html.")] = False,
) -> None:
    """Show who calls whom, indirect calls included."""
    if context.invoked_subcommand is not None:
        if html:
            raise typer.BadParameter("--html stands alone, or after export")
    elif html:
        _export(common, "html")
    else:
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(Status.USAGE)


@app.command("callers")
@with_common_options
def callers(common: Common, function: Function, depth: Depth = 1) -> None:
    """List the functions that call FUNCTION, with each call's place and kind."""
    with _opened(common) as view:
        output.write(render_neighbours(view.callers(function, depth), common.style()), common.output)


@app.command("callees")
@with_common_options
def callees(common: Common, function: Function, depth: Depth = 1) -> None:
    """List the functions that FUNCTION calls, with each call's place and kind."""
    with _opened(common) as view:
        output.write(render_neighbours(view.callees(function, depth), common.style()), common.output)


@app.command("paths", epilog=PATHS_EXAMPLES)
@with_common_options
def paths(
    common: Common,
    start: Annotated[str, typer.Argument(metavar="FROM", help=_NAME_HELP)],
    end: Annotated[str, typer.Argument(metavar="TO", help=_NAME_HELP)],
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="Show that many paths.")] = 40,
    max_length: Annotated[int, typer.Option("--max-length", min=1, metavar="N", help="Of at most N calls.")] = 20,
) -> None:
    """List the call paths from FROM to TO that visit no function twice, the shortest first."""
    with _opened(common) as view:
        found = view.paths(start, end, limit=limit, max_length=max_length)
        output.write(render_paths(found, common.style()), common.output)


@app.command("unresolved")
@with_common_options
def unresolved(
    common: Common,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="Show that many. Default: all.")
    ] = None,
) -> None:
    """List the calls without a known target, those first behind which most functions may hide."""
    with _opened(common) as view:
        output.write(render_unresolved(view.unresolved(limit), common.style()), common.output)


@app.command("stats")
@with_common_options
def stats(common: Common) -> None:
    """Count functions, calls and targets, and tell what it took to link the units."""
    with _opened(common) as view:
        output.write(render_stats(view.stats(), common.style()), common.output)


def _known_format(name: str | None) -> str | None:
    if name is not None and name not in graph_format_names():
        raise typer.BadParameter(f"{name!r} is none of {', '.join(graph_format_names())}")
    return name


@app.command("export", epilog=EXPORT_EXAMPLES)
@with_common_options
def export(
    common: Common,
    format: Annotated[  # noqa: A002 (the option's name)
        str | None,
        typer.Option("--format", "-f", callback=_known_format, metavar="|".join(graph_format_names()), help="[json]"),
    ] = None,
    html: Annotated[bool, typer.Option("--html", help="The same as --format html.")] = False,
) -> None:
    """Write the whole graph."""
    if html and format not in (None, "html"):
        raise typer.BadParameter(f"--html and --format {format} exclude each other")
    _export(common, "html" if html else format or "json")


def _export(common: Common, name: str) -> None:
    with _opened(common) as view:
        output.write(graph_renderer(name)(view.export()), common.output)


@contextmanager
def _opened(common: Common) -> Iterator[CallGraphView]:
    """Link the units; after the answer, tell by the exit status whether some could not be read."""
    from analyzer.pipeline.callgraph import open_call_graph

    options = common.options()
    output.check_writable(common.output)
    with progress.shown(common.quiet) as bar:
        view = open_call_graph(options, bar)
    for gap in view.failed:
        print(f"{gap.location}: {gap.text}", file=sys.stderr)
    yield view
    if not view.is_complete:
        raise typer.Exit(Status.INCOMPLETE)
