# SPDX-License-Identifier: GPL-2.0-only
"""The report as GitLab takes it for a merge request's code quality: a subset of Code Climate's form.

In: `Report`. Out: a JSON list with one object for each finding.

**Invariant:** the text is ASCII, so that a file name of any bytes survives.
**Source:** https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import json
import posixpath

from analyzer.findings.model import Finding, Report
from analyzer.report import _way
from analyzer.report._style import SourceReader, Style

_SEVERITIES = {"error": "critical", "warning": "major", "note": "minor"}


def render(report: Report, sources: SourceReader, style: Style) -> str:  # noqa: ARG001 (every format takes them)
    """Return the findings as JSON text."""
    return json.dumps([_issue(finding, style.strict) for finding in _told(report)], indent=1) + "\n"


def _told(report: Report) -> list[Finding]:
    """Return the findings that the code has: those that were fixed are none of it any more."""
    return [*report.findings, *(finding for finding in report.others if finding.change != "fixed")]


def _issue(finding: Finding, strict: bool) -> dict[str, object]:
    because = f": {finding.cause}" if finding.cause else ""
    unknown = "unknown: " if finding.verdict == "unknown" else ""
    if finding.change == "pre-existing":
        unknown = f"pre-existing: {unknown}"
    return {
        "type": "issue",
        "check_name": finding.rule,
        "categories": ["Bug Risk"],
        "severity": _severity(finding, strict),
        "description": f"{unknown}{finding.message}{because}",
        "content": {"body": "\n".join([finding.why or finding.rule, *(f"* {line}" for line in _way.lines(finding))])},
        "fingerprint": finding.fingerprint,
        "location": {
            # GitLab matches names as git lists them: no leading ./
            "path": posixpath.normpath(finding.location.file),
            "lines": {"begin": finding.location.line},
        },
    }


def _severity(finding: Finding, strict: bool) -> str:
    if finding.change == "pre-existing":
        return "info"
    if finding.verdict == "unknown":
        return "minor" if strict else "info"
    return _SEVERITIES[finding.severity]
