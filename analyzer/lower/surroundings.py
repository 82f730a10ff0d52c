# SPDX-License-Identifier: GPL-2.0-only
"""What stands around a unit's functions: variables, ops tables, prototypes, records, exports.

In: the unit's declarations and what its functions use. Out: UnitFacts without the functions.

**Source:** Linux include/linux/export.h (export entries), include/linux/init.h (initcall entries, exit calls),
include/linux/module.h (a module's two entries, by alias).
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import structs
from pycparser import c_ast

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.facts.unit import (
    Declared,
    FunctionRef,
    GlobalVariable,
    Initialiser,
    Member,
    RecordLayout,
    TableAddress,
    UnitFacts,
)
from analyzer.frontend.index import Declaration, DeclarationKind, DeclarationTable, ParseError
from analyzer.frontend.types import Outside, Types, attribute_names
from analyzer.ir.types import INT, UNKNOWN, Array, CType, Function, Pointer, Record
from analyzer.ir.values import AccessPath, Container, Field, Global
from analyzer.lower.annotations import annotated
from analyzer.lower.tables import functions_in, is_discarded, variables_in
from analyzer.source.segment import Segment

#: annotations of members and variables, by attribute
_GUARDS = {"guarded_by": "guarded_by", "pt_guarded_by": "pt_guarded_by", "lockspec_rcu": "__rcu"}
#: the symbols that the module loader calls
_MODULE_ENTRIES = {"init_module", "cleanup_module"}
_EXPORT = re.compile(r"__export_symbol_(\w+):")
#: an initcall's entry in its section, relative to where it stands
_INITCALL = re.compile(r"\.long\s*(?:\\t|\\n|\s)*([A-Za-z_]\w*)\s+-\s+\.")


def is_header(file: str) -> bool:
    """Tell whether `file` is a header, by its name."""
    return file.endswith(".h")


def is_own(segment: Segment) -> bool:
    """Tell whether `segment` is the unit's own text: of its main file, or of a file included that is no header."""
    return segment.depth == 0 or not is_header(segment.file)


class Surroundings:
    """What a unit's functions stand in."""

    def __init__(self, table: DeclarationTable, outside: Outside) -> None:
        self._table = table
        self._outside = outside
        self._types = Types(outside)
        self._globals: dict[str, GlobalVariable] = {}
        self._initialisers: list[Initialiser] = []
        self._addresses: list[TableAddress] = []
        self._named: set[str] = set()
        self._records: set[str] = set()
        self._exports: set[str] = set()
        self._initcalls: set[str] = set()
        self._gaps: list[Gap] = []

    def read_own(self) -> None:
        """Read what the unit defines for others: its variables, exports and initcalls."""
        for declaration in self._table.asms():
            self._read_assembly(declaration)
        for declaration in self._table.declarations(is_own):
            if declaration.kind == DeclarationKind.ORDINARY:
                self._read_variables(declaration, None)
        # A header that is included to define things, once in the program, defines them for all units.
        for declaration in self._table.emitted(is_own):
            if declaration.body < 0:
                self._read_variables(declaration, None)

    def use(self, ref: FunctionRef, outline: Any) -> None:
        """Add what a function uses."""
        self._named.update(outline.calls)
        self._named.update(taken.function for taken in outline.address_taken)
        for name in outline.fields:
            self._records.add(name.rpartition(".")[0])
        statics = {static.name for static in outline.statics}
        for static in outline.statics:
            location = _place(static.location, ref)
            self._globals[static.name] = structs.replace(static, location=location)
            self._note_type(static.type)
        for initialiser in outline.initialisers:
            self._add_initialiser(structs.replace(initialiser, location=_place(initialiser.location, ref)))
        for name in outline.globals:
            if name not in statics and name not in self._globals:
                declaration = self._table.ordinary(name)
                if declaration is not None:
                    self._read_variables(declaration, name)

    def reached_functions(self) -> list[str]:
        """List the functions that initialisers and initcalls name."""
        return sorted({i.function for i in self._initialisers} | self._initcalls)

    def facts(self, name: str, defined: set[str]) -> UnitFacts:
        """Put together all but the functions, of which the unit defines those named `defined`."""
        self._named.update(initialiser.function for initialiser in self._initialisers)
        declared = [self._declared(function) for function in sorted(self._named - defined)]
        records = [layout for record in sorted(self._records) if (layout := self._layout(record)) is not None]
        return UnitFacts(
            name,
            (),
            tuple(declared),
            tuple(self._globals[key] for key in sorted(self._globals)),
            tuple(sorted(set(self._initialisers), key=_initialiser_key)),
            tuple(records),
            tuple(sorted(self._exports)),
            tuple(sorted(self._initcalls)),
            tuple(sorted(set(self._gaps))),
            tuple(sorted(set(self._addresses), key=repr)),
        )

    def _read_assembly(self, declaration: Declaration) -> None:
        """Read top-level assembly: EXPORT_SYMBOL and the initcall macros write their entries with it."""
        if "export_symbol" not in declaration.text and "initcall" not in declaration.text:
            return
        for node in self._parse(declaration):
            template = getattr(node, "template", "")
            self._exports.update(_EXPORT.findall(template))
            if ".initcall" in template or "initcall_" in template:
                self._initcalls.update(_INITCALL.findall(template))

    def _read_variables(self, declaration: Declaration, wanted: str | None) -> None:
        """Read the variables that a declaration declares, or the one named `wanted`."""
        for node in self._parse(declaration):
            if type(node) is not c_ast.Decl or node.name is None or (wanted is not None and node.name != wanted):
                continue
            attributes = attribute_names(node)
            if is_discarded(node):
                continue
            if "alias" in attributes and node.name in _MODULE_ENTRIES:
                self._initcalls.add(attributes["alias"].strip('"'))
            ctype = self._types.declared(node, node.name)
            if not isinstance(ctype, Function):
                self._read_variable(node, ctype, declaration)
        self._forget_unknown(declaration)

    def _read_variable(self, node: Any, ctype: CType, declaration: Declaration) -> None:
        name, storage = node.name, node.storage or ()
        location = Location(declaration.file, *node.coord.lines.place(node.coord.position))
        defined = "extern" not in storage or node.init is not None
        known = self._globals.get(name)
        if known is None or (defined and not known.defined) or node.init is not None:
            self._globals[name] = GlobalVariable(name, location, ctype, "static" in storage, defined, _guards(node))
        self._note_type(ctype)
        if node.init is None:
            return
        found = functions_in(self._types, AccessPath(Global(name)), ctype, node.init, declaration.file, 0)
        self._addresses += variables_in(self._types, AccessPath(Global(name)), ctype, node.init)
        section = attribute_names(node).get("section", "")
        if "initcall" in section or "exitcall" in section:
            self._initcalls.update(initialiser.function for initialiser in found)
            return
        for initialiser in found:
            self._add_initialiser(initialiser)
        self._read_named(node.init)

    def _read_named(self, init: Any) -> None:
        """Read the header's variables that an initialiser names: they are in the unit with it."""
        pending = [init]
        while pending:
            node = pending.pop()
            pending.extend(child for _, child in node.children())
            if type(node) is c_ast.ID and node.name not in self._globals:
                declaration = self._table.ordinary(node.name)
                if declaration is not None and declaration.body < 0 and is_header(declaration.file):
                    self._read_variables(declaration, node.name)

    def _add_initialiser(self, initialiser: Initialiser) -> None:
        self._initialisers.append(initialiser)
        for selector in initialiser.path.selectors:
            if isinstance(selector, Field | Container):
                self._records.add(selector.record)

    def _note_type(self, ctype: CType) -> None:
        """Note the record that a variable consists of or points to."""
        while isinstance(ctype, Array | Pointer):
            ctype = ctype.of if isinstance(ctype, Array) else ctype.to
        if isinstance(ctype, Record):
            self._records.add(ctype.name)

    def _declared(self, name: str) -> Declared:
        """Describe a function that the unit does not define."""
        declared = self._types.declaration(name)
        declaration = self._table.ordinary(name)
        location = Location("", 0) if declaration is None else Location(declaration.file, declaration.line)
        if declared is None:
            return Declared(name, location, Function(INT, (), True))
        return Declared(name, location, declared.type, declared.noreturn, annotated(self._types, name))

    def _layout(self, name: str) -> RecordLayout | None:
        """Describe the record named `name`; None for one defined inside a function, or nowhere in the unit."""
        root = name.partition(".")[0]
        found = self._outside.remembered(f"g:{root}!{name}!!!", lambda: self._members(name))
        if found is None:
            return None
        kind, members, line = found
        for declaration in (self._table.tag(root), self._table.typedef(root), self._table.ordinary(root)):
            if declaration is not None:
                return RecordLayout(name, kind, members, Location(declaration.file, declaration.line + line))
        return None

    def _members(self, name: str) -> tuple[str, tuple[Member, ...], int] | None:
        shape = self._types.shape(name)
        if shape is None:
            return None
        kind = "struct" if type(shape.node) is c_ast.Struct else "union"
        record = Record(kind, name)
        members = [
            Member(member, self._types.member(record, member) or UNKNOWN, _guards(decl))
            for member, decl in shape.promoted.items()
        ]
        coord = shape.node.coord
        line = 0 if coord is None else coord.lines.place(coord.position)[0] - coord.lines.first
        return kind, tuple(members), line

    def _parse(self, declaration: Declaration) -> list[Any]:
        try:
            return self._table.parse(declaration)
        except ParseError as error:
            self._gaps.append(Gap(GapKind.DECLARATION, error.location, error.text))
            return []

    def _forget_unknown(self, declaration: Declaration) -> None:
        """Turn what the types could not find into gaps."""
        for _, text in self._types.unknown:
            self._gaps.append(Gap(GapKind.TYPE, Location(declaration.file, declaration.line), text))
        self._types.unknown.clear()


def _place(location: Location, ref: FunctionRef) -> Location:
    """Turn a place in a function into one in its file."""
    return Location(ref.location.file, ref.first_line + location.line, location.column)


def _initialiser_key(initialiser: Initialiser) -> tuple[Location, str, str]:
    return initialiser.location, initialiser.function, repr(initialiser.path)


def _guards(decl: Any) -> tuple[tuple[str, str], ...]:
    """Return the annotations of a member, or a variable, that say how it is guarded."""
    return tuple((_GUARDS[name], text) for name, text in attribute_names(decl).items() if name in _GUARDS)
