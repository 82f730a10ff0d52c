# SPDX-License-Identifier: GPL-2.0-only
"""Lock identity: the class and the instance of what a primitive was given.

In: the object that a lock argument points to. Out: `LockKey` terms, trimmed of the lock type's own members, and
their class, as lockdep knows it: `kvm.slots_lock`, a global's name, or None while only a caller can tell.
"""

from collections.abc import Iterable

from analyzer.analysis.terms import Term
from analyzer.facts.unit import RecordLayout
from analyzer.ir.types import Record
from analyzer.spec.model import SpecSet


class LockTypes:
    """Knows which records are locks themselves."""

    def __init__(self, spec: SpecSet) -> None:
        #: record names of all families
        self.records = frozenset(name for family in spec.families for name in family.types)

    def key(self, obj: Term) -> Term:
        """Return the object without trailing members that lie inside a lock (`spinlock.rlock`)."""
        while obj[0] == "F" and obj[2] in self.records:
            obj = obj[1]
        return obj

    def members(self, records: Iterable[RecordLayout]) -> frozenset[tuple[str, str]]:
        """Return the members of `records` that are locks, as (record, member)."""
        return frozenset(
            (record.name, member.name)
            for record in records
            for member in record.members
            if isinstance(member.type, Record) and member.type.name in self.records
        )


def lock_class(key: Term) -> str | None:
    """Return the lock class of `key`; None where only a caller knows which lock it is."""
    while key[0] in ("I", "fix"):
        key = key[1]
    if key[0] == "F":
        return f"{key[2]}.{key[3]}"
    if key[0] in ("G", "abstract"):
        return str(key[1])
    if key[0] == "unknown":
        return str(key[1])
    return None


def instance(key: Term) -> Term | None:
    """Return the object that the lock is a member of; None for a global or abstract lock."""
    inner = key
    while inner[0] in ("I", "fix"):
        inner = inner[1]
    return inner[1] if inner[0] == "F" else None
