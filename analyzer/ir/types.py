# SPDX-License-Identifier: GPL-2.0-only
"""C types as far as lock analysis needs them: a closed union.

In: nothing. Out: `Pointer(Record("struct", "kvm"))` for `struct kvm *`.

Records are named, never spelled out; their members stand in `UnitFacts.records`.
"""

from __future__ import annotations

from msgspec import Struct


class Scalar(Struct, frozen=True, array_like=True, tag="s", gc=False):
    """An arithmetic type or `void`, by its canonical C name (`unsigned long`, `bool`, `void`)."""

    name: str


class Pointer(Struct, frozen=True, array_like=True, tag="p"):
    """A pointer to `to`."""

    to: CType
    #: the pointed-to object is const-qualified
    const: bool = False


class Array(Struct, frozen=True, array_like=True, tag="a"):
    """An array of `of`; `length` is None where it is absent or not constant."""

    of: CType
    length: int | None = None


class Record(Struct, frozen=True, array_like=True, tag="r", gc=False):
    """A struct or union by its record name (see `docs/glossary.md`, "record name").

    Tagged: the tag. Untagged behind a typedef: the typedef's name (`atomic_t`). Untagged with a declarator inside
    another record: the dotted path (`kvm_memory_slot.gmem`). Members of anonymous records without declarator are
    promoted into the enclosing record and have no record of their own.
    """

    #: `struct` or `union`
    kind: str
    name: str


class Enum(Struct, frozen=True, array_like=True, tag="e", gc=False):
    """An enumeration; `name` is empty for an untagged one."""

    name: str


class Function(Struct, frozen=True, array_like=True, tag="f"):
    """A function type."""

    returns: CType
    parameters: tuple[CType, ...]
    variadic: bool = False


class Unknown(Struct, frozen=True, array_like=True, tag="u", gc=False):
    """A type that could not be found; every one stands beside a `Gap`."""


CType = Scalar | Pointer | Array | Record | Enum | Function | Unknown

VOID = Scalar("void")
INT = Scalar("int")
UNKNOWN = Unknown()


def element(ctype: CType) -> CType:
    """Return what an array is made of, however many dimensions it has; any other type as it is."""
    while isinstance(ctype, Array):
        ctype = ctype.of
    return ctype


def spell(ctype: CType) -> str:
    """Spell `ctype` on one line for people and as a key: `struct kvm *`, `int (*)(struct inode *, struct file *)`."""
    match ctype:
        case Scalar(name):
            return name
        case Record(kind, name):
            return f"{kind} {name}"
        case Enum(name):
            return f"enum {name or '?'}"
        case Unknown():
            return "?"
        case Pointer(Function(returns, parameters, variadic)):
            return f"{spell(returns)} (*)({_spell_parameters(parameters, variadic)})"
        case Pointer(to, const):
            inner = spell(to)
            return f"{'const ' if const else ''}{inner}{'' if inner.endswith('*') else ' '}*"
        case Array(of, length):
            return f"{spell(of)}[{'' if length is None else length}]"
        case Function(returns, parameters, variadic):
            return f"{spell(returns)} ({_spell_parameters(parameters, variadic)})"


def _spell_parameters(parameters: tuple[CType, ...], variadic: bool) -> str:
    names = [spell(p) for p in parameters] + (["..."] if variadic else [])
    return ", ".join(names) or "void"
