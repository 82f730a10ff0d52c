# SPDX-License-Identifier: GPL-2.0-only
"""`lock-order`: locks are taken in one order.

In: `order: [kvm.lock, kvm.slots_lock]`, or `inside: kvm.srcu` with `never: [kvm.lock]`, or `leaves: [kvm_hv.hv_lock]`, or
nothing: no two threads wait for each other. Out: `LockOrder(…)`.
"""

from __future__ import annotations

from analyzer.base.errors import SpecError
from analyzer.spec.kinds import RuleKind
from analyzer.spec.mapping import Fields, Key
from analyzer.spec.model import LockOrder, Mention
from analyzer.spec.requirements import NameOf
from analyzer.spec.shapes import ListOf

_LOCKS = ListOf(NameOf("lock"), "locks")

ORDER = Key("order", _LOCKS, "two or more locks, the outer before the inner", default=())
INSIDE = Key("inside", _LOCKS, "locks inside which those of `never` are not taken", default=())
NEVER = Key("never", _LOCKS, "locks that are not taken, and grace periods that are not waited for", default=())
LEAVES = Key("leaves", _LOCKS, "locks inside which no lock is taken", default=())


def _build(fields: Fields) -> tuple[LockOrder, tuple[Mention, ...]]:
    given = [key.name for key in (ORDER, INSIDE, LEAVES) if key in fields]
    if len(given) > 1:
        raise SpecError(f"'{given[1]}' beside '{given[0]}' in a lock-order rule: only one of them", fields.location)
    if (INSIDE in fields) != (NEVER in fields):
        missing, there = ("never", "inside") if INSIDE in fields else ("inside", "never")
        raise SpecError(f"a lock-order rule with '{there}' needs the key '{missing}'", fields.location)
    order: tuple[Mention, ...] = fields[ORDER]
    names = [mention.name for mention in order]
    if ORDER in fields and len(set(names)) < max(2, len(names)):
        raise SpecError("'order': accepted: two or more locks, each once", fields.place(ORDER))
    groups: list[tuple[Mention, ...]] = [order, fields[INSIDE], fields[NEVER], fields[LEAVES]]
    check = LockOrder(*(tuple(mention.name for mention in group) for group in groups))
    return check, tuple(mention for group in groups for mention in group)


KIND = RuleKind("lock-order", "locks are taken in one order", (ORDER, INSIDE, NEVER, LEAVES), (), _build)
