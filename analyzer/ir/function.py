# SPDX-License-Identifier: GPL-2.0-only
"""FunctionIR: a control flow graph of neutral events.

In: nothing. Out: for `void f(struct kvm *kvm) { if (kvm->x) g(kvm); }` block 0 holds `Read(kvm->x)` and ends in
`Branch(Load(kvm->x), 1, 2)`, block 1 holds the call, block 2 returns.

**Invariant:** block 0 is the entry; every block index in a terminator exists (`verify` checks both).
**Invariant:** lines are relative to the function's first line (0-based), so that a function that moved is the same.
"""

from __future__ import annotations

from msgspec import Struct

from analyzer.ir.claims import Statement
from analyzer.ir.types import CType
from analyzer.ir.values import AccessPath, Local, Value


class At(Struct, frozen=True, array_like=True, gc=False):
    """A place inside a function."""

    #: lines below the function's first line
    line: int
    #: 1-based, 0 if not known
    column: int = 0


class Read(Struct, frozen=True, array_like=True, tag="r"):
    """A read of memory at `path`; reads of plain locals and parameters themselves are no events."""

    path: AccessPath
    at: At


class Store(Struct, frozen=True, array_like=True, tag="w"):
    """A write of `value` to `path`, to memory or to a local (a temporary too)."""

    path: AccessPath
    value: Value
    at: At
    #: a compound assignment or increment: the old value counts too (its `Read` stands before)
    update: bool = False


class Call(Struct, frozen=True, array_like=True, tag="c"):
    """A call; `result` is the temporary that receives the value, if anything uses it."""

    #: `FunctionAddress` for a direct call, any other value for an indirect one
    callee: Value
    arguments: tuple[Value, ...]
    result: Local | None
    at: At
    #: type of the called function
    signature: CType
    #: what compiled this call in: "" for a written call, "cleanup" for a `__cleanup__` at scope exit
    origin: str = ""


class Assembly(Struct, frozen=True, array_like=True, tag="a"):
    """Inline assembly; its outputs were lowered to `Store`s of `Opaque` after it."""

    text: str
    at: At


Done = Read | Store | Call | Assembly


class Claim(Struct, frozen=True, array_like=True, tag="m"):
    """The text says that `statement` is so here; the program does nothing for it."""

    #: who says it: `lockdep_assert_held_write`, or the shape that is left of it
    form: str
    statement: Statement
    at: At
    #: what would be done to evaluate the statement, which the program does not do
    before: tuple[Done, ...] = ()


Event = Done | Claim


class Jump(Struct, frozen=True, array_like=True, tag="j", gc=False):
    """Go on in block `target`."""

    target: int


class Branch(Struct, frozen=True, array_like=True, tag="b"):
    """Go on in block `true` if `condition` is not 0, else in block `false`."""

    condition: Value
    true: int
    false: int
    at: At


class Case(Struct, frozen=True, array_like=True, gc=False):
    """`case low ... high:` (`low == high` for a plain one)."""

    low: int
    high: int
    target: int


class Switch(Struct, frozen=True, array_like=True, tag="s"):
    """Go on in the block of the case that holds `value`, else in `default`."""

    value: Value
    cases: tuple[Case, ...]
    default: int
    at: At


class Goto(Struct, frozen=True, array_like=True, tag="g"):
    """Go on in any of `targets`: a computed goto or `asm goto`."""

    targets: tuple[int, ...]
    at: At


class Return(Struct, frozen=True, array_like=True, tag="x"):
    """Leave the function with `value` (None in a void function)."""

    value: Value | None
    at: At


class Unreachable(Struct, frozen=True, array_like=True, tag="u", gc=False):
    """Control never gets here: after a noreturn call or `__builtin_unreachable()`."""


Terminator = Jump | Branch | Switch | Goto | Return | Unreachable


class Block(Struct, frozen=True, array_like=True):
    """A basic block: events in order of evaluation, then one terminator."""

    events: tuple[Event, ...]
    terminator: Terminator


class Formal(Struct, frozen=True, array_like=True):
    """A formal parameter; `name` is empty where the source leaves it out."""

    name: str
    type: CType


class FunctionIR(Struct, frozen=True, array_like=True):
    """A function definition."""

    name: str
    parameters: tuple[Formal, ...]
    returns: CType
    variadic: bool
    blocks: tuple[Block, ...]
    #: types of the locals and temporaries that stand in access paths, by name
    locals: tuple[tuple[str, CType], ...] = ()
