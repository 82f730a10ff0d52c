# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec spec drift`: where rules and the source say different things about one field or function.

In: options. Out: who says what, as text or JSON; exit status 1 if anybody contradicts another.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from analyzer.cli import arguments, output, progress
from analyzer.cli.common_options import Common, with_input_options
from analyzer.cli.status import Status
from analyzer.report import render_drift, render_drift_json

EXAMPLES = """\b
Examples:
  lockspec spec drift --tree ~/linux                     the shipped rules against a tree
  lockspec spec drift --tree ~/linux --specs mine.yaml   yours
  lockspec spec drift --tree ~/linux --verbose           and what only one of them says
"""


class Form(StrEnum):
    """Forms of the answer."""

    TEXT = "text"
    JSON = "json"


@with_input_options
def drift(
    common: Common,
    rule: arguments.Rules = None,
    format: Annotated[Form, typer.Option("--format", "-f", metavar="text|json")] = Form.TEXT,  # noqa: A002
    output_file: arguments.Output = None,
    quiet: arguments.Quiet = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List what only one of them says, too: it contradicts nothing.")
    ] = False,
) -> None:
    """Compare rules with assertions, annotations, comments and documents: where do they disagree?

    Exit status: 0 nowhere; 1 somewhere; 2 wrong usage, unreadable input or a bad specification; 3 a unit could not be read,
    and nobody disagrees in the rest.
    """
    from analyzer.pipeline.drift import drift as run_drift

    options = common.options(rule)
    output.check_writable(output_file)
    with progress.shown(quiet) as bar:
        report = run_drift(options, bar)
    style = output.style_for(output_file, quiet=quiet, verbose=verbose)
    output.write(render_drift_json(report) if format is Form.JSON else render_drift(report, style), output_file)
    if any(not one.is_note for one in report.drifts):
        raise typer.Exit(Status.FINDINGS)
    if report.n_failed:
        raise typer.Exit(Status.INCOMPLETE)
