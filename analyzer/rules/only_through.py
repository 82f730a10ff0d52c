# SPDX-License-Identifier: GPL-2.0-only
"""`only-through`: members that are accessed by their accessors alone.

In: an OnlyThrough rule. Out: a watch for each of its fields.
"""

from collections.abc import Iterable

from analyzer.analysis.names import NameResolver
from analyzer.analysis.obligations import Trail
from analyzer.analysis.watch import Watch
from analyzer.analysis.witness import Witness
from analyzer.spec.model import AllOf, Check, OnlyThrough, Rule

NOUN = "access"
KIND = "only-through"
CHECK = OnlyThrough


def watches(rule: Rule, names: NameResolver) -> Iterable[Watch]:
    """Return the watches of `rule`; fields that the program does not have yield none."""
    check = rule.check
    assert isinstance(check, OnlyThrough)
    for field in check.fields:
        cell = names.cell(field, rule.location)
        if cell is not None:
            yield Watch(rule.id, cell, "", str(field), check.access, AllOf(()), rule.unless, through=check.functions)


def headline(access: str, name: str) -> str:
    """Return `read of kvm_vcpu.mode`."""
    return f"{access} of {name}"


def words(check: Check, witness: Witness, trail: Trail) -> tuple[str, str]:  # noqa: ARG001 (every kind takes them)
    """Return `outside kvm_vcpu_set_mode()`, and what the function is not."""
    assert isinstance(check, OnlyThrough)
    *others, last = (f"{name}()" for name in check.functions)
    told = f"{', '.join(others)} and {last}" if others else last
    some = "that function" if len(check.functions) == 1 else "those functions"
    return f"outside {told}", f"only {some} may access it"
