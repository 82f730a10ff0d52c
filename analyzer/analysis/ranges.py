# SPDX-License-Identifier: GPL-2.0-only
"""What branches tell about integers and pointers: ranges, and how conditions refine them.

In: a condition term and its outcome. Out: refined ranges, or the news that the path is impossible.
`if (ret < 0)` taken gives `ret` the range `(LOW, -1, True)`.

A range is `(low, high, nonzero)`; pointers are numbers, error pointers the negative ones.
"""

from analyzer.analysis.terms import Term

Range = tuple[int, int, bool]
Facts = dict[Term, Range]

#: what 64 bits hold, signed or not
LOW, HIGH = -(1 << 63), (1 << 64) - 1
FULL: Range = (LOW, HIGH, False)
NONZERO: Range = (LOW, HIGH, True)
NULL: Range = (0, 0, False)

#: unsigned constants from here on are read as negative, so that IS_ERR_VALUE() is a range of negative numbers
_WRAP = 1 << 63
_NEGATED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


def meet(a: Range, b: Range) -> Range | None:
    """Intersect two ranges; None when nothing is left."""
    low, high, nonzero = max(a[0], b[0]), min(a[1], b[1]), a[2] or b[2]
    if nonzero:
        low = 1 if low == 0 else low
        high = -1 if high == 0 else high
        nonzero = low < 0 < high
    elif low > 0 or high < 0:
        nonzero = False
    return (low, high, nonzero) if low <= high else None


def hull(a: Range, b: Range) -> Range:
    """Return the least range that holds both."""
    nonzero = _excludes_zero(a) and _excludes_zero(b)
    low, high = min(a[0], b[0]), max(a[1], b[1])
    return (low, high, nonzero and low < 0 < high)


def widen(old: Range, new: Range) -> Range:
    """Return a range over `old` and `new` that changes at most twice: a bound that moved is given up."""
    joined = hull(old, new)
    return (
        joined[0] if joined[0] == old[0] else LOW,
        joined[1] if joined[1] == old[1] else HIGH,
        joined[2] or (_excludes_zero(old) and _excludes_zero(new)),
    )


def _excludes_zero(a: Range) -> bool:
    return a[2] or a[0] > 0 or a[1] < 0


def satisfies(a: Range, operator: str, value: int) -> bool | None:
    """Tell whether every number in `a` passes `operator value`, none does (False), or some do (None)."""
    inside = from_test(operator, value)
    if inside is None:
        return None
    common = meet(a, inside)
    if common is None:
        return False
    if common == meet(a, FULL):
        return True
    outside = from_test(_NEGATED[operator], value)
    if outside is not None and meet(a, outside) is None:
        return True
    return None


def from_test(operator: str, value: int) -> Range | None:
    """Return the numbers that pass `operator value`; None where they are no range."""
    if value >= _WRAP and operator in (">=", ">"):
        return (value - (1 << 64) + (operator == ">"), -1, False)
    if value >= _WRAP:
        value -= 1 << 64
        if operator in ("<", "<="):
            return None
    match operator:
        case "==":
            return (value, value, False)
        case "!=":
            return NONZERO if value == 0 else None
        case "<":
            return (LOW, value - 1, False)
        case "<=":
            return (LOW, value, False)
        case ">":
            return (value + 1, HIGH, False)
        case ">=":
            return (value, HIGH, False)
    return None


def range_of(facts: Facts, term: Term) -> Range:
    """Return what is known of `term`."""
    kind = term[0]
    if kind == "k":
        return (term[1], term[1], False)
    known = facts.get(term)
    if known is not None:
        return known
    if kind in ("ad", "fn", "t"):
        return (1, HIGH, False)
    if kind == "op" and term[1] in _NEGATED:
        verdict = _compare(facts, term)
        return (0, 1, False) if verdict is None else (int(verdict), int(verdict), False)
    if kind == "un" and term[1] == "!":
        inner = range_of(facts, term[2])
        if _excludes_zero(inner):
            return NULL
        return (1, 1, False) if inner[0] == inner[1] == 0 else (0, 1, False)
    return FULL


def _compare(facts: Facts, term: Term) -> bool | None:
    _, operator, a, b = term
    if b[0] == "k":
        return satisfies(range_of(facts, a), operator, b[1])
    if a[0] == "k":
        return satisfies(range_of(facts, b), _MIRRORED[operator], a[1])
    if a == b and a[0] != "?":
        return operator in ("==", "<=", ">=")
    return None


def assume(facts: Facts, term: Term, truth: bool) -> bool:
    """Refine `facts` by `term` being nonzero (`truth`) or zero; return False when that cannot be."""
    kind = term[0]
    if kind == "un" and term[1] == "!":
        return assume(facts, term[2], not truth)
    if kind == "op" and term[1] in _NEGATED:
        known = range_of(facts, term)
        if meet(known, NONZERO if truth else NULL) is None:
            return False
        facts[term] = (1, 1, False) if truth else NULL
        return _assume_comparison(facts, term, truth)
    return refine(facts, term, NONZERO if truth else NULL)


def _assume_comparison(facts: Facts, term: Term, truth: bool) -> bool:
    _, operator, a, b = term
    if a[0] == "k":
        a, b, operator = b, a, _MIRRORED[operator]
    if b[0] != "k":
        return _assume_equal(facts, a, b) if (operator == "==") == truth and operator in ("==", "!=") else True
    wanted = from_test(operator if truth else _NEGATED[operator], b[1])
    if b[1] == 0 and a[0] in ("op", "un"):
        return _assume_truth_value(facts, a, operator, truth)
    return wanted is None or refine(facts, a, wanted)


def _assume_truth_value(facts: Facts, a: Term, operator: str, truth: bool) -> bool:
    """`(x < y) != 0` says the same as `x < y`."""
    if operator in ("==", "!="):
        return assume(facts, a, (operator == "!=") == truth)
    wanted = from_test(operator if truth else _NEGATED[operator], 0)
    return wanted is None or refine(facts, a, wanted)


def _assume_equal(facts: Facts, a: Term, b: Term) -> bool:
    common = meet(range_of(facts, a), range_of(facts, b))
    return common is not None and refine(facts, a, common) and refine(facts, b, common)


def refine(facts: Facts, term: Term, wanted: Range) -> bool:
    """Intersect what is known of `term` with `wanted`; return False when nothing is left."""
    result = meet(range_of(facts, term), wanted)
    if result is None:
        return False
    if term[0] != "k":
        facts[term] = result
    return True
