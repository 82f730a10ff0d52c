# SPDX-License-Identifier: GPL-2.0-only
"""`atomicity`: uses of what was read under a lock that was dropped and taken again since.

In: an Atomicity rule. Out: a watch for each of its fields, and for those that tell versions.
"""

from collections.abc import Iterable

from analyzer.analysis.names import NameResolver
from analyzer.analysis.obligations import Trail
from analyzer.analysis.watch import Watch
from analyzer.analysis.witness import Witness
from analyzer.spec.model import AllOf, Atomicity, Check, Rule

NOUN = "use"
KIND = "atomicity"
CHECK = Atomicity


def watches(rule: Rule, names: NameResolver) -> Iterable[Watch]:
    """Return the watches of `rule`; fields that the program does not have yield none."""
    check = rule.check
    assert isinstance(check, Atomicity)
    lock = names.lock(check.lock, rule.location)
    for field in (*check.fields, *check.versions):
        cell = names.cell(field, rule.location)
        if cell is not None:
            is_version = field in check.versions
            yield Watch(rule.id, cell, "", str(field), "use", AllOf(()), lock=lock, is_version=is_version)


def headline(access: str, name: str) -> str:
    """Return `use of pool.free`."""
    return f"{access} of {name}"


def words(check: Check, witness: Witness, trail: Trail) -> tuple[str, str]:  # noqa: ARG001 (every kind takes them)
    """Return `read before pool.lock was dropped and taken again`, and where that was."""
    assert isinstance(check, Atomicity)
    last = check.lock.parts[-1]
    places = [gone.location for gone in witness.dropped if gone.name.split(".")[-1] == last]
    where = f" at {places[-1]}" if places else ""
    return (
        f"read before {check.lock} was dropped and taken again",
        f"{check.lock} was dropped{where}, and what was read has not been read or compared afresh since",
    )
