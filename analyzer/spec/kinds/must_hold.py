# SPDX-License-Identifier: GPL-2.0-only
"""`must-hold`: a call of a function needs a lock.

In: `function: kvm_gmem_get_file`, `requires: {any: [kvm.slots_lock, kvm.srcu]}`. Out: `MustHold(…)`.
"""

from __future__ import annotations

from analyzer.spec.kinds import RuleKind
from analyzer.spec.mapping import Fields, Key
from analyzer.spec.model import Mention, MustHold, Name
from analyzer.spec.requirements import RequirementShape
from analyzer.spec.shapes import FUNCTION, ListOf, Located

FUNCTION_KEY = Key("function", Located(FUNCTION), "the function that is called")
FUNCTIONS = Key("functions", ListOf(Located(FUNCTION), "names of functions"), "functions, each on its own")
REQUIRES = Key("requires", RequirementShape(), "what must hold at the call", required=True)


def _build(fields: Fields) -> tuple[MustHold, tuple[Mention, ...]]:
    one = fields.get(FUNCTION_KEY)
    called = (one,) if one else fields[FUNCTIONS]
    required = fields[REQUIRES]
    mentions = tuple(Mention("function", Name((name,)), place) for name, place in called)
    return MustHold(tuple(name for name, _ in called), required.requirement), mentions + required.mentions


KIND = RuleKind(
    "must-hold",
    "a call of a function needs a lock",
    (FUNCTION_KEY, FUNCTIONS, REQUIRES),
    (("function", "functions"),),
    _build,
)
