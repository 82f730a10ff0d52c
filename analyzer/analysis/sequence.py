# SPDX-License-Identifier: GPL-2.0-only
"""What came before on a way: calls that a rule wants to be first, and what makes them count no more.

In: calls and writes in the order of a way. Out: marks in the state, which summaries hand to callers.

**Invariant:** marks are there only if a rule asks for them: without one, states and summaries are what they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from analyzer.analysis.dating import dropped
from analyzer.analysis.freshness import allocation
from analyzer.analysis.locks import LockTypes, differ, instance, lock_class
from analyzer.analysis.marks import DEPTH, EVERY, Marks
from analyzer.analysis.owners import owner_in_arguments, owner_on_path
from analyzer.analysis.state import State
from analyzer.analysis.terms import Term, pointee
from analyzer.ir.function import At
from analyzer.ir.types import CType


class Sequence(Struct, frozen=True):
    """What must come before, and what must not come in between."""

    rule: str
    #: functions of which one must be called before
    calls: tuple[str, ...]
    #: class of the lock that the earlier call must be about; empty if it is about none
    lock: str
    #: functions whose calls, and members whose writes, make an earlier call count no more
    stale_calls: tuple[str, ...]
    stale_cells: tuple[tuple[str, str], ...]

    @property
    def record(self) -> str:
        """Return the record whose objects the marks are about; empty for none."""
        return self.lock.rpartition(".")[0]


def called(
    state: State,
    sequence: Sequence,
    name: str,
    arguments: tuple[Term, ...],
    signature: CType,
    types: LockTypes,
) -> None:
    """Note a call of the function `name`."""
    if name in sequence.stale_calls:
        make_stale(state, sequence, owner_in_arguments(arguments, signature, sequence.record))
    if name in sequence.calls:
        state.marks[DEPTH] = 0
        if not sequence.lock:
            state.marks[("after", sequence.rule, None)] = 1
            return
        for argument in arguments:
            key = types.key(pointee(argument))
            if lock_class(key) == sequence.lock:
                state.marks[("after", sequence.rule, instance(key))] = 1
                return
        owner = owner_in_arguments(arguments, signature, sequence.record)
        if owner is not None:
            state.marks[("after", sequence.rule, owner)] = 1


def written(state: State, sequence: Sequence, obj: Term) -> None:
    """Note a write to a member that makes earlier calls stale."""
    make_stale(state, sequence, owner_on_path(obj, sequence.record))


def make_stale(state: State, sequence: Sequence, owner: Term | None) -> None:
    """Note that earlier calls about the lock of `owner`, of any object if that is not known, count no more."""
    rule = sequence.rule
    owner = owner if not sequence.record else owner or EVERY
    for key in [key for key in state.marks if key[1] == rule]:
        if key[0] == "quiet":
            del state.marks[key]
        elif key[0] == "after" and not (owner and key[2] and EVERY not in (owner, key[2]) and differ(key[2], owner)):
            state.marks[key] = 0
    state.marks[("after", rule, owner)] = 0
    state.marks[("stale", rule)] = 1
    state.marks[DEPTH] = 0


def made(state: State, sequences: Iterable[Sequence], result: Term) -> None:
    """Note the end of a call that returned `result`: if it made an object, nothing came since."""
    for sequence in sequences:
        stale = ("stale", sequence.rule)
        if state.marks.get(stale) == 2:
            state.marks[stale] = 1
        elif result in state.fresh:
            state.marks[("quiet", sequence.rule, result)] = 1


def take(state: State, marks: Marks, over: Callable[[Term], Term], at: At) -> None:
    """Add a callee's marks to those of `state`; what it made stale first."""
    for key, value in sorted(marks, key=_stale_first):
        if key[0] == "stale":
            state.marks[key] = 2
            for mine in [mine for mine in state.marks if mine[:2] == ("quiet", key[1])]:
                del state.marks[mine]
        elif key[0] == "after":
            owner = key[2] if key[2] in (None, EVERY) else over(key[2])
            if value == 0:
                for mine in [mine for mine in state.marks if mine[:2] == key[:2]]:
                    if not (mine[2] and owner and EVERY not in (mine[2], owner) and differ(mine[2], owner)):
                        state.marks[mine] = 0
            state.marks[("after", key[1], owner)] = value
        elif key[0] == "depth":
            state.marks[key] = min(value + 1, state.marks.get(key, value + 1))
        elif key[0] == "retaken":
            dropped(state, over(key[2]), at)


def _stale_first(item: tuple[Term, Any]) -> tuple[bool, int, str]:
    return (item[0][0] != "stale", item[1], repr(item[0]))


def came(atom: tuple[Any, ...], state: State) -> bool | str | None:
    """Tell whether what `atom` asks for came on this way; a text if that is in doubt, None if only callers know."""
    _, rule, owner = atom
    found: set[bool | None] = set()
    for key, value in state.marks.items():
        if key[:2] != ("after", rule):
            continue
        if key[2] == owner or key[2] is None or (key[2] == EVERY and value == 0):
            return bool(value)
        if owner is None:
            found.add(bool(value))
        elif not differ(key[2], owner):
            found.add(None)
    if not found:
        return None
    if len(found) == 1 and None not in found:
        return bool(found.pop())
    return "what came before may have been about another object"


def is_quiet(atom: tuple[Any, ...], state: State) -> bool | None:
    """Tell whether nothing came in between since an object was made; None if only callers know."""
    _, rule, pointer = atom
    base = allocation(pointer)
    if ("quiet", rule, base) in state.marks:
        return True
    return None if base[0] == "P" and ("stale", rule) not in state.marks else False
