# SPDX-License-Identifier: GPL-2.0-only
"""Words for what is missing at a place, and why.

In: a requirement and the witness of a way on which it is not met. Out: `without kvm.slots_lock or kvm.srcu`,
`with kvm.mmu_lock held for read only`, `with kvm.lock of another kvm`.
"""

from analyzer.analysis.obligations import Trail, Verdict
from analyzer.analysis.witness import UNNAMED, Witness
from analyzer.spec.model import AllOf, AnyOf, Held, Requirement, When


def lack(requires: Requirement, witness: Witness, verdict: Verdict) -> str:
    """Say what is missing, or what is wrong with the lock that is held."""
    for lock in _locks(requires):
        if _held_mode(lock, witness) == "read" and lock.mode == "write":
            return f"with {lock.lock} held for read only"
    missing = _missing(requires, witness)
    if missing:
        return f"without {missing}"
    lock = next(lock for lock in _locks(requires) if _held_mode(lock, witness))
    if any(gone.name == UNNAMED for gone in witness.dropped):
        return f"without {lock.lock}"
    other = "another" if verdict == "violation" else "what may be another"
    return f"with {lock.lock} of {other} {lock.lock.parts[0]}"


def _missing(requires: Requirement, witness: Witness) -> str:
    """Name the locks that are not held; nothing if a lock of each needed class is."""
    match requires:
        case Held():
            if _held_mode(requires, witness):
                return ""
            return f"{requires.lock} ({requires.mode})" if requires.mode else str(requires.lock)
        case AllOf(parts):
            return " and ".join(filter(None, (_missing(part, witness) for part in parts)))
        case AnyOf(parts):
            told = [_missing(part, witness) for part in parts if not isinstance(part, When)]
            return "" if "" in told else " or ".join(told)
    return ""


def _locks(requirement: Requirement) -> list[Held]:
    match requirement:
        case AnyOf(parts) | AllOf(parts):
            return [lock for part in parts for lock in _locks(part)]
        case Held():
            return [requirement]
    return []


def _held_mode(lock: Held, witness: Witness) -> str:
    """Return in which mode a lock of the class is held, "" if none is."""
    return next((held.mode for held in witness.held if _is(held.name, lock)), "")


def _is(name: str, lock: Held) -> bool:
    """Tell whether the lock class `name` is the one that a rule writes as `lock`, maybe through a nested record."""
    return name == str(lock.lock) or name.split(".")[-1:] == list(lock.lock.parts[-1:])


def cause(requires: Requirement, witness: Witness, trail: Trail) -> str:
    """Say why the lock counts as not held."""
    for lock in _locks(requires):
        for gone in witness.dropped:
            if _is(gone.name, lock):
                return f"{lock.lock} was dropped at {gone.location}"
    for gone in witness.dropped:
        if gone.name == UNNAMED:
            return f"a lock that its callers chose was dropped at {gone.location}"
    held = list(dict.fromkeys(str(lock) for lock in witness.held))
    start = trail.entry.text if trail.entry else "no caller can hold it"
    which = f"only {' and '.join(held)} {'is' if len(held) == 1 else 'are'}" if held else "no lock is"
    return f"{start}; {which} held on this way"
