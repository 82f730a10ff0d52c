# SPDX-License-Identifier: GPL-2.0-only
"""`must-not-hold`: calls of a function, or accesses to a member, with a lock held are wrong.

In: a MustNotHold rule. Out: a watch for each of its functions and fields.
"""

from collections.abc import Iterable

from analyzer.analysis.names import NameResolver, lock_texts
from analyzer.analysis.obligations import Trail
from analyzer.analysis.watch import Watch
from analyzer.analysis.witness import Witness
from analyzer.spec.model import Check, MustNotHold, Rule

NOUN = "place"
KIND = "must-not-hold"
CHECK = MustNotHold


def watches(rule: Rule, names: NameResolver) -> Iterable[Watch]:
    """Return the watches of `rule`; fields that the program does not have yield none."""
    check = rule.check
    assert isinstance(check, MustNotHold)
    forbids = names.requirement(check.forbids, rule.location)
    for function in check.functions:
        yield Watch(rule.id, None, function, f"{function}()", "call", forbids, rule.unless, negated=True)
    for field in check.fields:
        cell = names.cell(field, rule.location)
        if cell is not None:
            yield Watch(rule.id, cell, "", str(field), check.access, forbids, rule.unless, negated=True)


def headline(access: str, name: str) -> str:
    """Return `call of kvm_tlb_flush()`."""
    return f"{access} of {name}"


def words(check: Check, witness: Witness, trail: Trail) -> tuple[str, str]:
    """Return `with kvm.mmu_lock held, which it must not be`, and where the lock was taken."""
    assert isinstance(check, MustNotHold)
    named = [text.split(" ")[0] for text in lock_texts(check.forbids)]
    held = [lock for lock in witness.held if lock.name in named or lock.name.split(".")[-1] in _last_words(named)]
    given = [name for name, _ in trail.entry.holds if name in named] if trail.entry else []
    told = list(dict.fromkeys([str(lock) for lock in held] + given)) or named
    verb = "is" if len(told) == 1 else "are"
    message = f"with {' and '.join(told)} held, which {'it' if len(told) == 1 else 'they'} must not be"
    if trail.verdict == "unknown":
        message = f"with {' and '.join(told)} perhaps held, which {'it' if len(told) == 1 else 'they'} must not be"
    if held:
        return message, f"{held[0].name} was taken at {held[0].location}"
    return (
        message,
        f"{trail.entry.text}, where {' and '.join(told)} {verb} held" if trail.entry else "a caller holds it",
    )


def _last_words(names: list[str]) -> set[str]:
    return {name.split(".")[-1] for name in names}
