# SPDX-License-Identifier: GPL-2.0-only
"""What `lockspec explain` tells about one field, function, rule or finding, as values.

In: nothing. Out: `Explanation`, a table of sites: who accesses the target, on which ways, with which locks held.

**Invariant:** sites and ways stand in the order in which they are to be read; renderers do not sort.
"""

from __future__ import annotations

from msgspec import Struct

from analyzer.base.location import Location
from analyzer.findings.claims import ClaimedBy
from analyzer.findings.model import Finding, Step, Verdict


class HeldFrom(Struct, frozen=True):
    """A lock held at a site, and where it was taken."""

    #: lock class with mode, `kvm.mmu_lock (read)`
    lock: str
    #: function that takes it, empty where it is held from the entry on
    function: str
    #: the call that takes it
    location: Location | None


class Way(Struct, frozen=True):
    """One way to reach a site, from an entry point."""

    #: functions from the entry point down to the site's own, outermost first
    functions: tuple[str, ...]
    held: tuple[HeldFrom, ...]
    verdict: Verdict
    #: for people: why the verdict is not `proven`; empty where it is
    cause: str = ""
    #: the way in detail, for `--verbose`; may be empty
    steps: tuple[Step, ...] = ()


class Site(Struct, frozen=True):
    """One place where the target is accessed or called."""

    #: `write`, `read`, `call`
    access: str
    function: str
    location: Location
    verdict: Verdict
    ways: tuple[Way, ...]
    #: ways left out of `ways` because there are too many to show
    n_more_ways: int = 0
    #: a rule asks something of this access; else there is nothing to prove
    ruled: bool = True


class RuleNote(Struct, frozen=True):
    """A rule that speaks about the target."""

    id: str
    #: on one line: `write needs kvm.slots_lock`
    requirement: str
    why: str
    source: str
    location: Location


class Explanation(Struct, frozen=True):
    """Everything known about one target."""

    #: the target as resolved: `kvm_memory_slot.gmem.file`, `kvm_gmem_get_file()`
    target: str
    rules: tuple[RuleNote, ...]
    sites: tuple[Site, ...]
    #: what the function that is the target claims itself, with verdicts for each way in which it is called
    contracts: tuple[ClaimedBy, ...] = ()
    #: findings at these sites
    findings: tuple[Finding, ...] = ()
    #: what limits the answer, one line each
    notes: tuple[str, ...] = ()
