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
#: an object of which callers know nothing
UNKNOWN: Term = ("?", -1, "owner")


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
    objects = [count[1] for count in counts if count[0] == "F"]
    if atom[1] in objects:
        return True
    if _is_known(atom[1]):
        return atom
    return (
        ("maybe", "the last reference to an object is gone, which may be the one") if objects else (*atom[:1], UNKNOWN)
    )


def _is_known(owner: Term) -> bool:
    return is_entry_term(owner) and depth(owner) <= MAX_OWNER_DEPTH


def spared(atom: tuple[Any, ...], state: State) -> Atom:
    """Return whether one of the exemptions applies to the object."""
    _, exemptions, owner = atom
    unseen = fresh(object_pointer(owner), state) if "unpublished" in exemptions else False
    gone = dying(("dying", owner), state) if "dying" in exemptions else False
    if unseen is True or gone is True:
        return True
    for doubt in (unseen, gone):
        if isinstance(doubt, tuple) and doubt[0] == "maybe":
            return doubt
    left = tuple(one for one in exemptions if one != "unpublished")
    return atom if _is_known(owner) else ("spared", left, UNKNOWN) if left else False
