# SPDX-License-Identifier: GPL-2.0-only
"""What a word in a text stands for: a member, a global, a function.

In: a generation, a file, a line and the word there. Out: `Target("kvm_memory_slot.gmem.file", …)`.

Inside a function the accesses of that line tell which record a member belongs to; inside a record it is the record itself.
No text is parsed again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from analyzer.facts.unit import RecordLayout
from analyzer.ir.function import FunctionIR
from analyzer.ir.values import AccessPath, Field, Global
from analyzer.pipeline.live.generation import Generation
from analyzer.program.link import ProgramFunction

#: a record's definition is looked through so far for its members
_MAX_RECORD_LINES = 2000
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)

#: (record, member); ("", name) for a global
Cell = tuple[str, str]


class Standing(Struct, frozen=True):
    """What a word stands for."""

    #: member or global; None for a function
    cell: Cell | None
    #: id of a function of the program; empty for a cell, or where it has no body
    function: str
    name: str


def function_at(generation: Generation, file: str, line: int) -> ProgramFunction | None:
    """Return the function whose definition holds a line, as far as its events tell where it ends."""
    own = [one for one in generation.program.functions.values() if one.ref.location.file == file]
    above = [one for one in own if one.ref.first_line <= line]
    if not above:
        return None
    return max(above, key=lambda one: one.ref.first_line)


def standing(generation: Generation, file: str, line: int, word: str) -> Standing | None:
    """Return what `word` on a line stands for; None where that is not known."""
    function = function_at(generation, file, line)
    if function is not None:
        ir = generation.analysis.facts_of(function.id).ir
        cells = sorted({cell for cell in _cells(ir, line - function.ref.first_line) if cell[1] == word})
        if cells:
            return Standing(cells[0], "", word)
    for record in generation.program.records.values():
        if record.location.file == file and any(member.name == word for member in record.members):
            inside = record.location.line <= line <= record.location.line + _MAX_RECORD_LINES
            if inside and _innermost(generation, file, line, word) == record.name:
                return Standing((record.name, word), "", word)
    return _named(generation, function, file, word)


def _named(generation: Generation, function: ProgramFunction | None, file: str, word: str) -> Standing | None:
    """Return the function, or else the global, that `word` names."""
    program = generation.program
    unit = function.unit if function is not None else file
    ident = program.resolve(unit, word)
    if ident is None:
        ident = next(iter(program.named(word)), None)
    if ident is not None or word in program.declared:
        return Standing(None, ident or "", word)
    if any(item.name == word for unit_facts in program.units.values() for item in unit_facts.globals):
        return Standing(("", word), "", word)
    return None


def _innermost(generation: Generation, file: str, line: int, word: str) -> str:
    """Return the record with a member `word` that begins last before a line."""
    found = [
        record
        for record in generation.program.records.values()
        if record.location.file == file
        and record.location.line <= line
        and any(member.name == word for member in record.members)
    ]
    return max(found, key=lambda record: (record.location.line, record.name)).name if found else ""


def _cells(ir: FunctionIR, line: int) -> Iterator[Cell]:
    """Yield the members and globals in whatever happens on a line of a function."""
    parts = [part for block in ir.blocks for part in (*block.events, block.terminator)]
    work: list[object] = [part for part in parts if getattr(getattr(part, "at", None), "line", -1) == line]
    while work:
        value = work.pop()
        if isinstance(value, Field):
            yield value.record, value.member
        elif isinstance(value, AccessPath) and isinstance(value.root, Global):
            yield "", value.root.name
        if isinstance(value, tuple):
            work.extend(value)
        elif isinstance(value, Struct):
            work.extend(getattr(value, name) for name in value.__struct_fields__)


def member_lines(record: RecordLayout, lines: Sequence[str]) -> dict[str, int]:
    """Return the line of each member of `record`, whose file has these lines."""
    start = record.location.line - 1
    text = "\n".join(lines[start : start + _MAX_RECORD_LINES])
    # comments become blanks, so that lines stay lines
    text = _COMMENT.sub(lambda match: "\n" * match.group().count("\n"), text)
    opening = text.find("{")
    end = _closing(text, opening)
    found = {}
    for member in record.members:
        match = re.compile(rf"\b{re.escape(member.name)}\b(?=[^;{{}}()]*[;,]|\)\s*\()").search(text, opening + 1, end)
        if match is not None:
            found[member.name] = start + 1 + text.count("\n", 0, match.start())
    return found


def _closing(text: str, opening: int) -> int:
    """Return where the brace is that closes the one at `opening`."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(text, max(opening, 0)):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return match.start()
    return len(text)
