# SPDX-License-Identifier: GPL-2.0-only
"""The shape of a function: what it does, in the order of the source, free of the names of its locals.

In: a FunctionIR. Out: `(Mark(3, 2, "mutex_lock(&_->kvm::lock)"), …)`.

**Invariant:** comments, line breaks and names of locals and parameters do not change it.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from analyzer.ir.dump import Writer
from analyzer.ir.function import At, Branch, FunctionIR, Goto, Return, Switch


class Mark(Struct, frozen=True, array_like=True, gc=False):
    """Something that happens at a place."""

    #: 0-based, below the function's first line
    line: int
    column: int
    text: str


def shape(function: FunctionIR) -> tuple[Mark, ...]:
    """Return what happens in `function`."""
    return tuple(sorted(_marks(function), key=lambda mark: (mark.line, mark.column)))


def _marks(function: FunctionIR) -> Iterator[Mark]:
    writer = Writer(True, False, anonymous=True)
    for block in function.blocks:
        for event in block.events:
            yield _mark(event.at, writer.event(event))
        match block.terminator:
            case Branch(condition, _, _, at):
                yield _mark(at, f"branch {writer.value(condition)}")
            case Switch(value, cases, _, at):
                yield _mark(at, f"switch {writer.value(value)} {[(case.low, case.high) for case in cases]}")
            case Return(value, at):
                yield _mark(at, "return" if value is None else f"return {writer.value(value)}")
            case Goto(_, at):
                yield _mark(at, "goto")


def _mark(at: At, text: str) -> Mark:
    return Mark(at.line, at.column, text)
