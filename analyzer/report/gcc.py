# SPDX-License-Identifier: GPL-2.0-only
"""The report as a compiler would give it, for editors and `make` logs.

In: `Report`. Out: for each finding one `warning:` line and the way to it as `note:` lines, innermost first, as a
compiler tells where an inlined function was called from.

    virt/kvm/guest_memfd.c:566:2: warning: write of kvm_memory_slot.gmem.file without kvm.slots_lock [kvm/gmem-file-write]
    virt/kvm/kvm_main.c:1733:3: note: called from kvm_free_memslot(), holding nothing

Unknown verdicts come last, as `note:` lines of their own; where they fail the run they are warnings. Of a comparison,
fixed and pre-existing findings that were asked for are notes, too.

**Invariant:** one finding or step is one line, whatever its text holds.
"""

from __future__ import annotations

from analyzer.base.location import Location
from analyzer.findings.model import Finding, Report, Step
from analyzer.report._style import SourceReader, Style
from analyzer.report._words import enumerate_all, printable


def render(report: Report, sources: SourceReader, style: Style) -> str:  # noqa: ARG001 (every format takes them)
    """Return the findings as compiler messages; empty where there are none."""
    violations = [line for f in report.findings if f.verdict == "violation" for line in _violation(f)]
    unknown = [line for f in report.findings if f.verdict == "unknown" for line in _unknown(f, style.strict)]
    others = [_line(f.location, "note", f"{f.change}: {f.message} [{f.rule}]") for f in report.others]
    return "".join(f"{line}\n" for line in violations + unknown + others)


def _violation(finding: Finding) -> list[str]:
    first = _line(finding.location, "warning", f"{finding.message} [{finding.rule}]")
    return [first, *_way(finding)]


def _unknown(finding: Finding, strict: bool) -> list[str]:
    text = f"unknown: {finding.message}: {finding.cause} [{finding.rule}]"
    if strict:
        return [_line(finding.location, "warning", text), *_way(finding)]
    return [_line(finding.location, "note", text)]


def _way(finding: Finding) -> list[str]:
    """Tell the way, from the place outward; the access itself stands in the line above."""
    steps = [s for s in finding.witness if not (s.event == "access" and s.location == finding.location)]
    return [_line(step.location, "note", _told(step)) for step in reversed(steps)]


def _told(step: Step) -> str:
    """Phrase a step seen from inside: a call is where one was called from."""
    if step.event == "call":
        return f"called from {step.function}(), holding {enumerate_all(step.held)}"
    return step.text if step.event == "entry" else f"{step.function}() {step.text}"


def _line(location: Location, severity: str, text: str) -> str:
    return printable(f"{location}: {severity}: {text}")
