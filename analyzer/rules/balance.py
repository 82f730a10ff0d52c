# SPDX-License-Identifier: GPL-2.0-only
"""`balance`: a lock is taken once, dropped by who holds it, and not forgotten.

In: a Balance rule, what functions take, drop and keep. Out: problems: a lock taken again by its holder, dropped without
being held or in another mode, held at one return and not at another that callers cannot tell apart, held when an entry
point returns.

A function that is half of a pair, or drops and retakes its caller's lock, is no problem: that is what its summary says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from analyzer.analysis.locksets import HeldAt, Setting
from analyzer.analysis.names import NameResolver
from analyzer.analysis.obligations import Verdict
from analyzer.analysis.problems import Judged, LockFacts, Problem, forgets, keeps
from analyzer.analysis.summary import Cause, Imbalance, Nested, Own, Passed
from analyzer.ir.function import At
from analyzer.spec.model import Balance, Rule

NOUN = "acquisition"
KIND = "balance"
CHECK = Balance
_MODES = {"read": "for reading", "write": "for writing"}


def problems(rule: Rule, facts: LockFacts, names: NameResolver) -> Judged:
    """Return what is wrong with the locks that `rule` speaks about."""
    check = rule.check
    assert isinstance(check, Balance)
    wanted = names.classes(check.locks, rule.location)
    found: dict[tuple[str, At, str, str], Problem] = {}
    for ident in facts.summaries.nesting():
        summary = facts.summaries[ident]
        for problem in (*_doubles(ident, summary.nested, facts), *_uneven(ident, summary.imbalances, facts)):
            if not wanted or problem.object in wanted:
                key = (problem.function, problem.at, problem.object, problem.access)
                known = found.get(key)
                if known is None or len(problem.threads[0].links) < len(known.threads[0].links):
                    found[key] = problem
    return Judged(facts.summaries.n_takes(), tuple(found.values()))


# -- taken again --------------------------------------------------------------------------------------------------


def _doubles(ident: str, nested: tuple[Nested, ...], facts: LockFacts) -> Iterator[Problem]:
    for one in nested:
        if one.what != "lock" or not one.same or one.recursive or not _blocks(one):
            continue
        own = Own("", one.name, "acquire", one.at)
        trail = facts.way(ident, Cause(one.link or own, one.setting), one.name)
        function, cause = trail.links[-1]
        message = f"{one.name} taken {_MODES[one.mode]} while it is held {_MODES[one.held.mode]}"
        if one.mode == one.held.mode == "write":
            message = f"{one.name} taken while it is held"
        why = one.doubt or "its holder waits for itself"
        verdict: Verdict = "unknown" if one.doubt else "violation"
        yield Problem(function, cause.what.at, one.name, "acquire", verdict, message, why, (trail,))


def _blocks(one: Nested) -> bool:
    """Tell whether a thread that holds the lock cannot take it so: readers that spin let each other in, others queue."""
    return not (one.mode == one.held.mode == "read" and one.waits != "sleep")


# -- dropped or kept ----------------------------------------------------------------------------------------------


def _uneven(ident: str, imbalances: tuple[Imbalance, ...], facts: LockFacts) -> Iterator[Problem]:
    for one in imbalances:
        if one.origin is not None and _is_told(one.name, facts.summaries[one.origin[0]].imbalances):
            continue
        match one.kind:
            case "unheld" | "mode":
                yield _dropped(ident, one, facts)
            case "unequal" | "dropped":
                yield _unequal(ident, one, facts)
            case "kept":
                yield _kept(ident, one, facts)


def _is_told(name: str, below: tuple[Imbalance, ...]) -> bool:
    """Tell whether what a callee does to locks of this class is told of there already."""
    return any(one.name == name for one in below)


def _dropped(ident: str, one: Imbalance, facts: LockFacts) -> Problem:
    function, at, cause = ident, one.at, Cause(Own("", one.name, "release", one.at), one.setting)
    links = []
    for origin, _, change in facts.changes(one.origin, -1):
        links.append((function, Cause(Passed(origin[0], "", at, ""), cause.setting)))
        function, at = origin[0], change.at
        cause = Cause(Own("", one.name, "release", at), Setting((), ()))
    trail = facts.way(ident, links[0][1] if links else cause)
    if links:
        trail = trail.with_links((*trail.links[:-1], *links, (function, cause)))
    if one.kind == "mode":
        held = "write" if one.mode == "read" else "read"
        message = f"{one.name} dropped {_MODES[one.mode]}, but it is held {_MODES[held]}"
        return Problem(
            function, at, one.name, "release", "violation", message, "no reader and writer are alike", (trail,)
        )
    message = f"{one.name} dropped without being held"
    why = (
        "no caller holds it"
        if one.other is None
        else f"it was dropped before, on line {_line(ident, one.other, facts)}"
    )
    return Problem(function, at, one.name, "release", "violation", message, why, (trail,))


def _unequal(ident: str, one: Imbalance, facts: LockFacts) -> Problem:
    assert one.other is not None
    assert one.other_setting is not None
    name = one.name
    blamed = _culprit(ident, one, facts)
    if blamed is not None:
        return _forgotten(ident, name, blamed, facts)
    threads = (
        facts.way(ident, Cause(Own("", name, "return", one.at), one.setting)),
        facts.way(ident, Cause(Own("", name, "return", one.other), one.other_setting)),
    )
    at, access, message = one.at, "return", f"returns with {name} held"
    if one.kind == "dropped":
        at, access, message = one.changed or one.at, "release", f"the caller's {name} dropped"
    message += f", but {'without it' if access == 'return' else 'not'} on the way that returns on line "
    message += f"{_line(ident, one.other, facts)}"
    why = "nothing that the function returns or stores tells its callers which of the two it was"
    return Problem(ident, at, name, access, "violation", message, why, threads)


def _kept(ident: str, one: Imbalance, facts: LockFacts) -> Problem:
    blamed = _culprit(ident, one, facts)
    if blamed is not None:
        return _forgotten(ident, one.name, blamed, facts)
    trail = facts.way(ident, Cause(Own("", one.name, "return", one.at), one.setting))
    name = facts.program.functions[ident].name
    entry = trail.entry.text if trail.entry else f"{name}() is an entry point"
    why = f"{entry}, which must leave locks as they were"
    return Problem(ident, one.at, one.name, "return", "violation", f"returns with {one.name} held", why, (trail,))


class _Culprit(NamedTuple):
    """A function that keeps a lock where it fails, and not where it succeeds."""

    #: the calls that lead to it
    links: tuple[tuple[str, Cause], ...]
    function: str
    #: the return that keeps the lock, and one that does not
    at: At
    other: At
    setting: Setting


def _culprit(ident: str, one: Imbalance, facts: LockFacts) -> _Culprit | None:
    """Return the callee that forgets the lock; None if the function itself does."""
    links: list[tuple[str, Cause]] = []
    found: _Culprit | None = None
    function, setting = ident, one.setting
    for origin, kept, change in facts.changes(one.origin, 1):
        outcomes = facts.summaries[origin[0]].outcomes
        if not forgets(outcomes, change):
            break
        call = next((lock.at for lock in setting.held if lock.name == one.name), At(0))
        before = Setting(tuple(lock for lock in setting.held if lock.name != one.name), setting.dropped)
        links.append((function, Cause(Passed(origin[0], "", call, ""), before)))
        setting = Setting((HeldAt(one.name, change.mode, change.at, "", origin=change.origin),), ())
        other = next(outcome for outcome in outcomes if not keeps(outcome, change))
        function = origin[0]
        found = _Culprit(tuple(links), function, kept.at, other.at, setting)
    return found


def _forgotten(ident: str, name: str, blamed: _Culprit, facts: LockFacts) -> Problem:
    lead = facts.way(ident, blamed.links[0][1])
    above = (*lead.links[:-1], *blamed.links)
    keeps = lead.with_links((*above, (blamed.function, Cause(Own("", name, "return", blamed.at), blamed.setting))))
    even = Cause(Own("", name, "return", blamed.other), Setting((), ()))
    other = _line(blamed.function, blamed.other, facts)
    message = f"returns with {name} held, but without it on the way that returns on line {other}"
    why = "it is kept where the function fails, and nobody drops it then"
    threads = (keeps, lead.with_links((*above, (blamed.function, even))))
    return Problem(blamed.function, blamed.at, name, "return", "violation", message, why, threads)


def _line(ident: str, at: At, facts: LockFacts) -> int:
    return facts.program.functions[ident].ref.first_line + at.line
