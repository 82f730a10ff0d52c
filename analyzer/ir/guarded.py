# SPDX-License-Identifier: GPL-2.0-only
"""Functions with some of their calls made conditional.

In: a FunctionIR with the call `zap_children(page)`, and a guard: it does nothing if `page->invalid` is not 0. Out: what
`if (!page->invalid) zap_children(page);` is lowered to.

**Invariant:** blocks stay in reverse postorder, and all events stay in their order.
**Invariant:** a function without such a call stays the same value.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from analyzer.ir.function import At, Block, Branch, Call, Case, FunctionIR, Goto, Jump, Store, Switch, Terminator
from analyzer.ir.values import AccessPath, Binary, Constant, Opaque, Value


class Comparison(Struct, frozen=True):
    """`value operator number`, evaluated before the call."""

    value: Value
    operator: str
    number: int


class Guard(Struct, frozen=True):
    """The call does nothing where all of `tests` hold; then it returns `returns`, None if that is not known."""

    tests: tuple[Comparison, ...]
    returns: int | None = None


#: the guards of a call: it does nothing if one of them holds
GuardsOf = Callable[[Call], tuple[Guard, ...]]


def guarded(ir: FunctionIR, guards_of: GuardsOf) -> FunctionIR:
    """Return `ir` with each call that has guards made one that comes only where none of them holds."""
    blocks: list[Block] = []
    #: what the number of a block's beginning is now
    numbers: list[int] = []
    #: by number: terminators that still name blocks as they were called
    old: set[int] = set()
    for block in ir.blocks:
        numbers.append(len(blocks))
        begun = 0
        for index, event in enumerate(block.events):
            guards = guards_of(event) if isinstance(event, Call) else ()
            if guards and isinstance(event, Call):
                _add(blocks, Block(block.events[begun:index], Jump(0)), event, guards)
                begun = index + 1
        old.add(len(blocks))
        blocks.append(Block(block.events[begun:], block.terminator) if begun else block)
    if len(blocks) == len(ir.blocks):
        return ir
    return replace(
        ir,
        blocks=tuple(
            replace(block, terminator=_renumbered(block.terminator, numbers)) if number in old else block
            for number, block in enumerate(blocks)
        ),
    )


def _add(blocks: list[Block], before: Block, call: Call, guards: tuple[Guard, ...]) -> None:
    """Append `before`, the guards' tests, the call, and what takes its place; the next block goes on after both."""
    n_tests = sum(len(guard.tests) for guard in guards)
    first = len(blocks)
    # the tests one by one, then what takes the call's place for each guard, then the call
    idle = [first + n_tests + index for index in range(len(guards))]
    calling = first + n_tests + len(guards)
    events = before.events
    for index, guard in enumerate(guards):
        # the first test of the next guard, or the call
        otherwise = len(blocks) + len(guard.tests) if index + 1 < len(guards) else calling
        for left in range(len(guard.tests), 0, -1):
            holds = len(blocks) + 1 if left > 1 else idle[index]
            blocks.append(Block(events, _branch(guard.tests[-left], holds, otherwise, call.at)))
            events = ()
    blocks += [Block(_idle(call, guard), Jump(calling + 1)) for guard in guards]
    blocks.append(Block((call,), Jump(calling + 1)))


def _branch(test: Comparison, holds: int, otherwise: int, at: At) -> Branch:
    """Return the branch as the text would have it: `if (page->invalid)` rather than `!= 0`."""
    if test.number == 0 and test.operator == "!=":
        return Branch(test.value, holds, otherwise, at)
    if test.number == 0 and test.operator == "==":
        return Branch(test.value, otherwise, holds, at)
    return Branch(Binary(test.operator, test.value, Constant(test.number)), holds, otherwise, at)


def _idle(call: Call, guard: Guard) -> tuple[Store, ...]:
    """Return what a call that does nothing leaves: a value."""
    if call.result is None:
        return ()
    value = Opaque("assumed to do nothing") if guard.returns is None else Constant(guard.returns)
    return (Store(AccessPath(call.result), value, call.at),)


def _renumbered(terminator: Terminator, numbers: list[int]) -> Terminator:
    match terminator:
        case Jump(target):
            return Jump(numbers[target])
        case Branch(condition, true, false, at):
            return Branch(condition, numbers[true], numbers[false], at)
        case Switch(value, cases, default, at):
            moved = tuple(Case(case.low, case.high, numbers[case.target]) for case in cases)
            return Switch(value, moved, numbers[default], at)
        case Goto(targets, at):
            return Goto(tuple(numbers[target] for target in targets), at)
    return terminator
