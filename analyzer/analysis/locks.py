# SPDX-License-Identifier: GPL-2.0-only
"""Lock identity: the class and the instance of what a primitive was given.

In: the object that a lock argument points to. Out: `LockKey` terms, trimmed of the lock type's own members, and
their class, as lockdep knows it: `kvm.slots_lock`, a global's name, or None while only a caller can tell.
"""

from collections.abc import Collection, Iterable

from analyzer.analysis.terms import ZERO, Term, container_of_element, contains, is_entry_term, is_stable
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
    while key[0] in ("I", "fix", "perhaps"):
        key = key[1]
    if key[0] == "F":
        return f"{key[2]}.{key[3]}"
    if key[0] in ("G", "abstract"):
        return str(key[1])
    if key[0] == "unknown":
        return str(key[1])
    return None


def is_context(key: Term, mode: str, recursive: bool) -> bool:
    """Tell whether what is held is a state of this CPU (interrupts off) rather than a lock or a read side.

    No object stands for it, it is no reader, and entering it again is no deadlock: it excludes nobody.
    """
    return bool(key[0] == "abstract") and recursive and mode == "write"


def instance(key: Term) -> Term | None:
    """Return the object that the lock is a member of; None for a global or abstract lock."""
    inner = key
    while inner[0] in ("I", "fix", "perhaps"):
        inner = inner[1]
    return inner[1] if inner[0] == "F" else None


def exported_lock(key: Term) -> Term | None:
    """Return `key` as callers can know it; None for a lock that lies in the function's own frame."""
    if is_entry_term(key):
        return key
    if contains(key, lambda t: t[0] == "L"):
        return None
    some: Term = ("unknown", lock_class(key) or "")
    return perhaps(some) if is_perhaps(key) else some


def perhaps(key: Term) -> Term:
    """Return what stands in a lockset for `key` where ways came together that differ in whether it is held.

    Its count tells whether a caller's lock may be gone: -1 if so, 0 if it can only be held oftener.
    """
    return key if is_perhaps(key) else ("perhaps", key)


def is_perhaps(key: Term) -> bool:
    """Tell whether `key` stands for a lock of which it is not known whether it is held."""
    return bool(key[0] == "perhaps")


def certain(key: Term) -> Term:
    """Return the lock that `key` is about, held for certain or perhaps."""
    inner: Term = key[1] if is_perhaps(key) else key
    return inner


def agree(counts: Collection[int]) -> bool:
    """Tell whether ways with these `counts` of one lock agree in whether it is held, or dropped for the caller."""
    return min(counts) > 0 or max(counts) < 0


def same_lock(a: Term, b: Term) -> bool | None:
    """Tell whether two locks of one class are the same; None where that cannot be known."""
    if a == b:
        return None if a[0] == "unknown" or contains(a, lambda t: t[0] == "fix") else True
    if a[0] == "unknown" or b[0] == "unknown":
        return None
    mine, theirs = instance(a), instance(b)
    if mine is not None and theirs is not None and mine != theirs:
        return False if differ(mine, theirs) else None
    return False if _differ_by_index(a, b) else None


def differ(a: Term, b: Term) -> bool:
    """Tell whether two objects, named differently, are known to be different ones."""
    return (_is_direct(a) and _is_direct(b)) or _differ_by_index(a, b)


def relation(a: Term, b: Term) -> str:
    """Say whose locks two are: `one` object's, of `two` that are known to differ, or nothing."""
    if a[0] == "unknown" or b[0] == "unknown":
        return ""
    mine, theirs = _holder(a), _holder(b)
    if mine == theirs:
        return "one"
    return "two" if differ(mine, theirs) else ""


def _holder(key: Term) -> Term:
    """Return the whole object that a lock is a part of."""
    while key[0] in ("F", "I", "fix"):
        key = key[1]
    return key


def _differ_by_index(a: Term, b: Term) -> bool:
    """Tell whether two objects are different elements of one array, or lie on equal ways below such."""
    if a[0] == "I" or b[0] == "I":
        mine, first = (a[1], a[2]) if a[0] == "I" else (a, ZERO)
        theirs, second = (b[1], b[2]) if b[0] == "I" else (b, ZERO)
        if mine == theirs:
            return _differ_by_constant(first, second)
    if a[0] != b[0] or len(a) != len(b):
        return False
    unequal = [(mine, theirs) for mine, theirs in zip(a[1:], b[1:], strict=True) if mine != theirs]
    if len(unequal) != 1 or not all(isinstance(part, tuple) for part in unequal[0]):
        return False
    return _differ_by_index(*unequal[0])


def _differ_by_constant(a: Term, b: Term) -> bool:
    if a[0] == "k" and b[0] == "k":
        return bool(a != b)
    for x, y in ((a, b), (b, a)):
        if x[0] == "op" and x[1] in ("+", "-") and x[2] == y and x[3][0] == "k" and x[3] != ZERO:
            return True
    return False


def _is_direct(obj: Term) -> bool:
    """Tell whether `obj` is named without going through memory: then two different names mean two objects."""
    base = obj
    while base[0] in ("F", "I", "C", "O", "ad"):
        base = base[1]
    if base[0] == "ld" and container_of_element(base) is not None:
        return bool(base[1][2][0] == "r")
    if base[0] == "in":
        # it may be the object of any name that begins with what it lies in
        return False
    return is_stable(obj) and not contains(obj, lambda t: t[0] == "ld")
