# SPDX-License-Identifier: GPL-2.0-only
"""What branches tell: facts about terms, and how conditions refine them.

In: a condition term and its outcome. Out: refined facts, or the news that the path is impossible.
`if (ret < 0)` taken gives `ret` the range `((LOW, -1),)`.

A comparison of two terms, neither of them a constant, is a fact of its own, under one of two forms: `a < b` or `a == b`.
So `b > a` and `!(a >= b)` are what `a < b` is.
"""

from __future__ import annotations

from analyzer.analysis.ranges import (
    FULL,
    NONZERO,
    NULL,
    ONE,
    POSITIVE,
    TRUTH,
    Range,
    complement,
    excludes_zero,
    from_test,
    meet,
    only,
    satisfies,
)
from analyzer.analysis.terms import Term

Facts = dict[Term, Range]

_MIRRORED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
#: the form of a comparison that is kept: its operator, whether its sides change places, whether it is negated
_FORMS = {
    "==": ("==", False, False),
    "!=": ("==", False, True),
    "<": ("<", False, False),
    ">": ("<", True, False),
    ">=": ("<", False, True),
    "<=": ("<", True, True),
}


def range_of(facts: Facts, term: Term) -> Range:
    """Return what is known of `term`."""
    kind = term[0]
    if kind == "k":
        return only(term[1])
    known = facts.get(term)
    if known is not None:
        return known
    if kind in ("ad", "fn", "t"):
        return POSITIVE
    if kind == "op":
        return _range_of_operation(facts, term)
    if kind == "un" and term[1] == "!":
        return _truth(None if (inner := truth_of(facts, term[2])) is None else not inner)
    return FULL


def says_nothing(term: Term, known: Range) -> bool:
    """Tell whether `known` is no more than what every value written like `term` is."""
    return known == FULL or (term[0] in ("op", "un", "ad") and known == range_of({}, term))


def truth_of(facts: Facts, term: Term) -> bool | None:
    """Tell whether `term` is nonzero; None if that is not known."""
    known = range_of(facts, term)
    if known == NULL:
        return False
    return True if excludes_zero(known) else None


def _truth(verdict: bool | None) -> Range:
    return TRUTH if verdict is None else ONE if verdict else NULL


def _range_of_operation(facts: Facts, term: Term) -> Range:
    if term[1] in _FORMS:
        return _truth(_compare(facts, term))
    if term[1] == "&" and term[3][0] == "k" and term[3][1] >= 0:
        return ((0, term[3][1]),)
    return FULL


def _compare(facts: Facts, term: Term) -> bool | None:
    _, operator, a, b = term
    if b[0] == "k":
        return satisfies(range_of(facts, a), operator, b[1])
    if a[0] == "k":
        return satisfies(range_of(facts, b), _MIRRORED[operator], a[1])
    if a == b and a[0] != "?":
        return operator in ("==", "<=", ">=")
    form, swapped, negated = _FORMS[operator]
    verdict = _related(facts, form, *((b, a) if swapped else (a, b)))
    return verdict if verdict is None else verdict != negated


def _related(facts: Facts, form: str, a: Term, b: Term) -> bool | None:
    """Tell whether `a form b` (`<` or `==`) is known to be true or false."""
    known = facts.get(("op", form, a, b)) or (facts.get(("op", form, b, a)) if form == "==" else None)
    if known in (ONE, NULL):
        return known == ONE
    mine, theirs = range_of(facts, a), range_of(facts, b)
    apart = meet(mine, theirs) is None
    below = facts.get(("op", "<", a, b)) == ONE
    above = facts.get(("op", "<", b, a)) == ONE
    if form == "==":
        return False if below or above or apart else None
    if above or facts.get(("op", "==", a, b)) == ONE or facts.get(("op", "==", b, a)) == ONE:
        return False
    return None


def assume(facts: Facts, term: Term, truth: bool) -> bool:
    """Refine `facts` by `term` being nonzero (`truth`) or zero; return False when that cannot be."""
    kind = term[0]
    if kind == "un" and term[1] == "!":
        return assume(facts, term[2], not truth)
    if kind == "op" and term[1] in _FORMS:
        known = _compare(facts, term)
        return known == truth if known is not None else _assume_comparison(facts, term, truth)
    return refine(facts, term, NONZERO if truth else NULL)


def _assume_comparison(facts: Facts, term: Term, truth: bool) -> bool:
    _, operator, a, b = term
    if a[0] == "k":
        a, b, operator = b, a, _MIRRORED[operator]
    if b[0] == "k":
        wanted: Range | None = from_test(operator, b[1])
        if not truth and wanted is not None:
            wanted = complement(wanted)
        return wanted is not None and refine(facts, a, wanted)
    form, swapped, negated = _FORMS[operator]
    first, second = (b, a) if swapped else (a, b)
    holds = truth != negated
    facts[("op", form, first, second)] = ONE if holds else NULL
    return not holds or form != "==" or _assume_equal(facts, first, second)


def _assume_equal(facts: Facts, a: Term, b: Term) -> bool:
    common = meet(range_of(facts, a), range_of(facts, b))
    return common is not None and refine(facts, a, common) and refine(facts, b, common)


def refine(facts: Facts, term: Term, wanted: Range) -> bool:
    """Intersect what is known of `term` with `wanted`; return False when nothing is left."""
    known = range_of(facts, term)
    result = meet(known, wanted)
    if result is None:
        return False
    kind = term[0]
    if kind == "k" or result == known or _is_anything(term):
        return True
    if (kind == "op" and term[1] in _FORMS) or (kind == "un" and term[1] == "!"):
        # a truth value that is neither certain nor impossible says nothing
        return assume(facts, term, result != NULL) if result == NULL or excludes_zero(result) else True
    facts[term] = result
    if kind == "op" and term[1] == "&" and excludes_zero(result):
        return refine(facts, term[2], NONZERO)
    return True


def _is_anything(term: Term) -> bool:
    """Tell whether `term` stands for values that differ though they are written alike."""
    return bool(term[0] == "?" and term[1] == -1)
