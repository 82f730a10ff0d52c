# SPDX-License-Identifier: GPL-2.0-only
"""How old a value is: what was read under a lock that was dropped since.

In: reads, uses, branches, locks taken and dropped, in the order of a way. Out: marks in the state, and places where an old
value is used though its lock is held again.

At a drop, the watched members get another epoch: a value read afterwards is another term than one that was kept.

Beside what `marks` tells:
  ("read", rule, value, class, owner, object)  read of the object under the lock: (where the lock was taken or None, its mode)
  ("old", rule, value, class, owner, object)   the lock was dropped since: (as above, where it was dropped, and where taken)
  ("decided", rule, block, owner)      a branch at the end of `block` went by an old value; its lock's class is the value
  ("retaken", "", lock)                a lock of the caller was dropped
  ("dated", "")                        the run has such rules
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from analyzer.analysis.evaluate import cell
from analyzer.analysis.locks import instance, lock_class
from analyzer.analysis.owners import owner_on_path
from analyzer.analysis.state import State
from analyzer.analysis.terms import Term, contains
from analyzer.ir.function import At

DATED = ("dated", "")
#: what is known of an old value whose lock was not taken again yet
N_DROPPED = 3


def dropped(state: State, key: Term, at: At) -> None:
    """Note that a lock is dropped: what was read under it is old from now on."""
    place = (at.line, at.column)
    name = lock_class(key)
    for mark in [mark for mark in state.marks if mark[0] == "read" and mark[3] == name and _is_of(key, mark[4])]:
        state.marks[("old", *mark[1:])] = (*state.marks.pop(mark), place)
        group = cell(mark[5])
        state.epochs[group] = ("drop", *place)
        for obj in [obj for obj in state.memory if cell(obj) == group and not contains(obj, _is_local)]:
            del state.memory[obj]
    hold = state.locks.get(key)
    if hold is None or hold.times <= 0:
        state.marks[("retaken", "", key)] = 1


def taken(state: State, key: Term, at: At) -> None:
    """Note that a lock is taken: what was read before was not read under it."""
    name = lock_class(key)
    for mark in [mark for mark in state.marks if len(mark) > 4 and mark[3] == name and _is_of(key, mark[4])]:
        if mark[0] == "read":
            del state.marks[mark]
        elif len(state.marks[mark]) == N_DROPPED:
            state.marks[mark] = (*state.marks[mark], (at.line, at.column))


def read(state: State, obj: Term, value: Term, rule: str, lock: str) -> None:
    """Note that `value` was read from `obj`."""
    owner = owner_on_path(obj, lock.rpartition(".")[0])
    mark = ("read", rule, value, lock, owner, obj)
    state.marks.pop(("old", *mark[1:]), None)
    hold = next((hold for key, hold in state.locks.items() if lock_class(key) == lock and _is_of(key, owner)), None)
    if hold is not None and hold.times > 0:
        state.marks[mark] = ((hold.at.line, hold.at.column), hold.mode)
    elif is_held(state, lock, owner):
        state.marks[mark] = (None, "write")


def is_held(state: State, lock: str, owner: Term | None) -> bool:
    """Tell whether this path, as far as it knows of the lock at all, holds it."""
    for key, hold in state.locks.items():
        if lock_class(key) == lock and _is_of(key, owner):
            return hold.times >= 0
    return not any(lock_class(key) == lock and _is_of(key, owner) for key in state.dropped)


def used(state: State, term: Term) -> Iterator[tuple[Term, Any]]:
    """Yield the marks of the values in `term` that were read under a lock."""
    for mark, known in state.marks.items():
        if mark[0] in ("read", "old") and contains(term, mark[2].__eq__):
            yield mark, known


def compared(state: State, term: Term) -> set[tuple[str, Any]]:
    """Return the rules and owners whose old values the condition `term` compares with what is there now."""
    found = set()
    for mark, _ in used(state, term):
        if mark[0] != "old":
            continue
        _, rule, value, _, owner, obj = mark

        def is_afresh(part: Term, value: Term = value, obj: Term = obj) -> bool:
            return part[0] == "pc" or (part[0] == "ld" and part[1] == obj and part != value)

        if contains(term, is_afresh):
            found.add((rule, owner))
    return found


def forget(state: State, rules: set[tuple[str, Any]]) -> None:
    """Let old values of these rules and owners be as good as new."""
    for mark in [mark for mark in state.marks if mark[0] == "old" and (mark[1], mark[4]) in rules]:
        state.marks[("read", *mark[1:])] = state.marks.pop(mark)[:2]


def _is_of(key: Term, owner: Term | None) -> bool:
    return owner is None or instance(key) in (None, owner)


def _is_local(term: Term) -> bool:
    return bool(term[0] == "L")
