# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec baseline`: write down which findings are accepted, and why; and how `check` speaks of it.

In: options and a file. Out: the file; on standard error a line for each entry that accepts nothing any more.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.base.errors import InputError
from analyzer.cli import arguments, output, progress, status
from analyzer.cli.common_options import Common, with_input_options
from analyzer.cli.status import Status
from analyzer.findings.model import Report

if TYPE_CHECKING:
    from analyzer.findings.baseline import Judged

app = typer.Typer(help="Accept findings, each for a reason.", rich_markup_mode=None)

WRITE_EXAMPLES = """\b
Examples:
  lockspec baseline write lockspec.baseline --tree ~/linux --reason 'from before lockspec was used'
  lockspec check --tree ~/linux --baseline lockspec.baseline
"""
UPDATE_EXAMPLES = """\b
Examples:
  lockspec baseline update lockspec.baseline                    take out what was mended
  lockspec baseline update lockspec.baseline --reason 'see …'   and accept what is new
"""

File = Annotated[Path, typer.Argument(metavar="FILE", help="The baseline.")]
Strict = Annotated[bool, typer.Option("--strict", help="Accept unknown verdicts too.")]


@app.command("write", epilog=WRITE_EXAMPLES)
@with_input_options
def write(
    common: Common,
    file: File,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why all of them are accepted.")],
    rule: arguments.Rules = None,
    strict: Strict = False,
) -> None:
    """Write a new baseline that accepts all findings there are.

    Exit status: 0 written; 2 wrong usage, or FILE is there already; 3 written, but the analysis is incomplete.
    """
    from analyzer.pipeline.baseline import written

    _check_reason(reason)
    if file.exists():
        raise InputError(f"{file}: is there already; lockspec baseline update keeps its reasons")
    output.check_writable(file)
    report = _analysed(common, rule)
    done = written(report, reason, strict)
    output.write(done.text, file)
    if not common.quiet:
        print(f"{file}: {done.n_added} findings accepted")
    raise typer.Exit(_status(report, n_left=0))


@app.command("update", epilog=UPDATE_EXAMPLES)
@with_input_options
def update(
    common: Common,
    file: File,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why new findings are accepted. Default: they are not.")
    ] = "",
    rule: arguments.Rules = None,
    strict: Strict = False,
) -> None:
    """Take unused entries out of a baseline, and with a reason accept what is new.

    Comments and reasons stay as they are. Exit status: 0 nothing is left to accept; 1 there are new findings and no
    reason was given; 2 wrong usage; 3 the analysis is incomplete.
    """
    from analyzer.pipeline.baseline import read, updated

    if reason:
        _check_reason(reason)
    known = read(file)
    report = _analysed(common, rule)
    done = updated(known, report, common.options(rule), reason, strict)
    if done.text.encode("utf-8", "backslashreplace") != file.read_bytes():
        output.write(done.text, file)
    for finding in done.left:
        print(f"{finding.location}: {finding.message} [{finding.rule}]: not accepted", file=sys.stderr)
    if not common.quiet:
        print(f"{file}: {done.n_removed} entries taken out, {done.n_added} findings accepted")
    if done.left:
        print(f"{len(done.left)} findings are not accepted; --reason TEXT accepts them", file=sys.stderr)
    raise typer.Exit(_status(report, len(done.left)))


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise typer.BadParameter("--reason is empty: the next reader wants to know why")


def _analysed(common: Common, rules: list[str] | None) -> Report:
    from analyzer.cli.check import tell_failed_units
    from analyzer.pipeline.check import check

    with progress.shown(common.quiet) as bar:
        report = check(common.options(rules), bar)
    tell_failed_units(report)
    return report


def _status(report: Report, n_left: int) -> Status:
    if n_left:
        return Status.FINDINGS
    return Status.INCOMPLETE if status.is_incomplete(report) else Status.CLEAN


def tell(judged: Judged, file: Path, quiet: bool) -> None:
    """Name on standard error what is wrong with the baseline, one line each with its place."""
    if judged.n_not_judged and not quiet:
        entries = f"{judged.n_not_judged} entr{'y' if judged.n_not_judged == 1 else 'ies'}"
        print(f"{file}: {entries} without a finding not judged: this run did not look at everything", file=sys.stderr)
    for entry in judged.unused:
        what = f"{entry.fingerprint} [{entry.rule}] in {entry.function or entry.file}"
        print(f"{entry.location}: unused: there is no finding {what} any more", file=sys.stderr)
    for entry in judged.outgrown:
        print(f"{entry.location}: accepted as unknown, but it is a violation now", file=sys.stderr)
    if judged.unused:
        print(f"lockspec baseline update {file} takes unused entries out", file=sys.stderr)
