# SPDX-License-Identifier: GPL-2.0-only
"""`grace-period`: readers are where the grace period waits for them.

In: `field: vm.filter`, `readers: vm.srcu`. Out: `GracePeriod(…)`.
"""

from __future__ import annotations

from analyzer.base.errors import SpecError
from analyzer.spec.kinds import RuleKind
from analyzer.spec.mapping import Fields, Key
from analyzer.spec.model import GracePeriod, Mention
from analyzer.spec.requirements import NameOf, RequirementShape
from analyzer.spec.shapes import ListOf

FIELD = Key("field", NameOf("field"), "what updaters change before they wait; absent: what the program shows")
FIELDS = Key("fields", ListOf(NameOf("field"), "fields"), "several of these, each on its own")
READERS = Key("readers", NameOf("lock"), "the read side: rcu, or an SRCU domain; as the program shows")
UPDATERS = Key("updaters", RequirementShape(), "what keeps updaters off; absent: what all of them hold")


def _build(fields: Fields) -> tuple[GracePeriod, tuple[Mention, ...]]:
    one = fields.get(FIELD)
    told: tuple[Mention, ...] = (one,) if one else fields.get(FIELDS) or ()
    if one and FIELDS in fields:
        raise SpecError("'field' and 'fields' together; give one of them", fields.place(FIELDS))
    readers, updaters = fields.get(READERS), fields.get(UPDATERS)
    for key in (READERS, UPDATERS):
        if key in fields and not told:
            raise SpecError(f"'{key.name}' needs the key 'field' or 'fields': of what?", fields.place(key))
    if told and readers is None:
        name, place = ("field", fields.place(FIELD)) if one else ("fields", fields.place(FIELDS))
        raise SpecError(f"'{name}' needs the key 'readers': who is waited for?", place)
    check = GracePeriod(
        tuple(mention.name for mention in told),
        None if readers is None else readers.name,
        None if updaters is None else updaters.requirement,
    )
    return check, (*told, *((readers,) if readers else ()), *(updaters.mentions if updaters else ()))


KIND = RuleKind(
    "grace-period",
    "readers are where the grace period waits for them",
    (FIELD, FIELDS, READERS, UPDATERS),
    (),
    _build,
)
