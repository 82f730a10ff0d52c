# SPDX-License-Identifier: GPL-2.0-only
"""An object file laid out in one address space, its relocations sorted.

In: a relocatable ELF file for x86-64. Out: sections at addresses of their own, functions by address, relocations as
(place, type, symbol, addend), and DWARF whose addresses are of the same space.

**Invariant:** two bytes of the file that a program can address never have the same address here.
**Source:** System V ABI, AMD64 supplement, table 4.9: relocation types.
"""

from __future__ import annotations

import io
import struct
from bisect import bisect_right
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.dwarf.dwarfinfo import DWARFInfo
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section as ElfSection
from msgspec import Struct

from analyzer.base.errors import InputError

R_64, R_PC32, R_PLT32, R_32, R_32S, R_PC64 = 1, 2, 4, 10, 11, 24
_WIDTH = {R_64: 8, R_32: 4, R_32S: 4}
#: sections never loaded get addresses from here on, so that none looks like one of the program
_START = 1 << 20
_ALIGNMENT = 1 << 8


class Section(Struct, frozen=True):
    """A section and where it was put."""

    name: str
    address: int
    size: int
    code: bool
    allocated: bool
    data: bytes


class Symbol(Struct, frozen=True):
    """An entry of the symbol table."""

    name: str
    #: in the image; -1 if the object does not define it
    address: int
    size: int
    #: `STT_FUNC`, `STT_OBJECT`, `STT_NOTYPE`, `STT_SECTION`
    type: str


class Relocation(Struct, frozen=True):
    """A place in the image and what its value is computed from."""

    place: int
    type: int
    symbol: Symbol
    addend: int


class Image:
    """One object file."""

    def __init__(self, path: Path) -> None:
        """Read `path`; raise `InputError` for what is no relocatable object for x86-64."""
        try:
            with path.open("rb") as stream:
                self._read(ELFFile(io.BytesIO(stream.read())))
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        except (ELFError, struct.error, UnicodeDecodeError, KeyError, AssertionError) as error:
            raise InputError(f"{path}: is no object file that can be understood: {error}") from error

    def _read(self, elf: ELFFile) -> None:
        if elf["e_type"] != "ET_REL" or elf["e_machine"] != "EM_X86_64":
            raise ELFError(f"{elf['e_type']} for {elf['e_machine']}; an ET_REL for EM_X86_64 is needed")
        self.sections: dict[int, Section] = {}
        address = _START
        for index, section in enumerate(elf.iter_sections()):
            if section["sh_type"] == "SHT_PROGBITS" or section["sh_type"] == "SHT_NOBITS":
                self.sections[index] = _section(section, address)
                address += (section["sh_size"] + 2 * _ALIGNMENT) // _ALIGNMENT * _ALIGNMENT
        self._starts = [section.address for section in self.sections.values()]
        self._by_start = list(self.sections.values())
        self.symbols = self._symbols(elf)
        self.functions = {
            symbol.address: symbol for symbol in self.symbols if symbol.type == "STT_FUNC" and symbol.address >= 0
        }
        self._entries = sorted(self.functions)
        self._relocations = {
            section["sh_info"]: section.data() for section in elf.iter_sections() if section["sh_type"] == "SHT_RELA"
        }
        self.dwarf = self._dwarf(elf) if elf.has_dwarf_info() else None

    def _symbols(self, elf: ELFFile) -> list[Symbol]:
        table: Any = elf.get_section_by_name(".symtab")
        if table is None:
            raise ELFError("no symbol table")
        symbols = []
        for entry in table.iter_symbols():
            index = entry["st_shndx"]
            section = self.sections.get(index) if isinstance(index, int) else None
            address = section.address + entry["st_value"] if section else -1
            name = entry.name
            symbols.append(Symbol(name, address, entry["st_size"], entry["st_info"]["type"]))
        return symbols

    def relocations(self, index: int) -> list[Relocation]:
        """Return the relocations of section `index` in order of their places."""
        data = self._relocations.get(index, b"")
        base = self.sections[index].address
        found = [
            Relocation(base + offset, info & 0xFFFFFFFF, self.symbols[info >> 32], addend)
            for offset, info, addend in struct.iter_unpack("<QQq", data)
        ]
        return sorted(found, key=lambda relocation: relocation.place)

    def section_at(self, address: int) -> Section | None:
        """Return the section that holds `address`."""
        position = bisect_right(self._starts, address) - 1
        if position < 0:
            return None
        section = self._by_start[position]
        return section if address < section.address + max(section.size, 1) else None

    def function_at(self, address: int) -> Symbol | None:
        """Return the function whose code holds `address`."""
        position = bisect_right(self._entries, address) - 1
        if position < 0:
            return None
        symbol = self.functions[self._entries[position]]
        return symbol if address < symbol.address + max(symbol.size, 1) else None

    def _dwarf(self, elf: ELFFile) -> DWARFInfo:
        """Return DWARF with relocated addresses; pyelftools itself would take seconds for each file."""
        dwarf = elf.get_dwarf_info(relocate_dwarf_sections=False)
        for index, section in self.sections.items():
            part = {".debug_info": dwarf.debug_info_sec, ".debug_rnglists": dwarf.debug_rnglists_sec}.get(section.name)
            if part is not None and index in self._relocations:
                part.stream.seek(0)
                data = bytearray(part.stream.read())
                self._apply(self._relocations[index], data)
                part.stream.seek(0)
                part.stream.write(data)
        return dwarf

    def _apply(self, relocations: bytes, data: bytearray) -> None:
        """Write relocated values; debugging sections among the targets lie at 0, as their offsets want."""
        symbols = self.symbols
        put4, put8 = struct.Struct("<I").pack_into, struct.Struct("<Q").pack_into
        bases = [self._base(symbol) for symbol in symbols]
        for offset, info, addend in struct.iter_unpack("<QQq", relocations):
            value = bases[info >> 32] + addend
            width = _WIDTH.get(info & 0xFFFFFFFF)
            if width == 8:
                put8(data, offset, value & 0xFFFFFFFFFFFFFFFF)
            elif width == 4:
                put4(data, offset, value & 0xFFFFFFFF)
            else:
                raise ELFError(f"relocation type {info & 0xFFFFFFFF} in debugging information")

    def _base(self, symbol: Symbol) -> int:
        section = self.section_at(symbol.address) if symbol.address >= 0 else None
        if section is None:
            return 0
        return symbol.address if section.allocated else symbol.address - section.address


def _section(section: ElfSection, address: int) -> Section:
    flags = section["sh_flags"]
    data = section.data() if section["sh_type"] == "SHT_PROGBITS" else b""
    return Section(
        section.name,
        address,
        section["sh_size"],
        bool(flags & SH_FLAGS.SHF_EXECINSTR),
        bool(flags & SH_FLAGS.SHF_ALLOC),
        data,
    )
