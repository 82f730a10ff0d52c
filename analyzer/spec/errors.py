# SPDX-License-Identifier: GPL-2.0-only
"""All errors of all specification files in one exception.

In: a sequence of things to do, each of which may raise `SpecError`. Out: their results, or one `CombinedSpecError`.

**Invariant:** an error never hides another one that can be found without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from analyzer.base.errors import SpecError
from analyzer.base.location import Location

T = TypeVar("T")
U = TypeVar("U")


class CombinedSpecError(SpecError):
    """One or more errors, one line each, in the order of their places."""

    def __init__(self, errors: Iterable[SpecError]) -> None:
        flat = {str(leaf): leaf for error in errors for leaf in leaves(error)}
        #: the single errors
        self.errors = tuple(sorted(flat.values(), key=_place))
        super().__init__("\n".join(str(error) for error in self.errors))
        self.location = self.errors[0].location


def leaves(error: SpecError) -> tuple[SpecError, ...]:
    """Take a collection apart; a single error is its own only leaf."""
    return error.errors if isinstance(error, CombinedSpecError) else (error,)


def each(act: Callable[[T], U], things: Iterable[T]) -> list[U]:
    """Do `act` on every one of `things`; raise `CombinedSpecError` with all that went wrong, after the last."""
    done: list[U] = []
    errors: list[SpecError] = []
    for thing in things:
        try:
            done.append(act(thing))
        except SpecError as error:
            errors.append(error)
    if errors:
        raise CombinedSpecError(errors)
    return done


def _place(error: SpecError) -> Location:
    return error.location or Location("", 0)
