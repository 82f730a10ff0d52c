# SPDX-License-Identifier: GPL-2.0-only
"""Segments of a preprocessed translation unit.

In: the output of `gcc -E`. Out: its segments in order, so that a header that two units include alike is one value.

**Invariant:** line `n` of a segment's text, not counting `# -k` lines, stands on line `segment.line + n - k…` of
its file: no token loses its place.
**Invariant:** blank text makes no segment; a segment begins and ends with a line that is not blank.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from hashlib import blake2b

from analyzer.source.segment import Segment

#: number, name with its escapes, flags; what follows `# ` on a marker's line
_MARKER = re.compile(r'(\d{1,9}) "((?:[^"\\]|\\.)*)"([ \d]*)\r?')
_BLANK_LINES = re.compile(r"(?:[ \t\f\v]*\n)*")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)")
#: names made of `__COUNTER__`: the unique identifiers and the declarations of compile-time assertions
_UNIQUE = re.compile(r"(__UNIQUE_ID_\w*?|__compiletime_assert_)(\d+)\b")
_UNIQUE_STEMS = ("__UNIQUE_ID_", "__compiletime_assert_")
#: a longer way forward within a file begins a new segment instead of blank lines, so that a marker that lies
#: cannot fill the memory; the kernel's longest gap between two lines with text is far below it
_MAX_BLANK_LINES = 20_000


def split(text: str, name_file: Callable[[str], str]) -> tuple[Segment, ...]:
    """Cut `text` where a line marker enters or leaves a file; `name_file` normalises the markers' paths."""
    names: dict[str, str] = {}
    segments: list[Segment] = []
    for name, line, depth, body in _runs(text):
        file = names.get(name)
        if file is None:
            file = names[name] = name_file(_unescape(name))
        segment = _segment(file, line, depth, body)
        if segment is not None:
            segments.append(segment)
    return tuple(segments)


def renumber(text: str) -> str:
    """Count the numbers in names made of `__COUNTER__` from 0, in the order of their first use in `text`."""
    if not any(stem in text for stem in _UNIQUE_STEMS):
        return text
    numbers: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        return match[1] + numbers.setdefault(match[2], str(len(numbers)))

    return _UNIQUE.sub(replace, text)


def main_file(text: str) -> str:
    """Return the name of the unit's main file, from the first line marker ("" where there is none)."""
    match = re.search(r"^# (\d{1,9} .*)", text[:65536], re.MULTILINE)
    marker = _MARKER.fullmatch(match[1]) if match else None
    return _unescape(marker[2]) if marker else ""


def working_directory(text: str) -> str:
    """Return where the compiler worked, from the marker `# 1 "/directory//"` that `-g` adds ("" if absent)."""
    match = re.search(r'^# \d+ "(/[^\n]*)//"$', text[:65536], re.MULTILINE)
    return _unescape(match[1]) if match else ""


def unfinished(text: str) -> str:
    """Return the included file in which `text` ends ("" where it ends in the main file, as it must)."""
    end = len(text)
    while (start := text.rfind("\n# ", 0, end)) >= 0:
        marker = _MARKER.match(text, start + 3)
        if marker is not None and marker[3]:
            break
        end = start
    else:
        return ""
    if "1" not in marker[3] and _unescape(marker[2]) == main_file(text):
        return ""
    *_, (name, _, depth, _) = _runs(text)
    return _unescape(name) if depth else ""


def _runs(text: str) -> Iterator[tuple[str, int, int, str]]:
    """Yield name, first line, depth and text of every run between markers that enter or leave a file."""
    stack = [""]
    parts: list[str] = []
    first = line = 1
    # Whether text stands before the first marker or none, the first piece is no marker's.
    head, *pieces = ("\n" + text).split("\n# ")
    if head:
        parts.append(head[1:] + "\n")
        line += head.count("\n")
    for piece in pieces:
        marker = _marker(piece)
        body: str | None
        if marker is None:
            body = "# " + piece
        else:
            number, name, flags, body = marker
            ahead = number - line
            if not flags and name == stack[-1] and ahead <= _MAX_BLANK_LINES:
                parts.append("\n" * ahead if ahead >= 0 else f"# {ahead - 1}\n")
            else:
                if parts:
                    yield stack[-1], first, len(stack) - 1, "".join(parts)
                    parts.clear()
                _turn(stack, name, flags)
                first = number
            line = number
        if body is not None:
            parts.append(body + "\n")
            line += body.count("\n") + 1
    yield stack[-1], first, len(stack) - 1, "".join(parts)


def _marker(piece: str) -> tuple[int, str, str, str | None] | None:
    """Parse what follows `# `: number, name, flags, and the lines after it without their last line feed."""
    at, feed, body = piece.partition("\n")
    match = _MARKER.fullmatch(at)
    return (int(match[1]), match[2], match[3], body if feed else None) if match else None


def _turn(stack: list[str], name: str, flags: str) -> None:
    """Follow a marker into a file (flag 1), back (flag 2) or to another name at the same depth."""
    if "1" in flags:
        stack.append(name)
    elif "2" in flags and name in stack:
        while stack[-1] != name:
            stack.pop()
    else:
        stack[-1] = name


def _segment(file: str, line: int, depth: int, body: str) -> Segment | None:
    """Make a segment of a run, without the blank lines around it."""
    blank = _BLANK_LINES.match(body)
    assert blank is not None
    text = body[blank.end() :].rstrip()
    if not text:
        return None
    line += body.count("\n", 0, blank.end())
    text = renumber(text) + "\n"
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return Segment(file, line, text, digest, depth)


def _unescape(name: str) -> str:
    r"""Undo the escapes that the preprocessor writes in a marker's name: `\\`, `\"` and octal bytes."""
    if "\\" not in name:
        return name
    raw = _ESCAPE.sub(_escaped, name.encode("utf-8", "surrogatepass"))
    return raw.decode("utf-8", "replace")


def _escaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8) & 0xFF]) if code[:1] in b"01234567" else code
