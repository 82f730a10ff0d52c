# SPDX-License-Identifier: GPL-2.0-only
"""Baselines of a run: read, held against its report, written and brought up to date.

In: a path, `CheckOptions`, `Report`. Out: `Judged`; the text of a baseline.

What a run does not look at, it cannot say is gone. An entry counts as unused only where its rule was applied, its file
lies in what `--under` or the named units cover, and nothing was lost on the way.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct

from analyzer.base.errors import InputError
from analyzer.findings.baseline import Entry, Judged, judge
from analyzer.findings.baseline_file import BaselineFile, parse, with_findings, without
from analyzer.findings.model import Finding, Report
from analyzer.pipeline.options import CheckOptions

HEADING = """\
# Findings of lockspec that are known and accepted, each for a reason.
# `lockspec check --baseline` reads this file, `lockspec baseline update` keeps it up to date.
"""


class Updated(Struct, frozen=True):
    """A baseline brought up to date."""

    text: str
    n_removed: int
    n_added: int
    #: findings that nothing accepts, because no reason was given
    left: tuple[Finding, ...]


def read(path: Path) -> BaselineFile:
    """Read a baseline. Raise `InputError` with the places of all that is wrong in it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    return parse(data, str(path))


def judged(file: BaselineFile, report: Report, options: CheckOptions) -> Judged:
    """Hold the report of a run with `options` against a baseline."""
    complete = not (report.units_failed or report.functions_skipped)
    return judge(file.entries, report, lambda entry: complete and _covers(options, entry))


def _covers(options: CheckOptions, entry: Entry) -> bool:
    if options.rules and not any(fnmatchcase(entry.rule, glob) for glob in options.rules):
        return False
    if options.under and not any(Path(entry.file).is_relative_to(folder) for folder in options.under):
        return False
    return not options.units or entry.file in options.units


def written(report: Report, reason: str, strict: bool) -> Updated:
    """Accept all findings of a report; unknown verdicts only if `strict`, since otherwise they fail nothing."""
    return updated(BaselineFile(), report, CheckOptions(), reason, strict)


def updated(file: BaselineFile, report: Report, options: CheckOptions, reason: str, strict: bool) -> Updated:
    """Take out what is unused; accept what is new, if there is a reason."""
    held = judged(file, report, options)
    new = tuple(finding for finding in held.report.findings if finding.verdict == "violation" or strict)
    gone = (*held.unused, *(held.outgrown if reason else ()))
    kept = without(file, gone)
    if reason:
        kept = with_findings(kept, new, reason)
    text = kept.text() if kept.paragraphs else ""
    if not file.paragraphs:
        text = HEADING + ("\n" + text if text else "")
    return Updated(text, len(gone), len(new) if reason else 0, () if reason else new)
