# SPDX-License-Identifier: GPL-2.0-only
"""The control flow graph while it is built.

In: events and jumps in the order of lowering. Out: the numbered blocks of a `FunctionIR`.

**Invariant:** nothing is recorded where control never gets; blocks come out in reverse postorder, without empty ones
in between.
"""

from __future__ import annotations

from typing import Any

from analyzer.ir.function import At, Block, Branch, Case, Event, Goto, Jump, Return, Switch, Terminator, Unreachable
from analyzer.ir.values import Constant, Unary, Value


class Draft:
    """A block that may still grow."""

    __slots__ = ("end", "events", "number", "reached", "targets")

    def __init__(self) -> None:
        self.events: list[Event] = []
        #: kind of terminator and what it holds beside its targets, once it has one
        self.end: tuple[str, tuple[Any, ...]] | None = None
        self.targets: list[Draft] = []
        #: something leads here
        self.reached = False
        self.number = -1


class Flow:
    """Blocks of one function; `current` is None where control does not get."""

    def __init__(self) -> None:
        self.entry = Draft()
        self.entry.reached = True
        self.current: Draft | None = self.entry

    def emit(self, event: Event) -> None:
        """Append `event` where control is."""
        if self.current is not None:
            self.current.events.append(event)

    def enter(self, draft: Draft) -> None:
        """Go on in `draft`, falling into it from where control is."""
        if self.current is not None:
            self.finish("jump", (), [draft])
        self.current = draft if draft.reached else None

    def finish(self, kind: str, payload: tuple[Any, ...], targets: list[Draft]) -> None:
        """End the current block."""
        if self.current is not None:
            self.current.end = (kind, payload)
            self.current.targets = targets
            for target in targets:
                target.reached = True
        self.current = None

    def jump(self, target: Draft) -> None:
        """Go to `target`."""
        self.finish("jump", (), [target])

    def branch(self, condition: Value, true: Draft, false: Draft, at: At) -> None:
        """Go to `true` or `false`; a constant condition goes one way only, a negated one the other way."""
        while type(condition) is Unary and condition.operator == "!":
            condition, true, false = condition.operand, false, true
        if type(condition) is Constant:
            self.finish("jump", (), [true if condition.value else false])
        else:
            self.finish("branch", (condition, at), [true, false])

    def blocks(self) -> tuple[Block, ...]:
        """Number what is reachable and close it."""
        for draft in _postorder(self.entry):
            draft.targets = [_thread(target) for target in draft.targets]
            _rule_out(draft)
        reachable = _postorder(self.entry)
        _merge(reachable)
        order = _postorder(self.entry)
        order.reverse()
        for number, draft in enumerate(order):
            draft.number = number
        return tuple(Block(tuple(draft.events), _terminator(draft)) for draft in order)


def _postorder(entry: Draft) -> list[Draft]:
    """List what `entry` reaches, each block after its targets where no loop forbids it."""
    order: list[Draft] = []
    seen = {id(entry)}
    stack = [(entry, iter(reversed(entry.targets)))]
    while stack:
        draft, targets = stack[-1]
        for target in targets:
            if id(target) not in seen:
                seen.add(id(target))
                stack.append((target, iter(reversed(target.targets))))
                break
        else:
            order.append(draft)
            stack.pop()
    return order


def _thread(draft: Draft) -> Draft:
    """Skip empty blocks that only jump on; a loop of them stays."""
    seen = set()
    while not draft.events and draft.end is not None and draft.end[0] == "jump" and id(draft) not in seen:
        seen.add(id(draft))
        draft = draft.targets[0]
    return draft


def _rule_out(draft: Draft) -> None:
    """Let a decision between an impossible way and another go the other way."""
    if draft.end is not None and draft.end[0] == "branch":
        possible = [target for target in draft.targets if not _is_impossible(target)]
        if len(possible) < 2:
            draft.end, draft.targets = ("jump", ()) if possible else ("unreachable", ()), possible


def _is_impossible(draft: Draft) -> bool:
    """Tell whether a block does nothing and ends where control never gets."""
    return not draft.events and draft.end is not None and draft.end[0] == "unreachable"


def _merge(drafts: list[Draft]) -> None:
    """Append to each block the one it jumps to, where nothing else leads there."""
    entries: dict[int, int] = {}
    for draft in drafts:
        for target in draft.targets:
            entries[id(target)] = entries.get(id(target), 0) + 1
    # from the last block to the first, so that a chain collapses into its head
    for draft in drafts:
        while draft.end is not None and draft.end[0] == "jump":
            target = draft.targets[0]
            if entries[id(target)] != 1 or target is draft or target is drafts[-1]:
                break
            draft.events += target.events
            draft.end, draft.targets = target.end, target.targets


def _terminator(draft: Draft) -> Terminator:
    if draft.end is None:
        return Unreachable()
    kind, payload = draft.end
    numbers = [target.number for target in draft.targets]
    match kind:
        case "jump":
            return Jump(numbers[0])
        case "branch":
            condition, at = payload
            return Jump(numbers[0]) if numbers[0] == numbers[1] else Branch(condition, numbers[0], numbers[1], at)
        case "switch":
            value, ranges, at = payload
            cases = tuple(Case(low, high, number) for (low, high), number in zip(ranges, numbers, strict=False))
            return Switch(value, cases, numbers[-1], at)
        case "goto":
            return Goto(tuple(dict.fromkeys(numbers)), *payload)
        case "return":
            return Return(*payload)
        case _:
            return Unreachable()
