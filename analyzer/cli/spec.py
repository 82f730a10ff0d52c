# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec spec`: what concerns the specifications themselves.

In: options. Out: one line for each error, the JSON Schema that editors complete and check by, or a page.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from analyzer.base.errors import SpecWarning
from analyzer.cli import arguments, output, progress
from analyzer.cli.spec_contracts import EXAMPLES as CONTRACTS_EXAMPLES
from analyzer.cli.spec_contracts import contracts
from analyzer.cli.spec_doc import EXAMPLES as DOC_EXAMPLES
from analyzer.cli.spec_doc import doc
from analyzer.cli.spec_drift import EXAMPLES as DRIFT_EXAMPLES
from analyzer.cli.spec_drift import drift
from analyzer.cli.status import Status
from analyzer.spec.load import load
from analyzer.spec.schema import schema_text
from analyzer.spec.statements import coverage_page

app = typer.Typer(help="Check specifications, or describe their form.", rich_markup_mode=None)

LINT_EXAMPLES = """\b
Examples:
  lockspec spec lint                             the shipped specifications, by themselves
  lockspec spec lint mine.yaml                   yours
  lockspec spec lint mine.yaml --tree ~/linux    and whether each rule matches something there
"""

SCHEMA_EXAMPLES = """\b
Examples:
  lockspec spec schema > lockspec.schema.json
  # yaml-language-server: $schema=lockspec.schema.json    first line of a specification
"""

COVERAGE_EXAMPLES = """\b
Examples:
  lockspec spec coverage > docs/kvm-coverage.md
"""


app.command("doc", epilog=DOC_EXAMPLES)(doc)
app.command("drift", epilog=DRIFT_EXAMPLES)(drift)
app.command("contracts", epilog=CONTRACTS_EXAMPLES)(contracts)


@app.command("coverage", epilog=COVERAGE_EXAMPLES)
def coverage(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATHS]...", help="Files and folders. Default: the shipped ones.")
    ] = None,
    subsystem: Annotated[str, typer.Option("--subsystem", metavar="NAME", help="Whose rules.")] = "KVM",
) -> None:
    """List what the kernel says about a subsystem's locks, with the rules that say the same, as Markdown."""
    print(coverage_page(load(paths or None), subsystem), end="")


@app.command("lint", epilog=LINT_EXAMPLES)
def lint(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATHS]...", help="Files and folders. Default: the shipped ones.")
    ] = None,
    tree: arguments.Tree = None,
    build: arguments.Build = None,
    compile_commands: arguments.CompileCommands = None,
    preprocessed: arguments.Preprocessed = None,
    rule: arguments.Rules = None,
    under: arguments.Under = None,
    jobs: arguments.Jobs = None,
    cache: arguments.Cache = None,
    no_cache: arguments.NoCache = False,
    quiet: arguments.Quiet = False,
) -> None:
    """Check specifications: the YAML, and with a tree whether every rule matches something and every assumption is needed.

    Exit status: 0 all right, or warnings alone; 2 an error.
    """
    specs = load(paths or None)
    if tree or build or compile_commands or preprocessed:
        from analyzer.pipeline.lint import lint as run_lint

        given = arguments.Given(
            tree=tree,
            build=build,
            compile_commands=compile_commands,
            preprocessed=preprocessed,
            specs=paths,
            under=under,
            overlays=None,
            jobs=jobs,
            cache=cache,
            no_cache=no_cache,
        )
        with progress.shown(quiet) as bar:
            errors = run_lint(arguments.check_options(given, rule), bar)
        for error in errors:
            print(error, file=sys.stderr)
        if any(not isinstance(error, SpecWarning) for error in errors):
            raise typer.Exit(Status.USAGE)
    if not quiet:
        assumptions = f", {len(specs.assumptions)} assumptions" if specs.assumptions else ""
        families = f"{len(specs.primitives)} primitives in {len(specs.families)} families"
        print(f"{len(specs.rules)} rules{assumptions}, {families}")


@app.command("schema", epilog=SCHEMA_EXAMPLES)
def schema(output_file: arguments.Output = None) -> None:
    """Print the JSON Schema of specification files."""
    output.check_writable(output_file)
    output.write(schema_text(), output_file)
