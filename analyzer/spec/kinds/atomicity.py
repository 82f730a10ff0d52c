# SPDX-License-Identifier: GPL-2.0-only
"""`atomicity`: what was read under a lock is not used once the lock was dropped and taken again.

In: `field: pool.free`, `lock: pool.lock`. Out: `Atomicity(…)`.
"""

from __future__ import annotations

from analyzer.spec.kinds import RuleKind
from analyzer.spec.mapping import Fields, Key
from analyzer.spec.model import Atomicity, Mention
from analyzer.spec.requirements import NameOf
from analyzer.spec.shapes import ListOf

FIELD = Key("field", NameOf("field"), "the guarded field: record.member, or a global")
FIELDS = Key("fields", ListOf(NameOf("field"), "fields"), "guarded fields, each on its own")
LOCK = Key("lock", NameOf("lock"), "the lock under which they are read and used", required=True)
VERSIONS = Key(
    "versions",
    ListOf(NameOf("field"), "fields"),
    "fields that, compared afresh, vouch for all that was read",
    default=(),
)


def _build(fields: Fields) -> tuple[Atomicity, tuple[Mention, ...]]:
    one = fields.get(FIELD)
    guarded = (one,) if one else fields[FIELDS]
    lock = fields[LOCK]
    versions: tuple[Mention, ...] = fields[VERSIONS]
    check = Atomicity(
        tuple(mention.name for mention in guarded), lock.name, tuple(mention.name for mention in versions)
    )
    return check, (*guarded, lock, *versions)


KIND = RuleKind(
    "atomicity",
    "what was read under a lock is not used once the lock was dropped and taken again",
    (FIELD, FIELDS, LOCK, VERSIONS),
    (("field", "fields"),),
    _build,
)
