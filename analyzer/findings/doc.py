# SPDX-License-Identifier: GPL-2.0-only
"""What rules say about the members of a structure, in sentences for its header, as values.

In: nothing. Out: `StructDoc`. In sentences, `@slots_lock` is a member of the structure itself, `f()` a function.

**Invariant:** everything stands in the order in which it is to be read; renderers do not sort.
"""

from __future__ import annotations

from msgspec import Struct

from analyzer.base.location import Location
from analyzer.findings.explanation import RuleNote


class Accessor(Struct, frozen=True):
    """A function that accesses a member, or takes a lock, and in how many places."""

    function: str
    n_places: int
    n_violations: int = 0
    n_unknown: int = 0


class Measured(Struct, frozen=True):
    """Who accesses a member on a tree, functions with the most places first."""

    writers: tuple[Accessor, ...]
    readers: tuple[Accessor, ...]


class MemberDoc(Struct, frozen=True):
    """One guarded member."""

    #: its path in the structure: `gmem.file`
    name: str
    #: whole sentences, the exceptions last
    sentences: tuple[str, ...]
    #: the locks that the sentences name, as they are spelled there
    locks: tuple[str, ...]
    rules: tuple[RuleNote, ...]
    #: None: nothing was measured
    measured: Measured | None = None


class LockDoc(Struct, frozen=True):
    """A lock that is a member of the structure, or a global."""

    name: str
    #: members that need it, by what is done to them: `writes of`, `reads of`, or nothing for both
    guards: tuple[tuple[str, tuple[str, ...]], ...]
    #: functions whose calls need it: `kvm_gmem_populate()`
    functions: tuple[str, ...]
    #: whole sentences about its place among other locks
    orders: tuple[str, ...]
    rules: tuple[RuleNote, ...]
    #: who takes it; None: nothing was measured
    takers: tuple[Accessor, ...] | None = None


class StructDoc(Struct, frozen=True):
    """All that rules say about one structure; of globals, if `name` is empty."""

    name: str
    #: `struct` or `union`
    kind: str
    locks: tuple[LockDoc, ...]
    members: tuple[MemberDoc, ...]
    #: sentences about functions whose rules belong to the structure but to none of its members
    functions: tuple[str, ...]
    #: where it is declared; None: not looked for
    location: Location | None = None

    @property
    def is_measured(self) -> bool:
        """Tell whether accesses were counted on a tree."""
        return any(member.measured is not None for member in self.members)
