# SPDX-License-Identifier: GPL-2.0-only
"""A translation unit kept in memory: after a change inside one function, only that function is read again.

In: the unit's command, the text of its main file, later texts of it. Out: its segments and facts for each text.

The function's text is preprocessed by itself, with the macros that are defined there, and takes the place of the old one
in the segment that holds it. What else a change may touch, a directive or what stands between functions, is answered
with None, and the unit must be preprocessed anew.

**Invariant:** segments are those that preprocessing the whole unit would give, but for the values of `__LINE__` behind the
edit and numbers made of `__COUNTER__`, on which no finding rests.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.facts.memo import FunctionMemo
from analyzer.facts.unit import UnitFacts
from analyzer.frontend.heads import DeclarationKind
from analyzer.frontend.scan import Entry, Scan, scan
from analyzer.lower.unit import extract_unit
from analyzer.pipeline.live.edits import Edit, edit_between
from analyzer.source.command import CompileCommand
from analyzer.source.macros import Expander, read_macros
from analyzer.source.mirror import Mirror
from analyzer.source.names import FileNames
from analyzer.source.preprocess import preprocess
from analyzer.source.segment import Segment
from analyzer.source.split import renumber, split

_DIRECTIVE = re.compile(r"\s*(?:#|%:|\?\?=)")
#: a name made of `__COUNTER__`; see `source.split`
_COUNTED = re.compile(r"\b(__UNIQUE_ID_\w*?|__compiletime_assert_)(\d+)\b")
#: more than any unit counts
_FAR = 1_000_000


class Place(Struct, frozen=True):
    """Where a function's definition stands."""

    name: str
    #: index among the unit's segments
    segment: int
    start: int
    end: int
    #: where its body begins
    body: int
    #: first and last line in the file
    first: int
    last: int


class LiveUnit(Struct, frozen=True):
    """One unit, as of one text of its main file."""

    command: CompileCommand
    names: FileNames
    lines: tuple[str, ...]
    segments: tuple[Segment, ...]
    expander: Expander
    #: of its text
    gaps: tuple[Gap, ...]

    def facts(self, memo: FunctionMemo) -> UnitFacts:
        """Extract the unit's facts."""
        facts = extract_unit(self.command.name, self.segments, memo)
        return replace(facts, gaps=tuple(sorted((*facts.gaps, *self.gaps))))

    def edited(self, text: str) -> tuple[LiveUnit, str] | Gap | None:
        """Return the unit with another text and the name of the function that changed; None where more may have.

        A gap tells that the function does not end any more.
        """
        lines = tuple(text.split("\n"))
        edit = edit_between(self.lines, lines)
        if edit is None:
            return self, ""
        at = edit.first - 1
        touched = (*self.lines[at : at + edit.n_old], *lines[at : at + edit.n_new])
        above = self.lines[at - 1 : at]
        if any(_DIRECTIVE.match(line) for line in touched) or any(line.endswith("\\") for line in (*above, *touched)):
            return None
        place = self._function_at(edit)
        if place is None:
            return None
        piece = self._piece(place, lines[place.first - 1 : place.last + edit.shift])
        if piece is None or isinstance(piece, Gap):
            return piece
        segments = self._spliced(place, piece, edit.shift)
        macros = self.expander.macros.moved(place.last, edit.shift)
        expander = self.expander if macros is self.expander.macros else self.expander.with_macros(macros)
        return replace(self, lines=lines, segments=segments, expander=expander), place.name

    def _function_at(self, edit: Edit) -> Place | None:
        """Return the function that holds all of an edit."""
        unfinished = False
        for index, segment in enumerate(self.segments):
            if segment.depth or segment.file != self.command.name:
                continue
            part = scan(segment)
            if unfinished:
                return None
            unfinished = part.unfinished >= 0
            for entry in part.functions:
                place = _place(index, segment, part, entry)
                inside = place.first <= edit.first and edit.first + max(edit.n_old, 1) - 1 <= place.last
                if inside and _is_alone(segment.text, place):
                    return place
        return None

    def _piece(self, place: Place, lines: Sequence[str]) -> str | Gap | None:
        """Return the preprocessed text of a function that stands at `place` now; None where it is not just that."""
        if any(line.lstrip().startswith(("#define", "#undef", "#include", "# ", "#pragma")) for line in lines):
            return None
        output = self.expander.expand("\n".join(lines), place.first)
        if output is None:
            return None
        parts = split(output, lambda path: self.names.name(path, self.command.directory))
        own = [part for part in parts if part.file == self.command.name]
        if len(own) != 1 or len(parts) != 1:
            return None
        text = own[0].text
        part = scan(own[0])
        head = self.segments[place.segment].text[place.start : place.body]
        if part.unfinished == 0 and not part.entries:
            location = Location(self.command.name, place.first)
            return Gap(GapKind.BODY, location, f"{place.name}() does not end: a bracket is open")
        if len(part.entries) != 1 or part.unfinished >= 0 or part.troubles or own[0].line != place.first:
            return None
        entry = part.entries[0]
        if entry.head.kind is not DeclarationKind.FUNCTION or text[: entry.extent.body] != head:
            return None
        if entry.extent.start != 0 or text[entry.extent.end :].strip():
            return None
        if place.first + part.lines.line(entry.extent.end - 1) != place.first + len(lines) - 1:
            return None
        return text[: entry.extent.end]

    def _spliced(self, place: Place, piece: str, shift: int) -> tuple[Segment, ...]:
        """Put `piece` in the place of the function, and move what stands behind."""
        piece = _COUNTED.sub(lambda match: f"{match[1]}{int(match[2]) + _FAR}", piece)
        segments = []
        for index, segment in enumerate(self.segments):
            if index == place.segment:
                text = renumber(segment.text[: place.start] + piece + segment.text[place.end :])
                digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
                segment = replace(segment, text=text, digest=digest)
            elif segment.file == self.command.name and segment.line > place.last:
                segment = replace(segment, line=segment.line + shift)
            segments.append(segment)
        return tuple(segments)


def open_unit(
    command: CompileCommand, names: FileNames, text: str, mirror: Mirror | None, folder: Path
) -> LiveUnit | Gap:
    """Preprocess a unit whose main file, as `mirror` shows it, is `text`; its files go to `folder`."""
    whole = preprocess(command, mirror)
    if isinstance(whole, Gap):
        return whole
    macros = read_macros(command, mirror)
    if isinstance(macros, Gap):
        return macros
    segments = split(whole.text, lambda path: names.name(path, command.directory))
    return LiveUnit(command, names, tuple(text.split("\n")), segments, Expander(command, macros, folder), whole.gaps)


def _place(index: int, segment: Segment, part: Scan, entry: Entry) -> Place:
    extent = entry.extent
    first = segment.line + part.lines.line(extent.start)
    last = segment.line + part.lines.line(extent.end - 1)
    return Place(entry.head.names[0][0], index, extent.start, extent.end, extent.body, first, last)


def _is_alone(text: str, place: Place) -> bool:
    """Tell whether nothing else stands on the function's first and last line."""
    before = text[text.rfind("\n", 0, place.start) + 1 : place.start]
    end = text.find("\n", place.end)
    return not before.strip() and not text[place.end : end if end >= 0 else None].strip()
