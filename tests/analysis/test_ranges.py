# SPDX-License-Identifier: GPL-2.0-only
"""Ranges: lattice laws, and conditions against concrete numbers."""

import operator

from hypothesis import given
from hypothesis import strategies as st

from analyzer.analysis import ranges
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
    low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
    return (low, high, low < 0 < high and draw(st.booleans()))


def members(a: Range) -> set[int]:
    return {n for n in range(max(a[0], -20), min(a[1], 20) + 1) if n or not a[2]}


@given(a_range(), a_range())
def test_meet_keeps_exactly_what_both_hold(a: Range, b: Range) -> None:
    met = ranges.meet(a, b)
    assert (set() if met is None else members(met)) == members(a) & members(b)


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
    if ranges.assume(facts, ("op", name, x, ("k", value)), truth):
        assert passing <= members(ranges.range_of(facts, x))
    else:
        assert not passing


def test_error_pointers_are_negative_numbers() -> None:
    facts: ranges.Facts = {}
    is_error = ("op", ">=", ("P", 0), ("k", (1 << 64) - 4095))
    assert ranges.assume(facts, is_error, True)
    assert ranges.range_of(facts, ("P", 0)) == (-4095, -1, False)


def test_negation_is_undone() -> None:
    facts: ranges.Facts = {}
    assert ranges.assume(facts, ("un", "!", ("un", "!", ("P", 0))), True)
    assert not ranges.assume(facts, ("P", 0), False)


def test_a_comparison_of_a_truth_value_with_zero_says_the_same() -> None:
    facts: ranges.Facts = {}
    negative = ("op", "<", ("P", 0), ("k", 0))
    assert ranges.assume(facts, ("op", "!=", negative, ("k", 0)), True)
    assert ranges.range_of(facts, ("P", 0)) == (ranges.LOW, -1, False)
