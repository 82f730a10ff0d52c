# SPDX-License-Identifier: GPL-2.0-only
"""What is kept of a summary between runs is the summary."""

from msgspec.structs import replace

from analyzer.analysis.locksets import MayLocks, MustLocks, SiteLocks
from analyzer.analysis.memo import Summaries, pack
from analyzer.analysis.ranges import FULL
from analyzer.analysis.summary import (
    Acquisition,
    Cause,
    Elsewhere,
    Failure,
    FunctionSummary,
    HeldAt,
    Imbalance,
    LockChange,
    Nested,
    Outcome,
    Passed,
    Setting,
    demand,
)
from analyzer.analysis.terms import Term
from analyzer.ir.function import At

AT = At(3, 4)
LOCK: Term = ("F", ("O", ("ld", ("F", ("O", ("P", 0)), "vcpu", "vm"), 0)), "vm", "lock")
HELD = HeldAt("vm.lock", "write", AT, "&vcpu->vm->lock", origin=("f.c:take", LOCK))
SETTING = Setting((HELD,), ())
CALL = Passed("f.c:g", "0123", AT, "")
GUARDS = ((LOCK, FULL),)
OTHERS = (Elsewhere(GUARDS, AT, None, SETTING),)
CAUSE = Cause(CALL, SETTING)


def test_terms_are_tuples_again_in_every_part() -> None:
    summary = FunctionSummary(
        outcomes=(Outcome(FULL, LOCK, (LockChange(LOCK, 1, "write", False, AT),), GUARDS, GUARDS),),
        demands=(demand(("held", LOCK), GUARDS, (CAUSE,)),),
        failures=(Failure(CAUSE, True, ""),),
        takes=(
            Acquisition("45", "lock", LOCK, "write", False, "sleep", (), (), GUARDS, AT, CALL, SETTING, GUARDS, OTHERS),
        ),
        nested=(
            Nested(LOCK, HELD, False, None, "lock", LOCK, "vm.lock", "write", False, "sleep", (), AT, CALL, SETTING),
        ),
        imbalances=(
            Imbalance("double", "vm.lock", "&vm->lock", "write", AT, SETTING, AT, SETTING, AT, ("f.c:g", LOCK)),
        ),
        locks=(SiteLocks(AT, "f.c:g", MustLocks((HELD,), ()), MayLocks((HELD,)), ()),),
    )
    summaries = Summaries()
    summaries.settle("f.c:f", pack(summary))
    kept = replace(summaries["f.c:f"], locks=summaries.locks("f.c:f"))
    assert kept == summary
    assert hash(kept) == hash(summary)
