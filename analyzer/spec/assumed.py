# SPDX-License-Identifier: GPL-2.0-only
"""What a specification takes for true of the program without proof.

In: nothing. Out: `Assumption`, a plain value: calls of a function do nothing where conditions on its arguments hold,
or a member of what a function is given holds another argument.
"""

from __future__ import annotations

from msgspec import Struct

from analyzer.base.location import Location


class Condition(Struct, frozen=True, array_like=True):
    """`arg 1->kvm_mmu_page.role.invalid != 0`: a comparison with a number, evaluated where the function is called."""

    #: as written
    text: str
    #: position of the argument; None: a global
    argument: int | None
    #: record and members of what the argument points to, or the global and its members; none: the argument itself
    path: tuple[str, ...]
    operator: str
    value: int
    location: Location


class Same(Struct, frozen=True, array_like=True):
    """Where a function begins, a member of what one argument leads to holds another argument."""

    #: record and member
    member: tuple[str, ...]
    #: the argument that points to the record, or to the member `inside` of it
    of: int
    inside: tuple[str, ...]
    #: the argument that the member holds
    value: int
    #: of the member, of what it is a member of, and of the value
    places: tuple[Location, Location, Location]

    @property
    def text(self) -> str:
        """Say on one line what is the same."""
        holder = f"arg {self.of}" + f" in {'.'.join(self.inside)}" * bool(self.inside)
        return f"{'.'.join(self.member)} of {holder} is arg {self.value}"


class Assumption(Struct, frozen=True, array_like=True):
    """An entry under `assumptions:`."""

    id: str
    #: each with its own place
    functions: tuple[tuple[str, Location], ...]
    #: where all of these hold, a call does nothing; none where `same` is assumed
    when: tuple[Condition, ...]
    #: what it returns then; None: not known
    returns: int | None
    #: why it is so, and where that was read
    why: str
    source: str
    location: Location
    title: str = ""
    same: Same | None = None

    @property
    def text(self) -> str:
        """Say on one line what is assumed."""
        names = " and ".join(f"{name}()" for name, _ in self.functions)
        if self.same is not None:
            return f"in {names}, {self.same.text}"
        value = "" if self.returns is None else f" and return {self.returns}"
        return f"calls of {names} do nothing{value} where {' and '.join(condition.text for condition in self.when)}"
