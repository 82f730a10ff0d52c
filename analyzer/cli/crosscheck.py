# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec crosscheck`: compare the source graph with the built objects.

In: options. Out: how much of what the objects hold is in the source graph, as text or JSON, and an exit status.
"""

from __future__ import annotations

from typing import Annotated

import typer

from analyzer.cli import arguments, output, progress
from analyzer.cli.status import Status
from analyzer.report import render_crosscheck, render_crosscheck_json

EXAMPLES = """\b
Examples:
  lockspec crosscheck --tree ~/linux                     the objects lie in the tree
  lockspec crosscheck --tree ~/linux --build ~/out       they lie in Kbuild's output
  lockspec crosscheck --under virt/kvm --format json     those of some units, for programs
"""
_FORMATS = ("text", "json")


def _known_format(name: str) -> str:
    if name not in _FORMATS:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(_FORMATS)}")
    return name


Format = Annotated[str, typer.Option("--format", "-f", callback=_known_format, metavar="|".join(_FORMATS))]


def crosscheck(
    tree: arguments.Tree = None,
    build: arguments.Build = None,
    compile_commands: arguments.CompileCommands = None,
    specs: arguments.Specs = None,
    under: arguments.Under = None,
    jobs: arguments.Jobs = None,
    cache: arguments.Cache = None,
    no_cache: arguments.NoCache = False,
    format: Format = "text",  # noqa: A002 (the option's name)
    output_file: arguments.Output = None,
    quiet: arguments.Quiet = False,
    verbose: arguments.Verbose = False,
) -> None:
    """Compare the call graph, the ops tables and the rules' names with objects built for x86-64 with DWARF.

    Exit status: 0 all is in the source graph; 1 something in the objects is not; 2 wrong usage or no objects.
    """
    from analyzer.pipeline.crosscheck import crosscheck as run_crosscheck

    given = arguments.Given(
        tree=tree,
        build=build,
        compile_commands=compile_commands,
        preprocessed=None,
        specs=specs,
        under=under,
        overlays=None,
        jobs=jobs,
        cache=cache,
        no_cache=no_cache,
    )
    options = arguments.check_options(given)
    output.check_writable(output_file)
    with progress.shown(quiet) as bar:
        found = run_crosscheck(options, bar)
    style = output.style_for(output_file, quiet=quiet, verbose=verbose)
    output.write(render_crosscheck_json(found) if format == "json" else render_crosscheck(found, style), output_file)
    raise typer.Exit(Status.FINDINGS if found.missing else Status.CLEAN)
