# SPDX-License-Identifier: GPL-2.0-only
"""Reports that are too big for some reader, and one whose names are markup."""

from __future__ import annotations

from msgspec.structs import replace

from analyzer.base.location import Location
from analyzer.findings.model import Finding, Report, RuleCount, Step
from tests.report.conftest import VIOLATION

#: what ends an attribute, an element, a script, a string, a command
HOSTILE = "\"><script>alert(1)</script>'`${x}]]>--></style>%0A::error::##[error]\n::warning::"


def many(n_violations: int, n_unknown: int) -> Report:
    """Make a report of different findings, unknown verdicts among the violations, errors and warnings by turns."""
    findings = []
    for number in range(n_violations + n_unknown):
        unknown = number * n_unknown // (n_violations + n_unknown) != (number + 1) * n_unknown // (
            n_violations + n_unknown
        )
        finding = replace(
            VIOLATION,
            verdict="unknown" if unknown else "violation",
            severity="error" if number % 4 < 2 else "warning",
            location=Location(f"drivers/d{number % 500}/f.c", number + 1, 2),
            function=f"function_{number}",
            fingerprint=f"{number:016x}",
        )
        findings.append(finding)
    rule = RuleCount(VIOLATION.rule, len(findings), 0, n_violations, n_unknown, "access")
    return Report(tuple(findings), (rule,), (), 1, 0, 1, 0)


def long_way(n_steps: int) -> Finding:
    """Make a finding with a long way of two threads."""
    steps = tuple(
        Step(number * 2 // n_steps, "call", f"f{number}", Location("a.c", number + 1), f"calls f{number + 1}()")
        for number in range(n_steps)
    )
    return replace(VIOLATION, witness=steps)


def hostile() -> Report:
    """Make a report in which every name is markup and a command."""
    place = Location(f"dir/{HOSTILE}", 3, 1)
    steps = (
        Step(0, "entry", HOSTILE, place, f"enters {HOSTILE}", (HOSTILE,)),
        Step(0, "call", HOSTILE, place, f"calls {HOSTILE}", (HOSTILE,)),
        Step(1, "acquire", f"{HOSTILE}2", place, f"takes {HOSTILE}", (HOSTILE,)),
    )
    finding = replace(
        VIOLATION,
        rule=HOSTILE,
        message=HOSTILE,
        location=place,
        function=HOSTILE,
        object=HOSTILE,
        requires=(HOSTILE,),
        held=(HOSTILE,),
        witness=steps,
        cause=HOSTILE,
        why=HOSTILE,
        source=HOSTILE,
        rule_location=place,
    )
    rule = RuleCount(HOSTILE, 1, 0, 1, 0, HOSTILE, title=HOSTILE, why=HOSTILE, source=HOSTILE, location=place)
    return Report((finding,), (rule,), (), 1, 0, 1, 0)
