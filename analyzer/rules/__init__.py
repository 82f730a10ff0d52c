# SPDX-License-Identifier: GPL-2.0-only
"""Rule kinds: one module each, found without a registry.

In: a rule of the specification. Out: of a kind that speaks about places, watches for the analysis and words for what it
found; of one that looks at the whole program, the problems in it.

**Invariant:** rule kinds do not know each other.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Protocol, runtime_checkable

from analyzer.analysis.names import Cell, NameResolver
from analyzer.analysis.obligations import Trail
from analyzer.analysis.problems import Judged, LockFacts
from analyzer.analysis.retired import Retired
from analyzer.analysis.told import Told
from analyzer.analysis.watch import Watch
from analyzer.analysis.witness import Witness
from analyzer.program.link import Program
from analyzer.spec.model import Check, GracePeriod, Rule


class RuleKind(Protocol):
    """What every module of this package offers."""

    #: as specifications write it
    KIND: str
    #: what people call a place that such a rule speaks about
    NOUN: str
    #: the value that such a rule is in `spec.model`
    CHECK: type[Check]


@runtime_checkable
class PlaceKind(RuleKind, Protocol):
    """A kind whose rules speak about places: accesses, calls."""

    def watches(self, rule: Rule, names: NameResolver) -> Iterable[Watch]:
        """Return what the analysis is to look out for."""

    def headline(self, access: str, name: str) -> str:
        """Say what happens at a place, as a noun: `write of kvm_memory_slot.gmem.file`."""


@runtime_checkable
class SpokenKind(PlaceKind, Protocol):
    """A kind about places with words of its own for what is wrong there; the others lack locks."""

    def words(self, check: Check, witness: Witness, trail: Trail) -> tuple[str, str]:
        """Say what is wrong at the end of a way (`with kvm.mmu_lock held, …`), and why, in one clause."""


@runtime_checkable
class ProgramKind(RuleKind, Protocol):
    """A kind whose rules look at the whole program."""

    def problems(self, rule: Rule, facts: LockFacts, names: NameResolver) -> Judged:
        """Return what is wrong in the program."""


@runtime_checkable
class SectionKind(ProgramKind, Protocol):
    """A kind whose rules look at the whole program, with watches for what readers are waited for."""

    def section_watches(
        self, rule: Rule, names: NameResolver, retired: Iterable[Retired], program: Program, said: frozenset[Told]
    ) -> Iterable[Watch]:
        """Return what the analysis is to look out for; `said` is what other rules say of readers."""


@cache
def rule_kinds() -> dict[type[Check], RuleKind]:
    """Return all rule kinds, by the value that their rules are."""
    modules = (importlib.import_module(f"{__name__}.{item.name}") for item in pkgutil.iter_modules(__path__))
    return {module.CHECK: module for module in modules if hasattr(module, "CHECK")}


def watches_of(rule: Rule, names: NameResolver) -> Iterable[Watch]:
    """Return what the analysis is to look out for because of `rule`."""
    kind = rule_kinds()[type(rule.check)]
    return kind.watches(rule, names) if isinstance(kind, PlaceKind) else ()


def asked_about(rules: Iterable[Rule], names: NameResolver) -> frozenset[Cell]:
    """Return the members of which rules say who is waited for after a change."""
    fields = [(field, rule) for rule in rules if isinstance(rule.check, GracePeriod) for field in rule.check.fields]
    found = (names.cell(field, rule.location) for field, rule in fields)
    return frozenset(cell for cell in found if cell is not None)


def section_watches_of(
    rules: Iterable[Rule],
    names: NameResolver,
    retired: Callable[[], tuple[Retired, ...]],
    program: Program,
    said: Callable[[], frozenset[Told]],
) -> Iterator[Watch]:
    """Yield what the analysis is to look out for because of readers; only then it is asked what is `retired`."""
    for rule in rules:
        kind = rule_kinds()[type(rule.check)]
        if isinstance(kind, SectionKind):
            yield from kind.section_watches(rule, names, retired(), program, said())


def judge(rules: Iterable[Rule], facts: LockFacts, names: NameResolver) -> dict[str, Judged]:
    """Return what the rules that look at the whole program find, by rule id."""
    kinds = rule_kinds()
    return {
        rule.id: kind.problems(rule, facts, names)
        for rule in rules
        if isinstance(kind := kinds[type(rule.check)], ProgramKind)
    }
