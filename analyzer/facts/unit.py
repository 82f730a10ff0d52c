# SPDX-License-Identifier: GPL-2.0-only
"""UnitFacts: what one translation unit holds.

In: nothing. Out: a value that encodes to MessagePack and back without loss (`facts.codec`).
"""

from __future__ import annotations

from msgspec import Struct

from analyzer.base.gap import Gap
from analyzer.base.location import Location
from analyzer.ir.function import At, Claim, FunctionIR
from analyzer.ir.types import CType
from analyzer.ir.values import AccessPath


class AddressTaken(Struct, frozen=True, array_like=True):
    """The address of a function is used otherwise than to call it, inside a function body."""

    #: the function whose address it is
    function: str
    #: where to: `store`, `argument`, `return`, `other`
    use: str
    #: name of the called function for `argument` ("" for an indirect call), else ""
    callee: str
    #: argument position for `argument`, else 0
    position: int
    at: At


class GlobalVariable(Struct, frozen=True, array_like=True):
    """A variable with static storage that the unit defines or names."""

    name: str
    location: Location
    type: CType
    static: bool
    #: defined here (not only declared extern)
    defined: bool
    #: annotations that say how it is guarded: attribute and arguments as written
    guards: tuple[tuple[str, str], ...] = ()


class Initialiser(Struct, frozen=True, array_like=True):
    """A function's address in the static initialiser of a global: an ops-table slot."""

    #: rooted in `Global`; the last `Field` tells record and member
    path: AccessPath
    function: str
    location: Location


class TableAddress(Struct, frozen=True, array_like=True):
    """A variable's address in the static initialiser of another one: a table that leads to a table."""

    #: as in `Initialiser`
    path: AccessPath
    variable: str


class FunctionFacts(Struct, frozen=True, array_like=True):
    """One function definition, in any unit where its verifying trace holds."""

    ir: FunctionIR
    #: names of functions called directly, sorted
    calls: tuple[str, ...]
    #: `record.member` of every field in an access path of the body, sorted
    fields: tuple[str, ...]
    #: names of the globals in an access path of the body, sorted
    globals: tuple[str, ...]
    #: functions whose address is taken in the body
    address_taken: tuple[AddressTaken, ...]
    #: gaps, with line relative to the function's first line in `location.line` and `location.file` empty
    gaps: tuple[Gap, ...]
    #: sha256 of the encoded IR: two functions with equal digests behave alike
    digest: str = ""
    #: its static variables; locations are relative like those of `gaps`
    statics: tuple[GlobalVariable, ...] = ()
    #: functions in the initialisers of its static variables; locations likewise
    initialisers: tuple[Initialiser, ...] = ()


class FunctionRef(Struct, frozen=True, array_like=True):
    """A function defined in a unit."""

    name: str
    #: place of the function's name in its definition
    location: Location
    #: first line of the definition: what `At.line` counts from
    first_line: int
    #: internal linkage (`static`, also `static inline`); false for external linkage
    static: bool
    #: defined in a header or marked inline: other units may hold the same definition
    inline: bool
    #: key of its FunctionFacts in the store; empty when it was skipped (a gap says why)
    facts_key: str
    #: gives way to a definition of the same name in another unit
    weak: bool = False


class Declared(Struct, frozen=True, array_like=True):
    """A function that the unit calls or names but does not define."""

    name: str
    location: Location
    type: CType
    #: does not return
    noreturn: bool = False
    #: what its annotations claim, over its parameters
    claims: tuple[Claim, ...] = ()


class Member(Struct, frozen=True, array_like=True):
    """A member of a record; those of anonymous members are listed in the enclosing record."""

    name: str
    type: CType
    #: annotations that say how it is guarded: attribute and arguments as written; `__rcu`
    guards: tuple[tuple[str, str], ...] = ()


class RecordLayout(Struct, frozen=True, array_like=True):
    """A record type that the unit's functions or initialisers use."""

    #: record name, see `ir.types.Record`
    name: str
    #: `struct` or `union`
    kind: str
    members: tuple[Member, ...]
    #: where it is defined
    location: Location


class UnitFacts(Struct, frozen=True, array_like=True):
    """One translation unit."""

    #: path of the main source file, normalised and relative to the tree
    name: str
    functions: tuple[FunctionRef, ...]
    declared: tuple[Declared, ...]
    globals: tuple[GlobalVariable, ...]
    initialisers: tuple[Initialiser, ...]
    records: tuple[RecordLayout, ...]
    #: names given to EXPORT_SYMBOL*() here
    exports: tuple[str, ...]
    #: names of functions handed to module_init(), module_exit() and the initcall macros
    initcalls: tuple[str, ...]
    #: gaps outside function bodies, and those of skipped functions
    gaps: tuple[Gap, ...]
    #: which of its tables lead to which others
    addresses: tuple[TableAddress, ...] = ()
