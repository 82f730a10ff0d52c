# SPDX-License-Identifier: GPL-2.0-only
"""Rule kinds: one module each, found without a registry.

In: a rule of the specification. Out: watches for the analysis, and words for what it found.

**Invariant:** rule kinds do not know each other.
"""

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from typing import Protocol

from analyzer.analysis.names import NameResolver
from analyzer.analysis.watch import Watch
from analyzer.spec.model import Check, Rule


class RuleKind(Protocol):
    """What a module of this package offers."""

    #: as specifications write it
    KIND: str
    #: what people call a place that such a rule speaks about
    NOUN: str
    #: the value that such a rule is in `spec.model`
    CHECK: type[Check]

    def watches(self, rule: Rule, names: NameResolver) -> Iterable[Watch]:
        """Return what the analysis is to look out for."""

    def headline(self, access: str, name: str) -> str:
        """Say what happens at a place, as a noun: `write of kvm_memory_slot.gmem.file`."""


@cache
def rule_kinds() -> dict[type[Check], RuleKind]:
    """Return all rule kinds, by the value that their rules are."""
    modules = (importlib.import_module(f"{__name__}.{item.name}") for item in pkgutil.iter_modules(__path__))
    return {module.CHECK: module for module in modules if hasattr(module, "CHECK")}
