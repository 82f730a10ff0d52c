# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec watch`: check again whenever something changes, for editors that read compiler messages.

In: options. Out: for each run a line `lockspec: checking`, the findings in the `gcc` format, and a line
`lockspec: done`; editors know by these two which messages are still true.
"""

from __future__ import annotations

import signal
import sys
import time
from typing import Annotated, NoReturn

import typer

from analyzer.base.errors import LockspecError
from analyzer.cli import arguments
from analyzer.cli.check import tell_failed_units
from analyzer.cli.common_options import Common, with_input_options
from analyzer.cli.sources import TreeSources
from analyzer.pipeline.options import CheckOptions, Silent
from analyzer.report import Style, renderer

EXAMPLES = """\b
Examples:
  lockspec watch --tree ~/linux --under virt/kvm
"""
BEGIN = "lockspec: checking"
END = "lockspec: done"


@with_input_options
def watch(
    common: Common,
    units: Annotated[
        list[str] | None, typer.Argument(metavar="[UNITS]...", help="Main .c files. Default: all.")
    ] = None,
    rule: arguments.Rules = None,
    strict: Annotated[bool, typer.Option("--strict", help="Unknown verdicts are warnings too.")] = False,
) -> None:
    """Check, and again whenever a source, a header or a specification changes, until interrupted."""
    options = common.options(rule, units)
    if options.cache is None:
        raise typer.BadParameter("watch needs a cache: without one, every run would begin anew")
    _run(options, Style(strict=strict))


def _run(options: CheckOptions, style: Style) -> NoReturn:
    from analyzer.pipeline.watch import wait_for_change, watched

    interruption = _Interruption()
    signal.signal(signal.SIGINT, interruption.note)
    while True:
        begun_ns = time.time_ns()
        print(BEGIN, flush=True)
        _check(options, style)
        sys.stdout.flush()
        wait_for_change(watched(options), begun_ns, interruption.sleep)


class _Interruption:
    """A Ctrl-C that is not lost where Python cannot raise: in a destructor, say."""

    def __init__(self) -> None:
        self._noted = False

    def note(self, number: int, frame: object) -> None:  # noqa: ARG002 — what a signal handler is given
        """Handle the signal."""
        self._noted = True
        raise KeyboardInterrupt

    def sleep(self, seconds: float) -> None:
        """Sleep, unless the signal has come."""
        if self._noted:
            raise KeyboardInterrupt
        time.sleep(seconds)


def _check(options: CheckOptions, style: Style) -> None:
    """Check once; what is wrong with the input is told, and may be mended while we watch."""
    from analyzer.pipeline.check import check

    try:
        report = check(options, Silent())
    except LockspecError as error:
        print(error, file=sys.stderr)
        print(f"{END}: nothing could be checked")
        return
    tell_failed_units(report)
    print(renderer("gcc")(report, TreeSources(options), style), end="")
    n_violations = sum(finding.verdict == "violation" for finding in report.findings)
    print(f"{END}: {n_violations} violation{'s' * (n_violations != 1)}")
