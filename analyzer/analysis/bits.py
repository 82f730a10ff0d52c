# SPDX-License-Identifier: GPL-2.0-only
"""Flags: whether a value has any of certain bits.

In: a term, a mask, the members that only ever hold certain constants. Out: a term that is 0 exactly where the value has
none of the bits: `GFP_ATOMIC | cache->gfp_zero` has no bit of `__GFP_DIRECT_RECLAIM` if `gfp_zero` is only ever set to
`__GFP_ZERO`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from functools import reduce

from analyzer.analysis.evaluate import cell
from analyzer.analysis.terms import ZERO, Term

Constants = Mapping[tuple[str, str], Set[int]]


def some_bit(value: Term, mask: int, constants: Constants) -> Term:
    """Return a term that is nonzero where `value` has a bit of `mask`."""
    left: list[Term] = []
    for part in _parts(value):
        if part[0] == "k":
            if part[1] & mask:
                return ("k", part[1] & mask)
        elif part not in left and not _lacks(part, mask, constants):
            left.append(part)
    if not left:
        return ZERO
    return ("op", "&", reduce(lambda a, b: ("op", "|", a, b), left), ("k", mask))


def decided(term: Term, constants: Constants) -> Term:
    """Return `term`; if it asks for bits, with what is known by now."""
    if is_question(term):
        return some_bit(term[2], term[3][1], constants)
    return term


def is_question(term: Term) -> bool:
    """Tell whether `term` asks for bits of a value."""
    return bool(term[0] == "op" and term[1] == "&" and term[3][0] == "k")


def _parts(value: Term) -> Iterator[Term]:
    if value[0] == "op" and value[1] == "|":
        yield from _parts(value[2])
        yield from _parts(value[3])
    else:
        yield value


def _lacks(part: Term, mask: int, constants: Constants) -> bool:
    if part[0] == "op" and part[1] == "&" and part[3][0] == "k":
        return not part[3][1] & mask or _lacks(part[2], mask, constants)
    known = constants.get(cell(part[1])) if part[0] == "ld" else None
    return known is not None and not any(value & mask for value in known)
