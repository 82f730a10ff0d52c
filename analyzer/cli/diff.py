# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec diff`: what a change brings, and what it mends.

In: options and two revisions. Out: a report of the introduced findings in one of the formats, and an exit status.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from analyzer.base.gap import GapKind
from analyzer.cli import arguments, output, progress, status
from analyzer.cli.check import Format, tell_failed_units
from analyzer.cli.common_options import Common, with_common_options
from analyzer.cli.sources import TreeSources
from analyzer.findings.comparison import Comparison
from analyzer.findings.model import Finding, Report
from analyzer.report import renderer

EXAMPLES = """\b
Examples:
  lockspec diff --base origin/master                       what this branch and the work tree bring
  lockspec diff --base v6.12 --head my-branch --exact      one revision against another, as they are
  lockspec diff --base HEAD --show fixed                   uncommitted changes, and what they mend
  lockspec diff --base origin/master --format mail         a mail to those who wrote the lines
"""
#: changes that are told one by one on standard error
N_TOLD = 10
#: what `--show` takes beside the introduced findings
_CLASSES = {"fixed": ("fixed",), "pre-existing": ("pre-existing",), "all": ("fixed", "pre-existing")}


Baseline = Annotated[
    Path | None,
    typer.Option(
        "--baseline", exists=True, dir_okay=False, metavar="FILE", help="Findings that are accepted though introduced."
    ),
]


def _known_class(names: list[str] | None) -> list[str] | None:
    for name in names or ():
        if name not in _CLASSES:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(_CLASSES)}")
    return names


@with_common_options
def diff(
    common: Common,
    base: Annotated[str, typer.Option("--base", metavar="REV", help="What the change is made to.", show_default=False)],
    units: Annotated[
        list[str] | None, typer.Argument(metavar="[UNITS]...", help="Main .c files. Default: all.")
    ] = None,
    head: Annotated[
        str, typer.Option("--head", metavar="REV", help="The change. Default: the work tree as it is.")
    ] = "",
    exact: Annotated[
        bool, typer.Option("--exact", help="Compare with --base itself, not with where the head left it.")
    ] = False,
    show: Annotated[
        list[str] | None,
        typer.Option(
            "--show",
            callback=_known_class,
            autocompletion=lambda: list(_CLASSES),
            metavar="|".join(_CLASSES),
            help="Tell these findings too; repeatable.",
        ),
    ] = None,
    rule: arguments.Rules = None,
    baseline_file: Baseline = None,
    format: Format = "text",  # noqa: A002 (the option's name)
    explain_path: Annotated[
        bool, typer.Option("--explain-path", help="Tell the branches on each way, too: what is assumed to get there.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Introduced unknown verdicts fail the run too.")] = False,
) -> None:
    """Compare two revisions of a tree in git and report the findings that were introduced.

    Both are analysed with the same rules, compile commands and facts; nothing is checked out, and the work tree is not
    touched. Exit status: 0 nothing was introduced; 1 violations were; 2 wrong usage, or a revision that git does not
    know; 3 the analysis is incomplete and nothing was introduced.
    """
    from analyzer.pipeline.baseline import read
    from analyzer.pipeline.diff import Revisions, accepting
    from analyzer.pipeline.diff import diff as run_diff

    options = common.options(rule, units)
    output.check_writable(common.output)
    known = read(baseline_file) if baseline_file else None
    wanted = Revisions(base=base, head=head, exact=exact)
    with progress.shown(common.quiet) as bar:
        done = run_diff(options, wanted, bar, explain_paths=explain_path)
    if known is not None:
        done = accepting(done, known)
    tell_failed_units(done.report)
    if not common.quiet:
        _tell_unseen(done.report)
    report = replace(done.report, others=_others(done.comparison, show))
    style = output.style_for(common.output, strict=strict, quiet=common.quiet, verbose=common.verbose)
    output.write(renderer(format)(report, TreeSources(options, done.head), style), common.output)
    raise typer.Exit(status.of_report(report, strict))


def _others(comparison: Comparison, show: list[str] | None) -> tuple[Finding, ...]:
    """Return the findings that were asked for beside the introduced ones."""
    wanted = {name for asked in show or () for name in _CLASSES[asked]}
    findings = (*comparison.fixed, *comparison.pre_existing)
    return tuple(finding for finding in findings if finding.change in wanted)


def _tell_unseen(report: Report) -> None:
    """Name on standard error the changes that are not looked at, one line each with its place."""
    from analyzer.pipeline.coverage import UNREAD

    unseen = [gap for gap in report.gaps if gap.kind is GapKind.CHANGE]
    told = [gap for gap in unseen if gap.text != UNREAD]
    for gap in told[:N_TOLD]:
        print(f"{gap.location}: {gap.text}", file=sys.stderr)
    if len(told) > N_TOLD:
        print(f"{len(told) - N_TOLD:,} more changes are not looked at; --verbose lists them", file=sys.stderr)
    unread = [gap.location.file for gap in unseen if gap.text == UNREAD]
    if unread:
        more = f" and {len(unread) - 1:,} more" if len(unread) > 1 else ""
        print(f"{unread[0]}{more}: changed, but no unit that is analysed reads it", file=sys.stderr)
