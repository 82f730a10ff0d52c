# SPDX-License-Identifier: GPL-2.0-only
"""Where rules, assertions, annotations and sentences disagree about one field or function, as values.

In: nothing. Out: `DriftReport`.

**Invariant:** everything stands in the order in which it is to be read; renderers do not sort.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from analyzer.base.location import Location

#: what is held against a rule; `source` is the rule's own
DriftKind = Literal["assertion", "annotation", "comment", "document", "source", "unruled", "unasserted", "excused"]
#: those that contradict nothing: somebody says more than another
NOTES: frozenset[DriftKind] = frozenset({"unruled", "unasserted", "excused"})
#: who says something
Voice = Literal["rule", "assertion", "annotation", "comment", "document"]


class Saying(Struct, frozen=True):
    """What one of them says."""

    voice: Voice
    #: `kvm/io-bus-use: call needs kvm.srcu`, `called under kvm->slots_lock`
    text: str
    location: Location


class Drift(Struct, frozen=True):
    """A disagreement about one thing."""

    kind: DriftKind
    #: `kvm_memory_slot.gmem.file`, `kvm_gmem_get_file()`, or a rule's id
    about: str
    #: one clause: who says what, and who something else
    message: str
    sayings: tuple[Saying, ...]

    @property
    def is_note(self) -> bool:
        """Tell whether it contradicts nothing."""
        return self.kind in NOTES


class DriftReport(Struct, frozen=True):
    """Everything that was compared."""

    drifts: tuple[Drift, ...]
    #: what was looked at, and how much of it: ("rules", 173)
    compared: tuple[tuple[str, int], ...]
    #: what limits the answer, one line each
    notes: tuple[str, ...] = ()
    #: units that could not be read
    n_failed: int = 0
