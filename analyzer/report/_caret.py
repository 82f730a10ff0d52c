# SPDX-License-Identifier: GPL-2.0-only
r"""Where in a source line the caret goes.

In: `"\tWRITE_ONCE(slot->gmem.file, NULL);"`, column 2, `"kvm_memory_slot.gmem.file"`. Out: the span of `file`.

A column counts preprocessed text: behind a macro call in the same line it points anywhere, even past the line's end.
So the source line is searched for the last name of the accessed object; the column decides only which of several it is,
or where that name is not there.
"""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace

from analyzer.base.location import Location
from analyzer.findings.model import Finding
from analyzer.report._style import SourceReader


class Span(Struct, frozen=True):
    """A run of characters in a line."""

    #: 0-based, in characters
    start: int
    length: int


def find(line: str, column: int, target: str) -> Span | None:
    """Find the span of `line` that is `target`, a field path or `function()`; `column` is 1-based in bytes, 0 unknown."""
    hint = _character(line, column)
    parts = target.removesuffix("()").split(".")
    # `slot->gmem.file` is a better match for ….gmem.file than any `file` is: as many members as stand there.
    for n_members in range(len(parts), 0, -1):
        if spans := _spans(line, parts[-n_members:]):
            return min(spans, key=lambda span: (span.start < hint, abs(span.start - hint)))
    return Span(hint, 1) if column > 0 and hint < len(line.rstrip()) else None


def place(finding: Finding, sources: SourceReader) -> Location:
    """Return the finding's location with the column of the caret, where its line can be had."""
    line = sources.line(finding.location.file, finding.location.line)
    span = None if line is None else find(line, finding.location.column, finding.object)
    if line is None:
        return finding.location
    if span is not None:
        return replace(finding.location, column=len(line[: span.start].encode("utf-8", "surrogatepass")) + 1)
    beyond = finding.location.column > len(line.encode("utf-8", "surrogatepass"))
    return replace(finding.location, column=0) if beyond else finding.location


def _spans(line: str, members: list[str]) -> list[Span]:
    """Find every place where `members` stand joined by `.` or `->`; the span is the last one's."""
    joined = r"\s*(?:\.|->)\s*".join(re.escape(member) for member in members)
    return [
        Span(match.end() - len(members[-1]), len(members[-1])) for match in re.finditer(rf"(?<!\w){joined}(?!\w)", line)
    ]


def _character(line: str, column: int) -> int:
    """Turn a 1-based byte column into a 0-based character index."""
    if column <= 0:
        return 0
    return len(line.encode("utf-8", "surrogatepass")[: column - 1].decode("utf-8", "replace"))
