# SPDX-License-Identifier: GPL-2.0-only
"""`guarded-by`: accesses to a member or global need locks.

In: a GuardedBy rule. Out: a watch for each of its fields.
"""

from collections.abc import Iterable

from analyzer.analysis.names import NameResolver
from analyzer.analysis.watch import Watch
from analyzer.spec.model import GuardedBy, Rule

NOUN = "access"
KIND = "guarded-by"
CHECK = GuardedBy


def watches(rule: Rule, names: NameResolver) -> Iterable[Watch]:
    """Return the watches of `rule`; fields that the program does not have yield none."""
    check = rule.check
    assert isinstance(check, GuardedBy)
    requires = names.requirement(check.requires, rule.location)
    for field in check.fields:
        cell = names.cell(field, rule.location)
        if cell is not None:
            yield Watch(rule.id, cell, "", str(field), check.access, requires, rule.unless, by=check.by)


def headline(access: str, name: str) -> str:
    """Return `write of kvm_memory_slot.gmem.file`."""
    return f"{access} of {name}"
