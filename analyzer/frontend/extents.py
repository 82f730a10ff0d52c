# SPDX-License-Identifier: GPL-2.0-only
r"""Where external declarations begin and end in preprocessed text.

In: `"int a;\nint f(void) { return a; }"`. Out: `Extent(0, 6, -1)`, `Extent(7, 33, 18)`.

A declaration ends at a semicolon outside braces, or with the braces of a function body. The regular expressions match
braces some levels deep in one go; what is nested deeper is counted brace by brace.
"""

from __future__ import annotations

import re

from msgspec import Struct

_ROW = r"#[^\n]*+"
_LITERAL = r'"(?:[^"\\\n]|\\.)*+"|' r"'(?:[^'\\\n]|\\.)*+'"


def _nested(opening: str, closing: str, levels: int) -> str:
    """Return a pattern for balanced brackets, `levels` deep."""
    pattern = r"(?!)"
    for _ in range(levels):
        pattern = rf"""{opening}(?:[^{opening}{closing}"']++|{_LITERAL}|{pattern})*+{closing}"""
    return pattern


BRACES = _nested(r"\{", r"\}", 12)
PARENS = _nested(r"\(", r"\)", 32)

_BLANK = re.compile(rf"(?:[\s;]++|{_ROW})*+")
_HEAD = re.compile(rf"""(?:[^{{}};"'#]++|{_LITERAL}|{_ROW})*+""")
_BODY = re.compile(BRACES)
_BRACE = re.compile(rf"[{{}}]|{_LITERAL}")
_CLOSING_LINE = re.compile(r"^\}[^\n]*\n?", re.MULTILINE)
_LINE_END = re.compile(r"[^\n]*\n?")

#: words whose parenthesis belongs neither to a parameter list nor to a declarator
ASIDE = re.compile(
    r"\b(?:__attribute(?:__)?|__extension__|(?:__)?asm(?:__)?(?:\s+volatile)?|_Alignas|_Atomic(?=\s*\()"
    rf"|(?:__)?typeof(?:_unqual)?(?:__)?)\b\s*(?:{PARENS})?"
)
_GROUP = re.compile(PARENS)


class Extent(Struct, frozen=True, gc=False):
    """One external declaration's place in a text."""

    start: int
    end: int
    #: position of the brace that opens the function body, -1 if it is no function definition
    body: int


class Trouble(Struct, frozen=True, gc=False):
    """A place where the text is no sequence of declarations."""

    position: int
    text: str


class Found(Struct, frozen=True, gc=False):
    """The declarations of a text."""

    extents: tuple[Extent, ...]
    troubles: tuple[Trouble, ...]
    #: where a declaration begins that does not end in this text, -1 if there is none
    unfinished: int


def find_extents(text: str, position: int = 0) -> Found:
    """List the external declarations in `text` from `position` on."""
    extents: list[Extent] = []
    troubles: list[Trouble] = []
    size = len(text)
    while True:
        start = _BLANK.match(text, position).end()  # type: ignore[union-attr]  # matches the empty string
        if start >= size:
            return Found(tuple(extents), tuple(troubles), -1)
        at = _HEAD.match(text, start).end()  # type: ignore[union-attr]  # matches the empty string
        following = text[at] if at < size else ""
        if following == ";":
            extents.append(Extent(start, at + 1, -1))
            position = at + 1
        elif following == "{":
            extent = _with_braces(text, start, at)
            if extent is None:
                return Found(tuple(extents), tuple(troubles), start)
            extents.append(extent)
            position = extent.end
        elif following == "":
            return Found(tuple(extents), tuple(troubles), start)
        else:
            what = "unbalanced '}'" if following == "}" else "unterminated literal"
            troubles.append(Trouble(at, what))
            position = at + 1 if following == "}" else _LINE_END.match(text, at).end()  # type: ignore[union-attr]


def resynchronise(text: str, position: int) -> int:
    """Return where to go on after an unfinished declaration at `position`: behind the next line that begins with `}`."""
    match = _CLOSING_LINE.search(text, position + 1)
    return match.end() if match else len(text)


def _with_braces(text: str, start: int, brace: int) -> Extent | None:
    """Find the end of a declaration whose first brace is at `brace`; None if the text ends before."""
    while True:
        after = _close(text, brace)
        if after < 0:
            return None
        if opens_body(text[start:brace]):
            return Extent(start, after, brace)
        brace = _HEAD.match(text, after).end()  # type: ignore[union-attr]  # matches the empty string
        following = text[brace : brace + 1]
        if following == ";":
            return Extent(start, brace + 1, -1)
        if following != "{":
            return None


def _close(text: str, brace: int) -> int:
    """Return the position after the brace that closes the one at `brace`, -1 if there is none."""
    match = _BODY.match(text, brace)
    if match:
        return match.end()
    depth = 0
    for match in _BRACE.finditer(text, brace):
        found = match[0]
        if found == "{":
            depth += 1
        elif found == "}":
            depth -= 1
            if depth == 0:
                return match.end()
    return -1


def opens_body(head: str) -> bool:
    """Tell whether the brace after `head` opens a function body (and not a record, enumeration or initialiser)."""
    if not head.rstrip().endswith(")"):
        return False  # not even an attribute before the brace
    plain = ASIDE.sub(" ", head).rstrip()
    return plain.endswith(")") and ("=" not in plain or "=" not in _GROUP.sub(" ", plain))


def first_end(text: str) -> int:
    """Return the position behind the first declaration in `text`, -1 if it does not end there."""
    start = _BLANK.match(text).end()  # type: ignore[union-attr]  # matches the empty string
    at = _HEAD.match(text, start).end()  # type: ignore[union-attr]  # matches the empty string
    following = text[at : at + 1]
    if following == "{":
        extent = _with_braces(text, start, at)
        return extent.end if extent else -1
    return at + 1 if following == ";" else -1
