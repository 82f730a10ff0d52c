# SPDX-License-Identifier: GPL-2.0-only
"""Locks that do not come out even: dropped without being held, held at one return and not at another.

In: releases and returns of one function, with the states there. Out: `Imbalance`s.

A function that changes locks the same way on all returns, or whose return value, arguments or the memory behind them
tell its callers what it did, is no imbalance: that is its summary.

**Invariant:** a lock whose instance is not known is never told of: two of them may be two objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from itertools import product

from analyzer.analysis import conditions, ranges
from analyzer.analysis.effects import held_as
from analyzer.analysis.in_use import without_choice
from analyzer.analysis.leave import Leave, value_range
from analyzer.analysis.locks import exported_lock, is_context, is_perhaps, lock_class, perhaps
from analyzer.analysis.situation import guards, setting
from analyzer.analysis.state import Hold, State
from analyzer.analysis.summary import Imbalance
from analyzer.analysis.terms import Term, contains, is_entry_term, is_stable, root, spell
from analyzer.program.entries import Entry

#: entries whose callers are the kernel's own, and expect to find locks as they were
_PLAIN_ENTRIES = ("ops", "deferred", "initcall", "stated")


def release_fault(state: State, key: Term, less: Hold, parameters: tuple[str, ...]) -> Imbalance | None:
    """Return what is wrong with dropping `key` in `state`, as far as the function itself can tell."""
    if is_perhaps(key) or perhaps(key) in state.locks:
        return None
    key = held_as(state, key)
    hold, gone = state.locks.get(key), state.dropped.get(key)
    kind, other = "", None
    if hold is None:
        if gone is not None and not gone.recursive:
            kind, other = "unheld", gone.released
    elif hold.times < 0:
        if not hold.recursive and not less.recursive:
            kind, other = "unheld", hold.at
    elif hold.mode != less.mode and not hold.recursive and hold.times == 1:
        kind, other = "mode", hold.at
    name = lock_class(key)
    if not kind or not name or key[0] == "unknown" or not is_stable(key):
        return None
    return Imbalance(
        kind, name, spell(key, parameters), less.mode, less.at, setting(state, parameters), other, origin=less.origin
    )


def at_returns(leaves: list[Leave], entry: Entry | None, parameters: tuple[str, ...]) -> tuple[Imbalance, ...]:
    """Return what callers would find unbalanced after the function returned."""
    found = list(_unequal(leaves, parameters))
    told = {one.name for one in found}
    for one in _kept(leaves, entry, parameters) if entry is not None else ():
        if one.name not in told:
            told.add(one.name)
            found.append(one)
    return tuple(found)


# -- returns against each other -----------------------------------------------------------------------------------


def _unequal(leaves: list[Leave], parameters: tuple[str, ...]) -> Iterator[Imbalance]:
    if not any(leave.state.locks for leave in leaves):
        return
    told: set[Term] = set()
    unsure = {lock_class(key) for leave in leaves for key in leave.state.locks if is_perhaps(key)}
    # of several locks of one class that a loop took, it is not known which is which
    crowds = {
        lock_class(key) for leave in leaves for key in leave.state.locks if key[0] == "unknown" or not is_stable(key)
    }
    for one, other in product(leaves, leaves):
        for key in dict.fromkeys((*one.state.locks, *other.state.locks)):
            mine, theirs = _times(one.state, key), _times(other.state, key)
            if mine <= theirs or key in told or lock_class(key) in unsure or not _is_fault(key, crowds, one, other):
                continue
            told.add(key)
            # whoever keeps it is at fault, or whoever drops what is not its own; but interrupts may be switched on for good
            if mine > 0:
                yield _at_return("unequal", key, one.state.locks[key], one, other, parameters)
            elif not is_context(key, other.state.locks[key].mode, other.state.locks[key].recursive):
                yield _at_return("dropped", key, other.state.locks[key], other, one, parameters)


def _times(state: State, key: Term) -> int:
    hold = state.locks.get(key)
    return hold.times if hold else 0


def _is_fault(key: Term, crowds: Set[str | None], one: Leave, other: Leave) -> bool:
    """Tell whether callers are wronged by `key` being held at `one` and not at `other`."""
    if _is_known(key):
        return _alike(one, other)
    # a lock of an object that the function found: its callers would have to find the object again
    if lock_class(key) in (None, "", *crowds) or key[0] == "unknown" or not is_stable(key):
        return False
    found = exported_lock(key) is not None
    fails = _is_failure(one) and not _is_failure(other)
    return found and _times(one.state, key) > 0 and (fails or _alike(one, other))


def _is_known(key: Term) -> bool:
    return bool(lock_class(key)) and key[0] != "unknown" and exported_lock(key) == key


def _alike(one: Leave, other: Leave) -> bool:
    """Tell whether a caller cannot know which of two returns it was."""
    if ranges.meet(value_range(one), value_range(other)) is None:
        return False
    theirs = dict(guards(other.state))
    for term, known in without_choice(guards(one.state)):
        if term in theirs and ranges.meet(known, theirs[term]) is None and not _is_computed(term):
            return False
    return not _told_by_memory(one.state, other.state)


def _is_computed(term: Term) -> bool:
    """Tell whether `term` compares what is computed from several values: no caller tests the same again."""
    return term[0] == "op" and any(contains(operand, _is_of_two) for operand in term[2:])


def _is_of_two(term: Term) -> bool:
    return bool(term[0] == "op" and term[2][0] != "k" and term[3][0] != "k")


def _told_by_memory(one: State, other: State) -> bool:
    """Tell whether what the function stored for its caller differs."""
    for obj in one.memory.keys() | other.memory.keys():
        if root(obj)[0] in ("P", "G") and is_entry_term(obj):
            mine, theirs = _stored(one, obj), _stored(other, obj)
            if ranges.meet(mine, theirs) is None:
                return True
    return False


def _stored(state: State, obj: Term) -> ranges.Range:
    value = state.memory.get(obj)
    return ranges.FULL if value is None else conditions.range_of(state.facts, value)


# -- entry points -------------------------------------------------------------------------------------------------


def _kept(leaves: list[Leave], entry: Entry, parameters: tuple[str, ...]) -> Iterator[Imbalance]:
    if not entry.certain or not entry.even:
        return
    left, brought = {name for name, _ in entry.leaves}, {name for name, _ in entry.holds}
    for leave in leaves:
        for key, hold in leave.state.locks.items():
            name = lock_class(key)
            if not name or key[0] in ("unknown", "perhaps") or not is_stable(key) or exported_lock(key) is None:
                continue
            if hold.times > 0 and name not in left and _is_wrong(leave, leaves, key, entry):
                yield _at_return("kept", key, hold, leave, None, parameters)
            elif hold.times >= 0 or name in brought or is_context(key, hold.mode, hold.recursive):
                continue
            elif entry.kind in _PLAIN_ENTRIES:
                yield Imbalance(
                    "unheld",
                    name,
                    spell(key, parameters),
                    hold.mode,
                    hold.at,
                    setting(leave.state, parameters),
                    origin=hold.origin,
                )


def _is_wrong(leave: Leave, leaves: Iterable[Leave], key: Term, entry: Entry) -> bool:
    """Tell whether an entry point must not return with `key`.

    Functions that other code calls by name may be one half of a pair. But none keeps a lock when it fails only.
    """
    if entry.kind in _PLAIN_ENTRIES:
        return True
    if not _is_failure(leave):
        return False
    return not any(_times(other.state, key) > 0 and not _is_failure(other) for other in leaves)


def _is_failure(leave: Leave) -> bool:
    return leave.value is not None and ranges.meet(value_range(leave), ((0, ranges.HIGH),)) is None


def _at_return(
    kind: str, key: Term, hold: Hold, leave: Leave, other: Leave | None, parameters: tuple[str, ...]
) -> Imbalance:
    return Imbalance(
        kind,
        lock_class(key) or "",
        spell(key, parameters),
        hold.mode,
        leave.at,
        setting(leave.state, parameters),
        other.at if other else None,
        setting(other.state, parameters) if other else None,
        hold.at,
        hold.origin,
    )
