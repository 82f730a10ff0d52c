# SPDX-License-Identifier: GPL-2.0-only
"""Preprocessed text out of bytes that may be anything.

In: what the compiler or a `.i` file gave. Out: text and the gaps in it, or only a gap when it is no C at all.

**Invariant:** the text has no NUL and no lone surrogate; line feeds are its only line ends.
"""

from __future__ import annotations

from msgspec import Struct

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.source.split import unfinished

#: bytes that no C source holds, not even in its literals
_BINARY = tuple(bytes([code]) for code in range(9))


class UnitText(Struct, frozen=True):
    """One translation unit's preprocessed text."""

    text: str
    #: what in it could not be read; the rest can
    gaps: tuple[Gap, ...] = ()


def decode_unit(data: bytes, shown: str, unit: str) -> UnitText | Gap:
    """Decode `data` of translation unit `unit`; `shown` is the file to name in a gap."""
    binary = min((offset for code in _BINARY if (offset := data.find(code)) >= 0), default=-1)
    if binary >= 0:
        line, column = _place(data, binary)
        text = f"byte {data[binary]:#04x} at {shown}:{line}:{column}: this is not C; the unit is skipped"
        return Gap(GapKind.UNIT, Location(unit, 1), text)
    if not data.strip():
        return Gap(GapKind.UNIT, Location(unit, 1), f"{shown} is empty; the unit is skipped")
    gaps: tuple[Gap, ...] = ()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _place(data, error.start)
        text = data.decode("utf-8", "replace")
        what = f"byte {data[error.start]:#04x} at {shown}:{line}:{column} is not UTF-8; read as U+FFFD"
        gaps = (Gap(GapKind.ENCODING, Location(unit, 1), what),)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    truncated = unfinished(text)
    if truncated:
        what = f"{shown} ends inside {truncated}: it was truncated; the unit is skipped"
        return Gap(GapKind.UNIT, Location(unit, 1), what)
    return UnitText(text, gaps)


def _place(data: bytes, offset: int) -> tuple[int, int]:
    """Return line and column of a byte."""
    return data.count(b"\n", 0, offset) + 1, offset - data.rfind(b"\n", 0, offset)
