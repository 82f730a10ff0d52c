# SPDX-License-Identifier: GPL-2.0-only
"""What keeps states apart that hold the same locks: what is known of conditions that are yet to be tested.

In: FunctionIR. Out: for each block, the conditions that may be tested from there on with the values that they have now.

`if (a && b) lock(); … if (a && b) unlock();` is right, which takes knowing that without the lock `a` or `b` is 0: that
is two states. A condition that nobody tests any more, or not before one of its variables is assigned, tells nothing.

**Invariant:** conditions only tell states apart; leaving one out loses precision and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from analyzer.ir.function import Block, Branch, Call, Event, FunctionIR, Goto, Jump, Return, Store, Switch
from analyzer.ir.values import (
    AddressOf,
    Binary,
    Constant,
    Deref,
    Field,
    Index,
    Load,
    Local,
    Parameter,
    Pointee,
    Unary,
    Value,
)

#: a switch of more cases is not asked which of them it will take
MAX_CASES = 8
#: more conditions than this are not told at one block
MAX_CONDITIONS = 24

Conditions = tuple[Value, ...]


def live_conditions(ir: FunctionIR, matters: Callable[[Event], bool], *, at_return: bool) -> list[Conditions]:
    """Return for each block the conditions that can be tested from its beginning on, before they change.

    A condition counts where something can still happen afterwards that `matters`. With `at_return`, conditions on what
    the parameters lead to count until the function returns: its callers may test them as well.
    """
    tested = [tuple(_tests(block)) for block in ir.blocks]
    kept = tuple(c for some in tested for c in some if _is_of_parameters(c)) if at_return else ()
    successors = [_successors(block) for block in ir.blocks]
    relevant = _reaching([any(matters(event) for event in block.events) for block in ir.blocks], successors)
    assigned = [_assigned(block) for block in ir.blocks]
    live: list[dict[Value, None]] = [{} for _ in ir.blocks]
    work = list(range(len(ir.blocks)))
    predecessors: list[list[int]] = [[] for _ in ir.blocks]
    for number, targets in enumerate(successors):
        for target in targets:
            predecessors[target].append(number)
    while work:
        number = work.pop()
        ahead: list[Value] = list(tested[number]) if any(relevant[t] for t in successors[number]) else []
        if kept and type(ir.blocks[number].terminator) is Return:
            ahead += kept
        for target in successors[number]:
            ahead += live[target]
        before = len(live[number])
        for condition in ahead:
            if len(live[number]) < MAX_CONDITIONS and assigned[number].isdisjoint(_variables(condition)):
                live[number][condition] = None
        if len(live[number]) != before:
            work += predecessors[number]
    return [tuple(conditions) for conditions in live]


def _reaching(own: list[bool], successors: list[tuple[int, ...]]) -> list[bool]:
    """Tell from which blocks one that has `own` can be reached."""
    reaching = list(own)
    changed = True
    while changed:
        changed = False
        for number in reversed(range(len(own))):
            if not reaching[number] and any(reaching[target] for target in successors[number]):
                reaching[number] = changed = True
    return reaching


def _successors(block: Block) -> tuple[int, ...]:
    match block.terminator:
        case Jump(target):
            return (target,)
        case Branch(_, true, false, _):
            return (true, false)
        case Switch(_, cases, default, _):
            return (*dict.fromkeys(case.target for case in cases), default)
        case Goto(targets, _):
            return targets
    return ()


def _tests(block: Block) -> Iterable[Value]:
    """Yield the conditions that end `block`, without negations."""
    match block.terminator:
        case Branch(condition):
            while isinstance(condition, Unary) and condition.operator == "!":
                condition = condition.operand
            yield condition
        case Switch(value, cases) if len(cases) <= MAX_CASES:
            for case in cases:
                if case.low == case.high:
                    yield Binary("==", value, Constant(case.low))


def _assigned(block: Block) -> set[str]:
    """Return the locals and parameters that `block` assigns."""
    names = set()
    for event in block.events:
        if isinstance(event, Store) and isinstance(event.path.root, Local | Parameter):
            if not any(isinstance(selector, Deref) for selector in event.path.selectors):
                names.add(event.path.root.name)
        elif isinstance(event, Call) and event.result is not None:
            names.add(event.result.name)
    return names


def _variables(value: Value) -> Iterable[str]:
    """Yield the locals and parameters that `value` is computed from."""
    match value:
        case Load(path) | AddressOf(path):
            if isinstance(path.root, Local | Parameter):
                yield path.root.name
            elif isinstance(path.root, Pointee):
                yield from _variables(path.root.value)
            for selector in path.selectors:
                if isinstance(selector, Index):
                    yield from _variables(selector.value)
        case Unary(_, operand):
            yield from _variables(operand)
        case Binary(_, left, right):
            yield from _variables(left)
            yield from _variables(right)


def _is_of_parameters(value: Value) -> bool:
    """Tell whether `value` is made of parameters and members of what they point to, and nothing else."""
    match value:
        case Load(path):
            members = all(isinstance(selector, Field | Deref) for selector in path.selectors)
            return isinstance(path.root, Parameter) and members and len(path.selectors) <= 2
        case Unary(_, operand):
            return _is_of_parameters(operand)
        case Binary(_, left, right):
            return _is_of_parameters(left) and (type(right) is Constant or _is_of_parameters(right))
    return False
