# SPDX-License-Identifier: GPL-2.0-only
"""What primitives do, as values.

In: nothing. Out: `mutex_trylock()` has the effect `acquire` of what its argument 0 points to, when it returns 1.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from analyzer.base.location import Location

Mode = Literal["read", "write"]
AccessMode = Literal["read", "write", "any"]
Waits = Literal["sleep", "spin", "none"]


class ReturnTest(Struct, frozen=True, array_like=True):
    """`return == 0`: the effect happens on calls whose value passes this test."""

    operator: str
    value: int


class ArgumentTest(Struct, frozen=True, array_like=True):
    """`arg 5 == 0`: the effect happens on calls that leave this value where the argument points."""

    index: int
    value: int


class LockArgument(Struct, frozen=True, array_like=True, tag="arg"):
    """The lock is what argument `index` (0-based) points to, or this member of it."""

    index: int
    #: record and member
    member: tuple[str, str] | None = None


class LockAbstract(Struct, frozen=True, array_like=True, tag="abstract"):
    """The lock is no object: RCU's read side is the lock named `rcu`."""

    name: str


class LockTerm(Struct, frozen=True, array_like=True, tag="term"):
    """The lock is an expression over the arguments, as the annotation of a declaration writes it; no file says so."""

    #: a term of the analysis
    term: tuple[Any, ...]


LockSource = LockArgument | LockAbstract | LockTerm

#: acquire, release: of a lock. wait: until nobody else holds the lock (a grace period). sleep: the thread may sleep.
#: establish: the predicate `fact` becomes true. allocate: returns a fresh object that nobody else can reach. publish:
#: others can reach the object from now on. free: ends the object. access: reads or writes the object that argument
#: `index` points to. tell: the value returned says whether the lock is held, in the mode `access`. assert: whoever
#: calls must hold the lock, in the mode `access`.
EffectKind = Literal[
    "acquire", "release", "wait", "sleep", "establish", "allocate", "free", "publish", "access", "tell", "assert"
]


class Effect(Struct, frozen=True, array_like=True):
    """What a call of a primitive does."""

    kind: EffectKind
    #: the lock (acquire, release, wait) or the object (access, free: always a LockArgument)
    lock: LockSource | None = None
    #: `write` is exclusive
    mode: Mode = "write"
    #: may be acquired again by its holder (RCU, SRCU)
    recursive: bool = False
    when: ReturnTest | None = None
    waits: Waits = "none"
    #: acquire: a failed attempt is no wait (trylock)
    attempt: bool = False
    #: establish: `refcount_read(arg 0) == 0` split into function, argument index, operator, value
    fact: tuple[str, int, str, int] | None = None
    #: access: what is done to the object; tell, assert: how the lock is held, `read` for reading only
    access: AccessMode = "any"
    #: allocate, access: arguments that are stored in the object (returned or accessed) and live on there. What is
    #: stored in an object that nobody else can reach cannot be reached either, until that object is published. An
    #: argument that no effect of the row keeps is not kept by the function at all.
    keeps: tuple[int, ...] = ()
    #: acquire: its holder must not sleep; tell: any lock or context whose holder must not sleep will do
    atomic: bool = False
    #: sleep: only if this argument has one of these bits (`GFP_KERNEL` may sleep, `GFP_ATOMIC` may not); None: always
    bits: tuple[int, int] | None = None
    #: acquire, release: acquisitions count, and each is released by itself. False: acquiring what is held changes
    #: nothing, and one release is enough (interrupts are on after local_irq_enable(), however often they were disabled)
    nests: bool = True
    #: access: the value returned is something that was kept in the object
    finds: bool = False
    #: acquire, release: what tells the caller, beside the value returned
    sets: ArgumentTest | None = None
    #: free: only once nobody holds these locks any more whom the call found holding one: after a grace period
    after: tuple[LockSource, ...] = ()
    #: access: the call holds this lock meanwhile
    inside: LockSource | None = None
    #: wait: contexts that keep the caller waiting, too, as if whoever is in one held the lock
    contexts: tuple[str, ...] = ()
    #: establish: nobody else has a reference to the object that the predicate is about any more
    last: bool = False
    #: wait: the caller can rely on it. False: there are calls that return at once
    promised: bool = True
    #: assert: the word by which the declaration says so; empty where the function is its own word
    form: str = ""
    #: assert: the lock must not be held
    negated: bool = False


class Primitive(Struct, frozen=True, array_like=True):
    """A function with a known effect; its body, if there is one, is looked into only if the row is not whole."""

    name: str
    family: str
    effects: tuple[Effect, ...]
    location: Location
    #: made of the annotations of a declaration: it says of locks alone
    annotated: bool = False

    @property
    def is_whole(self) -> bool:
        """Tell whether the effects are all that a call does; that it may sleep, wait, or tell of a lock is never all."""
        return not self.annotated and any(effect.kind not in ("sleep", "wait", "tell") for effect in self.effects)


class Family(Struct, frozen=True, array_like=True):
    """One file under `lockspecs/primitives/`."""

    name: str
    #: record names that are locks of this family: a lock's class is its path without trailing members of such records
    types: tuple[str, ...]
    waits: Waits
    source: str
    location: Location
    #: whoever holds one of these locks must not sleep
    atomic: bool = False
