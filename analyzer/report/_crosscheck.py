# SPDX-License-Identifier: GPL-2.0-only
"""The cross-check for people and for programs.

In: `CrossCheck`. Out: a table of shares and the differences as text, or one JSON object.

**Invariant:** keys of the JSON and their order never change within one `version`; a new key is a new version.
"""

from __future__ import annotations

import json
from itertools import groupby

from analyzer.findings.crosscheck import CrossCheck, Difference, Share
from analyzer.report._sheet import Sheet
from analyzer.report._style import Style

VERSION = 1
#: differences of one kind that are shown without --verbose
_N_SHOWN = 20
_TITLES = {
    "call": "calls in the objects that the source graph lacks",
    "inlined": "functions inlined where the source graph has no call",
    "address": "function addresses that the source graph does not know to be taken",
    "slot": "slots of variables that hold another function than in the source",
    "field": "fields that rules name and DWARF does not know",
    "function": "functions that rules name and DWARF does not know",
}


def render_crosscheck(check: CrossCheck, style: Style) -> str:
    """Return the comparison as text."""
    sheet = Sheet(style)
    for kind, group in groupby(check.differences, key=lambda difference: difference.kind):
        _differences(sheet, _TITLES[kind], list(group), style)
    if style.quiet:
        return sheet.text()
    sheet.add((f"{check.n_objects} objects with {check.n_functions} functions", "bold"))
    rows = []
    for share in check.shares:
        rows.append(((share.name, ""), [(_numbers(share), "" if share.found == share.total else "bold red")]))
        rows += [((f"  {way}", "dim"), [(f"{n}", "dim")]) for way, n in share.by]
    sheet.rows(rows, indent=2)
    sheet.add(("not compared", "bold"))
    sheet.rows([((name, ""), [(f"{n}", "")]) for name, n in check.aside], indent=2)
    for line in check.skipped:
        sheet.add(("skipped ", "bold"), (line, ""), indent=2, hang=2)
    return sheet.text()


def render_crosscheck_json(check: CrossCheck) -> str:
    """Return the comparison as JSON."""
    document = {
        "version": VERSION,
        "objects": check.n_objects,
        "functions": check.n_functions,
        "shares": [
            {"name": share.name, "total": share.total, "found": share.found, "by": dict(share.by)}
            for share in check.shares
        ],
        "differences": [
            {"kind": d.kind, "unit": d.unit, "where": d.where, "what": d.what, "detail": d.detail}
            for d in check.differences
        ],
        "aside": dict(check.aside),
        "skipped": list(check.skipped),
    }
    return json.dumps(document, indent=1) + "\n"


def _differences(sheet: Sheet, title: str, differences: list[Difference], style: Style) -> None:
    sheet.add((title, "bold"))
    shown = differences if style.verbose else differences[:_N_SHOWN]
    for difference in shown:
        place = f"{difference.unit}: " if difference.unit else ""
        detail = f" ({difference.detail})" if difference.detail else ""
        sheet.add(
            (place, ""), (f"{difference.where}: ", ""), (difference.what, "bold"), (detail, "dim"), indent=2, hang=2
        )
    if len(shown) < len(differences):
        sheet.add((f"and {len(differences) - len(shown)} more; --verbose shows all", "dim"), indent=2)
    sheet.blank()


def _numbers(share: Share) -> str:
    percent = 100.0 if share.found == share.total else min(99.99, 100 * share.found / share.total)
    return f"{share.found} of {share.total}, {percent:.2f} %"
