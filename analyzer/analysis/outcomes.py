# SPDX-License-Identifier: GPL-2.0-only
"""Ways to return: what callers can tell apart, and what each of them did.

In: states in which a function returns. Out: `Outcome`s, one for each different lock change, and where locks differ one
for each condition that the caller may know and each value that the function left with it.

A lock whose object the caller did not know before is told by where the caller finds it afterwards: behind the value
returned, or behind what was stored for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from analyzer.analysis import ranges
from analyzer.analysis.evaluate import load
from analyzer.analysis.in_use import without_choice
from analyzer.analysis.leave import Leave, value_range
from analyzer.analysis.locks import agree, certain, exported_lock, is_perhaps, perhaps
from analyzer.analysis.marks import Marks, exported
from analyzer.analysis.marks import common as common_marks
from analyzer.analysis.situation import Guards, common_guards, guards
from analyzer.analysis.state import FRESH, State
from analyzer.analysis.summary import LockChange, Outcome
from analyzer.analysis.terms import OPEN, Term, common_container, element, inside, is_entry_term, replaced
from analyzer.ir.function import At

_NOWHERE = At(0)
#: more ways to return, told apart by locks, are merged into one
MAX_OUTCOMES = 12
#: more ways with the same lock changes are not told apart
MAX_ALIKE = 4
#: no more places than this are told of that a function stored to for its caller
MAX_STORES = 8

Stores = tuple[tuple[Term, Term], ...]


class _Way(NamedTuple):
    """A state in which the function returns, in the caller's terms."""

    leave: Leave
    changes: tuple[LockChange, ...]
    established: Guards
    conditions: Guards
    stores: Stores
    marks: Marks
    assumes: tuple[tuple[Term, str], ...] = ()


def outcomes_of(leaves: list[Leave], *, claims_only: bool = False) -> tuple[Outcome, ...]:
    """Return the ways in which the function returns; one that does nothing else hands on what it claims."""
    places = _stored_places(leaves)
    groups: dict[tuple[object, ...], list[_Way]] = defaultdict(list)
    for leave in leaves:
        way = _way(leave, places)
        if claims_only:
            way = way._replace(assumes=_assumed(leave.state))
        told = (tuple(_placeless(change) for change in way.changes), way.established, way.marks, way.assumes)
        groups[told].append(way)
    single = len(groups) == 1
    # what came before on a way is told for itself: conditions are for telling what is held
    even = len({key[:-1] for key in groups}) == 1
    outcomes = [_outcome(alike, single) for group in groups.values() for alike in _apart(group, even)]
    if len(outcomes) > MAX_OUTCOMES:
        return (_common_outcome(outcomes),)
    return tuple(outcomes)


def settled(before: tuple[Outcome, ...], now: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """Return outcomes that stand for both, told apart by what they do to locks only: those of a recursion settle so."""
    groups: dict[object, list[Outcome]] = defaultdict(list)
    for outcome in (*before, *now):
        groups[tuple(_placeless(change) for change in outcome.changes)].append(outcome)
    joined = tuple(_joined(group) for group in groups.values())
    return joined if len(joined) <= MAX_OUTCOMES else (_common_outcome(list(joined)),)


def _joined(group: list[Outcome]) -> Outcome:
    returns = group[0].returns
    for outcome in group[1:]:
        returns = ranges.hull(returns, outcome.returns)
    known = common_guards([outcome.establishes for outcome in group])
    marks = common_marks([outcome.marks for outcome in group])
    blurred = any(outcome.blurred for outcome in group)
    return Outcome(returns, None, group[0].changes, (), known, blurred=blurred, at=group[0].at, marks=marks)


def _placeless(change: LockChange) -> tuple[object, ...]:
    return (change.key, change.count, change.mode, change.recursive, change.atomic)


def _apart(group: list[_Way], even: bool) -> list[list[_Way]]:
    """Divide ways with the same lock changes by what callers know and find."""
    if even:
        return [group]
    divided: dict[object, list[_Way]] = defaultdict(list)
    for way in group:
        divided[(way.conditions, way.stores)].append(way)
    return list(divided.values()) if len(divided) <= MAX_ALIKE else [group]


def _way(leave: Leave, places: tuple[Term, ...]) -> _Way:
    names: dict[Term, Term] = {}
    if leave.value is not None and _is_new(leave.value):
        names[leave.value] = ("ret", 0)
    stores = []
    for index, place in enumerate(places, 1):
        value = load(leave.state, place)
        if _is_new(value):
            value = names.setdefault(value, ("ret", index))
        if is_entry_term(value):
            stores.append((place, value))
    changes = []
    for key, hold in leave.state.locks.items():
        lock = exported_lock(replaced(key, names))
        if lock is not None:
            changes.append(LockChange(lock, hold.times, hold.mode, hold.recursive, hold.at, hold.atomic, hold.origin))
    return _Way(
        leave,
        tuple(sorted(changes, key=_change_key)),
        _established(leave.state),
        without_choice(guards(leave.state)),
        tuple(stores),
        exported(leave.state.marks) if leave.state.marks else (),
    )


def _is_new(value: Term) -> bool:
    """Tell whether `value` is one that callers have no name for, but that is a definite one."""
    return value[0] in ("r", "phi", "fix", "ld", "?") and value[1] != -1 and not is_entry_term(value)


def _stored_places(leaves: list[Leave]) -> tuple[Term, ...]:
    """Return what the function stored to behind its parameters on some way, if it is little."""
    places = {obj: None for leave in leaves for obj in leave.state.memory if _is_behind_parameter(obj)}
    return tuple(sorted(places, key=repr)) if len(places) <= MAX_STORES else ()


def _is_behind_parameter(obj: Term) -> bool:
    while obj[0] == "F":
        obj = obj[1]
    return bool(obj[0] == "O" and obj[1][0] == "P")


def _common_outcome(outcomes: list[Outcome]) -> Outcome:
    """Return one way to return that stands for all: what is not held on all of them is perhaps held."""
    returns = outcomes[0].returns
    for outcome in outcomes[1:]:
        returns = ranges.hull(returns, outcome.returns)
    by_key: dict[Term, list[LockChange]] = defaultdict(list)
    for outcome in outcomes:
        for change in {change.key: change for change in outcome.changes}.values():
            by_key[certain(change.key)].append(change)
    changes = tuple(one for key, some in by_key.items() for one in _common_changes(key, some, len(outcomes)))
    marks = common_marks([outcome.marks for outcome in outcomes])
    return Outcome(returns, None, changes, (), (), blurred=True, marks=marks)


def _common_changes(key: Term, changes: list[LockChange], n_ways: int) -> Iterator[LockChange]:
    """Yield what ways to return do to the lock `key` in common: it is held on all, gone on all, or perhaps either."""
    sure = [change for change in changes if not is_perhaps(change.key)]
    doubts = [change for change in changes if is_perhaps(change.key)]
    counts = [change.count or -1 for change in sure] + [0] * (n_ways - len(sure))
    if agree(counts):
        yield min(sure, key=lambda change: (change.count, change.mode))
    if doubts or not agree(counts):
        least = min(changes, key=lambda change: (change.count, change.mode))
        yield replace(least, key=perhaps(key), count=max(-1, min(0, *counts, *(change.count for change in doubts))))


def _outcome(group: list[_Way], single: bool) -> Outcome:
    first = group[0].leave
    returns = value_range(first)
    for way in group[1:]:
        returns = ranges.hull(returns, value_range(way.leave))
    same = all(way.leave.value == first.value for way in group)
    value = _exported_value(first.value) if same and first.value is not None else None
    values = [way.leave.value or OPEN for way in group]
    value = value or _element(values) or _inside(values)
    conditions = () if single else common_guards([way.conditions for way in group])
    fresh = value is None and _is_allocator([way.leave for way in group])
    stores = tuple(store for store in group[0].stores if all(store in way.stores for way in group))
    known = group[0].established
    one = group[0]
    return Outcome(
        returns, value, one.changes, conditions, known, fresh, first.at, stores, marks=one.marks, assumes=one.assumes
    )


def _assumed(state: State) -> tuple[tuple[Term, str], ...]:
    """Return what is claimed of locks that callers know."""
    return tuple(sorted(((key, how) for key, how in state.assumed.items() if is_entry_term(key)), key=repr))


def _is_allocator(group: list[Leave]) -> bool:
    """Tell whether every value returned is an object allocated here, or none at all."""
    some = False
    for leave in group:
        if leave.value is not None and leave.state.fresh.get(leave.value) == FRESH:
            some = True
        elif leave.value is None or ranges.meet(value_range(leave), ranges.POSITIVE) is not None:
            return False
    return some


def _element(values: list[Term]) -> Term | None:
    """Return what stands for any element of the one container that `values` were found in, unless they are NULL."""
    found_in = common_container(values)
    return element(found_in, OPEN) if found_in is not None and is_entry_term(found_in) else None


def _inside(values: list[Term]) -> Term | None:
    """Return what stands for any address inside the object that all of `values` are addresses inside of, or NULL."""
    obj = inside(values)
    return ("in", obj, OPEN) if obj is not None and is_entry_term(obj) else None


def _exported_value(value: Term) -> Term | None:
    """Return `value` as callers can know it; of a struct, what they cannot know is left open."""
    if value[0] == "agg":
        return ("agg", *((key, part if is_entry_term(part) else OPEN) for key, part in value[1:]))
    return value if is_entry_term(value) else None


def _change_key(change: LockChange) -> tuple[str, int]:
    return (repr(change.key), change.count)


def _established(state: State) -> Guards:
    known = [(term, known) for term, known in state.facts.items() if term[0] == "w" and is_entry_term(term)]
    return tuple(sorted(known, key=repr))
