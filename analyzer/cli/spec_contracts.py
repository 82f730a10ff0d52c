# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec spec contracts`: what the source itself claims of locks, with a verdict for each call.

In: a tree. Out: a Markdown page.
"""

from __future__ import annotations

from analyzer.cli import arguments, output, progress
from analyzer.report import render_claims

EXAMPLES = """\b
Examples:
  lockspec spec contracts --tree ~/linux                            every assertion, and who keeps it
  lockspec spec contracts --tree ~/linux --rule kernel/contract-held
"""


def contracts(
    tree: arguments.Tree = None,
    build: arguments.Build = None,
    compile_commands: arguments.CompileCommands = None,
    preprocessed: arguments.Preprocessed = None,
    specs: arguments.Specs = None,
    rule: arguments.Rules = None,
    under: arguments.Under = None,
    overlay: arguments.Overlays = None,
    jobs: arguments.Jobs = None,
    cache: arguments.Cache = None,
    no_cache: arguments.NoCache = False,
    output_file: arguments.Output = None,
    quiet: arguments.Quiet = False,
) -> None:
    """List what functions claim of locks: assertions and conditions, proven or not for each call."""
    from analyzer.pipeline.claims import claims

    output.check_writable(output_file)
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
    with progress.shown(quiet) as bar:
        found = claims(arguments.check_options(given, rule), bar)
    output.write(render_claims(found), output_file)
