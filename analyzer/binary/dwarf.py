# SPDX-License-Identifier: GPL-2.0-only
"""What DWARF tells of one compilation unit: whose code lies where, what was inlined into it, variables and types.

In: the DWARF of an image. Out: `Unit`: `unit.chain(address)` is `("f", "g")` where `g` was inlined into `f`.

**Source:** DWARF 5, sections 2.17 (code addresses and ranges), 3.3 (subroutines), 3.4 (call sites).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from elftools.dwarf.compileunit import CompileUnit
from elftools.dwarf.die import DIE
from elftools.dwarf.dwarfinfo import DWARFInfo
from elftools.dwarf.ranges import BaseAddressEntry
from msgspec import Struct

_ASSEMBLERS = frozenset({0x8001})
_OP_ADDR = 3
_BLOCKS = frozenset({"DW_TAG_lexical_block", "DW_TAG_inlined_subroutine", "DW_TAG_subprogram"})


def units(dwarf: DWARFInfo) -> Iterator[CompileUnit]:
    """Yield the compilation units."""
    yield from dwarf.iter_CUs()


class Call(Struct, frozen=True):
    """A call site."""

    #: address after the call instruction
    after: int
    #: source names, outermost first
    chain: tuple[str, ...]
    #: is the target known to DWARF?
    direct: bool


class Placed(Struct, frozen=True):
    """A variable with an address."""

    name: str
    #: function that it is local to, or empty
    scope: str
    address: int
    die: DIE


class Unit:
    """One compilation unit, read once."""

    def __init__(self, dwarf: DWARFInfo, unit: CompileUnit) -> None:
        self._ranges: Any = dwarf.range_lists()
        self._unit = unit
        top = unit.get_top_DIE()
        self.source = _text(top, "DW_AT_name")
        self.directory = _text(top, "DW_AT_comp_dir")
        self.assembly = _number(top, "DW_AT_language") in _ASSEMBLERS
        #: source name by entry address
        self.entries: dict[int, str] = {}
        #: by address after the call
        self.calls: dict[int, Call] = {}
        #: (function, function inlined into it)
        self.inlined: set[tuple[str, str]] = set()
        #: names of all functions, declared ones too
        self.functions: set[str] = set()
        #: names of variables, declared ones too
        self.named_variables: set[str] = set()
        self.variables: dict[int, Placed] = {}
        #: definitions of records by tag or typedef
        self.records: dict[str, DIE] = {}
        self._spans: list[tuple[int, int, tuple[str, ...]]] = []
        self._names: dict[int, str] = {}
        for die in top.iter_children():
            self._top(die)
        self._flatten()

    def chain(self, address: int) -> tuple[str, ...]:
        """Return whose code is at `address`, outermost first; empty where DWARF knows no function."""
        position = bisect_right(self._starts, address) - 1
        return self._chains[position] if position >= 0 else ()

    def _top(self, die: DIE) -> None:
        match die.tag:
            case "DW_TAG_subprogram":
                self._subprogram(die)
            case "DW_TAG_variable":
                self._variable(die, "")
            case "DW_TAG_structure_type" | "DW_TAG_union_type":
                name = _text(die, "DW_AT_name")
                if name and "DW_AT_declaration" not in die.attributes:
                    self.records.setdefault(name, die)
            case "DW_TAG_typedef":
                self._typedef(die)

    def _typedef(self, die: DIE) -> None:
        """Name an untagged record by its typedef."""
        if "DW_AT_type" in die.attributes:
            target = die.get_DIE_from_attribute("DW_AT_type")
            if target.tag in {"DW_TAG_structure_type", "DW_TAG_union_type"} and "DW_AT_name" not in target.attributes:
                self.records.setdefault(_text(die, "DW_AT_name"), target)

    def _subprogram(self, die: DIE) -> None:
        name = self._name(die)
        self.functions.add(name)
        spans = list(self._code(die))
        if "DW_AT_low_pc" in die.attributes or spans:
            entry = _number(die, "DW_AT_low_pc") or min(spans)[0]
            self.entries[entry] = name
            self._spans += [(low, high, (name,)) for low, high in spans]
        if die.has_children:
            self._inside(die, (name,))

    def _inside(self, parent: DIE, chain: tuple[str, ...]) -> None:
        for die in parent.iter_children():
            match die.tag:
                case "DW_TAG_inlined_subroutine":
                    self._inlined(die, chain)
                case "DW_TAG_lexical_block":
                    self._inside(die, chain)
                case "DW_TAG_call_site" | "DW_TAG_GNU_call_site":
                    self._call_site(die, chain)
                case "DW_TAG_variable":
                    self._variable(die, chain[0])
                case "DW_TAG_subprogram":
                    self.functions.add(self._name(die))

    def _inlined(self, die: DIE, chain: tuple[str, ...]) -> None:
        name = self._name(die)
        self.inlined.add((chain[-1], name))
        inner = (*chain, name)
        self._spans += [(low, high, inner) for low, high in self._code(die)]
        self._inside(die, inner)

    def _call_site(self, die: DIE, chain: tuple[str, ...]) -> None:
        attributes = die.attributes
        after = attributes.get("DW_AT_call_return_pc") or attributes.get("DW_AT_low_pc")
        if after is not None:
            direct = "DW_AT_call_origin" in attributes or "DW_AT_abstract_origin" in attributes
            self.calls[after.value] = Call(after.value, chain, direct)

    def _variable(self, die: DIE, scope: str) -> None:
        location = die.attributes.get("DW_AT_location")
        value = location.value if location is not None else None
        if scope == "":
            self.named_variables.add(self._name(die))
        if isinstance(value, list) and len(value) == 9 and value[0] == _OP_ADDR:
            address = int.from_bytes(bytes(value[1:]), "little")
            origin = _origin(die)
            self.variables[address] = Placed(_text(origin, "DW_AT_name"), scope or self._owner(origin), address, origin)

    def _owner(self, die: DIE) -> str:
        """Return the function that a variable's declaration stands in."""
        parent = die.get_parent()
        while parent is not None and parent.tag != "DW_TAG_compile_unit":
            if parent.tag == "DW_TAG_subprogram":
                return self._name(parent)
            parent = parent.get_parent()
        return ""

    def _name(self, die: DIE) -> str:
        name = self._names.get(die.offset)
        if name is None:
            name = self._names[die.offset] = _text(_origin(die), "DW_AT_name")
        return name

    def _code(self, die: DIE) -> Iterator[tuple[int, int]]:
        """Yield the address ranges of `die`, end excluded."""
        attributes = die.attributes
        if "DW_AT_ranges" in attributes:
            base = 0
            for entry in self._ranges.get_range_list_at_offset(attributes["DW_AT_ranges"].value, self._unit):
                if isinstance(entry, BaseAddressEntry):
                    base = entry.base_address
                else:
                    shift = 0 if entry.is_absolute else base
                    yield entry.begin_offset + shift, entry.end_offset + shift
        elif "DW_AT_low_pc" in attributes and "DW_AT_high_pc" in attributes:
            low, high = attributes["DW_AT_low_pc"].value, attributes["DW_AT_high_pc"]
            yield low, high.value if high.form == "DW_FORM_addr" else low + high.value

    def _flatten(self) -> None:
        """Cut nested spans into neighbours: at each address the innermost counts."""
        events: dict[int, list[tuple[int, int, tuple[str, ...]]]] = {}
        for low, high, chain in self._spans:
            if low < high:
                events.setdefault(low, []).append((len(chain), high, chain))
        edges = sorted(set(events) | {high for low, high, _ in self._spans if low < high})
        self._starts: list[int] = []
        self._chains: list[tuple[str, ...]] = []
        open_: list[tuple[int, int, tuple[str, ...]]] = []
        for edge in edges:
            open_ = [span for span in open_ if span[1] > edge] + events.get(edge, [])
            self._starts.append(edge)
            self._chains.append(max(open_)[2] if open_ else ())


def _origin(die: DIE) -> DIE:
    """Follow an instance to what it is an instance of, and a definition to its declaration."""
    while "DW_AT_name" not in die.attributes:
        if "DW_AT_abstract_origin" in die.attributes:
            die = die.get_DIE_from_attribute("DW_AT_abstract_origin")
        elif "DW_AT_specification" in die.attributes:
            die = die.get_DIE_from_attribute("DW_AT_specification")
        else:
            break
    return die


def _text(die: DIE, attribute: str) -> str:
    found = die.attributes.get(attribute)
    return "" if found is None else str(found.value.decode("utf-8", "surrogateescape"))


def _number(die: DIE, attribute: str) -> int:
    found: Any = die.attributes.get(attribute)
    return 0 if found is None else int(found.value)
