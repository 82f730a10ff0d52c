# SPDX-License-Identifier: GPL-2.0-only
"""What a run found, as values.

In: nothing. Out: `Report`, which every renderer takes.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from analyzer.base.gap import Gap
from analyzer.base.location import Location

StepEvent = Literal["entry", "call", "acquire", "release", "branch", "access"]
Verdict = Literal["proven", "violation", "unknown"]


class Step(Struct, frozen=True):
    """One step of a witness, in the order of execution."""

    #: 0-based; 0 for the only one
    thread: int
    event: StepEvent
    #: function in which the step happens
    function: str
    location: Location
    #: `calls kvm_gmem_bind() holding kvm.slots_lock`; begins with a verb, no full stop
    text: str
    #: lock classes held after the step, outermost first, mode as `kvm.mmu_lock (read)`
    held: tuple[str, ...] = ()


class Finding(Struct, frozen=True):
    """A violation, or a place where the verdict is unknown."""

    rule: str
    #: rule kind, `guarded-by`
    kind: str
    verdict: Literal["violation", "unknown"]
    severity: Literal["error", "warning", "note"]
    #: `write of kvm_memory_slot.gmem.file without kvm.slots_lock`
    message: str
    location: Location
    function: str
    #: what is accessed or called: `kvm_memory_slot.gmem.file`, `kvm_gmem_get_file()`
    object: str
    #: `read`, `write`, `call`, …
    access: str
    #: the requirement's locks as the rule names them
    requires: tuple[str, ...]
    #: lock classes held at the place, on the way shown
    held: tuple[str, ...]
    witness: tuple[Step, ...]
    #: why the lock counts as not held, or why the verdict is unknown: one clause
    cause: str
    #: the rule's own reason and the place where it is written (YAML file and line; kernel source in words)
    why: str
    source: str
    rule_location: Location
    #: hex digits that survive line shifts and unrelated edits; see `findings.fingerprint`
    fingerprint: str = ""
    #: the functions that the way goes through, outermost first, as `file:function`
    chain: tuple[str, ...] = ()
    #: which of them is the first that matters: those before it only lead there
    root: int = 0
    #: of a finding that needs several places, each: its function as `file:function`, and what happens there
    parts: tuple[tuple[str, str], ...] = ()
    #: what became of it since another revision; empty where there is none to compare with
    change: Literal["", "introduced", "fixed", "pre-existing"] = ""
    #: of an introduced one: functions on the way that do something else than before, as `file:function`, outermost first
    touched: tuple[str, ...] = ()


class RuleCount(Struct, frozen=True):
    """How the places that a rule speaks about came out."""

    id: str
    sites: int
    proven: int
    violations: int
    unknown: int
    #: what people call such a place: `access`, `call`
    noun: str = "site"
    #: rule kind, `guarded-by`
    kind: str = ""
    severity: Literal["error", "warning", "note"] = "error"
    #: a few words, the rule's own reason, and where the kernel says so; each may be empty
    title: str = ""
    why: str = ""
    source: str = ""
    #: where the rule is written
    location: Location | None = None


class Assumed(Struct, frozen=True):
    """What the specification takes for true, and the run relied on where it matters."""

    id: str
    #: `calls of f() do nothing where arg 0->page.invalid != 0`
    text: str
    #: calls that it is about, or functions where it is about what holds inside them
    n_places: int
    noun: str
    #: the specification's own reason, where that can be read, and where it is written
    why: str
    source: str
    location: Location


class Accepted(Struct, frozen=True):
    """A finding that the baseline knows, and why it is let through."""

    finding: Finding
    reason: str


class Compared(Struct, frozen=True):
    """The revisions that a report compares, and what became of the findings in between."""

    #: `a1b2c3d4e5f6 ("KVM: fix it")`
    base: str
    #: the same; empty: the work tree, with changes that are not committed
    head: str
    n_introduced: int
    n_fixed: int
    n_pre_existing: int
    #: those of which it is not known whether they were there before, because the base could not be analysed there
    n_not_judged: int = 0


class Report(Struct, frozen=True):
    """All that a renderer needs."""

    findings: tuple[Finding, ...]
    rules: tuple[RuleCount, ...]
    gaps: tuple[Gap, ...]
    units_analysed: int
    units_failed: int
    functions_analysed: int
    functions_skipped: int
    #: findings that a baseline lets through; they are not among `findings`
    accepted: tuple[Accepted, ...] = ()
    #: witnesses tell the branches on the way
    explained: bool = False
    #: of a comparison: `findings` are the introduced ones
    compared: Compared | None = None
    #: of a comparison: other findings that were asked for
    others: tuple[Finding, ...] = ()
    #: what was taken for true without proof
    assumed: tuple[Assumed, ...] = ()
