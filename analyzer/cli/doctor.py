# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec doctor`: tell what a tree lacks, and the command that mends it.

In: options. Out: a line for each thing that a run needs; status 1 where something is to be mended.
"""

from __future__ import annotations

import typer

from analyzer.cli import arguments, output
from analyzer.cli.status import Status
from analyzer.report import render_diagnoses

EXAMPLES = """\b
Examples:
  lockspec doctor --tree ~/linux
  lockspec doctor --tree ~/linux --build ~/out --quiet   only what is to be mended
"""


def doctor(
    tree: arguments.Tree = None,
    build: arguments.Build = None,
    compile_commands: arguments.CompileCommands = None,
    preprocessed: arguments.Preprocessed = None,
    specs: arguments.Specs = None,
    under: arguments.Under = None,
    cache: arguments.Cache = None,
    no_cache: arguments.NoCache = False,
    quiet: arguments.Quiet = False,
) -> None:
    """Look at what a check would need: source, configuration, compile database, compiler, rules, cache.

    Exit status: 0 all is well; 1 something is to be mended, and the command that mends it is told; 2 wrong usage.
    """
    from analyzer.pipeline.doctor import diagnose

    given = arguments.Given(
        tree=tree,
        build=build,
        compile_commands=compile_commands,
        preprocessed=preprocessed,
        specs=specs,
        under=under,
        overlays=None,
        jobs=None,
        cache=cache,
        no_cache=no_cache,
    )
    diagnoses = tuple(diagnose(arguments.check_options(given)))
    output.write(render_diagnoses(diagnoses, output.style_for(None, quiet=quiet)), None)
    raise typer.Exit(Status.CLEAN if all(one.condition == "well" for one in diagnoses) else Status.FINDINGS)
