# SPDX-License-Identifier: GPL-2.0-only
"""Tokens of one declaration's text.

In: `"int a = f(x);"`. Out: `Tokens(kinds=["INT", "ID", "EQUALS", …], tokens=[Token("INT", "int", …), …])`.

One regular expression splits the text; kinds, positions and tokens are then made by C loops. What the grammar need not
see is gone: preprocessor rows, `__extension__`, and attributes (the few that somebody reads stand in `attributes`).

**Invariant:** a token is its own coordinate (`file`, `line`, `column`); line and column are worked out when asked for.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate, repeat

from msgspec import Struct, field

from analyzer.base.location import Location
from analyzer.frontend.attributes import Kept, cut
from analyzer.frontend.words import KINDS, SPELLINGS

#: what clang accepts by default (`-fbracket-depth`), so more than any kernel source needs
MAX_NESTING = 256

_TOKEN = re.compile(
    r"""(
    [A-Za-z_$\u0080-\U0010ffff][\w$]*+(?!["'])
    | [-+*/%=!<>&|^]?=
    | \.?[0-9](?:[eEpP][-+]|[\w.])*+
    | -> | && | \|\| | \+\+ | -- | <<=? | >>=? | \.\.\.
    | [-+*/%&|^!<>=?:;,.(){}\[\]~]
    | (?:L|u8?|U)?"(?:[^"\\\n]|\\.)*+"
    | (?:L|u8?|U)?'(?:[^'\\\n]|\\.)++'
    | [A-Za-z_$\u0080-\U0010ffff][\w$]*+
    )""",
    re.VERBOSE,
)
_ROW = re.compile(r"^[ \t]*#[^\n]*", re.MULTILINE)
_BACK = re.compile(r"^# (-\d{1,9})$", re.MULTILINE)
_DEPTHS = {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}


#: a macro's expansion stands on one line, whose columns are none of the source: beyond what people write, the column
#: of the line's first token is told, which the preprocessor keeps
MAX_COLUMN = 120


class LexicalError(Exception):
    """The text holds something that is no token, or is nested too deeply; `position` tells where."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class Lines(Struct, dict=False, weakref=False, gc=False):
    """From a position in a text to the line and column in its file."""

    file: str
    first: int
    text: str
    #: positions where lines begin, once asked for
    starts: list[int] = field(default_factory=list)
    #: numbers of those lines
    numbers: list[int] = field(default_factory=list)

    def line(self, position: int) -> int:
        """Return the line of `position`."""
        if not self.starts:
            self._count()
        return self.numbers[bisect_right(self.starts, position) - 1]

    def place(self, position: int) -> tuple[int, int]:
        """Return line and column (1-based, in bytes) of `position`."""
        if not self.starts:
            self._count()
        row = bisect_right(self.starts, position) - 1
        start = self.starts[row]
        before = self.text[start:position]
        column = 1 + (len(before) if before.isascii() else len(before.encode("utf-8", "replace")))
        if column > MAX_COLUMN:
            column = 1 + len(before) - len(before.lstrip())
        return self.numbers[row], column

    def _count(self) -> None:
        self.starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        if "# -" not in self.text:
            self.numbers = list(range(self.first, self.first + len(self.starts)))
            return
        rows = {match.end() + 1: int(match[1]) for match in _BACK.finditer(self.text)}
        number = self.first - 1
        for start in self.starts:
            number += 1 + rows.get(start, 0)
            self.numbers.append(number)


class Token(Struct, gc=False, eq=False):
    """A token and its coordinate."""

    type: str
    value: str
    position: int
    lines: Lines

    @property
    def file(self) -> str:
        """Path as in `Location.file`."""
        return self.lines.file

    @property
    def line(self) -> int:
        """Line in the file, 1-based."""
        return self.lines.line(self.position)

    @property
    def column(self) -> int:
        """Column, 1-based."""
        return self.lines.place(self.position)[1]

    def location(self) -> Location:
        """Return the place as a value."""
        return Location(self.lines.file, *self.lines.place(self.position))

    def __str__(self) -> str:
        return str(self.location())


class Tokens(Struct, gc=False):
    """Kinds and tokens in step; kinds end with a few None."""

    kinds: list[str | None]
    tokens: list[Token]
    #: attributes that somebody reads, by the index of the token they stand before
    attributes: dict[int, list[Kept]]


def tokenize(text: str, lines: Lines) -> Tokens:
    """Split `text` into tokens; raises LexicalError."""
    if "#" in text:
        text = _ROW.sub(lambda row: " " * len(row[0]), text)
    pieces = _TOKEN.split(text)
    spellings = pieces[1::2]
    starts = list(accumulate(map(len, pieces)))[::2]
    if "".join(pieces[::2]).strip():
        _reject(pieces[::2], starts)
    if len(spellings) > MAX_NESTING:
        _check_nesting(spellings, starts)
    kinds = list(map(KINDS.__getitem__, spellings))
    attributes: dict[int, list[Kept]] = {}
    if "ATTRIBUTE" in kinds or "EXTENSION" in kinds:
        kinds, spellings, starts, attributes = cut(kinds, spellings, starts)
    if not SPELLINGS.keys().isdisjoint(spellings):
        spellings = list(map(SPELLINGS.get, spellings, spellings))
    tokens = list(map(Token, kinds, spellings, starts, repeat(lines)))
    return Tokens([*kinds, None, None, None], tokens, attributes)


def _reject(gaps: list[str], starts: list[int]) -> None:
    """Raise LexicalError for the first of `gaps` (texts between tokens) that is not blank."""
    for gap, end in zip(gaps, starts, strict=True):
        rest = gap.lstrip()
        if rest:
            position = end - len(rest)
            what = "unterminated literal" if rest[0] in "\"'" else f"stray character {rest[0]!r}"
            raise LexicalError(what, position)


def _check_nesting(spellings: list[str], starts: list[int]) -> None:
    depths = list(accumulate(map(_DEPTHS.get, spellings, repeat(0))))
    if max(depths) > MAX_NESTING:
        position = starts[next(i for i, depth in enumerate(depths) if depth > MAX_NESTING)]
        raise LexicalError(f"brackets nested more than {MAX_NESTING} deep", position)
