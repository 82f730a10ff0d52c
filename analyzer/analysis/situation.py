# SPDX-License-Identifier: GPL-2.0-only
"""What a state says about a place: the conditions under which it is reached, and the locks there.

In: a state. Out: `Guards` over the function's entry, and `Setting`, locks for people and for later passes.
"""

from functools import lru_cache

from analyzer.analysis import ranges
from analyzer.analysis.deferred import is_callers_choice
from analyzer.analysis.locks import is_context, is_perhaps, lock_class
from analyzer.analysis.locksets import DroppedAt, HeldAt, Setting
from analyzer.analysis.ranges import Range
from analyzer.analysis.state import State
from analyzer.analysis.terms import CHOICE, TOLD, Term, depth, is_entry_term, spell
from analyzer.spec.effect import LockAbstract, Primitive

Guards = tuple[tuple[Term, Range], ...]

#: deeper entry terms are not worth a guard
_GUARD_DEPTH = 4
#: what conditions are about; comparisons of two values among them
_KINDS = frozenset(("P", "ld", "pc", "w", "op", "m", CHOICE, TOLD))


def guards(state: State) -> Guards:
    """Return what the state knows of entry terms: conditions under which a place is reached."""
    return tuple([(term, known) for term, known in state.facts.items() if term[0] in _KINDS and _is_guard(term)])


@lru_cache(1 << 16)
def _is_guard(term: Term) -> bool:
    return depth(term) <= _GUARD_DEPTH and is_entry_term(term)


def setting(state: State, parameters: tuple[str, ...]) -> Setting:
    """Return the locks of `state` for people and for later passes."""
    held, dropped, unsure = [], [], set()
    for key, hold in state.locks.items():
        name, context = lock_class(key) or "", is_context(key, hold.mode, hold.recursive)
        if is_perhaps(key):
            unsure.add(name)
            continue
        if hold.times >= 0:
            held.append(HeldAt(name, hold.mode, hold.at, spell(key, parameters), context, hold.origin, hold.recursive))
        if hold.times <= 0:
            dropped.append(DroppedAt(name, hold.at, context=context))
    for key, gone in state.dropped.items():
        name, context = lock_class(key) or "", is_context(key, gone.mode, gone.recursive)
        dropped.append(DroppedAt(name, gone.released, gone.acquired, gone.mode, context))
    return Setting(tuple(held), tuple(dropped), tuple(sorted(unsure)))


def common_guards(all_guards: list[Guards]) -> Guards:
    """Return what is known in every one of `all_guards`."""
    if len(all_guards) == 1 and len(all_guards[0]) < 2:
        return all_guards[0]
    common = dict(all_guards[0])
    for other in all_guards[1:]:
        theirs = dict(other)
        for term in list(common):
            joined = ranges.hull(common[term], theirs[term]) if term in theirs else ranges.FULL
            if joined == ranges.FULL:
                del common[term]
            else:
                common[term] = joined
    return tuple(sorted(common.items(), key=_spelled)) if len(common) > 1 else tuple(common.items())


def _spelled(item: tuple[Term, Range]) -> str:
    return _spelling(item[0])


@lru_cache(1 << 16)
def _spelling(term: Term) -> str:
    """Return what terms are sorted by."""
    return repr(term)


def decidable(known: Guards) -> Guards:
    """Return the conditions that callers can decide by what they pass: on parameters and members right behind them."""
    return tuple(
        (term, range_)
        for term, range_ in known
        if (term[0] in (CHOICE, TOLD) or is_callers_choice(term)) and range_ != ranges.FULL
    )


class Decidable:
    """Tells what callers can decide of conditions, which most places of a function share with others."""

    def __init__(self) -> None:
        self._alone: dict[int, Guards] = {}
        self._common: dict[int, Guards] = {}
        #: what is looked up by its identity stays
        self._kept: list[Guards] = []

    def of(self, known: Guards) -> Guards:
        """Return the conditions that callers can decide."""
        found = self._alone.get(id(known))
        if found is None:
            found = self._alone[id(known)] = decidable(known)
            self._kept.append(known)
        return found

    def common(self, some: list[Guards]) -> Guards:
        """Return what of them holds in every one of `some`."""
        first = some[0]
        if any(known is not first for known in some):
            return common_guards([self.of(known) for known in some])
        found = self._common.get(id(first))
        if found is None:
            found = self._common[id(first)] = common_guards([self.of(first)])
        return found


def is_told(state: State, row: Primitive) -> bool:
    """Tell whether `state` holds a lock of those that the function of `row` tells of."""
    tells = [effect for effect in row.effects if effect.kind == "tell"]
    names = {effect.lock.name for effect in tells if isinstance(effect.lock, LockAbstract)}
    others = any(effect.atomic for effect in tells)
    return any(
        hold.times > 0 and (key[1] in names if key[0] == "abstract" else others and hold.atomic)
        for key, hold in state.locks.items()
    )


def relies_on(state: State, count: Term) -> bool:
    """Tell whether `count` is a counter in an object one of whose locks is held: whoever holds it needs the object.

    So the counter does not drop to zero there: the lock could not be dropped again.
    """
    if count[0] != "w":
        return False
    obj = count[2]
    while obj[0] in ("F", "I"):
        obj = obj[1]
    return any(hold.times > 0 and _lies_in(key, obj) for key, hold in state.locks.items())


def _lies_in(part: Term, whole: Term) -> bool:
    while part[0] in ("F", "I") and part != whole:
        part = part[1]
    return part == whole
