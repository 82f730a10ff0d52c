# SPDX-License-Identifier: GPL-2.0-only
"""The report as one page to read, search and print: findings by rule and file, each with the source along its way.

In: `Report`, source lines. Out: an HTML document that holds script, style and the report as JSON.

For each finding the way unfolds call by call, with the locks that are held as lanes beside the code, and a picture of
the calls. Below stand how every rule came out, what the baseline accepts, and the gaps.

**Invariant:** the page asks the network for nothing, and its content security policy would not let it.
**Invariant:** names never become markup: the data cannot end its element, and the script writes text nodes only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from analyzer import __version__
from analyzer.findings.model import Assumed, Finding, Report, RuleCount
from analyzer.report import _caret, _excerpt
from analyzer.report._excerpt import Excerpt, visible
from analyzer.report._page import Words, page
from analyzer.report._style import NoSources, SourceReader, Style
from analyzer.report._words import changes

_FOLDER = Path(__file__).parent / "_findings_page"


def render(report: Report, sources: SourceReader, style: Style) -> str:  # noqa: ARG001 (every format takes them)
    """Return the page."""
    words = Words()
    findings = [_finding(finding, sources, words, "") for finding in report.findings]
    findings += [_finding(accepted.finding, sources, words, accepted.reason) for accepted in report.accepted]
    for finding in report.others:
        # what was fixed stands where it stood then: the lines that can be had are others
        findings.append(_finding(finding, NoSources() if finding.change == "fixed" else sources, words, ""))
    document: dict[str, Any] = {
        "version": __version__,
        "revision": visible(sources.revision()),
        "units": [report.units_analysed, report.units_failed],
        "functions": [report.functions_analysed, report.functions_skipped],
        "findings": findings,
        "rules": [_rule(rule) for rule in report.rules],
        "gaps": [[gap.kind.value, visible(str(gap.location)), visible(gap.text)] for gap in report.gaps],
        "compared": visible(_compared(report)),
        "words": words.texts(),
    }
    if report.assumed:
        document["assumed"] = [
            [one.id, visible(one.text), one.n_places, one.noun, *map(visible, _reasons(one))] for one in report.assumed
        ]
    return page(_FOLDER, document)


def _reasons(one: Assumed) -> tuple[str, str]:
    """Return why an assumption is made, and where that can be read."""
    return one.why, f"{one.location}, after {one.source}"


def _compared(report: Report) -> str:
    """Say what a report is compared with; nothing where it is not."""
    return f"against {report.compared.base}: {changes(report.compared)}" if report.compared else ""


def _verdict(finding: Finding) -> str:
    return finding.change if finding.change in ("fixed", "pre-existing") else finding.verdict


def _rule(rule: RuleCount) -> dict[str, Any]:
    return {
        "id": visible(rule.id),
        "noun": visible(rule.noun),
        "counts": [rule.sites, rule.proven, rule.violations, rule.unknown],
        "title": visible(rule.title),
        "why": visible(rule.why),
        "source": visible(rule.source),
        "place": visible(str(rule.location)) if rule.location else "",
    }


def _finding(finding: Finding, sources: SourceReader, words: Words, reason: str) -> dict[str, Any]:
    """Return a finding; `reason` is why it is accepted, empty where it is not."""
    place = _caret.place(finding, sources)
    shown = _excerpt.excerpts(finding.witness, sources)
    lanes = list(dict.fromkeys(lock for excerpt in shown for lock in (*excerpt.before, *excerpt.step.held)))
    # a lock that is needed in any mode is the same lane as the lock held in some mode
    held = {_name(lock) for lock in lanes}
    lanes += [lock for lock in dict.fromkeys(finding.requires) if lock not in held and lock not in lanes]
    numbers = {lock: number for number, lock in enumerate(lanes)}
    return {
        "rule": words(visible(finding.rule)),
        "verdict": "accepted" if reason else _verdict(finding),
        "severity": finding.severity,
        "message": visible(finding.message),
        "file": words(visible(place.file)),
        "line": place.line,
        "column": place.column,
        "function": words(visible(finding.function)),
        "object": visible(finding.object),
        "cause": visible(finding.cause),
        "why": visible(finding.why),
        "source": visible(finding.source),
        "written": visible(str(finding.rule_location)),
        "held": [visible(lock) for lock in finding.held],
        "requires": [visible(lock) for lock in finding.requires],
        "needed": [n for lock, n in numbers.items() if lock in finding.requires or _name(lock) in finding.requires],
        "reason": visible(reason),
        "fingerprint": finding.fingerprint,
        "lanes": [visible(lock) for lock in lanes],
        "mark": _mark(finding, sources),
        "steps": [_step(excerpt, numbers, words) for excerpt in shown],
    }


def _name(lock: str) -> str:
    """Return a held lock's name without its mode: `kvm.mmu_lock` of `kvm.mmu_lock (read)`."""
    return lock.partition(" (")[0]


def _mark(finding: Finding, sources: SourceReader) -> list[int]:
    """Return what to mark in the finding's line, in UTF-16 units as the script counts; nothing where that is not known."""
    line = sources.line(finding.location.file, finding.location.line)
    span = None if line is None else _caret.find(line, finding.location.column, finding.object)
    if line is None or span is None:
        return []
    ends = (line[: span.start], line[: span.start + span.length])
    return [len(visible(end).encode("utf-16-le", "surrogatepass")) // 2 for end in ends]


def _step(excerpt: Excerpt, lanes: dict[str, int], words: Words) -> dict[str, Any]:
    step = excerpt.step
    return {
        "thread": step.thread,
        "event": step.event,
        "function": words(visible(step.function)),
        "file": words(visible(step.location.file)),
        "line": step.location.line,
        "text": visible(step.text),
        "depth": excerpt.depth,
        "before": [lanes[lock] for lock in excerpt.before],
        "held": [lanes[lock] for lock in step.held],
        "lines": [list(line) for line in excerpt.lines],
        "after": [list(line) for line in excerpt.after],
    }
