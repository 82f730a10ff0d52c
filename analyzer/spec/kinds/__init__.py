# SPDX-License-Identifier: GPL-2.0-only
"""Rule kinds as specifications spell them: one module each.

In: the modules of this package. Out: `RuleKind`s by name.

**Invariant:** a module here is the kind's whole syntax; a new one is found without being listed anywhere.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any

from msgspec import Struct

from analyzer.spec.mapping import Fields, Key
from analyzer.spec.model import Check, Mention


class RuleKind(Struct, frozen=True):
    """How rules of one kind are written."""

    #: as in `kind:`
    name: str
    #: what such a rule says, in one line
    doc: str
    #: the keys beside those that all rules have
    keys: tuple[Key[Any], ...]
    #: groups of keys of which exactly one is given
    one_of: tuple[tuple[str, ...], ...]
    #: makes the check, with every name in it
    build: Callable[[Fields], tuple[Check, tuple[Mention, ...]]]


@cache
def rule_kinds() -> dict[str, RuleKind]:
    """Find all rule kinds: every module here has one as `KIND`."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return {module.KIND.name: module.KIND for module in modules}
