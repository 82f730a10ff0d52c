# SPDX-License-Identifier: GPL-2.0-only
"""What a caller knows, in the words of the function that it calls.

In: a state at a call, the arguments. Out: ranges over the callee's entry: `tile->shape.kind` is 2 and `&tile->shape` is
passed, so that `container_of(shape, struct tile, shape)->shape.kind` is 2 there.

This is the way back of `terms.substitute`: what the callee calls the members of an argument, of what is around it, and
of what globals lead to. What the callee has no word for is left out.

**Invariant:** only what memory holds at the call is told: what was known of a member before it was written is not.
"""

from __future__ import annotations

from collections.abc import Callable

from analyzer.analysis import conditions, ranges
from analyzer.analysis.conditions import Facts
from analyzer.analysis.evaluate import load
from analyzer.analysis.state import State
from analyzer.analysis.terms import CHOICE, Term, address, container, member, pointee

#: values that are the same wherever they are written
_SAME = frozenset(("k", "t", CHOICE))


def retold(state: State, arguments: tuple[Term, ...], is_shared: Callable[[str], bool]) -> Facts:
    """Return what `state` knows, over the entry of a function called with `arguments`.

    `is_shared`: does the callee mean the same global by a name?
    """
    if not state.facts and not state.memory and not any(argument[0] in ("k", "ad") for argument in arguments):
        return {}
    words = _Words(state, arguments, is_shared)
    told: Facts = {}
    for term, known in state.facts.items():
        _tell(told, words.of(term), known)
    for obj, value in state.memory.items():
        known = conditions.range_of(state.facts, value)
        if known != ranges.FULL:
            _tell(told, words.contents(obj), known)
    for index, argument in enumerate(arguments):
        _tell(told, ("P", index), conditions.range_of(state.facts, argument))
        if argument[0] == "ad" and argument[1][0] == "L":
            known = conditions.range_of(state.facts, load(state, argument[1]))
            _tell(told, words.contents(argument[1]), known)
    return told


def _tell(told: Facts, term: Term | None, known: ranges.Range) -> None:
    if term is not None and term[0] != "k" and not conditions.says_nothing(term, known):
        conditions.refine(told, term, known)


class _Words:
    """What the callee calls the caller's terms."""

    def __init__(self, state: State, arguments: tuple[Term, ...], is_shared: Callable[[str], bool]) -> None:
        self._state = state
        self._is_shared = is_shared
        #: the callee's entry, where nothing was written yet
        self._entry = State(backlinks=state.backlinks.everywhere)
        self._names: dict[Term, Term | None] = {}
        for index, argument in enumerate(arguments):
            if argument[0] not in ("k", "fn", "t", "?"):
                self._names.setdefault(argument, ("P", index))
            if argument[0] == "ad":
                self._around(argument[1], ("O", ("P", index)))

    def _around(self, obj: Term, name: Term) -> None:
        """Name an object that an argument points to, and what it is a member of."""
        self._names.setdefault(obj, name)
        while obj[0] in ("F", "I"):
            if obj[0] == "F":
                name = container(name, obj[2], obj[3])
                self._names.setdefault(obj[1], name)
            obj = obj[1]

    def of(self, term: Term) -> Term | None:
        """Return what the callee calls `term` at its entry; None if it has no word for it."""
        if term in self._names:
            return self._names[term]
        found = self._names[term] = self._find(term)
        return found

    def contents(self, obj: Term) -> Term | None:
        """Return what the callee finds in the object `obj`."""
        name = self.of(obj)
        return None if name is None else load(self._entry, name)

    def _find(self, term: Term) -> Term | None:
        kind = term[0]
        if kind in _SAME:
            return term
        if kind == "G":
            return term if self._is_shared(term[1]) else None
        if kind == "ld":
            return self.contents(term[1]) if load(self._state, term[1]) == term else None
        if kind in ("O", "F", "C", "ad"):
            inner = self.of(term[1])
            return None if inner is None else _made(term, inner)
        if kind in ("I", "op", "un", "w", "pc"):
            parts = [self.of(part) if isinstance(part, tuple) else part for part in term[1:]]
            return None if None in parts else (kind, *parts)
        return None


def _made(term: Term, inner: Term) -> Term:
    """Return what is made of `inner` as `term` is of its own."""
    match term[0]:
        case "O":
            return pointee(inner)
        case "ad":
            return address(inner)
        case "F":
            return member(inner, term[2], term[3])
    return container(inner, term[2], term[3])
