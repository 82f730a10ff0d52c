# SPDX-License-Identifier: GPL-2.0-only
"""Function addresses in data.

In: an image and its DWARF. Out: `StoredAddress`es, and the variables that hold them with all their pointers.
"""

from __future__ import annotations

from bisect import bisect_right

from analyzer.binary.calls import Code
from analyzer.binary.dwarf import Placed, Unit
from analyzer.binary.image import R_64, R_PC32, R_PC64, Image, Relocation, Section, Symbol
from analyzer.binary.layout import pointers
from analyzer.binary.model import StoredAddress, Variable


class Data:
    """The data of one object."""

    def __init__(self, image: Image, unit: Unit, code: Code) -> None:
        self._unit = unit
        self._code = code
        objects = {s.address: s for s in image.symbols if s.type == "STT_OBJECT" and s.address >= 0}
        self._objects = [objects[address] for address in sorted(objects)]
        self._starts = [symbol.address for symbol in self._objects]
        self.stored: list[StoredAddress] = []
        self._holders: dict[int, Placed] = {}
        for index, section in image.sections.items():
            if section.allocated and not section.code:
                for relocation in image.relocations(index):
                    self._read(section, relocation)

    def variables(self) -> list[Variable]:
        """Return the variables that hold a function's address."""
        return [Variable(v.name, v.scope, pointers(v.die)) for _, v in sorted(self._holders.items())]

    def _read(self, section: Section, relocation: Relocation) -> None:
        if relocation.type not in {R_64, R_PC32, R_PC64}:
            return
        target = self._code.target(relocation)
        if target is None:
            return
        symbol = self._object_at(relocation.place)
        base = symbol.address if symbol is not None else section.address
        variable = self._unit.variables.get(base) if symbol is not None else None
        relative = relocation.type != R_64
        name, scope = (symbol.name, "") if symbol is not None else ("", "")
        if variable is not None:
            self._holders[base] = variable
            name, scope = variable.name, variable.scope
        self.stored.append(StoredAddress(target.name, name, scope, relocation.place - base, section.name, relative))

    def _object_at(self, address: int) -> Symbol | None:
        position = bisect_right(self._starts, address) - 1
        symbol = self._objects[position] if position >= 0 else None
        return symbol if symbol is not None and address < symbol.address + symbol.size else None
