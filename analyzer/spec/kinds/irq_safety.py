# SPDX-License-Identifier: GPL-2.0-only
"""`irq-safety`: a lock that interrupts take is not taken where they can come in between.

In: `hardirq: [irqs_off]`, `softirq: [bh_off, irqs_off]`. Out: `IrqSafety(…)`.
"""

from __future__ import annotations

from analyzer.base.errors import SpecError
from analyzer.spec.kinds import RuleKind
from analyzer.spec.mapping import Fields, Key
from analyzer.spec.model import IrqSafety, Mention
from analyzer.spec.requirements import NameOf
from analyzer.spec.shapes import ListOf

_CONTEXTS = ListOf(NameOf("lock"), "contexts")

HARDIRQ = Key("hardirq", _CONTEXTS, "contexts of which any keeps interrupts from this CPU", default=())
SOFTIRQ = Key("softirq", _CONTEXTS, "contexts of which any keeps bottom halves from this CPU", default=())


def _build(fields: Fields) -> tuple[IrqSafety, tuple[Mention, ...]]:
    groups: list[tuple[Mention, ...]] = [fields[HARDIRQ], fields[SOFTIRQ]]
    if not any(groups):
        raise SpecError("an irq-safety rule needs the key 'hardirq' or 'softirq'", fields.location)
    check = IrqSafety(*(tuple(mention.name for mention in group) for group in groups))
    return check, tuple(mention for group in groups for mention in group)


KIND = RuleKind(
    "irq-safety", "locks that interrupts take are taken with interrupts off", (HARDIRQ, SOFTIRQ), (), _build
)
