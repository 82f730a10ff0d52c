# SPDX-License-Identifier: GPL-2.0-only
"""`only-through`: a field is accessed by its accessors alone.

In: `field: kvm_vcpu.mode`, `functions: [kvm_vcpu_mode, kvm_vcpu_set_mode]`. Out: `OnlyThrough(…)`.
"""

from __future__ import annotations

from analyzer.spec.effect import AccessMode
from analyzer.spec.kinds import RuleKind
from analyzer.spec.mapping import Fields, Key
from analyzer.spec.model import Mention, Name, OnlyThrough
from analyzer.spec.requirements import NameOf
from analyzer.spec.shapes import FUNCTION, Choice, ListOf, Located

_ACCESS: Choice[AccessMode] = Choice("read", "write", "any")

FIELD = Key("field", NameOf("field"), "the field: record.member, or a global")
FIELDS = Key("fields", ListOf(NameOf("field"), "fields"), "fields, each on its own")
ACCESS = Key("access", _ACCESS, "which accesses are meant; absent: any", default="any")
FUNCTIONS = Key(
    "functions", ListOf(Located(FUNCTION), "names of functions"), "the functions that alone may do so", required=True
)


def _build(fields: Fields) -> tuple[OnlyThrough, tuple[Mention, ...]]:
    one = fields.get(FIELD)
    accessed = (one,) if one else fields[FIELDS]
    accessors = fields[FUNCTIONS]
    mentions = tuple(Mention("function", Name((name,)), place) for name, place in accessors)
    check = OnlyThrough(
        tuple(mention.name for mention in accessed), fields[ACCESS], tuple(name for name, _ in accessors)
    )
    return check, accessed + mentions


KIND = RuleKind(
    "only-through",
    "a field is accessed by its accessors alone",
    (FIELD, FIELDS, ACCESS, FUNCTIONS),
    (("field", "fields"),),
    _build,
)
