# SPDX-License-Identifier: GPL-2.0-only
"""Declarations that an `#include` interrupts.

In: segments `enum e {`, `A,` (another file's) and `};`. Out: one segment with the whole declaration.

**Invariant:** what comes from the other file stands on one line, its line breaks blanks, so that all text of the file
where the declaration begins keeps its lines.
"""

from __future__ import annotations

import re
from hashlib import blake2b

from msgspec import Struct

from analyzer.frontend.extents import first_end
from analyzer.frontend.lexer import Lines
from analyzer.source.segment import Segment

#: segments to look through for the end of a declaration; the longest chain in a kernel's units is below twenty
_REACH = 64
_ROW = re.compile(r"^#[^\n]*", re.MULTILINE)


class Joined(Struct, frozen=True):
    """A declaration put together from several segments."""

    segment: Segment
    #: index of the segment in which it ends
    last: int
    #: position behind it in that segment's text
    position: int


def join(segments: tuple[Segment, ...], index: int, position: int) -> Joined | None:
    """Put together the declaration that begins at `position` of segment `index`; None if it ends nowhere near."""
    first = segments[index]
    line = Lines("", first.line, first.text).line(position)
    text = first.text[position:]
    for last in range(index + 1, min(index + 1 + _REACH, len(segments))):
        following = segments[last]
        if following.file == first.file:
            if not text.endswith("\n"):
                text += "\n"
            text += _way(Lines("", line, text).line(len(text)), following.line) + following.text
        else:
            text += _ROW.sub(lambda row: " " * len(row[0]), following.text).replace("\n", " ")
        end = first_end(text)
        if end >= 0:
            whole = text[:end]
            digest = blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
            rest = len(following.text) - (len(text) - end)
            return Joined(Segment(first.file, line, whole, digest, first.depth), last, rest)
    return None


def _way(line: int, target: int) -> str:
    """Return blank lines, or the row that leads back, from the beginning of `line` to that of `target`."""
    return "\n" * (target - line) if target >= line else f"# {target - line - 1}\n"
