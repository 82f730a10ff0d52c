# SPDX-License-Identifier: GPL-2.0-only
"""Unpublished objects: what nobody else can reach yet.

In: allocations, stores and calls of one function. Out: for every object that the function can name, whether it is
fresh (allocated here, or a local, and not stored anywhere), handed to a function that cannot be looked into, or
published. Of a parameter's object only the caller knows, until this function publishes it.

An object stored inside a fresh one stays fresh, until that one is published.
"""

from __future__ import annotations

from analyzer.analysis.state import FRESH, HANDED_OUT, PUBLISHED, State
from analyzer.analysis.terms import Term


def allocation(pointer: Term) -> Term:
    """Return what stands for the whole object that `pointer` points into, without going through memory."""
    while pointer[0] in ("F", "I", "C", "ad", "O"):
        pointer = pointer[1]
    return pointer


def status(pointer: Term, state: State) -> int | None:
    """Return FRESH, HANDED_OUT or PUBLISHED; None where only the callers know."""
    base = allocation(pointer)
    known = state.fresh.get(base)
    if known is not None:
        return known
    if base[0] == "L":
        return FRESH
    return None if base[0] == "P" else PUBLISHED


def is_new(pointer: Term, state: State) -> bool:
    """Tell whether `pointer` points to an object that this function itself allocated, published or not."""
    return pointer[0] == "r" and pointer in state.fresh


def is_own_object(pointer: Term, state: State) -> bool:
    """Tell whether `pointer` points into an object that this function made: its callers know nothing of it."""
    base = allocation(pointer)
    return base[0] == "L" or (base[0] == "r" and base in state.fresh)


def publish(state: State, obj: Term, value: Term) -> None:
    """Store `value` into `obj`: what it points to can be found by others, if `obj` can."""
    if value[0] not in ("ad", "r", "P"):
        return
    base, holder = allocation(value), allocation(obj)
    if base[0] not in ("r", "P", "L"):
        return
    if base == holder:
        return
    if status(obj, state) == FRESH:
        state.inside[holder] = state.inside.get(holder, frozenset()) | {base}
    else:
        lower(state, base, PUBLISHED)


def lower(state: State, base: Term, to: int) -> None:
    """Note that the object `base`, and all that was stored inside it, is at most `to`."""
    work, seen = [base], {base}
    while work:
        item = work.pop()
        before = state.fresh.get(item, FRESH if item[0] in ("P", "L") else PUBLISHED)
        state.fresh[item] = min(before, to)
        work.extend(inner for inner in state.inside.get(item, ()) if inner not in seen)
        seen.update(state.inside.get(item, ()))


def hand_out(state: State, argument: Term) -> None:
    """Note that a function without a body was given a pointer into an object."""
    base = allocation(argument)
    if base in state.fresh or base[0] == "L":
        lower(state, base, HANDED_OUT)
