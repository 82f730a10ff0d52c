# SPDX-License-Identifier: GPL-2.0-only
"""ObjectFacts: what one object file holds, in the words of the source.

In: nothing. Out: a value that encodes to MessagePack and back without loss.
"""

from __future__ import annotations

from msgspec import Struct


class ObjectCall(Struct, frozen=True, array_like=True, order=True):
    """One instruction that calls a known function or jumps to its entry."""

    #: source names, outermost first: the function whose code this is, then what was inlined into it, down to this place
    chain: tuple[str, ...]
    #: source name of the function called: that of a function for a copy of it that the compiler made
    callee: str
    #: `call`, `jump` (a tail call), `patched` (an alternative that may be patched in)
    kind: str
    #: where: section and offset of the instruction's operand
    section: str
    offset: int
    #: the function as the object's symbol table or relocation spells it
    symbol: str


class StoredAddress(Struct, frozen=True, array_like=True, order=True):
    """A function's address in data."""

    function: str
    #: variable it stands in; empty for storage that the compiler or assembly made without a name
    variable: str
    #: function that a static local variable stands in, else empty
    scope: str
    #: within the variable, else within the section
    offset: int
    section: str
    #: stored as a distance from where it stands
    relative: bool


class LoadedAddress(Struct, frozen=True, array_like=True, order=True):
    """An instruction that uses a function's address otherwise than to call it."""

    chain: tuple[str, ...]
    function: str
    section: str
    offset: int


class Leaf(Struct, frozen=True, array_like=True, order=True):
    """A pointer inside a variable: members and indices that lead to it, and where it lies."""

    #: `.runtime.exits[3].handler`; members of anonymous records stand in the enclosing one
    path: str
    offset: int


class Variable(Struct, frozen=True, array_like=True, order=True):
    """A variable that the object defines and that holds function addresses, by its DWARF type."""

    name: str
    scope: str
    leaves: tuple[Leaf, ...]


class ObjectFacts(Struct, frozen=True, array_like=True):
    """One object file."""

    path: str
    #: main source file as the compiler was given it, and the directory it ran in
    source: str
    directory: str
    #: written in assembly
    assembly: bool
    #: source names of the functions that have code here, sorted
    functions: tuple[str, ...]
    calls: tuple[ObjectCall, ...]
    #: (function, function inlined into it), both by source name, sorted
    inlined: tuple[tuple[str, str], ...]
    stored: tuple[StoredAddress, ...]
    loaded: tuple[LoadedAddress, ...]
    variables: tuple[Variable, ...]
    #: those of the fields asked for that the object's DWARF knows, sorted
    known_fields: tuple[tuple[str, ...], ...]
    #: those of the functions asked for that the object's DWARF knows, sorted
    known_functions: tuple[str, ...]
    #: call sites whose target the instruction does not tell
    n_indirect: int
