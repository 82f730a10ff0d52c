# SPDX-License-Identifier: GPL-2.0-only
"""What lock primitives do to a state.

In: a state, a primitive, argument terms. Out: the states after the call, split where success and failure differ:
`mutex_trylock(&m)` gives one with `m` held and a nonzero result, one with neither.
"""

from analyzer.analysis import conditions, dating, ranges
from analyzer.analysis.evaluate import store
from analyzer.analysis.freshness import allocation, lower, publish
from analyzer.analysis.locks import LockTypes, certain, is_perhaps, lock_class, perhaps, same_lock
from analyzer.analysis.over import Loader, substitute
from analyzer.analysis.state import FRESH, PUBLISHED, Dropped, Hold, State
from analyzer.analysis.terms import ZERO, Term, element, is_stable, member, pointee
from analyzer.ir.function import At
from analyzer.spec.effect import ArgumentTest, Effect, LockAbstract, LockArgument, LockTerm, Primitive, ReturnTest

#: stands for the function of a predicate that holds where the last reference to an object was dropped
LAST = "last reference"
#: nesting deeper than this is not counted, so that loops settle
MAX_TIMES = 3


def apply_primitive(
    state: State, primitive: Primitive, arguments: tuple[Term, ...], result: Term, at: At, types: LockTypes
) -> list[State]:
    """Return the states after a call of `primitive` that returned `result`."""
    states = [state]
    for test, told in dict.fromkeys((effect.when, effect.sets) for effect in primitive.effects):
        effects = [effect for effect in primitive.effects if (effect.when, effect.sets) == (test, told)]
        after: list[State] = []
        for current in states:
            if test is not None or told is not None:
                failed = current.fork()
                if test is None or conditions.refine(failed.facts, result, _failure(test, effects)):
                    after.append(failed)
            if test is not None:
                success = ranges.from_test(test.operator, test.value)
                if not conditions.refine(current.facts, result, success):
                    continue
            if told is not None and not _leave(current, told, arguments, at):
                continue
            for effect in effects:
                apply_effect(current, effect, arguments, result, at, types)
            after.append(current)
        states = after
    return states


def _leave(state: State, told: ArgumentTest, arguments: tuple[Term, ...], at: At) -> bool:
    """Store what the call leaves behind an argument if its effect happens; False if there is no place for it."""
    if told.index >= len(arguments) or arguments[told.index] == ZERO:
        return False
    store(state, pointee(arguments[told.index]), ("k", told.value), (at.line, at.column))
    return True


def _failure(test: ReturnTest, effects: list[Effect]) -> ranges.Range:
    """Return the values of a call whose effects did not happen."""
    if (test.operator, test.value) == ("==", 0) and all(e.kind == "acquire" and not e.attempt for e in effects):
        # who waited in vain tells why, by an error
        return ranges.NEGATIVE
    if test.operator in ("==", "!=") and test.value != 0:
        # documented results are 0 and the tested value
        return ranges.NULL
    return ranges.complement(ranges.from_test(test.operator, test.value)) or ranges.FULL


def apply_effect(
    state: State, effect: Effect, arguments: tuple[Term, ...], result: Term, at: At, types: LockTypes
) -> None:
    """Change `state` as one effect does, whatever value is returned."""
    match effect.kind:
        case "acquire":
            key = lock_of(effect, arguments, types)
            if effect.nests or _times(state, key) <= 0:
                acquire(state, key, Hold(1, effect.mode, effect.recursive, at, effect.atomic))
        case "release":
            key = lock_of(effect, arguments, types)
            if effect.nests or _times(state, key) >= 0:
                count = 1 if effect.nests else max(1, _times(state, key))
                release(state, key, Hold(count, effect.mode, effect.recursive, at))
        case "establish" if effect.fact is not None:
            function, index, operator, value = effect.fact
            known = ranges.from_test(operator, value)
            if index < len(arguments):
                conditions.refine(state.facts, ("w", function, pointee(arguments[index])), known)
                if effect.last:
                    conditions.refine(state.facts, ("w", LAST, pointee(arguments[index])), known)
        case "allocate":
            state.fresh[result] = FRESH
            for kept in effect.keeps:
                if kept < len(arguments):
                    publish(state, result, arguments[kept])
        case "publish" if isinstance(effect.lock, LockArgument) and effect.lock.index < len(arguments):
            lower(state, allocation(arguments[effect.lock.index]), PUBLISHED)


def lock_of(
    effect: Effect, arguments: tuple[Term, ...], types: LockTypes, loader: Loader = lambda obj: ("ld", obj, 0)
) -> Term:
    """Return the lock that the effect is about; `loader` tells what memory holds."""
    match effect.lock:
        case LockTerm(term):
            return types.key(substitute(term, arguments, loader))
        case LockAbstract(name):
            return ("abstract", name)
        case LockArgument(index, part) if index < len(arguments):
            obj = pointee(arguments[index])
            return types.key(obj if part is None else member(obj, *part))
    return ("unknown", "")


def _times(state: State, key: Term) -> int:
    """Return how often `key` is held, relative to the entry."""
    hold = state.locks.get(key)
    return 0 if hold is None else hold.times


def change(state: State, key: Term, hold: Hold) -> None:
    """Do to `key` what a function did to it on the whole: `hold.times` more, less, or in another mode than before."""
    if is_perhaps(key):
        _blur(state, key, hold)
    elif hold.times > 0:
        acquire(state, key, hold)
    elif hold.times < 0:
        release(state, key, hold._replace(times=-hold.times))
    else:
        key = held_as(state, key)
        known = state.locks.get(key)
        state.locks[key] = hold if known is None else known._replace(mode=hold.mode)


def _blur(state: State, key: Term, hold: Hold) -> None:
    """Note that whether a lock is held is not known any more: a caller's may be gone, or is held oftener."""
    sure = held_as(state, certain(key))
    known, before = state.locks.get(sure), state.locks.get(perhaps(sure))
    if hold.times < 0 or (known is not None and known.times <= 0):
        state.locks.pop(sure, None)
    times = min(hold.times, *(one.times for one in (known, before) if one is not None), 0)
    state.locks[perhaps(sure)] = hold._replace(times=max(-1, times))


def acquire(state: State, key: Term, more: Hold) -> None:
    """Hold `key` `more.times` times more."""
    hold = state.locks.get(key)
    if state.marks and (hold is None or hold.times < 0):
        dating.taken(state, key, more.at)
    if hold is None:
        state.locks[key] = more
        state.dropped.pop(key, None)
    elif hold.times + more.times == 0 and hold.mode == more.mode:
        del state.locks[key]
    else:
        times = min(hold.times + more.times, MAX_TIMES)
        state.locks[key] = hold._replace(times=times, mode=more.mode if hold.times < 0 else hold.mode)


def release(state: State, key: Term, less: Hold) -> None:
    """Hold `key` `less.times` times less; below zero it was the caller's."""
    key = held_as(state, key)
    if state.assumed:
        unassume(state, key)
    hold = state.locks.get(key)
    if state.marks and (not less.recursive if hold is None else hold.times <= less.times):
        dating.dropped(state, key, less.at)
    if hold is None:
        if perhaps(key) in state.locks:
            # perhaps it is the one that is perhaps held
            return
        if not is_stable(key) and ("unknown", lock_class(key)) in state.dropped:
            # one more of those that a loop took
            return
        state.locks[key] = less._replace(times=-less.times)
    elif hold.times > less.times:
        state.locks[key] = hold._replace(times=hold.times - less.times)
    elif hold.times == less.times:
        del state.locks[key]
        state.dropped[key] = Dropped(hold.mode, hold.recursive, hold.at, less.at)
    else:
        state.locks[key] = hold._replace(times=max(hold.times - less.times, -MAX_TIMES), at=less.at)


def unassume(state: State, key: Term) -> None:
    """Claim of `key`, and of what may be the same lock, no longer that a caller holds it."""
    for other in [other for other in state.assumed if lock_class(other) == lock_class(key)]:
        if same_lock(other, key) is not False:
            del state.assumed[other]


def held_as(state: State, key: Term) -> Term:
    """Return the held lock that `key` must mean.

    If it is not held by that name itself, a lock of the class that is known by a merged value on either side may be
    the same lock.
    """
    if key in state.locks:
        return key
    wanted = lock_class(key)
    if wanted is None:
        return key
    for other, hold in state.locks.items():
        if hold.times > 0 and lock_class(other) == wanted and not (is_stable(other) and is_stable(key)):
            return other
    return key


def value_found(primitive: Primitive, arguments: tuple[Term, ...], result: Term) -> Term:
    """Return the value of a call of `primitive`: an element of the object that it looks into, or `result`."""
    for effect in primitive.effects:
        if effect.finds and isinstance(effect.lock, LockArgument) and effect.lock.index < len(arguments):
            return element(pointee(arguments[effect.lock.index]), result)
    return result
