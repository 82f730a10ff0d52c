# SPDX-License-Identifier: GPL-2.0-only
"""Calls and tail jumps in machine code, without a disassembler.

In: an image and its DWARF. Out: `ObjectCall`s, and the instructions that use a function's address otherwise.

A call of a function in another section or object has a relocation: the opcode stands right before it. A call within a
section was resolved by the assembler; DWARF's call site tells where it ends, and the distance stands before that. Where
the compiler gave a call no call site, the distance to the entry of a function gives it away.

**Source:** Intel SDM, volume 2, CALL, JMP, Jcc. A relative operand is an instruction's last; no other instruction has
the byte of one of these opcodes right before a PC-relative operand, since a ModRM byte that asks for one is 00xxx101.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

from analyzer.binary.dwarf import Call, Unit
from analyzer.binary.image import R_PC32, R_PLT32, Image, Relocation, Section
from analyzer.binary.model import LoadedAddress, ObjectCall

_CALL, _JUMP, _SHORT_JUMP, _TWO_BYTES = 0xE8, 0xE9, 0xEB, 0x0F
_CONDITIONAL = range(0x80, 0x90)
_SHORT_CONDITIONAL = range(0x70, 0x80)
_OPCODE = re.compile(rb"[\xe8\xe9]|\x0f[\x80-\x8f]")
_RELATIVE = frozenset({R_PC32, R_PLT32})
#: pairs of relative addresses: the instruction that may be replaced, and what replaces it
_ALTERNATIVES = ".altinstructions"
_REPLACEMENTS = ".altinstr_replacement"


class Target(Struct, frozen=True):
    """A function as an instruction or a table names it."""

    #: source name
    name: str
    #: spelling in the symbol table
    symbol: str


class Code:
    """The code of one object."""

    def __init__(self, image: Image, unit: Unit) -> None:
        self._image = image
        self._unit = unit
        self.calls: list[ObjectCall] = []
        self.loaded: list[LoadedAddress] = []
        #: call sites that DWARF knows and whose target the instruction does not tell
        self.n_indirect = 0
        self._relocated: set[int] = set()
        self._replaces = dict(self._alternatives())
        for index, section in image.sections.items():
            if section.code and section.allocated:
                for relocation in image.relocations(index):
                    self._read(section, relocation)
        self._decoded: set[int] = set()
        for call in unit.calls.values():
            if call.after - 4 not in self._relocated:
                self._unrelocated(call)
        for section in image.sections.values():
            if section.code and section.allocated:
                self._scan(section)

    def target(self, relocation: Relocation, distance: int = 0) -> Target | None:
        """Return the function whose entry a relocation means; `distance` from its place to what it counts from."""
        symbol = relocation.symbol
        if symbol.address < 0:
            known = symbol.name in self._unit.functions and symbol.name not in self._unit.named_variables
            exact = relocation.addend + distance == 0
            return Target(symbol.name, symbol.name) if exact and (known or symbol.type == "STT_FUNC") else None
        return self._entry(symbol.address + relocation.addend + distance, symbol.name)

    def _entry(self, address: int, spelling: str = "") -> Target | None:
        name = self._unit.entries.get(address)
        symbol = self._image.functions.get(address)
        if symbol is not None and name is None:
            name = spelling if self._is_name_of(spelling, address) else symbol.name
            if self._unit.chain(address):
                return None  # the entry of a part that was split off, which is no function in the source
        return None if name is None else Target(name, symbol.name if symbol is not None else spelling)

    def _is_name_of(self, spelling: str, address: int) -> bool:
        return any(symbol.name == spelling and symbol.address == address for symbol in self._image.symbols if spelling)

    def _read(self, section: Section, relocation: Relocation) -> None:
        offset = relocation.place - section.address
        kind = _kind(section.data, offset) if relocation.type in _RELATIVE else ""
        self._relocated.add(relocation.place)
        if not kind:
            target = self.target(relocation, 4 if relocation.type in _RELATIVE else 0)
            if target is not None:
                chain = self._chain(relocation.place, section)
                self.loaded.append(LoadedAddress(chain, target.name, section.name, offset))
            return
        call = self._unit.calls.get(relocation.place + 4)
        if call is not None and not call.direct:
            self.n_indirect += 1
            return
        symbol = relocation.symbol
        target = Target(symbol.name, symbol.name) if symbol.address < 0 else self.target(relocation, 4)
        if target is not None:
            self._add(section, relocation.place, target, kind, call)

    def _add(self, section: Section, place: int, target: Target, kind: str, call: Call | None) -> None:
        chain = call.chain if call is not None else self._chain(place, section)
        if kind == "jump" and len(chain) == 1 and self._is_own(place, target):
            return  # a loop back to the beginning
        kind = "patched" if section.name == _REPLACEMENTS else kind
        self.calls.append(ObjectCall(chain, target.name, kind, section.name, place - section.address, target.symbol))

    def _is_own(self, place: int, target: Target) -> bool:
        symbol = self._image.function_at(place)
        return symbol is not None and symbol.name == target.symbol

    def _chain(self, place: int, section: Section) -> tuple[str, ...]:
        if section.name == _REPLACEMENTS:
            place = self._replaced(place)
        chain = self._unit.chain(place)
        if chain:
            return chain
        symbol = self._image.function_at(place)
        return (symbol.name,) if symbol is not None else ()

    def _replaced(self, place: int) -> int:
        """Return the address of the instruction that the one around `place` may replace."""
        return self._replaces.get(max((start for start in self._replaces if start <= place), default=-1), place)

    def _alternatives(self) -> Iterator[tuple[int, int]]:
        for index, section in self._image.sections.items():
            if section.name == _ALTERNATIVES:
                relocations = self._image.relocations(index)
                for first, second in pairwise(relocations):
                    if second.place == first.place + 4 and first.symbol.address >= 0 <= second.symbol.address:
                        yield second.symbol.address + second.addend, first.symbol.address + first.addend

    def _unrelocated(self, call: Call) -> None:
        """Decode the call that ends before `call.after` and whose operand needs no relocation."""
        section = self._image.section_at(call.after - 1)
        if section is None:
            return
        decoded = _distance(section.data, call.after - section.address) if call.direct else None
        if decoded is None:
            self.n_indirect += not call.direct
            return
        kind, distance, width = decoded
        self._decoded.add(call.after - width)
        target = self._entry(call.after + distance)
        if target is not None:
            self._add(section, call.after - width, target, kind, call)

    def _scan(self, section: Section) -> None:
        """Find the few calls without a call site in DWARF: opcodes whose distance leads to the entry of a function.

        Other bytes that look so lead to one of some hundred entries among 2**32 places by chance alone, about never;
        what they led to would be told as missing in the source.
        """
        for match in _OPCODE.finditer(section.data, 0, max(len(section.data) - 4, 0)):
            place = section.address + match.end()
            if place in self._relocated or place in self._decoded:
                continue
            distance = int.from_bytes(section.data[match.end() : match.end() + 4], "little", signed=True)
            target = self._entry(place + 4 + distance)
            if target is not None:
                self._add(section, place, target, "call" if section.data[match.start()] == _CALL else "jump", None)


def _kind(data: bytes, offset: int) -> str:
    """Tell what the instruction with a 32-bit operand at `offset` is: `call`, `jump`, or empty for any other."""
    opcode = data[offset - 1] if offset else 0
    if opcode == _CALL:
        return "call"
    if opcode == _JUMP or (opcode in _CONDITIONAL and offset > 1 and data[offset - 2] == _TWO_BYTES):
        return "jump"
    return ""


def _distance(data: bytes, end: int) -> tuple[str, int, int] | None:
    """Return kind, distance and width of the operand of the call or jump that ends at `end`."""
    kind = _kind(data, end - 4)
    if kind:
        return kind, int.from_bytes(data[end - 4 : end], "little", signed=True), 4
    if data[end - 2] == _SHORT_JUMP or data[end - 2] in _SHORT_CONDITIONAL:
        return "jump", int.from_bytes(data[end - 1 : end], "little", signed=True), 1
    return None
