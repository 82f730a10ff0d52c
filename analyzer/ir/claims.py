# SPDX-License-Identifier: GPL-2.0-only
"""Statements that the text itself makes about a place, and that nothing evaluates there.

In: nothing. Out: `lockdep_is_held(&kvm->slots_lock) || rcu_read_lock_held()` is
`Either((Asked("lockdep_is_held", (&kvm->slots_lock,)), Asked("rcu_read_lock_held", ())))`.

**Invariant:** a statement says what is asked of whom; what an answer means is for a specification to say.
"""

from __future__ import annotations

from msgspec import Struct

from analyzer.ir.types import CType
from analyzer.ir.values import Value


class Asked(Struct, frozen=True, array_like=True, tag="a"):
    """`function(arguments)` is not 0."""

    function: str
    arguments: tuple[Value, ...] = ()


class Named(Struct, frozen=True, array_like=True, tag="p"):
    """A pointer to an object of type `to` is evaluated for nothing: if that is a lock, something was said about it."""

    pointer: Value
    to: CType


class Negated(Struct, frozen=True, array_like=True, tag="n"):
    """`part` is not so."""

    part: Statement


class Either(Struct, frozen=True, array_like=True, tag="e"):
    """One of `parts` is so; of none, none is: never."""

    parts: tuple[Statement, ...]


class Both(Struct, frozen=True, array_like=True, tag="b"):
    """All of `parts` are so; of none, all are: always."""

    parts: tuple[Statement, ...]


class Other(Struct, frozen=True, array_like=True, tag="o", gc=False):
    """Something else; `text` says what."""

    text: str


Statement = Asked | Named | Negated | Either | Both | Other
ALWAYS = Both(())
NEVER = Either(())


def negated(statement: Statement) -> Statement:
    """Return the opposite of `statement`, with negations at the leaves."""
    match statement:
        case Negated(part):
            return part
        case Either(parts):
            return Both(tuple(negated(part) for part in parts))
        case Both(parts):
            return Either(tuple(negated(part) for part in parts))
        case _:
            return Negated(statement)
