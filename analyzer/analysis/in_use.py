# SPDX-License-Identifier: GPL-2.0-only
"""Which implementation is in use, as a fact of a state.

In: what functions run under, see `implementations`. Out: the term that stands for the choice, refined where a function
begins and where a call through a pointer is known to go to a certain target.

**Invariant:** the ranges of all tables together are every number, so that a choice that is left open is no condition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from analyzer.analysis import conditions, ranges
from analyzer.analysis.ranges import HIGH, LOW, Range
from analyzer.analysis.state import State
from analyzer.analysis.terms import CHOICE, Term
from analyzer.program.implementations import Operations, Usage

#: what a function runs under: (choice, range) for each record that it does not run under all tables of
InUse = tuple[tuple[Term, Range], ...]
EVERY: InUse = ()


class Place(Protocol):
    """Something that happens where certain implementations are in use."""

    @property
    def choices(self) -> InUse:
        """Which they are."""


P = TypeVar("P", bound=Place)


def in_use(records: Mapping[str, Operations], usage: Mapping[str, Usage]) -> dict[str, InUse]:
    """Return what functions run under, by id."""
    return {
        ident: tuple(((CHOICE, record), _range(under, len(records[record].tables))) for record, under in some.items())
        for ident, some in usage.items()
    }


def _range(under: frozenset[int], n_tables: int) -> Range:
    whole = [(LOW if number == 0 else number, HIGH if number == n_tables - 1 else number) for number in range(n_tables)]
    first: Range
    first, *others = [(whole[number],) for number in sorted(under)]
    for other in others:
        first = ranges.hull(first, other)
    return first


def running(state: State, known: InUse, own: InUse) -> State | None:
    """Return `state`, of a function that runs under `own`, inside one under `known`; None if it cannot get there."""
    news = told(known, own)
    if not news:
        return state if news is not None else None
    inside = state.fork()
    return inside if all(conditions.refine(inside.facts, choice, under) for choice, under in news) else None


def told(known: InUse, own: InUse) -> InUse | None:
    """Return of conditions what a function that runs under `own` does not know anyway; None if they contradict that."""
    if not own or not known:
        return known
    mine, news = dict(own), []
    for term, under in known:
        both = under if term[0] != CHOICE else ranges.meet(mine.get(term, ranges.FULL), under)
        if both is None:
            return None
        if term[0] != CHOICE or both != mine.get(term):
            news.append((term, both))
    return tuple(news)


class Chosen:
    """The implementations in use on one way."""

    def __init__(self, known: InUse) -> None:
        self._facts: conditions.Facts = dict(known)

    def allows(self, known: InUse) -> bool:
        """Tell whether a way can go on where `known` is in use."""
        return all(ranges.meet(conditions.range_of(self._facts, choice), under) for choice, under in known)

    def add(self, known: InUse) -> None:
        """Note that the way goes on where `known` is in use."""
        for choice, under in known:
            conditions.refine(self._facts, choice, under)

    def first(self, places: Sequence[P]) -> P:
        """Return the first of `places` that the way can go on to; simply the first if it is none."""
        return next((place for place in places if self.allows(place.choices)), places[0])


def choices(known: tuple[tuple[Term, Range], ...]) -> tuple[tuple[Term, Range], ...]:
    """Return of conditions those on what is in use."""
    return tuple(one for one in known if one[0][0] == CHOICE)


def without_choice(known: tuple[tuple[Term, Range], ...]) -> tuple[tuple[Term, Range], ...]:
    """Return conditions without those on what is in use, which callers cannot ask for."""
    return tuple(one for one in known if one[0][0] != CHOICE)
