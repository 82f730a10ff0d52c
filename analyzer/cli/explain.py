# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec explain`: tell who accesses something, on which ways, with which locks held; or all about a lock.

In: options and a target. Out: a table as text or JSON.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from analyzer.cli import arguments, output, progress
from analyzer.cli.sources import TreeSources
from analyzer.findings.explanation import Explanation
from analyzer.findings.lock import LockExplanation
from analyzer.report import SourceReader, Style, render_explained_json, render_explanation, render_lock

EXAMPLES = """\b
Examples:
  lockspec explain kvm_memory_slot.gmem.file     a field: writers, readers, locks
  lockspec explain 'kvm_gmem_get_file()'         a function: its callers
  lockspec explain kvm.slots_lock                a lock: where taken, what for, what happens under it
  lockspec explain kvm/gmem-file-write           a rule: all its sites
  lockspec explain 5f0c3b9e2a7d4416              a finding, by its fingerprint
"""


class Form(StrEnum):
    """Forms of an explanation."""

    TEXT = "text"
    JSON = "json"


def explain(
    target: Annotated[
        str, typer.Argument(help="struct.field, function(), a lock, a rule id or a finding's fingerprint.")
    ],
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
    format: Annotated[Form, typer.Option("--format", "-f", metavar="text|json")] = Form.TEXT,  # noqa: A002
    output_file: arguments.Output = None,
    quiet: arguments.Quiet = False,
    verbose: arguments.Verbose = False,
) -> None:
    """Explain a field, a function, a lock, a rule or a finding: who, by which call paths, with which locks held."""
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
    output.write(_rendered(explanation, format, TreeSources(options), style), output_file)


def _rendered(explained: Explanation | LockExplanation, form: Form, sources: SourceReader, style: Style) -> str:
    if form is Form.JSON:
        return render_explained_json(explained)
    if isinstance(explained, LockExplanation):
        return render_lock(explained, sources, style)
    return render_explanation(explained, sources, style)
