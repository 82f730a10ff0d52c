# SPDX-License-Identifier: GPL-2.0-only
"""Places in a text as the client counts them.

In: a line's text, and a column in bytes as compilers count. Out: positions in the client's units, UTF-16 unless agreed
otherwise.
"""

from __future__ import annotations

import re

from lsprotocol import types
from pygls.workspace import PositionCodec

_WORD = re.compile(r"[A-Za-z_]\w*")


def range_at(codec: PositionCodec, line: int, column: int, text: str, name: str = "") -> types.Range:
    """Return the range of `name` on a line, or of what begins at a 1-based column in bytes, or of the whole line."""
    indent = len(text) - len(text.lstrip())
    start = max(len(text.encode()[: max(column - 1, 0)].decode("utf-8", "ignore")), indent)
    end = len(text.rstrip())
    if name:
        found = [match for match in _WORD.finditer(text) if match.group() == name]
        nearest = next((match for match in found if match.start() >= start), found[0] if found else None)
        if nearest is not None:
            start, end = nearest.span()
    start = min(start, end)
    row = max(line - 1, 0)
    return types.Range(
        types.Position(row, codec.client_num_units(text[:start])),
        types.Position(row, codec.client_num_units(text[:end])),
    )


def word_at(codec: PositionCodec, text: str, character: int) -> str:
    """Return the word of a line at, or just before, a position of the client."""
    offset = next((n for n in range(len(text)) if codec.client_num_units(text[:n]) >= character), len(text))
    return next((m.group() for m in _WORD.finditer(text) if m.start() <= offset <= m.end()), "")
