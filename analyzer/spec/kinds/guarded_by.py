# SPDX-License-Identifier: GPL-2.0-only
"""`guarded-by`: an access to a field needs a lock.

In: `field: kvm_memory_slot.gmem.file`, `access: write`, `requires: kvm.slots_lock`. Out: `GuardedBy(…)`.
"""

from __future__ import annotations

from analyzer.spec.effect import AccessMode
from analyzer.spec.kinds import RuleKind
from analyzer.spec.mapping import Fields, Key
from analyzer.spec.model import GuardedBy, Mention
from analyzer.spec.requirements import NameOf, RequirementShape
from analyzer.spec.shapes import FUNCTION, Choice, ListOf

_ACCESS: Choice[AccessMode] = Choice("read", "write", "any")

FIELD = Key("field", NameOf("field"), "the guarded field: record.member, or a global")
FIELDS = Key("fields", ListOf(NameOf("field"), "fields"), "guarded fields, each on its own")
ACCESS = Key("access", _ACCESS, "which accesses need the lock; absent: any", default="any")
BY = Key(
    "by",
    ListOf(FUNCTION, "names of functions"),
    "only accesses by these functions, which may be given its address; absent: by any",
    default=(),
)
REQUIRES = Key("requires", RequirementShape(), "what must hold at the access", required=True)


def _build(fields: Fields) -> tuple[GuardedBy, tuple[Mention, ...]]:
    one = fields.get(FIELD)
    guarded = (one,) if one else fields[FIELDS]
    required = fields[REQUIRES]
    check = GuardedBy(tuple(mention.name for mention in guarded), fields[ACCESS], required.requirement, fields[BY])
    return check, guarded + required.mentions


KIND = RuleKind(
    "guarded-by",
    "an access to a field needs a lock",
    (FIELD, FIELDS, ACCESS, BY, REQUIRES),
    (("field", "fields"),),
    _build,
)
