# SPDX-License-Identifier: GPL-2.0-only
"""Linking: functions of all units under one set of identities, names resolved by C's linkage rules.

In: UnitFacts of every unit. Out: `Program`; `program.resolve("virt/kvm/kvm_main.c", "kvm_gmem_bind")` is
`"virt/kvm/guest_memfd.c:kvm_gmem_bind"`.

**Invariant:** the result does not depend on the order in which units were extracted.
"""

from collections.abc import Sequence

from msgspec import Struct

from analyzer.base.location import Location
from analyzer.facts.unit import FunctionRef, RecordLayout, UnitFacts
from analyzer.ir.function import Claim
from analyzer.ir.types import CType, Function


class ProgramFunction(Struct, frozen=True):
    """A function defined in some unit; a header's inline function that is equal everywhere is one."""

    #: `file:name`; a second definition under the same name in the same file adds `#` and digits of its facts' key
    id: str
    name: str
    #: unit whose names its calls are resolved in: the first that holds it
    unit: str
    ref: FunctionRef


class Program:
    """All units, linked."""

    def __init__(self, units: Sequence[UnitFacts]) -> None:
        #: by name
        self.units = {unit.name: unit for unit in sorted(units, key=lambda unit: unit.name)}
        #: by id
        self.functions: dict[str, ProgramFunction] = {}
        #: record layouts by record name; the first definition wins
        self.records: dict[str, RecordLayout] = {}
        #: functions that are only declared: name to location
        self.declared: dict[str, Location] = {}
        #: types of declared functions, by name
        self.signatures: dict[str, CType] = {}
        #: what the declarations of functions claim by annotations, with their places
        self.annotated: dict[str, tuple[tuple[Claim, ...], Location]] = {}
        #: functions given to EXPORT_SYMBOL*(), and to the initcall macros
        self.exports: frozenset[str] = frozenset(name for unit in units for name in unit.exports)
        self.initcalls: frozenset[str] = frozenset(name for unit in units for name in unit.initcalls)
        self._static: dict[tuple[str, str], str] = {}
        self._external: dict[str, str] = {}
        #: definitions that give way to one in `_external`
        self._weak: dict[str, str] = {}
        #: the same, by the unit that holds them
        self._weak_in: dict[tuple[str, str], str] = {}
        for unit in self.units.values():
            self._add(unit)

    def _add(self, unit: UnitFacts) -> None:
        for ref in unit.functions:
            if ref.facts_key:
                self._add_function(unit, ref)
        for record in unit.records:
            self.records.setdefault(record.name, record)
        for declared in unit.declared:
            self.declared.setdefault(declared.name, declared.location)
            if declared.claims:
                self.annotated.setdefault(declared.name, (declared.claims, declared.location))
            if isinstance(declared.type, Function):
                self.signatures.setdefault(declared.name, declared.type)

    def _add_function(self, unit: UnitFacts, ref: FunctionRef) -> None:
        ident = f"{ref.location.file}:{ref.name}"
        known = self.functions.get(ident)
        if known is not None and known.ref.facts_key != ref.facts_key:
            ident = f"{ident}#{ref.facts_key[:8]}"
            known = self.functions.get(ident)
        if known is None:
            self.functions[ident] = ProgramFunction(ident, ref.name, unit.name, ref)
        if ref.weak:
            self._weak.setdefault(ref.name, ident)
            self._weak_in[(unit.name, ref.name)] = ident
            return
        self._static[(unit.name, ref.name)] = ident
        if not ref.static:
            self._external.setdefault(ref.name, ident)

    def resolve(self, unit: str, name: str) -> str | None:
        """Return the id of the function that `name` means in `unit`; None if no unit defines it."""
        return self._static.get((unit, name)) or self._external.get(name) or self._weak.get(name)

    def compiled(self, unit: str, name: str) -> str | None:
        """Return the id of the function whose code the unit's object has as `name`: its own, if a weak one too."""
        return self._weak_in.get((unit, name)) or self.resolve(unit, name)

    def gives_way(self, ident: str) -> bool:
        """Tell whether the function is a weak definition that another one replaces."""
        function = self.functions[ident]
        return function.ref.weak and function.name in self._external

    def named(self, name: str) -> list[str]:
        """Return the ids of all functions called `name`, sorted."""
        return sorted(ident for ident, function in self.functions.items() if function.name == name)

    def declaration(self, name: str) -> Location | None:
        """Return where a function that no unit defines is declared."""
        return self.declared.get(name)
