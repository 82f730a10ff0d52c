# SPDX-License-Identifier: GPL-2.0-only
"""What `lockspec crosscheck` tells: how the source graph and the specifications agree with the built objects.

In: nothing. Out: `CrossCheck`.

**Invariant:** everything stands in the order in which it is to be read; renderers do not sort.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

#: what the objects have and the source graph lacks; `slot`: a pointer in a variable that holds another function
DifferenceKind = Literal["call", "inlined", "address", "slot", "field", "function"]


class Difference(Struct, frozen=True, order=True):
    """One thing in which the objects and the source graph, or the specifications, differ."""

    kind: DifferenceKind
    #: translation unit; empty for a name in a specification
    unit: str
    #: function, variable with the way to the slot, or where the specification names it
    where: str
    #: what the objects have there
    what: str
    #: where in the object, or what the source graph has instead
    detail: str = ""


class Share(Struct, frozen=True):
    """Things of one sort in the objects, and how many of them the source graph has."""

    name: str
    total: int
    found: int
    #: how many of those found are found in which way
    by: tuple[tuple[str, int], ...] = ()


class CrossCheck(Struct, frozen=True):
    """The whole comparison."""

    n_objects: int
    n_functions: int
    shares: tuple[Share, ...]
    differences: tuple[Difference, ...]
    #: what was not compared, and how much of it there is
    aside: tuple[tuple[str, int], ...]
    #: objects that no analysed unit was compiled into, or that could not be read, one line each
    skipped: tuple[str, ...]

    @property
    def missing(self) -> tuple[Difference, ...]:
        """Return what stands in the objects and not in the source graph."""
        return tuple(d for d in self.differences if d.kind not in {"field", "function"})
