# SPDX-License-Identifier: GPL-2.0-only
"""What a lowered function uses: functions, fields, globals, locals.

In: blocks. Out: `Uses(calls={"mutex_lock"}, fields={"kvm.slots_lock"}, …)`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

import msgspec

from analyzer.base.gap import Gap
from analyzer.facts.unit import AddressTaken, FunctionFacts, GlobalVariable, Initialiser
from analyzer.ir.claims import Asked, Both, Either, Named, Negated, Statement
from analyzer.ir.function import (
    At,
    Block,
    Branch,
    Call,
    Claim,
    Event,
    FunctionIR,
    Read,
    Return,
    Store,
    Switch,
    Terminator,
)
from analyzer.ir.values import (
    AccessPath,
    AddressOf,
    Binary,
    Container,
    Field,
    FunctionAddress,
    Global,
    Index,
    Load,
    Local,
    Pointee,
    Unary,
    Value,
)

_encoder = msgspec.msgpack.Encoder()


class Uses:
    """What a function uses, collected event by event."""

    def __init__(self) -> None:
        self.calls: set[str] = set()
        self.fields: set[tuple[str, str]] = set()
        self.globals: set[str] = set()
        #: how often each local is read or addressed, or a part of it written
        self.locals: Counter[str] = Counter()
        self.addresses: list[AddressTaken] = []

    def event(self, event: Event) -> None:
        """Add what an event uses."""
        kind = type(event)
        if kind is Call:
            self._call(event)  # type: ignore[arg-type]
        elif kind is Store:
            store: Store = event  # type: ignore[assignment]
            self.path(store.path, store.at)
            self.value(store.value, store.at, "store")
        elif kind is Read:
            self.path(event.path, event.at)  # type: ignore[union-attr]
        elif kind is Claim:
            self._claim(event)  # type: ignore[arg-type]

    def _claim(self, claim: Claim) -> None:
        """Add the locals of a claim, which must live on: nothing of it is done, so it uses nothing else."""
        inner = Uses()
        for event in claim.before:
            inner.event(event)
        for value in _values(claim.statement):
            inner.value(value, claim.at)
        self.locals.update(inner.locals)

    def _call(self, call: Call) -> None:
        name = ""
        if type(call.callee) is FunctionAddress:
            name = call.callee.name
            self.calls.add(name)
        else:
            self.value(call.callee, call.at)
        for position, argument in enumerate(call.arguments):
            self.value(argument, call.at, "argument", name, position)
        if call.result is not None:
            self.locals[call.result.name] += 1

    def terminator(self, terminator: Terminator) -> None:
        """Add what a terminator uses."""
        kind = type(terminator)
        if kind is Branch:
            self.value(terminator.condition, terminator.at)  # type: ignore[union-attr]
        elif kind is Return:
            returned: Return = terminator  # type: ignore[assignment]
            if returned.value is not None:
                self.value(returned.value, returned.at, "return")
        elif kind is Switch:
            self.value(terminator.value, terminator.at)  # type: ignore[arg-type, union-attr]

    def value(self, value: Value, at: At, use: str = "other", callee: str = "", position: int = 0) -> None:
        """Add what a value uses."""
        kind = type(value)
        if kind is Load or kind is AddressOf:
            self.path(value.path, at)  # type: ignore[union-attr]
        elif kind is Binary:
            self.value(value.left, at)  # type: ignore[union-attr]
            self.value(value.right, at)  # type: ignore[union-attr]
        elif kind is Unary:
            self.value(value.operand, at)  # type: ignore[union-attr]
        elif kind is FunctionAddress:
            self.addresses.append(AddressTaken(value.name, use, callee, position, at))  # type: ignore[union-attr]

    def path(self, path: AccessPath, at: At) -> None:
        """Add what an access path uses."""
        root = path.root
        kind = type(root)
        if kind is Local:
            self.locals[root.name] += 1  # type: ignore[union-attr]
        elif kind is Global:
            self.globals.add(root.name)  # type: ignore[union-attr]
        elif kind is Pointee:
            self.value(root.value, at)  # type: ignore[union-attr]
        for selector in path.selectors:
            step = type(selector)
            if step is Field or step is Container:
                self.fields.add((selector.record, selector.member))  # type: ignore[union-attr]
            elif step is Index:
                self.value(selector.value, at)  # type: ignore[union-attr]


def _values(statement: Statement) -> tuple[Value, ...]:
    """Return the values that a statement is about."""
    match statement:
        case Asked(_, arguments):
            return arguments
        case Named(pointer, _):
            return (pointer,)
        case Negated(part):
            return _values(part)
        case Either(parts) | Both(parts):
            return tuple(value for part in parts for value in _values(part))
        case _:
            return ()


def uses_of(blocks: Iterable[Block]) -> Uses:
    """Collect what `blocks` use."""
    uses = Uses()
    for block in blocks:
        for event in block.events:
            uses.event(event)
        uses.terminator(block.terminator)
    return uses


def without_dead_stores(blocks: tuple[Block, ...], candidates: set[str]) -> tuple[tuple[Block, ...], Uses]:
    """Drop stores to those of the locals `candidates` that nothing reads; tell what the rest uses."""
    while True:
        uses = uses_of(blocks)
        stores = Counter(_local_stored(event) for block in blocks for event in block.events)
        dead = {name for name in candidates if stores[name] and uses.locals[name] == stores[name]}
        if not dead:
            return blocks, uses
        blocks = tuple(
            Block(tuple([event for event in block.events if _local_stored(event) not in dead]), block.terminator)
            for block in blocks
        )


def _local_stored(event: Event) -> str:
    """Name the local that `event` writes as a whole; "" if it does something else."""
    if isinstance(event, Store) and not event.path.selectors and isinstance(event.path.root, Local):
        return event.path.root.name
    return ""


def summarise(
    ir: FunctionIR,
    uses: Uses,
    gaps: tuple[Gap, ...],
    statics: tuple[GlobalVariable, ...],
    initialisers: tuple[Initialiser, ...],
) -> FunctionFacts:
    """Put a function's facts together."""
    return FunctionFacts(
        ir,
        tuple(sorted(uses.calls)),
        tuple(sorted({f"{record}.{member}" for record, member in uses.fields})),
        tuple(sorted(uses.globals)),
        tuple(uses.addresses),
        gaps,
        sha256(_encoder.encode(ir)).hexdigest(),
        statics,
        initialisers,
    )
