# SPDX-License-Identifier: GPL-2.0-only
"""What rules say already of the readers of a member: in what section they are.

In: the specification. Out: pairs of a member, or of a function whose calls a rule is about, and a lock class that the
rule takes for enough: there, the rule is asked, and nothing has to be inferred.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.analysis.names import Cell, NameResolver
from analyzer.program.link import Program
from analyzer.spec.model import AllOf, AnyOf, GracePeriod, GuardedBy, Held, MustHold, Requirement, SpecSet

#: (member, or ("", function), lock class, whether a rule about grace periods says so)
Told = tuple[Cell, str, bool]


def told(program: Program, spec: SpecSet) -> frozenset[Told]:
    """Return what the rules of `spec` say of readers; functions stand as `name()`."""
    names, found = NameResolver(program, spec), set[Told]()
    for rule in spec.rules:
        match rule.check:
            case GuardedBy(fields, access, requires) if access != "write":
                cells = [names.cell(field, rule.location) for field in fields]
            case MustHold(functions, requires):
                cells = [("", f"{function}()") for function in functions]
            case GracePeriod(fields, readers) if readers is not None:
                cells = [names.cell(field, rule.location) for field in fields]
                requires = Held(readers)
            case _:
                continue
        locks = {names.lock(held.lock, rule.location) for held in _held(requires)}
        grace = isinstance(rule.check, GracePeriod)
        found.update((cell, lock, grace) for cell in cells if cell is not None for lock in locks)
    return frozenset(found)


def _held(requirement: Requirement) -> Iterator[Held]:
    match requirement:
        case AnyOf(parts) | AllOf(parts):
            for part in parts:
                yield from _held(part)
        case Held():
            yield requirement
