# SPDX-License-Identifier: GPL-2.0-only
"""One structure as its rules see it: members, their locks, and what its locks are for.

In: rules; a tree's measurements, if there are any. Out: `StructDoc`.

Without a tree, a member belongs to the structure that its name begins with. With one, `kvm.arch.apic_map` is told at
`struct kvm_arch`, too; and a rule about a function is told at the members that it accesses itself under one of the same locks,
beside those that the rule says it is about.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from analyzer.facts.unit import RecordLayout
from analyzer.findings.doc import LockDoc, MemberDoc, StructDoc
from analyzer.pipeline.measured import Measurements
from analyzer.pipeline.ruling import locks_of, note
from analyzer.pipeline.sentences import Speller, sentences
from analyzer.spec.effect import LockAbstract
from analyzer.spec.model import (
    Atomicity,
    GracePeriod,
    GuardedBy,
    LockOrder,
    MustHold,
    MustNotHold,
    Name,
    OnlyThrough,
    PrecededBy,
    Rule,
    SpecSet,
)


def members_of(rule: Rule) -> tuple[Name, ...]:
    """Return the members that a rule is to be told at."""
    match rule.check:
        case GuardedBy(fields) | OnlyThrough(fields) | Atomicity(fields) | GracePeriod(fields):
            return (*fields, *rule.about)
        case MustNotHold():
            return (*rule.check.fields, *rule.about)
        case PrecededBy():
            return (*rule.check.since_writes, *rule.about)
    return rule.about


class StructWriter:
    """Describes structures by the rules of one specification."""

    def __init__(self, spec: SpecSet, rules: tuple[Rule, ...], measured: Measurements | None) -> None:
        self._rules = rules
        self._measured = measured
        acquired = [
            effect
            for row in spec.primitives.values()
            for effect in row.effects
            if isinstance(effect.lock, LockAbstract)
        ]
        self._abstract = {str(effect.lock.name) for effect in acquired if isinstance(effect.lock, LockAbstract)}
        self._read_sides = frozenset(
            effect.lock.name for effect in acquired if isinstance(effect.lock, LockAbstract) and effect.mode == "read"
        )
        #: the members that each rule is told at, with what is told of it there
        self._told = {rule.id: self._told_at(rule) for rule in rules}

    @property
    def is_measured(self) -> bool:
        """Tell whether a tree was looked at."""
        return self._measured is not None

    def _told_at(self, rule: Rule) -> dict[Name, Rule]:
        """Return the members that a rule is told at: its own, and those that its functions access.

        At those, the rule is told of the functions that access them.
        """
        told = dict.fromkeys(members_of(rule), rule)
        if self._measured is None or not isinstance(rule.check, MustHold):
            return told
        accessed = {function: self._measured.accessed_by(function) for function in rule.check.functions}
        locks = self._lock_classes(rule)
        for other in self._rules:
            if isinstance(other.check, GuardedBy) and locks & self._lock_classes(other):
                for name in other.check.fields:
                    functions = tuple(function for function, cells in accessed.items() if self._cell(name) in cells)
                    if functions and name not in told:
                        told[name] = replace(rule, check=MustHold(functions, rule.check.requires))
        return told

    def _lock_classes(self, rule: Rule) -> set[str]:
        return {self._cell(name) for name in locks_of(rule.check)}

    def _cell(self, name: Name) -> str:
        return self._measured.cell(name) if self._measured else str(name)

    def structures(self) -> set[str]:
        """Return the structures and globals that there is something to say about."""
        return {
            record
            for rule in self._rules
            for name in (*self._told[rule.id], *locks_of(rule.check))
            for record in self._paths(name)
        }

    def _paths(self, name: Name) -> dict[str, str]:
        """Return the structures that `name` goes through, each with the rest of the path; a global is its own."""
        if len(name.parts) == 1:
            return {} if str(name) in self._abstract else {str(name): str(name)}
        way = self._measured.way(name) if self._measured else ()
        records = [cell[0] for cell in way] or [name.parts[0]]
        return {record: ".".join(name.parts[place + 1 :]) for place, record in enumerate(records) if "." not in record}

    # -- one structure ------------------------------------------------------------------------------------------------

    def write(self, record: str) -> StructDoc:
        """Describe one structure, or one global."""
        speller = Speller(lambda name: self._paths(name).get(record), self._read_sides)
        members: dict[str, dict[Name, list[Rule]]] = defaultdict(lambda: defaultdict(list))
        locks: dict[str, dict[Name, list[Rule]]] = defaultdict(lambda: defaultdict(list))
        for rule in self._rules:
            for found, names in ((members, self._told[rule.id]), (locks, dict.fromkeys(locks_of(rule.check), rule))):
                for name, said in names.items():
                    path = self._paths(name).get(record)
                    if path is not None:
                        found[path][name].append(said)
        told = {rule.id for names in members.values() for rules in names.values() for rule in rules}
        layout = self._measured.analysis.program.records.get(record) if self._measured else None
        return StructDoc(
            record,
            layout.kind if layout else "" if record in members or record in locks else "struct",
            tuple(self._lock(path, locks[path], speller) for path in _declared(locks, layout)),
            tuple(self._member(path, members[path], speller) for path in _declared(members, layout)),
            tuple(self._functions(record, told, speller)),
            layout.location if layout else None,
        )

    def _member(self, path: str, names: dict[Name, list[Rule]], speller: Speller) -> MemberDoc:
        rules = list({rule.id: rule for found in names.values() for rule in found}.values())
        rules.sort(key=lambda rule: not isinstance(rule.check, GuardedBy))
        said = [one for rule in rules if (one := speller.rule(rule)) is not None]
        locks = tuple(dict.fromkeys(lock for one in said for lock in one.locks))
        measured = self._measured.accesses(next(iter(names)), rules) if self._measured else None
        return MemberDoc(path, sentences(said), locks, tuple(map(note, rules)), measured)

    def _functions(self, record: str, told: set[str], speller: Speller) -> Iterator[str]:
        """Yield what rules say of functions whose source is the structure's declaration."""
        named = re.compile(rf"\bstruct {re.escape(record)}\b")
        for rule in self._rules:
            if rule.id not in told and isinstance(rule.check, MustHold | MustNotHold | PrecededBy):
                said = speller.rule(rule) if named.search(rule.source) else None
                if said is not None:
                    yield from sentences([said])

    # -- its locks ----------------------------------------------------------------------------------------------------

    def _lock(self, path: str, names: dict[Name, list[Rule]], speller: Speller) -> LockDoc:
        rules = list({rule.id: rule for found in names.values() for rule in found}.values())
        called = (name for rule in rules if isinstance(rule.check, MustHold) for name in rule.check.functions)
        functions = tuple(f"{name}()" for name in dict.fromkeys(called))
        takers = self._measured.takers(next(iter(names))) if self._measured else None
        orders = tuple(
            _orders([rule.check for rule in rules if isinstance(rule.check, LockOrder)], set(names), speller)
        )
        return LockDoc(path, tuple(_guards(rules, speller)), functions, orders, tuple(map(note, rules)), takers)


def _guards(rules: list[Rule], speller: Speller) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the members that need the lock: for all accesses, or for some."""
    accesses: dict[str, set[str]] = defaultdict(set)
    for rule in rules:
        if isinstance(rule.check, GuardedBy):
            both = {"read", "write"} if rule.check.access == "any" else {rule.check.access}
            for name in rule.check.fields:
                accesses[speller.lock(name)] |= both
    for word, wanted in (("", {"read", "write"}), ("writes of", {"write"}), ("reads of", {"read"})):
        names = tuple(name for name, found in accesses.items() if found == wanted)
        if names:
            yield word, names


def _orders(checks: list[LockOrder], names: set[Name], speller: Speller) -> Iterator[str]:
    """Yield where the lock stands among others."""

    def spelled(found: Iterable[Name]) -> list[str]:
        return [speller.lock(name) for name in dict.fromkeys(found)]

    outer = spelled(name for check in checks for name in _before(check.order, names))
    inner = spelled(name for check in checks for name in _before(check.order[::-1], names))
    never = spelled(name for check in checks if names & set(check.inside) for name in check.never)
    inside = spelled(name for check in checks if names & set(check.never) for name in check.inside)
    if outer:
        yield f"Taken inside {_list(outer)}."
    if inner:
        yield f"Taken outside {_list(inner)}."
    if any(names & set(check.leaves) for check in checks):
        yield "No lock is taken inside it."
    if never:
        yield f"Inside it, {_list(never)} {'is' if len(never) == 1 else 'are'} never taken or waited for."
    if inside:
        yield f"Never taken or waited for inside {_list(inside, 'or')}."


def _declared(paths: Iterable[str], layout: RecordLayout | None) -> list[str]:
    """Return members in the order of their declaration, as far as it is known."""
    order = [member.name for member in layout.members] if layout else []
    return sorted(paths, key=lambda path: (order.index(first) if (first := path.split(".")[0]) in order else -1, path))


def _before(order: tuple[Name, ...], names: set[Name]) -> tuple[Name, ...]:
    place = next((place for place, name in enumerate(order) if name in names), 0)
    return order[:place]


def _list(parts: list[str], word: str = "and") -> str:
    *firsts, last = dict.fromkeys(parts)
    return f"{', '.join(firsts)} {word} {last}" if firsts else last
