# SPDX-License-Identifier: GPL-2.0-only
"""Objects of which rules may not ask: nobody else can reach them yet, or any more.

In: atoms of formulas (`formula`) and a state. Out: True, False, or the atom that is left to the callers.
"""

from typing import Any

from analyzer.analysis import ranges
from analyzer.analysis.freshness import status
from analyzer.analysis.state import FRESH, HANDED_OUT, State
from analyzer.analysis.terms import Term, depth, is_entry_term

Atom = bool | tuple[Any, ...]
#: an owner further away than this is not told apart from others: recursion over linked objects would lead on for ever
MAX_OWNER_DEPTH = 14


def fresh(pointer: Term, state: State) -> Atom:
    """Return whether nobody else can reach what `pointer` points to."""
    known = status(pointer, state)
    if known == FRESH:
        return True
    if known == HANDED_OUT:
        return ("maybe", "the object is newly allocated, and was handed to a function that may publish it")
    return ("fresh", pointer) if known is None and is_entry_term(pointer) else False


def object_pointer(obj: Term) -> Term:
    """Return the pointer through which `obj` is reached: the one whose freshness decides."""
    while obj[0] in ("F", "I", "C"):
        obj = obj[1]
    return obj[1] if obj[0] == "O" else ("ad", obj)


def dying(atom: tuple[Any, ...], state: State) -> Atom:
    """Return whether the last reference to the object is gone."""
    counts = (term[2] for term, known in state.facts.items() if term[0] == "w" and known == ranges.NULL)
    if any(count[0] == "F" and count[1] == atom[1] for count in counts):
        return True
    return atom if is_entry_term(atom[1]) and depth(atom[1]) <= MAX_OWNER_DEPTH else False


def spared(atom: tuple[Any, ...], state: State) -> Atom:
    """Return whether one of the exemptions applies to the object."""
    _, exemptions, owner = atom
    unseen = fresh(object_pointer(owner), state) if "unpublished" in exemptions else False
    gone = dying(("dying", owner), state) if "dying" in exemptions else False
    if unseen is True or gone is True:
        return True
    if isinstance(unseen, tuple) and unseen[0] == "maybe":
        return unseen
    if is_entry_term(owner) and depth(owner) <= MAX_OWNER_DEPTH:
        return atom
    return ("new",) if "creation" in exemptions else False
