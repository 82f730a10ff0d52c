# SPDX-License-Identifier: GPL-2.0-only
"""Findings as diagnostics.

In: a report, texts. Out: for each file the diagnostics of the protocol, with the way to each place as related information.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from lsprotocol import types
from pygls.workspace import PositionCodec

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.findings.model import Finding, Step
from analyzer.report import holding, told
from analyzer.server.positions import range_at
from analyzer.server.texts import Texts

SOURCE = "lockspec"
_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "note": types.DiagnosticSeverity.Information,
}
#: what a compiler said, in the gap of a unit
_SAID = re.compile(
    r"failed: (?P<file>[^:]+):(?P<line>\d+):(?:(?P<column>\d+):)? (?P<text>.*?)(?:; the unit is skipped)?$"
)

#: where a line of a file stands in its text now
LineNow = Callable[[str, int], int]


class Diagnoser:
    """Makes the diagnostics of one report."""

    def __init__(self, texts: Texts, codec: PositionCodec, line_now: LineNow) -> None:
        self._texts = texts
        self._codec = codec
        self._line_now = line_now

    def diagnostics(self, findings: Iterable[Finding], gaps: Iterable[Gap]) -> dict[str, list[types.Diagnostic]]:
        """Return the diagnostics by file name."""
        found: dict[str, list[types.Diagnostic]] = defaultdict(list)
        for finding in findings:
            found[finding.location.file].append(self._of(finding))
        for gap in gaps:
            place, text = _said(gap)
            found[place.file].append(self._plain(place, f"{text}; what lockspec tells is of the text before"))
        return dict(found)

    def _of(self, finding: Finding) -> types.Diagnostic:
        unknown = finding.verdict == "unknown"
        severity = types.DiagnosticSeverity.Information if unknown else _SEVERITIES[finding.severity]
        cause = f": {finding.cause}" if finding.cause else ""
        return types.Diagnostic(
            self._range(finding.location, finding.object.removesuffix("()").rpartition(".")[2]),
            f"{'unknown: ' if unknown else ''}{finding.message}{cause}",
            severity,
            code=finding.rule,
            source=SOURCE,
            related_information=[self._related(step) for step in finding.witness] or None,
            data={"fingerprint": finding.fingerprint, "verdict": finding.verdict},
        )

    def _plain(self, place: Location, text: str) -> types.Diagnostic:
        where = range_at(self._codec, place.line, place.column, self._texts.line(place.file, place.line) or "")
        return types.Diagnostic(where, text, types.DiagnosticSeverity.Information, code="syntax", source=SOURCE)

    def _related(self, step: Step) -> types.DiagnosticRelatedInformation:
        where = types.Location(uri_of(self._texts.path(step.location.file)), self._range(step.location, ""))
        return types.DiagnosticRelatedInformation(where, f"{told(step)}{holding(step)}")

    def _range(self, location: Location, name: str) -> types.Range:
        line = self._line_now(location.file, location.line)
        return range_at(self._codec, line, location.column, self._texts.line(location.file, line) or "", name)


def _said(gap: Gap) -> tuple[Location, str]:
    """Return where a gap is, and what it says: of a unit that the compiler refused, the compiler's own place."""
    match = _SAID.search(gap.text) if gap.kind is GapKind.UNIT else None
    if match is None:
        return gap.location, gap.text
    same = Path(match["file"]).name == Path(gap.location.file).name
    if not same:
        return gap.location, f"{match['file']}:{match['line']}: {match['text']}"
    return Location(gap.location.file, int(match["line"]), int(match["column"] or 0)), match["text"]


def uri_of(path: Path) -> str:
    """Return the URI of a file."""
    return path.absolute().as_uri()
