# SPDX-License-Identifier: GPL-2.0-only
"""Access paths and values: what an expression denotes, free of syntax.

In: nothing. Out: `&kvm->slots_lock` with parameter 0 named `kvm` is
`AddressOf(AccessPath(Parameter(0, "kvm"), (Deref(), Field("kvm", "slots_lock"))))`.

**Invariant:** evaluating a value has no side effect; calls, assignments and increments inside an expression were
lowered to events that come before, their results stored in temporary locals named `%1`, `%2`, ….
"""

from __future__ import annotations

from msgspec import Struct


class Global(Struct, frozen=True, array_like=True, tag="G", gc=False):
    """A variable with static storage; a function-local static is `function.name`."""

    name: str


class Local(Struct, frozen=True, array_like=True, tag="L", gc=False):
    """A local variable or a temporary (`%n`); a name declared again in an inner scope is `name#2`, `name#3`, …"""

    name: str


class Parameter(Struct, frozen=True, array_like=True, tag="P", gc=False):
    """Parameter `index` (0-based) of the function."""

    index: int
    name: str


class Pointee(Struct, frozen=True, array_like=True, tag="V"):
    """The object that `value` points to, where the pointer is not simply stored in an access path."""

    value: Value


Root = Global | Local | Parameter | Pointee


class Field(Struct, frozen=True, array_like=True, tag="f", gc=False):
    """Member `member` of the record named `record`; anonymous records are skipped."""

    record: str
    member: str


class Deref(Struct, frozen=True, array_like=True, tag="d", gc=False):
    """The object that the pointer stored here points to."""


class Index(Struct, frozen=True, array_like=True, tag="i"):
    """An element of the array here (also for `p[i]` and `*(p + i)` after a `Deref`)."""

    value: Value


class Container(Struct, frozen=True, array_like=True, tag="c", gc=False):
    """The record `record` of which the object here is member `member`: the inverse of `Field` (`container_of`)."""

    record: str
    member: str


Selector = Field | Deref | Index | Container


class AccessPath(Struct, frozen=True, array_like=True, tag="@"):
    """An lvalue: a root and the selectors applied to it, from left to right."""

    root: Root
    selectors: tuple[Selector, ...] = ()


class Constant(Struct, frozen=True, array_like=True, tag="k", gc=False):
    """An integer, as the value C gives it (signed where its type is signed); NULL is 0."""

    value: int


class Text(Struct, frozen=True, array_like=True, tag="t", gc=False):
    """A string literal."""

    value: str


class FunctionAddress(Struct, frozen=True, array_like=True, tag="F", gc=False):
    """The address of the function named `name`."""

    name: str


class AddressOf(Struct, frozen=True, array_like=True, tag="A"):
    """The address of the object at `path`; also what an array decays to."""

    path: AccessPath


class Load(Struct, frozen=True, array_like=True, tag="R"):
    """The value stored at `path` at this moment."""

    path: AccessPath


class Unary(Struct, frozen=True, array_like=True, tag="1"):
    """`operator operand`; operators `!`, `-`, `~`."""

    operator: str
    operand: Value


class Binary(Struct, frozen=True, array_like=True, tag="2"):
    """`left operator right`; C's operators but assignments, `&&`, `||` and `,` (those became control flow)."""

    operator: str
    left: Value
    right: Value


class Opaque(Struct, frozen=True, array_like=True, tag="?", gc=False):
    """A value that is not modelled; `text` says what it was (`sizeof`, `asm output`, `floating`)."""

    text: str


Value = Constant | Text | FunctionAddress | AddressOf | Load | Unary | Binary | Opaque
