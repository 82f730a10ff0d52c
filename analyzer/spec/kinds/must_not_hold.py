# SPDX-License-Identifier: GPL-2.0-only
"""`must-not-hold`: a call of a function, or an access to a field, with a lock held is wrong.

In: `function: kvm_tlb_flush`, `forbids: kvm.mmu_lock`. Out: `MustNotHold(…)`.
"""

from __future__ import annotations

from analyzer.base.errors import SpecError
from analyzer.spec.effect import AccessMode
from analyzer.spec.kinds import RuleKind
from analyzer.spec.mapping import Fields, Key
from analyzer.spec.model import AllOf, AnyOf, Mention, MustNotHold, Name, Requirement, When
from analyzer.spec.requirements import NameOf, RequirementShape
from analyzer.spec.shapes import FUNCTION, Choice, ListOf, Located

_ACCESS: Choice[AccessMode] = Choice("read", "write", "any")

FUNCTION_KEY = Key("function", Located(FUNCTION), "the function that is called")
FUNCTIONS = Key("functions", ListOf(Located(FUNCTION), "names of functions"), "functions, each on its own")
FIELD = Key("field", NameOf("field"), "the field that is accessed: record.member, or a global")
FIELDS = Key("fields", ListOf(NameOf("field"), "fields"), "fields, each on its own")
ACCESS = Key("access", _ACCESS, "which accesses of fields are meant; absent: any", default="any")
FORBIDS = Key("forbids", RequirementShape(), "what must not be held there", required=True)


def _build(fields: Fields) -> tuple[MustNotHold, tuple[Mention, ...]]:
    one_function, one_field = fields.get(FUNCTION_KEY), fields.get(FIELD)
    called = (one_function,) if one_function else fields.get(FUNCTIONS) or ()
    accessed = (one_field,) if one_field else fields.get(FIELDS) or ()
    forbidden = fields[FORBIDS]
    if _has_predicate(forbidden.requirement):
        raise SpecError("'forbids': only locks can be forbidden, no predicates", fields.place(FORBIDS))
    mentions = tuple(Mention("function", Name((name,)), place) for name, place in called)
    check = MustNotHold(
        tuple(name for name, _ in called),
        tuple(mention.name for mention in accessed),
        fields[ACCESS],
        forbidden.requirement,
    )
    return check, mentions + accessed + forbidden.mentions


def _has_predicate(requirement: Requirement) -> bool:
    match requirement:
        case AnyOf(parts) | AllOf(parts):
            return any(_has_predicate(part) for part in parts)
        case When():
            return True
    return False


KIND = RuleKind(
    "must-not-hold",
    "a call or an access with a lock held is wrong",
    (FUNCTION_KEY, FUNCTIONS, FIELD, FIELDS, ACCESS, FORBIDS),
    (("function", "functions", "field", "fields"),),
    _build,
)
