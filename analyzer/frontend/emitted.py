# SPDX-License-Identifier: GPL-2.0-only
"""Definitions that end up in the object file whether or not anything in the unit uses them.

In: a header's text. Out: those of its functions and variables that are not `static` or have the attribute `used`.

**Source:** GCC manual, "Common Function Attributes" (`used`, `gnu_inline`): `extern inline` emits nothing.
"""

from __future__ import annotations

import re

from analyzer.frontend.heads import DeclarationKind, Standing
from analyzer.frontend.scan import Entry, Scan

_EMITTED_STANDINGS = frozenset({Standing.DEFINED, Standing.TENTATIVE})
_LINKAGE = re.compile(r"\b(?:static|extern|inline|__inline|__inline__)\b")
_USED = re.compile(r"\b(?:used|__used__)\b")
_HEAD_END = re.compile(r"[={]")
#: by number of the scan, which may be of a header that many units share
_emitted: dict[int, tuple[Entry, ...]] = {}


def emitted(part: Scan, text: str) -> tuple[Entry, ...]:
    """List the entries of `part`, a scan of `text`, that an object file holds in any case."""
    found = _emitted.get(part.home)
    if found is None:
        found = _emitted[part.home] = tuple([entry for entry in part.entries if _is_emitted(entry, text)])
    return found


def forget() -> None:
    """Let go of what was found."""
    _emitted.clear()


def _is_emitted(entry: Entry, text: str) -> bool:
    kind = entry.head.kind
    if kind is DeclarationKind.FUNCTION:
        head = text[entry.extent.start : entry.extent.body]
    elif kind is DeclarationKind.ORDINARY and any(standing in _EMITTED_STANDINGS for _, standing in entry.head.names):
        end = _HEAD_END.search(text, entry.extent.start, entry.extent.end)
        head = text[entry.extent.start : end.start() if end else entry.extent.end]
    else:
        return False
    words = set(_LINKAGE.findall(head))
    if "static" in words:
        return _USED.search(head) is not None
    return "extern" not in words
