# SPDX-License-Identifier: GPL-2.0-only
"""Findings that are known and accepted, each for a reason.

In: a baseline, a report. Out: the report without what the baseline accepts, and the entries that accept nothing any more.

An entry accepts the finding with its fingerprint. One that accepts an unknown verdict does not accept a violation: that
is news.

**Invariant:** every finding of the report is among the findings or the accepted ones afterwards; none is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from analyzer.base.location import Location
from analyzer.findings.model import Accepted, Finding, Report


class Entry(Struct, frozen=True):
    """One accepted finding."""

    fingerprint: str
    rule: str
    #: file and function of the place, and the finding's message: for the reader, and to tell what a run covers
    file: str
    function: str
    message: str
    verdict: Literal["violation", "unknown"]
    #: why it is accepted; never empty
    reason: str
    #: of its first line in the baseline
    location: Location


class Judged(Struct, frozen=True):
    """A report, held against a baseline."""

    #: without what is accepted, which stands in `accepted`
    report: Report
    #: entries without a finding, of what the run covers
    unused: tuple[Entry, ...]
    #: entries that accept an unknown verdict, where there is a violation now
    outgrown: tuple[Entry, ...]
    #: number of entries without a finding, of what the run does not cover
    n_not_judged: int


def judge(entries: Iterable[Entry], report: Report, covers: Callable[[Entry], bool]) -> Judged:
    """Hold `report` against `entries`; `covers` tells whether the run would have found an entry's finding."""
    by_fingerprint = {entry.fingerprint: entry for entry in entries}
    kept: list[Finding] = []
    accepted: list[Accepted] = []
    met: set[str] = set()
    outgrown: dict[str, Entry] = {}
    for finding in report.findings:
        entry = by_fingerprint.get(finding.fingerprint)
        if entry is None:
            kept.append(finding)
            continue
        met.add(entry.fingerprint)
        if entry.verdict == "unknown" and finding.verdict == "violation":
            outgrown[entry.fingerprint] = entry
            kept.append(finding)
        else:
            accepted.append(Accepted(finding, entry.reason))
    missing = [entry for entry in by_fingerprint.values() if entry.fingerprint not in met]
    unused = tuple(entry for entry in missing if covers(entry))
    return Judged(
        report=replace(report, findings=tuple(kept), accepted=(*report.accepted, *accepted)),
        unused=unused,
        outgrown=tuple(outgrown.values()),
        n_not_judged=len(missing) - len(unused),
    )
