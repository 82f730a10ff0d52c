# SPDX-License-Identifier: GPL-2.0-only
"""The report for people.

In: `Report`. Out: each violation with its source line, what is held there, and the way to it; then the unknown
verdicts by cause; then how every rule came out.

    virt/kvm/guest_memfd.c:566:24: error: write of kvm_memory_slot.gmem.file without kvm.slots_lock [kvm/gmem-file-write]
      566 |         WRITE_ONCE(slot->gmem.file, NULL);
          |                               ^~~~
      holds    nothing
      because  no function on the way takes it
      way      virt/kvm/kvm_main.c:1402  enters kvm_vm_release() holding nothing
               virt/kvm/kvm_main.c:1733    kvm_free_memslot() calls kvm_gmem_unbind() holding nothing
      rule     bind, unbind and release all update the pointer; slots_lock serialises them
               lockspecs/kvm/guest_memfd.yaml:5, after include/linux/kvm_host.h, struct kvm_memory_slot

**Invariant:** nothing is left out without its number: gaps, skipped functions and failed units are always counted.
"""

from __future__ import annotations

from collections import Counter

from analyzer.findings.model import Finding, Report, Step
from analyzer.report import _caret, _folding, _way
from analyzer.report._sheet import Sheet, Span
from analyzer.report._style import SourceReader, Style
from analyzer.report._words import changes, count, enumerate_all, gaps_by_kind

_LABEL_WIDTH = 9
_INDENT = 2
_CHANGE_STYLES = {"fixed": "bold green", "pre-existing": "bold yellow"}
_SEVERITY_STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan", "unknown": "bold magenta"}


def render(report: Report, sources: SourceReader, style: Style) -> str:
    """Return the report as paragraphs for a person."""
    sheet = Sheet(style)
    unknown_in_full = style.strict or style.verbose
    told = [finding for finding in report.findings if finding.verdict == "violation" or unknown_in_full]
    for finding in told if style.verbose else _folding.in_full(told):
        add_finding(sheet, finding, sources)
        sheet.blank()
    for function, findings in _folding.in_a_line(told).items() if not style.verbose else ():
        _add_list(
            sheet, f"more on ways through {_folding.named(function)} (--verbose tells them in full)", "", findings
        )
    if not unknown_in_full:
        _add_unknown(sheet, [f for f in report.findings if f.verdict == "unknown"], sources)
    if not style.quiet:
        _add_touched(sheet, report)
    _add_others(sheet, report)
    if style.verbose:
        _add_accepted(sheet, report)
        _add_gaps(sheet, report)
    if not style.quiet:
        if report.compared is None or style.verbose:
            _add_coverage(sheet, report)
            _add_assumed(sheet, report, style)
        _add_totals(sheet, report, style)
    return sheet.text()


def add_finding(sheet: Sheet, finding: Finding, sources: SourceReader) -> None:
    """Add one finding in full."""
    severity = "unknown" if finding.verdict == "unknown" else finding.severity
    sheet.add(
        (f"{_caret.place(finding, sources)}: ", "bold"),
        (f"{severity}: ", _SEVERITY_STYLES[severity]),
        (finding.message, "bold"),
        (f" [{finding.rule}]", "dim"),
        hang=4,
    )
    _add_source_line(sheet, finding, sources)
    _add_labelled(sheet, "holds", (enumerate_all(finding.held), ""))
    if finding.cause:
        _add_labelled(sheet, "because", (finding.cause, ""))
    if finding.change == "introduced":
        _add_labelled(sheet, "changed", (enumerate_all(map(_call, finding.touched), _folding.NOT_ON_THE_WAY), ""))
    add_way(sheet, finding.witness, "way")
    _add_labelled(sheet, "rule", (finding.why or finding.rule, ""))
    _add_labelled(
        sheet, "", (f"{finding.rule_location}", ""), (f", after {finding.source}" * bool(finding.source), "dim")
    )


def _add_source_line(sheet: Sheet, finding: Finding, sources: SourceReader) -> None:
    line = sources.line(finding.location.file, finding.location.line)
    if line is None or not line.strip():
        return
    span = _caret.find(line, finding.location.column, finding.object)
    mark = None if span is None else (span.start, span.length)
    sheet.verbatim(f"{finding.location.line:>{_INDENT + 5}}", line, mark)


def add_way(sheet: Sheet, steps: tuple[Step, ...], label: str) -> None:
    """Add the way as a trail that steps in with each call; a thread of its own starts a trail of its own."""
    n_threads = len({step.thread for step in steps})
    width = max((len(_place(step)) for step in steps), default=0) + 2
    stack: list[str] = []
    previous: Step | None = None
    for step in steps:
        if previous is None or previous.thread != step.thread:
            stack = []
            previous = None
            if n_threads > 1:
                _add_labelled(sheet, label, (_way.thread_name(step.thread), "bold"))
                label = ""
        depth = _way.enter(stack, step.function)
        told = step.event == "entry" or (previous is not None and previous.function == step.function)
        subject = "" if told else f"{step.function}() "
        spans: list[Span] = [("  " * depth, ""), (subject, "cyan"), (step.text, ""), (_way.holding(step), "dim")]
        head = label.ljust(_LABEL_WIDTH) + _place(step)
        sheet.labelled((head, "dim"), _LABEL_WIDTH + width, *spans, indent=_INDENT)
        label, previous = "", step


def _place(step: Step) -> str:
    return f"{step.location.file}:{step.location.line}"


def _add_labelled(sheet: Sheet, label: str, *spans: Span) -> None:
    sheet.labelled((label, "dim"), _LABEL_WIDTH, *spans, indent=_INDENT)


def _add_unknown(sheet: Sheet, findings: list[Finding], sources: SourceReader) -> None:
    """Add unknown verdicts one line each, below what they have in common: the cause."""
    by_cause: dict[str, list[Finding]] = {}
    for finding in findings:
        by_cause.setdefault(finding.cause, []).append(finding)
    for cause, group in by_cause.items():
        sheet.add(("unknown: ", _SEVERITY_STYLES["unknown"]), (cause, "bold"), hang=4)
        sheet.rows(
            [
                (
                    (str(_caret.place(f, sources)), ""),
                    [(f"{f.message}, in {f.function}()", ""), (f" [{f.rule}]", "dim")],
                )
                for f in group
            ],
            indent=_INDENT,
        )
        sheet.blank()


def _call(function: str) -> str:
    return f"{function.rpartition(':')[2]}()"


def _add_touched(sheet: Sheet, report: Report) -> None:
    """Add the functions that introduced findings go through and that the change touches: each may be one mistake."""
    numbers = Counter(function for finding in report.findings for function in finding.touched or ("",))
    if len(report.findings) < 2 or report.compared is None:
        return
    rows: list[tuple[Span, list[Span]]] = [
        ((f"{number:,}", "bold"), [(_folding.named(function), "")])
        for function, number in sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    ]
    sheet.add(("introduced on ways through what was changed", "bold"), hang=4)
    sheet.rows(rows, indent=_INDENT)
    sheet.blank()


def _add_others(sheet: Sheet, report: Report) -> None:
    """Add what a comparison was asked for beside the introduced findings, one line each below its class."""
    for change in dict.fromkeys(finding.change for finding in report.others):
        findings = [finding for finding in report.others if finding.change == change]
        _add_list(sheet, change, _CHANGE_STYLES.get(change, ""), findings)


def _add_list(sheet: Sheet, heading: str, style: str, findings: list[Finding]) -> None:
    sheet.add((heading, style or "bold"), hang=4)
    rows: list[tuple[Span, list[Span]]] = [
        ((str(f.location), ""), [(f"{f.message}, in {f.function}()", ""), (f" [{f.rule}]", "dim")]) for f in findings
    ]
    sheet.rows(rows, indent=_INDENT)
    sheet.blank()


def _add_gaps(sheet: Sheet, report: Report) -> None:
    for gap in report.gaps:
        sheet.add((f"{gap.location}: ", "bold"), (f"gap: {gap.text}", ""), (f" [{gap.kind.value}]", "dim"), hang=4)
    if report.gaps:
        sheet.blank()


def _add_accepted(sheet: Sheet, report: Report) -> None:
    for accepted in report.accepted:
        finding = accepted.finding
        sheet.add((f"{finding.location}: ", "bold"), ("accepted: ", "green"), (finding.message, ""), hang=4)
        _add_labelled(sheet, "because", (accepted.reason, ""))
    if report.accepted:
        sheet.blank()


def _add_coverage(sheet: Sheet, report: Report) -> None:
    """Add one line for each rule: how its sites came out."""
    rows: list[tuple[Span, list[Span]]] = []
    for rule in report.rules:
        if rule.sites == 0:
            rows.append(((rule.id, ""), [(f"no {rule.noun} in these units", "yellow")]))
            continue
        spans = [
            (f"{count(rule.sites, rule.noun)}: ", ""),
            (f"{rule.proven:,} proven", "green" if rule.proven == rule.sites else ""),
            (", ", ""),
            (count(rule.violations, "violation"), "bold red" if rule.violations else ""),
            (", ", ""),
            (f"{rule.unknown:,} unknown", "magenta" if rule.unknown else ""),
        ]
        rows.append(((rule.id, ""), spans))
    sheet.rows(rows)
    if rows:
        sheet.blank()


def _add_assumed(sheet: Sheet, report: Report, style: Style) -> None:
    """Add what was taken for true without proof: whoever relies on the report has to believe it."""
    for one in report.assumed:
        sheet.add(
            ("assumed: ", "bold yellow"), (f"{one.text} ({count(one.n_places, one.noun)}) [{one.id}]", ""), hang=4
        )
        if style.verbose:
            _add_labelled(sheet, "because", (one.why, ""))
            _add_labelled(sheet, "", (f"{one.location}", ""), (f", after {one.source}", "dim"))
    if report.assumed:
        sheet.blank()


def _add_totals(sheet: Sheet, report: Report, style: Style) -> None:
    """Add what was looked at, what was not, and the number of findings."""
    _add_total(sheet, report.units_analysed, "unit", report.units_failed, "failed")
    _add_total(sheet, report.functions_analysed, "function", report.functions_skipped, "skipped")
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in gaps_by_kind(report))
    hint = "" if style.verbose or not report.gaps else " (--verbose lists them)"
    sheet.add((f"{count(len(report.gaps), 'gap')}{': ' if kinds else ''}{kinds}{hint}", ""), hang=4)
    if report.compared is not None:
        sheet.add((f"against {report.compared.base}: ", ""), (changes(report.compared), "bold"), hang=4)
    violations = _on_ways(report, "violation")
    unknown = _on_ways(report, "unknown")
    sheet.add(
        (violations, "bold green" if violations.startswith("0 ") else "bold red"),
        (", ", ""),
        (unknown, "" if unknown.startswith("0 ") else "magenta"),
        (f", {len(report.accepted):,} accepted by the baseline" * bool(report.accepted), ""),
    )


def _on_ways(report: Report, verdict: str) -> str:
    """Count sites with this verdict; a site that fails on several ways is one site, and says on how many."""
    found = [finding for finding in report.findings if finding.verdict == verdict]
    n_sites = len({(finding.rule, finding.object, finding.access, finding.location) for finding in found})
    sites = count(n_sites, "violation") if verdict == "violation" else f"{n_sites:,} unknown"
    return sites if n_sites == len(found) else f"{sites} on {count(len(found), 'way')}"


def _add_total(sheet: Sheet, n_analysed: int, noun: str, n_missing: int, missing: str) -> None:
    sheet.add(
        (f"{count(n_analysed, noun)} analysed, ", ""), (f"{n_missing:,} {missing}", "bold yellow" if n_missing else "")
    )
