# SPDX-License-Identifier: GPL-2.0-only
"""What a function asks of its callers, sorted for being asked at every call.

In: a summary's demands and acquisitions. Out: demands of one formula together, and each set of conditions once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.analysis.formula import Formula, atoms
from analyzer.analysis.ranges import Range
from analyzer.analysis.terms import Term

if TYPE_CHECKING:
    from analyzer.analysis.summary import Acquisition, Demand

Guards = tuple[tuple[Term, Range], ...]


class One(NamedTuple):
    """A demand."""

    id: str
    #: which conditions it is made under
    case: int
    #: a counter is among them, which may tell that an object is taken apart
    by_count: bool


class Asked(NamedTuple):
    """Demands of one formula."""

    formula: Formula
    #: a call that is left to the callers, see `deferred`
    is_call: bool
    #: readers of grace periods are among those who ask
    is_section: bool
    #: what branches tell of members can decide some of it
    by_branches: bool
    ones: tuple[One, ...]


class Take(NamedTuple):
    """An acquisition."""

    one: Acquisition
    #: which conditions it happens under
    case: int
    off: frozenset[str]
    without: frozenset[str]


class Asks(NamedTuple):
    """Everything that a function asks of its callers."""

    demands: tuple[Asked, ...]
    takes: tuple[Take, ...]
    conditions: tuple[Guards, ...]
    #: something is asked to come before the call
    order: bool


def sort(demands: tuple[Demand, ...], takes: tuple[Acquisition, ...]) -> Asks:
    """Return demands and acquisitions as callers ask for them."""
    cases: dict[Guards, int] = {}
    found: list[Asked] = []
    order = False
    for demand in demands:
        by_count = any(term[0] == "w" for term, _ in demand.guards)
        one = One(demand.id, cases.setdefault(demand.guards, len(cases)), by_count)
        formula = demand.formula
        is_call = isinstance(formula, tuple) and formula[0] == "calls"
        # demands of one formula stand together
        if found and not is_call and found[-1].formula == formula:
            found[-1] = found[-1]._replace(ones=(*found[-1].ones, one))
        else:
            is_section = by_branches = False
            for atom in () if is_call else atoms(formula):
                kind = atom[0]
                order = order or kind == "after"
                is_section = is_section or kind == "section"
                by_branches = by_branches or (kind == "when" and not atom[1])
            found.append(Asked(formula, is_call, is_section, by_branches, (one,)))
    taken = tuple(
        Take(take, cases.setdefault(take.guards, len(cases)), frozenset(take.off), frozenset(take.without))
        for take in takes
    )
    return Asks(tuple(found), taken, tuple(cases), order)
