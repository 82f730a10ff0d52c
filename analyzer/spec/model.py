# SPDX-License-Identifier: GPL-2.0-only
"""What a lock specification says, as values.

In: nothing. Out: `guarded-by` of `kvm_memory_slot.gmem.file` for writes with `Held(LockName(("kvm", "slots_lock")))`.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from analyzer.base.location import Location
from analyzer.spec.assumed import Assumption
from analyzer.spec.effect import AccessMode, Family, LockSource, Mode, Primitive
from analyzer.spec.said import Statement

Instance = Literal["same", "any"]
Severity = Literal["error", "warning", "note"]


class Name(Struct, frozen=True, array_like=True):
    """`kvm.slots_lock` as ("kvm", "slots_lock"): a record and members, or one element: a global (or an abstract lock)."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.parts)


class Mention(Struct, frozen=True, array_like=True):
    """A name of the program in a rule, with its own place: what `lint` checks against the analysed units."""

    what: Literal["field", "lock", "function"]
    #: a function's name is one part
    name: Name
    location: Location


class Held(Struct, frozen=True, array_like=True, tag="held"):
    """A lock of this class is held."""

    lock: Name
    #: least mode: `write` asks for write (exclusive) mode; `read` accepts both; None accepts any
    mode: Mode | None = None
    #: None: `same` where the object leads to the lock, else `any`
    instance: Instance | None = None


#: in rows about entries: locks that the row cannot name
ANY_LOCK = Held(Name(("*",)))


class When(Struct, frozen=True, array_like=True, tag="when"):
    """A predicate over the program's state: `refcount_read(&kvm->users_count) == 0`."""

    #: as written
    text: str
    #: the function that reads the value, or empty where the field is compared itself
    function: str
    #: the field it reads: record and members, or one global
    field: Name
    #: `==`, `!=`, `<`, `<=`, `>`, `>=`
    operator: str
    value: int


class AnyOf(Struct, frozen=True, array_like=True, tag="any"):
    """At least one holds."""

    of: tuple[Requirement, ...]


class AllOf(Struct, frozen=True, array_like=True, tag="all"):
    """Every one holds."""

    of: tuple[Requirement, ...]


Requirement = Held | When | AnyOf | AllOf


class GuardedBy(Struct, frozen=True, array_like=True, tag="guarded-by"):
    """An access to any of `fields` in the given mode needs `requires`."""

    fields: tuple[Name, ...]
    access: AccessMode
    requires: Requirement
    #: only what these functions do, given the field's address or by themselves; none: whoever accesses it
    by: tuple[str, ...] = ()


class MustHold(Struct, frozen=True, array_like=True, tag="must-hold"):
    """A call of any of `functions` needs `requires`."""

    functions: tuple[str, ...]
    requires: Requirement


class MustNotHold(Struct, frozen=True, array_like=True, tag="must-not-hold"):
    """A call of any of `functions`, or an access to any of `fields`, is wrong where what `forbids` says is held."""

    functions: tuple[str, ...]
    fields: tuple[Name, ...]
    access: AccessMode
    #: locks alone, no predicates
    forbids: Requirement


class OnlyThrough(Struct, frozen=True, array_like=True, tag="only-through"):
    """An access to any of `fields` outside `functions` is wrong."""

    fields: tuple[Name, ...]
    access: AccessMode
    functions: tuple[str, ...]


class Atomicity(Struct, frozen=True, array_like=True, tag="atomicity"):
    """What was read of any of `fields` under `lock` is not used once the lock was dropped and taken again."""

    fields: tuple[Name, ...]
    lock: Name
    #: if one of these is compared with what it was, the rest is as it was, too
    versions: tuple[Name, ...]


class PrecededBy(Struct, frozen=True, array_like=True, tag="preceded-by"):
    """A call of any of `functions` comes after one of `earlier`, on every way."""

    functions: tuple[str, ...]
    earlier: tuple[str, ...]
    #: the lock that the earlier call must be about; None: it need not be about any
    lock: Name | None
    #: calls and writes that make an earlier call count no more
    since_calls: tuple[str, ...]
    since_writes: tuple[Name, ...]
    #: where this holds, the earlier call is needless; None: it never is
    otherwise: Requirement | None


class Balance(Struct, frozen=True, array_like=True, tag="balance"):
    """Locks are taken once, dropped by who holds them, and held at all returns alike that callers cannot tell apart."""

    #: only these locks; none: all
    locks: tuple[Name, ...]


class LockOrder(Struct, frozen=True, array_like=True, tag="lock-order"):
    """Locks are taken in one order; without any keys: whatever it is, it is the same everywhere."""

    #: outer to inner
    order: tuple[Name, ...] = ()
    #: inside any of these none of `never` is taken
    inside: tuple[Name, ...] = ()
    never: tuple[Name, ...] = ()
    #: inside any of these no lock is taken at all
    leaves: tuple[Name, ...] = ()


class Context(Struct, frozen=True, array_like=True, tag="context"):
    """Nobody does what `forbids` says while a lock is held that does not let him, or in a context that does not."""

    forbids: Literal["sleep"]
    #: only under these locks; none: all, and the contexts of entry points
    locks: tuple[Name, ...]


class IrqSafety(Struct, frozen=True, array_like=True, tag="irq-safety"):
    """A lock that interrupts take is taken nowhere where they can come in between."""

    #: contexts that keep interrupts from this CPU, and those that keep bottom halves from it; none: not asked about
    hardirq: tuple[Name, ...] = ()
    softirq: tuple[Name, ...] = ()


class Contract(Struct, frozen=True, array_like=True, tag="contract"):
    """What the source itself claims of locks holds wherever it claims it, in one of these forms."""

    #: `lockdep_assert_held`, …
    forms: tuple[str, ...]


class GracePeriod(Struct, frozen=True, array_like=True, tag="grace-period"):
    """Readers of a member are where the grace period waits for them that comes before what it led to is freed."""

    #: members that updaters change, and wait; none: those that the program shows
    fields: tuple[Name, ...] = ()
    #: whose holders are waited for; None, with no fields: as the program shows
    readers: Name | None = None
    #: what keeps updaters off, so that whoever holds it may read, too; None: what all updaters hold for writing
    updaters: Requirement | None = None


#: what a rule checks about places, accesses and calls: one member for each rule kind
PlaceCheck = GuardedBy | MustHold
#: what a rule checks about places, and on the ways to them, beside locks that must be held
WayCheck = MustNotHold | OnlyThrough | PrecededBy | Atomicity | Contract
#: what a rule checks in the whole program: one member for each rule kind
ProgramCheck = Balance | LockOrder | Context | IrqSafety | GracePeriod
Check = PlaceCheck | WayCheck | ProgramCheck


def requirement_of(check: Check) -> Requirement:
    """Return what must hold at the places that a check is about; nothing, if it asks for no locks."""
    return check.requires if isinstance(check, PlaceCheck) else AllOf(())


class Rule(Struct, frozen=True, array_like=True):
    """One entry under `rules:`."""

    id: str
    check: Check
    severity: Severity
    #: statically checked exemptions: `unpublished`, `creation`, `dying`
    unless: tuple[str, ...]
    #: one sentence for the reader of a finding
    why: str
    #: where the kernel says so
    source: str
    #: where the rule stands in its YAML file
    location: Location
    #: what the rule is about in a few words, for lists; may be empty
    title: str = ""
    #: every name in the check, in the order of the file
    mentions: tuple[Mention, ...] = ()
    #: fields that the rule is for, beside those it checks: what readers of the field's declaration are told of it
    about: tuple[Name, ...] = ()


#: in what context code runs: what it may wait for
Surrounding = Literal["process", "softirq", "hardirq", "atomic"]


class Callback(Struct, frozen=True, array_like=True):
    """A function, or a member, that is handed a function for others to call."""

    #: the function that is handed one, or empty
    function: str
    #: the member that it is stored in, or None
    member: Name | None
    #: position of the argument that is called
    argument: int
    #: arguments that become the called function's own, in order
    passes: tuple[int, ...]
    #: `now`: before the call returns, under the caller's locks. `later`: under none of them
    runs: Literal["now", "later"]
    #: an argument that says which: not 0 is `now`, 0 is `later`
    waits: int | None
    #: on another processor
    remote: bool
    context: Surrounding
    source: str
    location: Location
    #: locks that those who call it later hold
    holds: tuple[Held, ...] = ()
    #: it is called once nobody holds these locks any more whom the call found holding one: after a grace period
    after: tuple[LockSource, ...] = ()
    #: contexts that are waited for, too
    contexts: tuple[str, ...] = ()


class EntryPoint(Struct, frozen=True, array_like=True):
    """How others enter the functions that stand in a member, or one function."""

    member: Name | None
    function: str
    #: locks that those who enter hold
    holds: tuple[Held, ...]
    context: Surrounding
    source: str
    location: Location
    #: locks that are held when the function returns, for those who entered it: it is one half of a pair
    leaves: tuple[Held, ...] = ()
    #: nobody else is in the program meanwhile
    alone: bool = False
    #: locks that some of those who enter hold, and others do not
    sometimes: tuple[Held, ...] = ()


class TargetOverride(Struct, frozen=True, array_like=True):
    """What calls through a pointer reach, stated by a person."""

    #: a member, a global, a static call's name or a local
    call: Name
    #: only calls in this function; empty for all
    within: str
    #: each with its own place
    reaches: tuple[tuple[str, Location], ...]
    source: str
    location: Location


class Backlink(Struct, frozen=True, array_like=True):
    """A pointer back to where its record was reached from: `vcpu->arch.apic->vcpu` is `vcpu`."""

    #: the pointer: `kvm_lapic.vcpu`
    member: Name
    #: the member of another record that holds the pointer's record, or points to it: `kvm_vcpu.arch.apic`
    through: Name
    #: what the pointer is then: that other record, or a pointer in it (`kvm_vcpu.kvm`)
    target: Name
    source: str
    location: Location


class SpecSet(Struct, frozen=True):
    """All files read together."""

    rules: tuple[Rule, ...]
    families: tuple[Family, ...]
    #: by function name
    primitives: dict[str, Primitive]
    #: sha256 over the files' names and text, in order
    digest: str
    callbacks: tuple[Callback, ...] = ()
    entries: tuple[EntryPoint, ...] = ()
    targets: tuple[TargetOverride, ...] = ()
    backlinks: tuple[Backlink, ...] = ()
    statements: tuple[Statement, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
