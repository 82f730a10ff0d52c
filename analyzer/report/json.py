# SPDX-License-Identifier: GPL-2.0-only
"""The report for programs.

In: `Report`. Out: one JSON object, described by `docs/report.schema.json`.

**Invariant:** keys and their order never change within one `version`; a new key is a new version. What only a comparison
has stands behind the keys that every report has: `class` and `touched` in findings, `compared` in the document.
**Invariant:** the text is ASCII, so that a file name of any bytes survives.
"""

from __future__ import annotations

import json

from analyzer.base.gap import Gap
from analyzer.findings.model import Compared, Finding, Report, RuleCount, Step
from analyzer.report._style import SourceReader, Style

VERSION = 1
#: events of a witness that this version knows; what a branch assumed is told only to those who ask for it
_EVENTS = frozenset({"entry", "call", "acquire", "release", "access"})


def render(report: Report, sources: SourceReader, style: Style) -> str:  # noqa: ARG001 (every format takes them)
    """Return the report as JSON text."""
    findings = [_finding(finding, explained=report.explained) for finding in (*report.findings, *report.others)]
    document: dict[str, object] = {
        "version": VERSION,
        "units": {"analysed": report.units_analysed, "failed": report.units_failed},
        "functions": {"analysed": report.functions_analysed, "skipped": report.functions_skipped},
        "gaps": [_gap(gap) for gap in report.gaps],
        "rules": [_rule(rule) for rule in report.rules],
        "findings": findings,
    }
    if report.compared is not None:
        document["compared"] = _compared(report.compared)
    return json.dumps(document, indent=1) + "\n"


def _compared(compared: Compared) -> dict[str, object]:
    return {
        "base": compared.base,
        "head": compared.head,
        "introduced": compared.n_introduced,
        "fixed": compared.n_fixed,
        "pre-existing": compared.n_pre_existing,
        "not-judged": compared.n_not_judged,
    }


def _gap(gap: Gap) -> dict[str, object]:
    return {"kind": gap.kind.value, "file": gap.location.file, "line": gap.location.line, "text": gap.text}


def _rule(rule: RuleCount) -> dict[str, object]:
    return {
        "id": rule.id,
        "sites": rule.sites,
        "proven": rule.proven,
        "violations": rule.violations,
        "unknown": rule.unknown,
    }


def _finding(finding: Finding, *, explained: bool) -> dict[str, object]:
    told: dict[str, object] = {
        "rule": finding.rule,
        "kind": finding.kind,
        "verdict": finding.verdict,
        "severity": finding.severity,
        "message": finding.message,
        "fingerprint": finding.fingerprint,
        "location": {
            "file": finding.location.file,
            "line": finding.location.line,
            "column": finding.location.column,
            "function": finding.function,
        },
        "object": finding.object,
        "access": finding.access,
        "requires": list(finding.requires),
        "held": list(finding.held),
        "witness": [_step(step) for step in finding.witness if explained or step.event in _EVENTS],
    }
    if finding.change:
        told["class"] = finding.change
    if finding.change == "introduced":
        told["touched"] = list(finding.touched)
    return told


def _step(step: Step) -> dict[str, object]:
    return {
        "thread": step.thread,
        "event": step.event,
        "function": step.function,
        "file": step.location.file,
        "line": step.location.line,
        "text": step.text,
    }
