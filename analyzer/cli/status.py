# SPDX-License-Identifier: GPL-2.0-only
"""Exit statuses and what leads to them.

In: `Report`. Out: `Status.FINDINGS`.
"""

from __future__ import annotations

from enum import IntEnum

from analyzer.findings.model import Report


class Status(IntEnum):
    """Exit status of every command."""

    #: nothing to report
    CLEAN = 0
    #: violations, or with `--strict` unknown verdicts; entries of a baseline that accept nothing
    FINDINGS = 1
    #: wrong usage, unreadable input, a bad specification
    USAGE = 2
    #: something could not be analysed, and nothing worse was found
    INCOMPLETE = 3
    #: Ctrl-C, by the shell's convention 128 + SIGINT
    INTERRUPTED = 130


def of_report(report: Report, strict: bool, n_unused: int = 0) -> Status:
    """Judge a whole run; `n_unused` entries of the baseline accept nothing any more."""
    if any(finding.verdict == "violation" or strict for finding in report.findings):
        return Status.FINDINGS
    if report.units_failed and not report.units_analysed:
        return Status.USAGE
    if n_unused:
        return Status.FINDINGS
    return Status.INCOMPLETE if is_incomplete(report) else Status.CLEAN


def is_incomplete(report: Report) -> bool:
    """Tell whether something could not be analysed."""
    not_judged = report.compared is not None and report.compared.n_not_judged
    return bool(report.units_failed or report.functions_skipped or not_judged)
