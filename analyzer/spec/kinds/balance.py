# SPDX-License-Identifier: GPL-2.0-only
"""`balance`: locks are taken and dropped evenly.

In: `locks: [kvm.lock]`, or nothing for all locks. Out: `Balance(…)`.
"""

from __future__ import annotations

from analyzer.spec.kinds import RuleKind
from analyzer.spec.mapping import Fields, Key
from analyzer.spec.model import Balance, Mention
from analyzer.spec.requirements import NameOf
from analyzer.spec.shapes import ListOf

LOCKS = Key("locks", ListOf(NameOf("lock"), "locks"), "only these locks; absent: all", default=())


def _build(fields: Fields) -> tuple[Balance, tuple[Mention, ...]]:
    locks: tuple[Mention, ...] = fields[LOCKS]
    return Balance(tuple(mention.name for mention in locks)), locks


KIND = RuleKind("balance", "locks are taken and dropped evenly", (LOCKS,), (), _build)
