# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec check`: analyse and report.

In: options. Out: a report in one of the formats, and an exit status.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from analyzer.base.gap import GapKind
from analyzer.cli import arguments, baseline, output, progress, status
from analyzer.cli.sources import TreeSources
from analyzer.findings.model import Report
from analyzer.report import format_names, renderer

EXAMPLES = """\b
Examples:
  lockspec check --tree ~/linux                      all units of compile_commands.json
  lockspec check --tree ~/linux --under virt/kvm     some of them
  lockspec check virt/kvm/guest_memfd.c              one, in the tree you are in
  lockspec check --rule 'kvm/gmem-*' --format gcc    some rules, for an editor
  lockspec check --baseline lockspec.baseline        but for what is accepted there
  lockspec check --overlay virt/kvm/kvm_main.c=new.c try a change without making it
"""


def _known_format(name: str) -> str:
    if name not in format_names():
        raise typer.BadParameter(f"{name!r} is none of {', '.join(format_names())}")
    return name


Format = Annotated[
    str,
    typer.Option(
        "--format",
        "-f",
        callback=_known_format,
        autocompletion=lambda: list(format_names()),
        metavar="|".join(format_names()),
        help="Form of the report. Default: text.",
        show_default=False,
    ),
]

ExplainPath = Annotated[
    bool, typer.Option("--explain-path", help="Tell the branches on each way, too: what is assumed to get there.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Unknown verdicts fail the run too.")]


def check(
    units: Annotated[
        list[str] | None, typer.Argument(metavar="[UNITS]...", help="Main .c files. Default: all.")
    ] = None,
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
    baseline_file: arguments.Baseline = None,
    format: Format = "text",  # noqa: A002 (the option's name)
    output_file: arguments.Output = None,
    explain_path: ExplainPath = False,
    strict: Strict = False,
    quiet: arguments.Quiet = False,
    verbose: arguments.Verbose = False,
) -> None:
    """Analyse a kernel tree and report the call paths that break a lock rule.

    Exit status: 0 nothing to report; 1 findings; 2 wrong usage, unreadable input or a bad specification; 3 the
    analysis is incomplete and nothing worse was found.
    """
    from analyzer.pipeline.baseline import judged, read
    from analyzer.pipeline.check import check as run_check

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
    options = arguments.check_options(given, rule, units)
    output.check_writable(output_file)
    known = read(baseline_file) if baseline_file else None
    with progress.shown(quiet) as bar:
        report = run_check(options, bar, explain_paths=explain_path)
    tell_failed_units(report)
    n_unused = 0
    if known is not None and baseline_file is not None:
        held = judged(known, report, options)
        report, n_unused = held.report, len(held.unused)
        baseline.tell(held, baseline_file, quiet)
    style = output.style_for(output_file, strict=strict, quiet=quiet, verbose=verbose)
    output.write(renderer(format)(report, TreeSources(options), style), output_file)
    raise typer.Exit(status.of_report(report, strict, n_unused))


def tell_failed_units(report: Report) -> None:
    """Name on standard error each unit that could not be read, and each overlay without effect: one line, with its place."""
    for gap in report.gaps:
        if gap.kind in (GapKind.UNIT, GapKind.OVERLAY):
            print(f"{gap.location}: {gap.text}", file=sys.stderr)
