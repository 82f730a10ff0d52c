# SPDX-License-Identifier: GPL-2.0-only
"""What keeps states apart that hold the same locks: what is known of conditions that are yet to be tested.

In: FunctionIR. Out: for each block, the conditions that may be tested from there on with the values that they have now.

`if (a && b) lock(); … if (a && b) unlock();` is right, which takes knowing that without the lock `a` or `b` is 0: that
is two states. A condition that nobody tests any more, or not before one of its variables is assigned, tells nothing.

**Invariant:** conditions only tell states apart; leaving one out loses precision and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import NamedTuple

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


class Tested(NamedTuple):
    """What keeps states of one function apart, by block."""

    #: empty where nothing does
    conditions: list[Conditions]
    #: do conditions count that callers may test
    at_return: bool


def joins_of(ir: FunctionIR) -> list[bool]:
    """Tell for each block whether control comes to it in several ways; two cases of one switch are two."""
    n_ways = [0] * len(ir.blocks)
    for block in ir.blocks:
        end = block.terminator
        if isinstance(end, Switch):
            for case in end.cases:
                n_ways[case.target] += 1
            n_ways[end.default] += 1
        else:
            for target in successors_of(block):
                n_ways[target] += 1
    return [n > 1 for n in n_ways]


def find_tested(ir: FunctionIR, joins: list[bool], matters: Callable[[Event], bool], *, at_return: bool) -> Tested:
    """Return for each block the conditions that can be tested from its beginning on, before they change.

    A condition counts where something can still happen afterwards that `matters`. With `at_return`, conditions on what
    the parameters lead to count until the function returns: its callers may test them as well.
    """
    successors = [successors_of(block) for block in ir.blocks]
    nothing = Tested([], at_return)
    interesting = [any(matters(event) for event in block.events) for block in ir.blocks] if any(joins) else []
    if not any(interesting):
        return nothing
    tested = [tuple(_tests(block)) for block in ir.blocks]
    kept = tuple(c for some in tested for c in some if _is_of_parameters(c)) if at_return else ()
    assigned = [_assigned(block) for block in ir.blocks]
    needs = _connected(tested, assigned, kept)
    if not needs:
        return nothing
    relevant = _reaching(interesting, successors)
    ahead: list[Conditions] = []
    for number, block in enumerate(ir.blocks):
        some = tested[number] if any(relevant[target] for target in successors[number]) else ()
        more = kept if type(block.terminator) is Return else ()
        ahead.append(tuple(condition for condition in (*some, *more) if condition in needs))
    return Tested(_flow(ahead, assigned, successors, needs), at_return)


def _flow(
    ahead: list[Conditions],
    assigned: list[set[str]],
    successors: list[tuple[int, ...]],
    needs: Mapping[Value, frozenset[str]],
) -> list[Conditions]:
    """Carry the conditions `ahead` of each block's end back to where they are assigned."""
    live: list[dict[Value, None]] = [{} for _ in ahead]
    predecessors: list[list[int]] = [[] for _ in ahead]
    for number, targets in enumerate(successors):
        for target in targets:
            predecessors[target].append(number)
    work = list(range(len(ahead)))
    while work:
        number = work.pop()
        mine, before = live[number], len(live[number])
        for condition in chain(ahead[number], *(live[target] for target in successors[number])):
            if len(mine) < MAX_CONDITIONS and condition not in mine and assigned[number].isdisjoint(needs[condition]):
                mine[condition] = None
        if len(mine) != before:
            work += predecessors[number]
    return [tuple(conditions) for conditions in live]


def _connected(tested: list[Conditions], assigned: list[set[str]], kept: Conditions) -> dict[Value, frozenset[str]]:
    """Return the conditions of which something may be known before they are tested, with their variables.

    What is tested in one place only, and assigned in one place only, is not known before.
    """
    leaves = {condition: frozenset(_leaves(condition)) for some in tested for condition in some}
    n_tests = Counter(leaf for some in tested for leaf in {leaf for condition in some for leaf in leaves[condition]})
    n_assigned = Counter(name for names in assigned for name in names)
    needs = {}
    for condition, mine in leaves.items():
        names = frozenset(_variables(condition))
        if condition in kept or any(n_tests[leaf] > 1 for leaf in mine) or any(n_assigned[name] > 1 for name in names):
            needs[condition] = names
    return needs


def _leaves(value: Value) -> Iterable[Value]:
    """Yield the places that `value` is read from."""
    match value:
        case Load():
            yield value
        case Unary(_, operand):
            yield from _leaves(operand)
        case Binary(_, left, right):
            yield from _leaves(left)
            yield from _leaves(right)


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


def successors_of(block: Block) -> tuple[int, ...]:
    """Return the blocks that control can go on to from the end of `block`."""
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
