# SPDX-License-Identifier: GPL-2.0-only
"""Sets of numbers that a value may be, as a few intervals.

In: tests such as `< 0`, and what is known. Out: `((LOW, -1),)`; and the unions and intersections of such.

A range is a tuple of disjoint intervals `(low, high)` in ascending order with gaps between them; pointers are numbers,
error pointers the negative ones.

**Invariant:** no range is empty (`meet` returns None) and none has more than MAX_PARTS intervals.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

Range = tuple[tuple[int, int], ...]

#: what 64 bits hold, signed or not
LOW, HIGH = -(1 << 63), (1 << 64) - 1
FULL: Range = ((LOW, HIGH),)
NONZERO: Range = ((LOW, -1), (1, HIGH))
NEGATIVE: Range = ((LOW, -1),)
POSITIVE: Range = ((1, HIGH),)
NULL: Range = ((0, 0),)
ONE: Range = ((1, 1),)
TRUTH: Range = ((0, 1),)
#: a range of more intervals gives up its narrowest gaps
MAX_PARTS = 6

#: unsigned constants from here on are read as negative, so that IS_ERR_VALUE() is a range of negative numbers
_WRAP = 1 << 63


def meet(a: Range, b: Range) -> Range | None:
    """Intersect two ranges; None when nothing is left."""
    if a == b or b == FULL:
        return a
    if a == FULL:
        return b
    if len(a) == len(b) == 1:
        (low, high), (other_low, other_high) = a[0], b[0]
        low, high = max(low, other_low), min(high, other_high)
        return ((low, high),) if low <= high else None
    common = [
        (max(low, other_low), min(high, other_high))
        for low, high in a
        for other_low, other_high in b
        if low <= other_high and other_low <= high
    ]
    return _few(tuple(common)) if common else None


def hull(a: Range, b: Range) -> Range:
    """Return the least range that holds both."""
    if a in (b, FULL):
        return a
    if b == FULL:
        return b
    parts: list[tuple[int, int]] = []
    for low, high in sorted((*a, *b)):
        if parts and low <= parts[-1][1] + 1:
            parts[-1] = (parts[-1][0], max(parts[-1][1], high))
        else:
            parts.append((low, high))
    return _few(tuple(parts))


def _few(parts: Range) -> Range:
    """Close the narrowest gaps of `parts` until they are few; the one around zero is closed last."""
    while len(parts) > MAX_PARTS:
        gaps = [(low <= 0 <= high, high - low, i) for i, (low, high) in enumerate(_gaps(parts))]
        _, _, i = min(gaps)
        parts = (*parts[:i], (parts[i][0], parts[i + 1][1]), *parts[i + 2 :])
    return parts


def _gaps(parts: Range) -> list[tuple[int, int]]:
    return [(high + 1, low - 1) for (_, high), (low, _) in pairwise(parts)]


def widen(old: Range, new: Range) -> Range:
    """Return a range over `old` and `new` that changes few times: a bound that moved, a gap that shrank is given up."""
    joined = hull(old, new)
    if joined == old:
        return old
    low = joined[0][0] if joined[0][0] == old[0][0] else LOW
    high = joined[-1][1] if joined[-1][1] == old[-1][1] else HIGH
    kept = [gap for gap in _gaps(joined) if gap in _gaps(old)]
    if low < 0 < high and excludes_zero(joined) and not any(gap[0] <= 0 <= gap[1] for gap in kept):
        kept.append((0, 0))
    parts = []
    for gap_low, gap_high in sorted(kept):
        parts.append((low, gap_low - 1))
        low = gap_high + 1
    return (*parts, (low, high))


def complement(a: Range) -> Range | None:
    """Return the numbers that are not in `a`; None if there are none."""
    bounds = ((LOW - 1, LOW - 1), *a, (HIGH + 1, HIGH + 1))
    outside = tuple(gap for gap in _gaps(bounds) if gap[0] <= gap[1])
    return _few(outside) if outside else None


def excludes_zero(a: Range) -> bool:
    """Tell whether 0 is not in `a`."""
    for low, high in a:  # noqa: SIM110 — asked for at every branch
        if low <= 0 <= high:
            return False
    return True


def only(value: int) -> Range:
    """Return the range of one number."""
    return ((value, value),)


def from_test(operator: str, value: int) -> Range:
    """Return the numbers that pass `operator value`."""
    if value >= _WRAP:
        value -= 1 << 64
        if operator in ("<", "<=", ">", ">="):
            first = value + (operator in (">", "<="))
            top = ((first, -1),) if first < 0 else None
            found = top if operator in (">", ">=") else FULL if top is None else complement(top)
            return found or only(-1)
    match operator:
        case "==":
            return only(value)
        case "!=":
            return complement(only(value)) or FULL
        case "<":
            return ((LOW, value - 1),)
        case "<=":
            return ((LOW, value),)
        case ">":
            return ((value + 1, HIGH),)
        case ">=":
            return ((value, HIGH),)
    return FULL


def satisfies(a: Range, operator: str, value: int) -> bool | None:
    """Tell whether every number in `a` passes `operator value`, none does (False), or some do (None)."""
    passing, failing = _divided(operator, value)
    if meet(a, passing) is None:
        return False
    # not `meet(a, passing) == a`: that may have filled the very gap
    return True if failing is None or meet(a, failing) is None else None


@lru_cache(1 << 12)
def _divided(operator: str, value: int) -> tuple[Range, Range | None]:
    """Return the numbers that pass a test, and the others."""
    passing = from_test(operator, value)
    return passing, complement(passing)
