# SPDX-License-Identifier: GPL-2.0-only
"""Terms of a callee over what a call passes.

In: an entry term of a callee, the arguments of a call, and what memory holds there. Out: what the term is to the caller.
"""

from __future__ import annotations

from collections.abc import Callable

from analyzer.analysis.terms import Term, address, container, member, part, pointee

Loader = Callable[[Term], Term]


def substitute(term: Term, arguments: tuple[Term, ...], loader: Loader) -> Term:
    """Rewrite an entry term of a callee over the caller's `arguments`; `loader` tells what an object holds there."""
    kind = term[0]
    if kind == "P":
        return arguments[term[1]] if term[1] < len(arguments) else ("?", -1, term[1])
    if kind in ("k", "t", "fn", "G", "r", "phi", "?", "L", "abstract", "unknown"):
        return term
    if kind == "O":
        return pointee(substitute(term[1], arguments, loader))
    if kind == "F":
        return member(substitute(term[1], arguments, loader), term[2], term[3])
    if kind == "C":
        return container(substitute(term[1], arguments, loader), term[2], term[3])
    if kind == "ad":
        return address(substitute(term[1], arguments, loader))
    if kind == "I":
        return ("I", substitute(term[1], arguments, loader), substitute(term[2], arguments, loader))
    if kind == "ld":
        return loader(substitute(term[1], arguments, loader))
    if kind == "ret":
        return loader(term)
    if kind == "m":
        value = substitute(term[1], arguments, loader)
        return loader(member(value[1], term[2], term[3])) if value[0] == "ld" else part(value, term[2], term[3])
    if kind == "agg":
        return ("agg", *((key, substitute(value, arguments, loader)) for key, value in term[1:]))
    return tuple(substitute(part, arguments, loader) if isinstance(part, tuple) else part for part in term)


class Over:
    """Rewrites entry terms of a callee over one call's arguments, each once: callees ask about few objects, often."""

    __slots__ = ("_known", "_loader", "arguments")

    def __init__(self, arguments: tuple[Term, ...], loader: Loader) -> None:
        self.arguments = arguments
        self._loader = loader
        self._known: dict[Term, Term] = {}

    def __call__(self, term: Term) -> Term:
        """Return what `term` is to the caller."""
        known = self._known.get(term)
        if known is None:
            known = self._known[term] = substitute(term, self.arguments, self._loader)
        return known
