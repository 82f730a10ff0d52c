# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec explain`: tell who accesses something, on which ways, with which locks held.

In: options and a target. Out: a table as text.
"""

from __future__ import annotations

from typing import Annotated

import typer

from analyzer.cli import arguments, output, progress
from analyzer.cli.sources import TreeSources
from analyzer.report import render_explanation

EXAMPLES = """\b
Examples:
  lockspec explain kvm_memory_slot.gmem.file     a field: writers, readers, locks
  lockspec explain 'kvm_gmem_get_file()'         a function: its callers
  lockspec explain kvm/gmem-file-write           a rule: all its sites
  lockspec explain 5f0c3b9e2a7d4416              a finding, by its fingerprint
"""


def explain(
    target: Annotated[str, typer.Argument(help="struct.field, function(), a rule id or a finding's fingerprint.")],
    tree: arguments.Tree = None,
    build: arguments.Build = None,
    compile_commands: arguments.CompileCommands = None,
    preprocessed: arguments.Preprocessed = None,
    specs: arguments.Specs = None,
    under: arguments.Under = None,
    overlay: arguments.Overlays = None,
    jobs: arguments.Jobs = None,
    cache: arguments.Cache = None,
    no_cache: arguments.NoCache = False,
    output_file: arguments.Output = None,
    quiet: arguments.Quiet = False,
    verbose: arguments.Verbose = False,
) -> None:
    """Explain a field, a function, a rule or a finding: who, by which call paths, with which locks held."""
    from analyzer.pipeline.explain import explain as run_explain

    given = arguments.Given(
        tree=tree,
        build=build,
        compile_commands=compile_commands,
        preprocessed=preprocessed,
        specs=specs,
        under=under,
        overlays=overlay,
        jobs=jobs,
        cache=cache,
        no_cache=no_cache,
    )
    options = arguments.check_options(given)
    output.check_writable(output_file)
    with progress.shown(quiet) as bar:
        explanation = run_explain(options, target, bar)
    style = output.style_for(output_file, quiet=quiet, verbose=verbose)
    output.write(render_explanation(explanation, TreeSources(options), style), output_file)
