# SPDX-License-Identifier: GPL-2.0-only
"""What `lockspec doctor` found, for people.

In: diagnoses. Out: a line for each, with the command that mends it below.

    well     compiler          gcc (Debian 12.2.0-14+deb12u1) 12.2.0, as configured
    missing  compile database  no compile_commands.json in /usr/src/linux, and no object was built
                               make && make compile_commands.json
"""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.findings.diagnosis import Diagnosis
from analyzer.report._sheet import Sheet
from analyzer.report._style import Style

_STYLES = {"well": "green", "doubt": "yellow", "missing": "bold red"}
_WIDTH = 9


def render_diagnoses(diagnoses: Sequence[Diagnosis], style: Style) -> str:
    """Return the diagnoses; with `quiet` only what is not well."""
    sheet = Sheet(style)
    told = [one for one in diagnoses if one.condition != "well" or not style.quiet]
    width = max((len(one.subject) for one in told), default=0) + 2
    for one in told:
        head = f"{one.condition:<{_WIDTH}}{one.subject}"
        sheet.labelled((head, _STYLES[one.condition]), _WIDTH + width, (one.text, ""))
        if one.remedy:
            sheet.labelled(("", ""), _WIDTH + width, (one.remedy, "bold"))
    return sheet.text()
