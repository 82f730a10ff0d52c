# SPDX-License-Identifier: GPL-2.0-only
"""The program as specifications name it.

In: the linked program. Out: `ProgramScope`, which tells records, members, globals and functions; what is wrong with the
names in rules.
"""

from collections.abc import Collection, Iterable, Mapping

from msgspec.structs import replace

from analyzer.base.errors import SpecError
from analyzer.base.gap import Gap, GapKind
from analyzer.ir.types import CType, Record, element
from analyzer.program.link import Program
from analyzer.spec.model import Rule, SpecSet
from analyzer.spec.names import wrong_names


class ProgramScope:
    """What the analysed units define."""

    def __init__(self, program: Program) -> None:
        self._records = program.records
        self._defined = {function.name for function in program.functions.values()}
        self._functions = self._defined | set(program.declared)
        self._globals = {item.name: _record(item.type) for unit in program.units.values() for item in unit.globals}

    def records(self) -> Collection[str]:
        """Return the names of all records."""
        return self._records.keys()

    def members(self, record: str) -> Mapping[str, str] | None:
        """Return the members of a record with the record name of their type."""
        layout = self._records.get(record)
        return None if layout is None else {member.name: _record(member.type) for member in layout.members}

    def globals(self) -> Mapping[str, str]:
        """Return the globals with the record name of their type."""
        return self._globals

    def defines(self, function: str) -> bool:
        """Tell whether a function of this name is defined."""
        return function in self._defined

    def functions(self) -> Collection[str]:
        """Return the functions that are defined or declared."""
        return self._functions


def _record(ctype: CType) -> str:
    inner = element(ctype)
    return inner.name if isinstance(inner, Record) else ""


def applicable(program: Program, spec: SpecSet, rules: tuple[Rule, ...]) -> tuple[tuple[Rule, ...], tuple[Gap, ...]]:
    """Return the rules whose members the program's records have, and a gap for each of the others."""
    errors = {error.location: error for error in wrong(program, spec, rules, partial=True)}
    fitting, gaps = [], []
    for rule in rules:
        lacks = next((errors[mention.location] for mention in rule.mentions if mention.location in errors), None)
        if lacks is None:
            fitting.append(rule)
        else:
            gaps.append(Gap(GapKind.RULE, rule.location, f"{rule.id} does not apply: {_plain(lacks)}"))
    return tuple(fitting), tuple(gaps)


def _plain(error: SpecError) -> str:
    """Return the message of `error` without its place."""
    return str(error).removeprefix(f"{error.location}: ")


def wrong(program: Program, spec: SpecSet, rules: Iterable[Rule], *, partial: bool) -> list[SpecError]:
    """Return what is wrong with the names in `rules`.

    With `partial`, only where a record that the program has lacks the member: other units may have the rest.
    """
    scope = ProgramScope(program)
    if not partial:
        return wrong_names(spec, scope, rules)
    records = scope.records()
    known = [
        replace(
            rule,
            mentions=tuple(
                mention
                for mention in rule.mentions
                if mention.what != "function" and len(mention.name.parts) > 1 and mention.name.parts[0] in records
            ),
        )
        for rule in rules
    ]
    return wrong_names(spec, scope, known)
