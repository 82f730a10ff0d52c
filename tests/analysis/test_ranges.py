# SPDX-License-Identifier: GPL-2.0-only
"""Ranges and conditions: lattice laws, and conditions against concrete numbers."""

import operator
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from analyzer.analysis import conditions, ranges
from analyzer.analysis.ranges import Range

NUMBERS = st.integers(-6, 6)
OPERATORS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@st.composite
def a_range(draw: st.DrawFn) -> Range:
    numbers = draw(st.sets(NUMBERS, min_size=1))
    joined = reduce(ranges.hull, map(ranges.only, numbers))
    return draw(st.sampled_from([joined, ranges.complement(joined) or ranges.FULL]))


def members(a: Range) -> set[int]:
    return {n for low, high in a for n in range(max(low, -20), min(high, 20) + 1)}


@given(a_range(), a_range())
def test_meet_keeps_what_both_hold_and_nothing_else_while_there_is_room(a: Range, b: Range) -> None:
    met = ranges.meet(a, b)
    found = set() if met is None else members(met)
    assert members(a) & members(b) <= found
    # each gap of the intersection is one of either
    if len(a) + len(b) - 1 <= ranges.MAX_PARTS:
        assert found <= members(a) & members(b)


@given(a_range(), a_range())
def test_hull_holds_both_and_is_symmetric(a: Range, b: Range) -> None:
    assert members(a) | members(b) <= members(ranges.hull(a, b))
    assert ranges.hull(a, b) == ranges.hull(b, a)
    assert members(ranges.hull(a, a)) == members(a)


@given(a_range(), a_range())
def test_widening_is_above_both_and_settles(a: Range, b: Range) -> None:
    wide = ranges.widen(a, b)
    assert members(a) | members(b) <= members(wide)
    assert ranges.widen(wide, b) == wide


@given(a_range(), st.sampled_from(sorted(OPERATORS)), NUMBERS)
def test_a_test_is_certain_only_if_every_number_agrees(a: Range, name: str, value: int) -> None:
    truths = {OPERATORS[name](n, value) for n in members(a)}
    verdict = ranges.satisfies(a, name, value)
    if verdict is not None and truths:
        assert truths == {verdict}


@given(a_range(), st.sampled_from(sorted(OPERATORS)), NUMBERS, st.booleans())
def test_assuming_a_comparison_loses_no_number_that_passes_it(a: Range, name: str, value: int, truth: bool) -> None:
    x = ("P", 0)
    facts = {x: a}
    passing = {n for n in members(a) if OPERATORS[name](n, value) == truth}
    if conditions.assume(facts, ("op", name, x, ("k", value)), truth):
        assert passing <= members(conditions.range_of(facts, x))
    else:
        assert not passing


def test_a_range_that_is_full_of_gaps_still_tells_what_may_fail() -> None:
    full: Range = ((ranges.LOW, -3), (-1, -1), (1, 1), (3, 3), (5, 5), (7, ranges.HIGH))
    assert len(full) == ranges.MAX_PARTS
    assert ranges.satisfies(full, "!=", -4) is None
    assert ranges.satisfies(full, "!=", 4) is True
    assert conditions.assume({("P", 0): full}, ("op", "!=", ("P", 0), ("k", -4)), False)


def test_error_pointers_are_negative_numbers() -> None:
    facts: conditions.Facts = {}
    is_error = ("op", ">=", ("P", 0), ("k", (1 << 64) - 4095))
    assert conditions.assume(facts, is_error, True)
    assert conditions.range_of(facts, ("P", 0)) == ((-4095, -1),)


def test_negation_is_undone() -> None:
    facts: conditions.Facts = {}
    assert conditions.assume(facts, ("un", "!", ("un", "!", ("P", 0))), True)
    assert not conditions.assume(facts, ("P", 0), False)


def test_a_comparison_of_a_truth_value_with_zero_says_the_same() -> None:
    facts: conditions.Facts = {}
    negative = ("op", "<", ("P", 0), ("k", 0))
    assert conditions.assume(facts, ("op", "!=", negative, ("k", 0)), True)
    assert conditions.range_of(facts, ("P", 0)) == ((ranges.LOW, -1),)


@given(a_range())
def test_the_complement_is_all_else(a: Range) -> None:
    outside = members(ranges.complement(a) or ())
    rest = set(range(-20, 21)) - members(a)
    assert outside == rest if len(a) < ranges.MAX_PARTS else outside >= rest


@given(a_range(), a_range())
def test_hulls_of_a_few_numbers_are_exact(a: Range, b: Range) -> None:
    joined = ranges.hull(a, b)
    assert len(joined) == ranges.MAX_PARTS or members(joined) == members(a) | members(b)


def test_mirrored_and_negated_comparisons_are_one_fact() -> None:
    a, b = ("P", 0), ("P", 1)
    facts: conditions.Facts = {}
    assert conditions.assume(facts, ("op", "<", a, b), True)
    assert not conditions.assume(dict(facts), ("op", ">=", a, b), True)
    assert conditions.assume(dict(facts), ("op", ">", b, a), True)
    assert not conditions.assume(dict(facts), ("op", "==", b, a), True)


def test_unsigned_numbers_below_error_pointers_are_all_others() -> None:
    facts: conditions.Facts = {}
    assert conditions.assume(facts, ("op", "<", ("P", 0), ("k", (1 << 64) - 4095)), True)
    assert ranges.meet(conditions.range_of(facts, ("P", 0)), ((-4095, -1),)) is None
