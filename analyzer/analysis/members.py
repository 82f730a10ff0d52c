# SPDX-License-Identifier: GPL-2.0-only
"""Members by which objects are told apart: what a path accesses, of what type, in what record.

In: access paths. Out: cells, none for a member of a record that many others hold: `list_head.next` is not a member that
means anything; the member that is a `list_head` is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from analyzer.facts.unit import UnitFacts
from analyzer.ir.function import FunctionIR
from analyzer.ir.types import UNKNOWN, CType, Pointer, Record, element
from analyzer.ir.values import AccessPath, Deref, Field, Global, Index, Load, Local, Parameter, Value
from analyzer.program.link import Program

Cell = tuple[str, str]
#: records in records in records …
MAX_DEPTH = 6


class Members:
    """The members of one program."""

    def __init__(self, program: Program) -> None:
        self._records, self._units = program.records, program.units
        self._types: dict[Cell, CType] = {
            (record.name, member.name): member.type for record in program.records.values() for member in record.members
        }
        for unit in program.units.values():
            for item in unit.globals:
                self._types.setdefault(("", item.name), item.type)
        held = Counter(inner.name for ctype in self._types.values() if isinstance(inner := element(ctype), Record))
        later = {
            inner.name
            for record in program.records.values()
            for member in record.members[1:]
            if isinstance(inner := element(member.type), Record)
        } | {
            inner.name
            for (record, _), ctype in self._types.items()
            if not record and isinstance(inner := element(ctype), Record)
        }
        self._links = _links(program)
        #: records that stand in several others, or are nothing but links to their like; not what others only begin with,
        #: which is what they are first of all
        self._parts = frozenset(self._links | {name for name in later if held[name] > 1})

    def holds_for(self, program: Program) -> bool:
        """Tell whether the members are those of another program, too."""
        return self._units.keys() == program.units.keys() and all(
            unit is self._units[name] or _typed(unit) == _typed(self._units[name])
            for name, unit in program.units.items()
        )

    def cell(self, path: AccessPath) -> Cell | None:
        """Return what `path` accesses, or the outer member if it is a part of one; None if it has no name."""
        return self._outer(path, self._parts)

    def lock(self, path: AccessPath, records: Collection[str]) -> str:
        """Return the class of the lock at `path`; empty if it has no name. `records` are those that are locks."""
        cell = self._outer(path, records)
        return ".".join(part for part in cell if part) if cell else ""

    def _outer(self, path: AccessPath, parts: Collection[str]) -> Cell | None:
        selectors = list(path.selectors)
        while selectors:
            last = selectors.pop()
            if isinstance(last, Deref):
                return None
            if isinstance(last, Field) and (last.record not in parts or self._is_link(last)):
                return (last.record, last.member)
            if not isinstance(last, Field | Index):
                return None
        return ("", path.root.name) if isinstance(path.root, Global) else None

    def _is_link(self, field: Field) -> bool:
        """Tell whether a member links its record to others: whatever holds that record, this is what it is there for."""
        ctype = element(self._types.get((field.record, field.member), UNKNOWN))
        return isinstance(ctype, Record) and ctype.name in self._links and field.record not in self._links

    def leads(self, cell: Cell) -> bool:
        """Tell whether objects are found by a member: a pointer, or a record with one."""
        return self._holds_pointer(self._types.get(cell, UNKNOWN), 0)

    def _holds_pointer(self, ctype: CType, depth: int) -> bool:
        ctype = element(ctype)
        layout = self._records.get(ctype.name) if isinstance(ctype, Record) and depth < MAX_DEPTH else None
        return isinstance(ctype, Pointer) or (
            layout is not None and any(self._holds_pointer(member.type, depth + 1) for member in layout.members)
        )

    def pointee(self, cell: Cell) -> str:
        """Return the record that a member points to; empty if it points to none."""
        return _target(element(self._types.get(cell, UNKNOWN)))

    def leads_to(self, cell: Cell, record: str) -> bool:
        """Tell whether objects of a record are found by a member: it points to one, or links one to others."""
        return record in (self.pointee(cell), self.outermost(cell)) if cell[0] else record == self.pointee(cell)

    def outermost(self, cell: Cell) -> str:
        """Return the record of which a member is one, or a part of one."""
        return cell[0].split(".")[0]

    def pointed(self, value: Value, ir: FunctionIR) -> str:
        """Return the record that `value` points to; empty if that is not known."""
        ctype: CType = UNKNOWN
        if isinstance(value, Load):
            path = value.path
            if path.selectors:
                cell = self.cell(path)
                return self.pointee(cell) if cell else ""
            match path.root:
                case Parameter(index, _) if index < len(ir.parameters):
                    ctype = ir.parameters[index].type
                case Local(name):
                    ctype = dict(ir.locals).get(name, UNKNOWN)
        return _target(ctype)


def _target(ctype: CType) -> str:
    """Return the record that a pointer leads to; empty if there is none."""
    if not isinstance(ctype, Pointer):
        return ""
    while isinstance(ctype, Pointer):
        ctype = ctype.to
    return ctype.name if isinstance(ctype, Record) else ""


def _links(program: Program) -> frozenset[str]:
    """Return the records that are nothing but pointers to such records."""
    found: set[str] = set()
    size = -1
    while size < len(found):
        size = len(found)
        for record in program.records.values():
            if record.members and all(_target(member.type) in {*found, record.name} for member in record.members):
                found.add(record.name)
    return frozenset(found)


def _typed(unit: UnitFacts) -> tuple[object, object]:
    """Return what a unit tells of members and variables, without their places."""
    return (
        [(record.name, record.members) for record in unit.records],
        [(item.name, item.type) for item in unit.globals],
    )
