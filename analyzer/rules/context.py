# SPDX-License-Identifier: GPL-2.0-only
"""`context`: nobody sleeps who must not.

In: a Context rule; what functions sleep in, and the locks that they hold meanwhile. Out: a problem for each call that
may sleep under a lock whose holder must not, and for each entry from an interrupt that does.

A call that may sleep is told of once, where the lock is held that forbids it: callers further up, who may hold others,
are not told again.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.analysis.names import NameResolver
from analyzer.analysis.obligations import Verdict
from analyzer.analysis.problems import Judged, LockFacts, Problem
from analyzer.analysis.ranges import NULL
from analyzer.analysis.summary import Acquisition, Cause, Nested, Own
from analyzer.analysis.terms import TOLD
from analyzer.ir.function import At
from analyzer.program.entries import Entry
from analyzer.spec.model import Context, Rule

NOUN = "acquisition"
KIND = "context"
CHECK = Context
#: contexts that functions are entered in, and in which nobody may sleep
_ATOMIC = {"hardirq": "in an interrupt", "softirq": "in a softirq", "atomic": "where the caller may not"}

#: contexts that are counted where functions ask whether they are in atomic context
_COUNTED = ("hardirq", "softirq")


def problems(rule: Rule, facts: LockFacts, names: NameResolver) -> Judged:
    """Return who sleeps and must not."""
    check = rule.check
    assert isinstance(check, Context)
    wanted = names.classes(check.locks, rule.location)
    found: dict[tuple[str, At, str], Problem] = {}
    for ident in facts.summaries.nesting():
        for one in facts.summaries[ident].nested:
            asleep = one.atomic and one.waits == "sleep" and not one.off
            if asleep and (not wanted or one.held.name in wanted) and not facts.is_forgotten(ident, one.held):
                problem = _under_lock(ident, one, facts)
                if problem is not None:
                    _keep(found, problem)
    for ident, entry in sorted(facts.entries.items()) if not wanted else ():
        for problem in _in_context(ident, entry, facts):
            _keep(found, problem)
    return Judged(facts.summaries.n_takes(), tuple(found.values()))


def _keep(found: dict[tuple[str, At, str], Problem], problem: Problem) -> None:
    """Keep the surest and shortest of the ways from one place."""
    key = (problem.function, problem.at, problem.object)
    known = found.get(key)
    if known is None or _rank(problem) < _rank(known):
        found[key] = problem


def _rank(problem: Problem) -> tuple[bool, int]:
    return (problem.verdict == "unknown", len(problem.threads[0].links))


def _under_lock(ident: str, one: Nested, facts: LockFacts) -> Problem | None:
    trail = facts.sleeping(ident, one)
    if trail is None:
        return None
    message = f"may sleep while {one.held.name} is held"
    verdict: Verdict = "unknown" if one.doubt else "violation"
    return Problem(ident, one.at, one.held.name, "sleep", verdict, message, one.doubt or _why(one), (trail,))


def _why(one: Nested | Acquisition) -> str:
    match one.what:
        case "grace":
            return "a grace period is waited for asleep"
        case "lock":
            return "the lock taken is waited for asleep"
    return "what is called may sleep"


def _is_asked(one: Acquisition, entry: Entry) -> bool:
    """Tell whether what is called asks first whether it is in an interrupt, which it is."""
    return entry.context in _COUNTED and any(term[0] == TOLD and known == NULL for term, known in one.guards)


def _in_context(ident: str, entry: Entry, facts: LockFacts) -> Iterator[Problem]:
    if entry.context not in _ATOMIC or not entry.certain:
        return
    for one in facts.summaries[ident].takes:
        if one.waits == "sleep" and not one.off and not _is_asked(one, entry):
            own = Own("", "", "sleep" if one.what == "sleep" else "acquire", one.at)
            trail = facts.way(ident, Cause(one.link or own, one.setting))
            name = facts.program.functions[ident].name
            message = f"{name}() may sleep, {_ATOMIC[entry.context]}"
            yield Problem(ident, one.at, f"{name}()", "sleep", "violation", message, _why(one), (trail,))
