# SPDX-License-Identifier: GPL-2.0-only
"""Disagreements about locks, for people and for programs.

In: `DriftReport`. Out: a paragraph for each, who says what and where; or one JSON object.

    kvm_io_bus_read(): the comment names another lock
      rule     kvm/io-bus-use: call needs kvm.srcu        lockspecs/kvm/io_buses.yaml:43
      comment  called under kvm->slots_lock               virt/kvm/kvm_main.c:5967
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from analyzer.findings.drift import Drift, DriftReport, Saying
from analyzer.report._sheet import Sheet, Span
from analyzer.report._style import Style
from analyzer.report._words import count

VERSION = 1


def render_drift(report: DriftReport, style: Style) -> str:
    """Return the disagreements; notes are counted, and told to those who ask for more."""
    sheet = Sheet(style)
    contradictions = [one for one in report.drifts if not one.is_note]
    notes = [one for one in report.drifts if one.is_note]
    for one in (*contradictions, *(notes if style.verbose else ())):
        _add_drift(sheet, one)
    if not style.quiet:
        _add_summary(sheet, report, len(contradictions), [] if style.verbose else notes)
    return sheet.text()


def _add_drift(sheet: Sheet, drift: Drift) -> None:
    look = "dim" if drift.is_note else "bold red"
    sheet.add((drift.about, "bold"), (": ", ""), (drift.message, look), hang=2)
    rows: list[tuple[Span, Sequence[Span]]] = [
        ((saying.voice, "cyan"), [(saying.text, ""), (f"  {saying.location}", "dim")]) for saying in drift.sayings
    ]
    sheet.rows(rows, indent=2)
    sheet.blank()


def _add_summary(sheet: Sheet, report: DriftReport, n_drifts: int, hidden: list[Drift]) -> None:
    looked_at = ", ".join(f"{number:,} {what}" for what, number in report.compared)
    sheet.add((f"{count(n_drifts, 'disagreement')}", "bold"), (f"; compared: {looked_at}", ""), hang=2)
    for message, number in Counter(one.message for one in hidden).most_common():
        sheet.add((f"{count(number, 'time')}: {message}; --verbose lists them", "dim"), indent=2, hang=2)
    for note in report.notes:
        sheet.add((f"note: {note}", ""), hang=6)


def render_drift_json(report: DriftReport) -> str:
    """Return the same for programs, notes included."""
    document = {
        "version": VERSION,
        "compared": dict(report.compared),
        "drifts": [_drift(one) for one in report.drifts],
        "notes": list(report.notes),
    }
    return json.dumps(document, indent=1) + "\n"


def _drift(drift: Drift) -> dict[str, object]:
    return {
        "kind": drift.kind,
        "note": drift.is_note,
        "about": drift.about,
        "message": drift.message,
        "sayings": [_saying(saying) for saying in drift.sayings],
    }


def _saying(saying: Saying) -> dict[str, object]:
    place = saying.location
    return {"voice": saying.voice, "text": saying.text, "file": place.file, "line": place.line}
