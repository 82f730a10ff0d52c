# SPDX-License-Identifier: GPL-2.0-only
"""Which findings of a comparison are told in full: one mistake often breaks many rules on many ways.

In: introduced findings, each with the functions on its way that the change touches. Out: those with the shortest ways for
each such function; the others are told in a line.

**Invariant:** the findings of a report that compares nothing are all told in full.
"""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.findings.model import Finding

#: findings for each function that are told in full
N_FULL = 3
#: of findings without such a function
NOT_ON_THE_WAY = "nothing on the way itself: what it calls, or who enters there"


def blamed(finding: Finding) -> str:
    """Return the innermost function on the way that the change touches, as `file:function`; empty if there is none."""
    return finding.touched[-1] if finding.touched else ""


def named(function: str) -> str:
    """Name a function that `blamed` returned."""
    file, _, name = function.rpartition(":")
    return f"{name}() in {file}" if name else NOT_ON_THE_WAY


def in_full(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings to be told in full, in their order."""
    groups: dict[str, list[int]] = {}
    for number, finding in enumerate(findings):
        groups.setdefault(blamed(finding) if finding.change else f"{number}", []).append(number)
    shortest = (sorted(group, key=lambda number: len(findings[number].chain)) for group in groups.values())
    kept = {number for group in shortest for number in group[:N_FULL]}
    return tuple(finding for number, finding in enumerate(findings) if number in kept)


def in_a_line(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Return the others by the function that is blamed, the function with the most of them first."""
    full = {id(finding) for finding in in_full(findings)}
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        if id(finding) not in full:
            groups.setdefault(blamed(finding), []).append(finding)
    return dict(sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])))
