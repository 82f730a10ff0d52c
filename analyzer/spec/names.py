# SPDX-License-Identifier: GPL-2.0-only
"""Names in rules, held against the program.

In: rules, and a `Scope` that knows records, globals and functions. Out: one SpecError for each name that is wrong:
`kvm_memory_slot has no member 'gmen' (did you mean 'gmem'?)`.

**Invariant:** knows nothing of facts or of the program: the caller brings the scope.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol

from analyzer.base.errors import SpecError
from analyzer.base.location import Location
from analyzer.spec.effect import LockAbstract
from analyzer.spec.model import ANY_LOCK, Mention, Name, Rule, SpecSet
from analyzer.spec.suggest import did_you_mean


class Scope(Protocol):
    """What the analysed units define."""

    def records(self) -> Collection[str]:
        """Names of all records."""

    def members(self, record: str) -> Mapping[str, str] | None:
        """Members of a record with the record name of their type (of an array's element; "" for any other type)."""

    def globals(self) -> Mapping[str, str]:
        """Globals with the record name of their type, in the same way."""

    def functions(self) -> Collection[str]:
        """Functions that are defined or declared."""


def rule_names(rule: Rule) -> Iterator[tuple[Name, Location]]:
    """Yield every field and lock that the rule names, with its own place."""
    return ((mention.name, mention.location) for mention in rule.mentions if mention.what != "function")


def rule_functions(rule: Rule) -> Iterator[tuple[str, Location]]:
    """Yield every function that the rule names, with its own place."""
    return ((str(mention.name), mention.location) for mention in rule.mentions if mention.what == "function")


def abstract_locks(spec: SpecSet) -> frozenset[str]:
    """Collect the locks that are no objects: what primitives acquire (`rcu`), and what others enter under by one word."""
    effects = (effect for primitive in spec.primitives.values() for effect in primitive.effects)
    acquired = {effect.lock.name for effect in effects if isinstance(effect.lock, LockAbstract)}
    entered = [row.holds + row.sometimes for row in spec.entries] + [row.holds for row in spec.callbacks]
    return frozenset(
        acquired
        | {held.lock.parts[0] for holds in entered for held in holds if held != ANY_LOCK and len(held.lock.parts) == 1}
    )


def wrong_names(spec: SpecSet, scope: Scope, rules: Iterable[Rule] | None = None) -> list[SpecError]:
    """Check the names in `rules` (all of `spec` by default); the order is that of the rules."""
    types = frozenset(name for family in spec.families for name in family.types)
    check = _Check(scope, abstract_locks(spec), types)
    mentions = (mention for rule in (spec.rules if rules is None else rules) for mention in rule.mentions)
    return [SpecError(text, mention.location) for mention in mentions if (text := check.problem(mention))]


class _Check:
    """Looks names up."""

    __slots__ = ("_abstract", "_scope", "_types")

    def __init__(self, scope: Scope, abstract: frozenset[str], types: frozenset[str]) -> None:
        self._scope = scope
        self._abstract = abstract
        self._types = types

    def problem(self, mention: Mention) -> str:
        """Say what is wrong with a name, or nothing."""
        parts = mention.name.parts
        if mention.what == "function":
            known = self._scope.functions()
            return "" if parts[0] in known else f"no function '{parts[0]}'{did_you_mean(parts[0], known)}"
        if mention.what == "lock" and mention.name.parts[0] in self._abstract and len(parts) == 1:
            return ""
        text, type_name = self._global(parts[0], mention) if len(parts) == 1 else self._member(parts)
        if not text and mention.what == "lock" and type_name not in self._types:
            kind = f"'{type_name}'" if type_name else "no record"
            return f"{mention.name} is not a lock: its type is {kind}, which belongs to no lock family"
        return text

    def _global(self, name: str, mention: Mention) -> tuple[str, str]:
        known = self._scope.globals()
        if name in known:
            return "", known[name]
        if name in self._scope.records():
            return f"'{name}' is a record: name a member of it", ""
        near = did_you_mean(name, {*known, *self._abstract} if mention.what == "lock" else known)
        return f"no global variable{' or abstract lock' if mention.what == 'lock' else ''} '{name}'{near}", ""

    def _member(self, parts: tuple[str, ...]) -> tuple[str, str]:
        record = parts[0]
        members = self._scope.members(record)
        if members is None:
            return f"no record '{record}' in the analysed units{did_you_mean(record, self._scope.records())}", ""
        for depth, member in enumerate(parts[1:], 1):
            if members is None:
                return f"{'.'.join(parts[:depth])} has no members: it is not a record here", ""
            if member not in members:
                return f"{record} has no member '{member}'{did_you_mean(member, members)}", ""
            record = members[member]
            members = self._scope.members(record) if record else None
        return "", record
