# SPDX-License-Identifier: GPL-2.0-only
"""`preceded-by`: calls that come after others on every way.

In: a PrecededBy rule. Out: a watch for each function that must not be called first.
"""

from collections.abc import Iterable

from analyzer.analysis.names import NameResolver, lock_texts
from analyzer.analysis.obligations import Trail
from analyzer.analysis.sequence import Sequence
from analyzer.analysis.watch import Watch
from analyzer.analysis.witness import Witness
from analyzer.spec.model import AnyOf, Check, PrecededBy, Rule

NOUN = "call"
KIND = "preceded-by"
CHECK = PrecededBy


def watches(rule: Rule, names: NameResolver) -> Iterable[Watch]:
    """Return the watches of `rule`; without the lock that its earlier call is about, there are none."""
    check = rule.check
    assert isinstance(check, PrecededBy)
    lock = "" if check.lock is None else names.lock(check.lock, rule.location)
    cells = (names.cell(field, rule.location) for field in check.since_writes)
    stale = tuple(cell for cell in cells if cell is not None)
    sequence = Sequence(rule.id, check.earlier, lock, check.since_calls, stale)
    needless = AnyOf(()) if check.otherwise is None else names.requirement(check.otherwise, rule.location)
    for function in check.functions:
        yield Watch(rule.id, None, function, f"{function}()", "call", needless, rule.unless, after=sequence)


def headline(access: str, name: str) -> str:
    """Return `call of kvm_gmem_unbind()`."""
    return f"{access} of {name}"


def words(check: Check, witness: Witness, trail: Trail) -> tuple[str, str]:  # noqa: ARG001 (every kind takes them)
    """Return `before synchronize_srcu() of kvm.srcu`, and how the way begins."""
    assert isinstance(check, PrecededBy)
    told = " or ".join(f"{name}()" for name in check.earlier)
    about = f" of {check.lock}" if check.lock else ""
    since = [f"a call of {name}()" for name in check.since_calls] + [
        f"a write of {name}" for name in check.since_writes
    ]
    start = trail.entry.text if trail.entry else "no caller can have called it in time"
    counted = f", or none since {' or '.join(since)}" if since else ""
    otherwise = f" and not {' or '.join(lock_texts(check.otherwise))}" if check.otherwise else ""
    return f"before {told}{about}", f"{start}; none of its calls comes before it on this way{counted}{otherwise}"
