# SPDX-License-Identifier: GPL-2.0-only
"""Members that only ever hold certain constants.

In: every function's flow. Out: for each member that nothing but constants is stored in, their set, and 0: memory that
was cleared.

**Invariant:** a member whose address is handed to anybody, or whose record is filled by other means than copying one of
its kind, is not told of; nor is a member of a union, which others store into.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from analyzer.facts.unit import RecordLayout
from analyzer.ir.types import UNKNOWN, CType, Pointer, Record, element
from analyzer.program.buffers import Cell, filled
from analyzer.program.flow import FlowFacts
from analyzer.program.link import Program
from analyzer.spec.effect import Primitive


def member_constants(
    flows: Mapping[str, FlowFacts], program: Program, rows: Mapping[str, Primitive]
) -> Mapping[Cell, frozenset[int]]:
    """Return the values that members can have, for those where that is known; `rows` tell of functions without a body."""
    # what a table says a function does with an object, it does nothing else with it
    stated = {name for name, row in rows.items() if any(effect.kind == "access" for effect in row.effects)}
    found: dict[Cell, set[int]] = defaultdict(lambda: {0})
    computed: set[Cell] = set()
    for flow in flows.values():
        computed.update(flow.computed)
        for record, member, value in flow.constants:
            found[record, member].add(value)
    unknown = _filled_records(filled({ident: flow.handed for ident, flow in flows.items()}, stated), program)
    return {
        cell: frozenset(values)
        for cell, values in found.items()
        if cell not in computed and (cell[0], "") not in computed and cell[0] not in unknown
    }


def _filled_records(cells: Iterable[Cell], program: Program) -> set[str]:
    """Return the records of which some object is filled with what is not known, with those inside them, and unions."""
    layouts = program.records
    types: dict[Cell, CType] = {("", item.name): item.type for unit in program.units.values() for item in unit.globals}
    work = [layout.name for layout in layouts.values() if layout.kind == "union"]
    for record, member in cells:
        ctype = _type(layouts.get(record), member) if record else types.get(("", member), UNKNOWN)
        work += [record] if record and not member else _records(ctype)
    unknown: set[str] = set()
    while work:
        record = work.pop()
        if record not in unknown:
            unknown.add(record)
            layout = layouts.get(record)
            work += [item.name for member in layout.members for item in _inside(member.type)] if layout else []
    return unknown


def _type(layout: RecordLayout | None, name: str) -> CType:
    members = layout.members if layout is not None else ()
    return next((member.type for member in members if member.name == name), UNKNOWN)


def _records(ctype: CType) -> list[str]:
    """Return the record that a buffer of this type is, or points to."""
    if isinstance(ctype, Pointer):
        ctype = ctype.to
    return [item.name for item in _inside(ctype)]


def _inside(ctype: CType) -> Iterator[Record]:
    inner = element(ctype)
    if isinstance(inner, Record):
        yield inner
