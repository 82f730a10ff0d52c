# SPDX-License-Identifier: GPL-2.0-only
"""What `lockspec explain` tells about one lock, as values.

In: nothing. Out: `LockExplanation`: where it is taken, what it protects, what is taken, waited for and called under it.

**Invariant:** everything stands in the order in which it is to be read; renderers do not sort.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from analyzer.base.location import Location
from analyzer.findings.explanation import RuleNote
from analyzer.findings.model import Finding, RuleCount

#: how it is taken: shared, exclusively, or in a way that waits for all who hold it
TakenAs = Literal["read", "write", "wait"]


class Taken(Struct, frozen=True):
    """The places where one function takes a lock in one way."""

    mode: TakenAs
    function: str
    locations: tuple[Location, ...]
    #: the functions that are called for it, nearest first; none where the function calls the primitive itself
    through: tuple[str, ...]
    #: it fails rather than waits: a trylock
    attempt: bool = False


class Other(Struct, frozen=True):
    """Another lock that is taken, or waited for, under this one; or one under which this one is."""

    #: lock class, with ` (read)` where it is held or taken so
    lock: str
    what: Literal["lock", "grace"]
    #: functions that hold the outer one while the inner one is taken, in them or below
    n_holders: int
    #: the shortest of the ways, from the function that holds the outer lock down to the one that takes the inner one
    functions: tuple[str, ...]
    location: Location
    #: why it may not happen; empty if nothing speaks against it
    doubt: str = ""


class Holder(Struct, frozen=True):
    """A function that holds the lock, and what it calls meanwhile; inline functions are a part of it."""

    function: str
    #: names, in the order of the first call
    calls: tuple[str, ...]
    #: of these, what is called with it on some ways only
    sometimes: tuple[str, ...] = ()


class Spoken(Struct, frozen=True):
    """A rule that names the lock, and what the lock is for by this rule."""

    note: RuleNote
    #: the fields, functions or locks that the rule is about: `kvm_memory_slot.gmem.file`, `kvm_gmem_get_file()`
    about: tuple[str, ...]
    #: places by verdict; None if the rule was not applied
    count: RuleCount | None


class Asserted(Struct, frozen=True):
    """A function that says itself that the lock is held, or is not."""

    function: str
    #: the words of the source: `lockdep_assert_held_write`
    form: str
    #: what it says, in words: `kvm.slots_lock or kvm.srcu`
    says: str
    location: Location


class LockExplanation(Struct, frozen=True):
    """Everything known about one lock."""

    #: as asked for: `kvm.arch.apic_map_lock`
    target: str
    #: how reports name it: `kvm_arch.apic_map_lock`
    lock: str
    taken: tuple[Taken, ...]
    #: rules whose requirement it is part of, and rules about the order of locks
    protects: tuple[Spoken, ...]
    orders: tuple[Spoken, ...]
    #: what is taken and waited for under it; under what it is taken; under what its holders are waited for
    inner: tuple[Other, ...]
    outer: tuple[Other, ...]
    waited: tuple[Other, ...]
    holders: tuple[Holder, ...]
    #: functions that are entered with it held, by the specification
    entered: tuple[str, ...]
    #: names of all functions that run under it, directly or below
    reached: tuple[str, ...]
    #: what the source claims of it, by function
    asserted: tuple[Asserted, ...] = ()
    findings: tuple[Finding, ...] = ()
    #: what limits the answer, one line each
    notes: tuple[str, ...] = ()
