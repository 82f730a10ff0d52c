# SPDX-License-Identifier: GPL-2.0-only
"""Function summaries: what callers need to know of a function, over its parameters.

In: nothing. Out: `mutex_lock_killable`-like wrappers have two outcomes: return in [0, 0] with the lock acquired, and
return in [LOW, -1] with nothing.

**Invariant:** every term in a summary is an entry term (`terms.is_entry_term`), or the owner of a lock is unknown.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from analyzer.analysis.asked import Asks, sort
from analyzer.analysis.formula import Formula
from analyzer.analysis.locksets import HeldAt, Setting, SiteLocks
from analyzer.analysis.ranges import FULL, Range
from analyzer.analysis.terms import Term, is_entry_term
from analyzer.base.gap import Gap
from analyzer.ir.function import At

_encoder = msgspec.msgpack.Encoder()


class LockChange(Struct, frozen=True, array_like=True):
    """A lock held more (or less) often at the return than at the entry."""

    #: the lock over parameters and globals; ("unknown", class) where only its class is known
    key: Term
    count: int
    mode: str
    recursive: bool
    #: where the function changed it last
    at: At
    #: its holder must not sleep
    atomic: bool = False
    #: the callee that changed it there (its id), and the lock as the callee knows it; None for the function itself
    origin: tuple[str, Term] | None = None


class Outcome(Struct, frozen=True, array_like=True):
    """One way to return."""

    #: range of the value returned
    returns: Range
    #: the value itself where it is one entry term, else None
    value: Term | None
    changes: tuple[LockChange, ...]
    #: what must hold of entry terms for this way to be taken
    guards: tuple[tuple[Term, Range], ...]
    #: predicates known at the return: ("w", function, object) terms with their range
    establishes: tuple[tuple[Term, Range], ...]
    #: the value returned is NULL, an error, or an object that nobody else can reach
    fresh: bool = False
    #: where one of these ways returns
    at: At = At(0)
    #: what the function left in objects behind its parameters: (object, value)
    stores: tuple[tuple[Term, Term], ...] = ()
    #: stands for ways that differ in locks: more than `changes` tells may be held
    blurred: bool = False
    #: what came before on this way, see `marks`
    marks: tuple[tuple[Term, Any], ...] = ()
    #: locks of the caller that the function, which does nothing else, claims are held, with the mode
    assumes: tuple[tuple[Term, str], ...] = ()


class Own(Struct, frozen=True, array_like=True, tag="own"):
    """The function's own place that a rule speaks about."""

    rule: str
    #: what is accessed or called: `kvm_memory_slot.gmem.file`
    object: str
    #: `read`, `write`, `call`, `claim`
    access: str
    at: At
    #: what the place itself asks for, in words; empty where the rule says it
    locks: tuple[str, ...] = ()


class Passed(Struct, frozen=True, array_like=True, tag="passed"):
    """A callee's demand that the call site does not meet."""

    callee: str
    #: `Demand.id` of the callee's demand
    demand: str
    at: At
    #: the slot, for a call through a pointer; else empty
    via: str
    #: the demand that the callee's deferred call comes to, with the function that this caller put there
    then: Passed | None = None


class Cause(Struct, frozen=True, array_like=True):
    """Why a demand exists: a place, and the locks there."""

    what: Own | Passed
    setting: Setting


class Demand(Struct, frozen=True, array_like=True):
    """A requirement on the callers of a function, under conditions of its own."""

    #: digest of formula and guards: what it is called in `Passed`
    id: str

    #: over entry terms
    formula: Formula
    #: the demand is made only where these hold of entry terms
    guards: tuple[tuple[Term, Range], ...]
    causes: tuple[Cause, ...]


def demand(formula: Formula, guards: tuple[tuple[Term, Range], ...], causes: tuple[Cause, ...]) -> Demand:
    """Return a demand under its id."""
    return Demand(identity((formula, guards)), formula, guards, causes)


def identity(value: object) -> str:
    """Return a digest of a value that is made of tuples, text, numbers and truth values."""
    return blake2b(_encoder.encode(value), digest_size=8).hexdigest()


class Failure(Struct, frozen=True, array_like=True):
    """A requirement that is not met whoever calls, or that nobody can decide."""

    cause: Cause
    #: True: violation; False: unknown
    definite: bool
    #: why it cannot be decided; empty for a violation
    reason: str


class Elsewhere(Struct, frozen=True, array_like=True):
    """Another place of an acquisition, where other implementations are in use."""

    choices: tuple[tuple[Term, Range], ...]
    at: At
    link: Passed | None
    setting: Setting


class Acquisition(Struct, frozen=True, array_like=True):
    """A lock that a call of the function takes or waits for, or a place where it may sleep, here or below."""

    #: digest of all that callers see: what it is called in `Passed`
    id: str
    #: `lock`: it is taken. `grace`: all its holders are waited for. `sleep`: no lock, the thread may sleep
    what: str
    #: over parameters and globals; ("unknown", class) where only its class is known
    key: Term
    mode: str
    recursive: bool
    #: how it is waited for: `sleep`, `spin`, `none` (an attempt, or no waiting)
    waits: str
    #: classes of the locks without an object (`irqs_off`) that the function holds there, and `atomic` for any other
    #: whose holder must not sleep
    off: tuple[str, ...]
    #: classes of the caller's locks that are dropped at that time
    without: tuple[str, ...]
    guards: tuple[tuple[Term, Range], ...]
    at: At
    #: the callee's acquisition; None for the function's own
    link: Passed | None
    setting: Setting
    #: which implementations must be in use to get to the place above
    choices: tuple[tuple[Term, Range], ...] = ()
    #: a place for each other choice
    elsewhere: tuple[Elsewhere, ...] = ()


class Nested(Struct, frozen=True, array_like=True):
    """An acquisition while the function holds another lock."""

    outer: Term
    #: the lock held, for people
    held: HeldAt
    #: its holder must not sleep
    atomic: bool
    #: same lock? None where that is not known, or the classes differ
    same: bool | None
    what: str
    inner: Term
    #: class of the inner lock; empty for a sleep
    name: str
    mode: str
    recursive: bool
    waits: str
    #: as in `Acquisition`, below the call at hand
    off: tuple[str, ...]
    at: At
    link: Passed | None
    setting: Setting
    #: why it may not happen; empty if nothing speaks against it
    doubt: str = ""
    #: other locks held there, with their modes; not for a sleep
    beside: tuple[tuple[Term, str], ...] = ()
    #: one of the two locks lies in an object that nobody else can reach
    unshared: bool = False

    @property
    def is_open(self) -> bool:
        """Tell whether only callers can name the two locks, and can do so."""
        nameless = self.what != "sleep" and not (self.held.name and self.name)
        return nameless and is_entry_term(self.outer) and is_entry_term(self.inner)


class Imbalance(Struct, frozen=True, array_like=True):
    """A lock that is dropped without being held, or held at one return and not at another."""

    #: `unheld`, `mode` (dropped in another mode than taken), `unequal` (held at one return and not at another), `dropped`
    #: (the caller's, at one return and not at another), `kept` (by an entry point)
    kind: str
    #: lock class
    name: str
    #: the lock in words
    text: str
    mode: str
    at: At
    setting: Setting
    #: where it was taken, or dropped, before; or the other return
    other: At | None = None
    #: locks at the other return
    other_setting: Setting | None = None
    #: where it was last changed
    changed: At | None = None
    #: the callee that changed it there, and the lock as the callee knows it
    origin: tuple[str, Term] | None = None


class FunctionSummary(Struct, frozen=True, array_like=True, dict=True):
    """All that is kept of one function's analysis."""

    outcomes: tuple[Outcome, ...]
    demands: tuple[Demand, ...] = ()
    failures: tuple[Failure, ...] = ()
    #: the function's own places that a rule speaks about, each once
    own: tuple[Own, ...] = ()
    gaps: tuple[Gap, ...] = ()
    #: locksets at calls of analysed functions and at watched accesses
    locks: tuple[SiteLocks, ...] = ()
    #: what a call takes, waits for and sleeps in
    takes: tuple[Acquisition, ...] = ()
    nested: tuple[Nested, ...] = ()
    imbalances: tuple[Imbalance, ...] = ()

    @cached_property
    def asks(self) -> Asks:
        """Return what the function asks of its callers, as they ask for it; made where somebody calls it."""
        return sort(self.demands, self.takes)

    @property
    def n_asked(self) -> int:
        """Return how much a caller looks at."""
        return len(self.demands) + len(self.takes)

    @property
    def matters(self) -> bool:
        """Tell whether a call of the function concerns its caller's locks."""
        if self.demands or self.takes or not self.outcomes:
            return True
        return any(one.changes or one.establishes or one.marks or one.assumes for one in self.outcomes)


#: what a thread does at an acquisition
ACCESS = {"lock": "acquire", "grace": "wait", "sleep": "sleep"}

#: a function that changes no lock and returns anything
PLAIN = FunctionSummary((Outcome(FULL, None, (), (), ()),))
