# SPDX-License-Identifier: GPL-2.0-only
"""Entries of a lock reference: what a document says of one lock in a field list.

In: reStructuredText with

    ``kvm_lock``
    ^^^^^^^^^^^^
    :Protects:	- vm_list

Out: `Entry("kvm_lock", (("vm_list", 5),), …)`.

**Invariant:** a document of another form has no entries; nothing here fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

_HEADING = re.compile(r"^``([^`]+)``\s*$")
_UNDERLINE = re.compile(r"^([=\-~^\"'.*+#])\1{2,}\s*$")
_FIELD = re.compile(r"^:(\w[\w ]*):\s*(.*)$")
#: `kvm_arch::{a,b}` and `kvm->memslots`, or a bare name
_MEMBERS = re.compile(r"([A-Za-z_]\w*)(?:::|->|\.)\{([\w, ]+)\}")
_WORD = re.compile(r"[A-Za-z_]\w*(?:(?:->|\.|::)[A-Za-z_]\w*)*")


class Entry(Struct, frozen=True):
    """What a document says that a lock protects."""

    #: as written: `kvm_arch::tsc_write_lock`
    lock: str
    line: int
    #: items that are one name, each with its line; prose is none
    protects: tuple[tuple[str, int], ...]


def entries(text: str) -> Iterator[Entry]:
    """Yield the entries that have a field `Protects`."""
    lines = text.splitlines()
    for number, (line, below) in enumerate(pairwise(lines)):
        heading = _HEADING.match(line)
        if heading and _UNDERLINE.match(below):
            words = tuple(_protected(lines, number + 2))
            if words:
                yield Entry(heading[1], number + 1, words)


def _protected(lines: list[str], start: int) -> Iterator[tuple[str, int]]:
    inside = False
    for number in range(start, len(lines)):
        line = lines[number]
        field = _FIELD.match(line)
        if field:
            inside = field[1] == "Protects"
            line = field[2]
        elif line and not line[0].isspace():
            return
        if inside:
            for word in _words(line):
                yield word, number + 1


def _words(text: str) -> Iterator[str]:
    for match in _MEMBERS.finditer(text):
        for member in match[2].split(","):
            yield f"{match[1]}->{member.strip()}"
    for item in _MEMBERS.sub(" ", text).split(","):
        name = item.strip(" \t-`")
        if _WORD.fullmatch(name):
            yield name
