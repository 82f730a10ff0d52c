# SPDX-License-Identifier: GPL-2.0-only
"""`context`: nobody sleeps who must not.

In: `forbids: sleep`, `locks: [kvm.mmu_lock]` or nothing for all. Out: `Context(…)`.
"""

from __future__ import annotations

from typing import Literal

from analyzer.spec.kinds import RuleKind
from analyzer.spec.mapping import Fields, Key
from analyzer.spec.model import Context, Mention
from analyzer.spec.requirements import NameOf
from analyzer.spec.shapes import Choice, ListOf

_FORBIDS: Choice[Literal["sleep"]] = Choice("sleep")

FORBIDS = Key("forbids", _FORBIDS, "what must not be done", required=True)
LOCKS = Key("locks", ListOf(NameOf("lock"), "locks"), "only under these locks; absent: all", default=())


def _build(fields: Fields) -> tuple[Context, tuple[Mention, ...]]:
    locks: tuple[Mention, ...] = fields[LOCKS]
    return Context(fields[FORBIDS], tuple(mention.name for mention in locks)), locks


KIND = RuleKind("context", "nobody sleeps who must not", (FORBIDS, LOCKS), (), _build)
