# SPDX-License-Identifier: GPL-2.0-only
"""What one segment declares, by name.

In: a segment. Out: `Scan` with an `Entry` for each external declaration and dictionaries from names to entries.

**Invariant:** scans depend on a segment's text alone and are remembered for the life of the process, so that a header
that forty units include is scanned once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from msgspec import Struct

from analyzer.frontend.attributes import ANNOTATIONS
from analyzer.frontend.extents import Extent, Trouble, find_extents
from analyzer.frontend.heads import DeclarationKind, Head, Standing, read_head
from analyzer.frontend.lexer import Lines
from analyzer.source.segment import Segment


class Entry(Struct, frozen=True, eq=False, gc=False):
    """One external declaration in a scanned text."""

    #: number of the scan
    home: int
    extent: Extent
    head: Head


class Scan(Struct, frozen=True, eq=False):
    """The declarations of a segment's text, from some position on."""

    home: int
    entries: tuple[Entry, ...]
    functions: tuple[Entry, ...]
    asms: tuple[Entry, ...]
    #: by standing of the name
    defined: dict[str, Entry]
    tentative: dict[str, Entry]
    declared: dict[str, Entry]
    #: declarations of functions, without a body, that are annotated with locks
    annotated: dict[str, list[Entry]]
    typedefs: dict[str, Entry]
    tags: dict[str, Entry]
    enumerators: dict[str, Entry]
    troubles: tuple[Trouble, ...]
    #: where a declaration begins that does not end in this text, -1 if there is none
    unfinished: int
    #: lines of the text, as if it began on line 0
    lines: Lines


_scans: dict[tuple[str, int], Scan] = {}
_homes = count()
#: an attribute that says something of locks, or a word like one
_ANNOTATION = re.compile(
    rf"\b(?:__)?(?:{'|'.join(sorted(ANNOTATIONS - {'context'}))})(?:__)?\b|\b(?:__)?context(?:__)?\s*\("
)
_NAMING = frozenset({DeclarationKind.FUNCTION, DeclarationKind.ORDINARY, DeclarationKind.TYPEDEF})


def forget() -> None:
    """Let go of all scans."""
    _scans.clear()


def scan(segment: Segment, position: int = 0) -> Scan:
    """Scan `segment` from `position` in its text on."""
    key = (segment.digest, position)
    found = _scans.get(key)
    if found is None:
        found = _scans[key] = _scan(segment.text, position)
    return found


#: `extern typeof(f) f;`, as EXPORT_SYMBOL writes it: adds nothing to what is known of f
_OWN_TYPE = re.compile(r"extern\s+(?:__)?typeof(?:__)?\s*\(\s*(\w+)\s*\)\s*\1\s*;")


def _says_nothing(text: str, entry: Entry) -> bool:
    """Tell whether a declaration gives a name its own type."""
    return text.startswith("extern", entry.extent.start) and _OWN_TYPE.match(text, entry.extent.start) is not None


def _nameless(entries: tuple[Entry, ...]) -> Iterator[Trouble]:
    """Yield a trouble for what stands where a declaration should and declares nothing."""
    for entry in entries:
        if not entry.head.names and entry.head.kind in _NAMING:
            yield Trouble(entry.extent.start, "not a declaration")


def _annotated(text: str, entries: tuple[Entry, ...]) -> dict[str, list[Entry]]:
    """Return the annotated declarations without a body, by name."""
    found: dict[str, list[Entry]] = {}
    if _ANNOTATION.search(text) is None:
        return found
    for entry in entries:
        if entry.head.kind is DeclarationKind.ORDINARY and _ANNOTATION.search(
            text, entry.extent.start, entry.extent.end
        ):
            for name, standing in entry.head.names:
                if standing is Standing.DECLARED:
                    found.setdefault(name, []).append(entry)
    return found


def _scan(text: str, position: int) -> Scan:
    found = find_extents(text, position)
    home = next(_homes)
    entries = tuple([Entry(home, extent, read_head(text, extent)) for extent in found.extents])
    named: dict[Standing, dict[str, Entry]] = {standing: {} for standing in Standing}
    typedefs: dict[str, Entry] = {}
    tags: dict[str, Entry] = {}
    enumerators: dict[str, Entry] = {}
    for entry in entries:
        head = entry.head
        if _says_nothing(text, entry):
            continue
        for name, standing in head.names:
            (typedefs if head.kind == DeclarationKind.TYPEDEF else named[standing])[name] = entry
        for name in head.tags:
            tags[name] = entry
        for name in head.enumerators:
            enumerators[name] = entry
    return Scan(
        home,
        entries,
        tuple([entry for entry in entries if entry.head.kind is DeclarationKind.FUNCTION]),
        tuple([entry for entry in entries if entry.head.kind is DeclarationKind.ASM]),
        named[Standing.DEFINED],
        named[Standing.TENTATIVE],
        named[Standing.DECLARED],
        _annotated(text, entries),
        typedefs,
        tags,
        enumerators,
        found.troubles + tuple(_nameless(entries)),
        found.unfinished,
        Lines("", 0, text),
    )
