# SPDX-License-Identifier: GPL-2.0-only
"""Making a function's summary from the states in which it returns and the hits inside it.

In: leaves and hits. Out: FunctionSummary.
"""

from collections import defaultdict

from msgspec.structs import replace

from analyzer.analysis import ranges
from analyzer.analysis.acquisitions import nested_of, takes_of
from analyzer.analysis.claims import claims_only, reconciled
from analyzer.analysis.context import Scope
from analyzer.analysis.formula import Formula, atoms, section_of
from analyzer.analysis.imbalances import at_returns
from analyzer.analysis.leave import Leave
from analyzer.analysis.locksets import SiteLocks, at_places
from analyzer.analysis.outcomes import outcomes_of
from analyzer.analysis.places import CallHit, Hit, Recorder
from analyzer.analysis.sections import held_at
from analyzer.analysis.situation import Decidable, Guards, common_guards
from analyzer.analysis.summary import (
    Cause,
    Demand,
    Failure,
    FunctionSummary,
    Imbalance,
    Outcome,
    Own,
    Passed,
    demand,
)
from analyzer.base.gap import Gap
from analyzer.ir.function import Call, Return

#: more conditions than this for one requirement are not told apart
MAX_CONDITIONS = 8


def summarise(scope: Scope, recorders: list[Recorder], leaves: list[Leave], gaps: tuple[Gap, ...]) -> FunctionSummary:
    """Return the summary of the function of `scope`."""
    hits = [hit for recorder in recorders for hit in recorder.hits]
    calls = [call for recorder in recorders for call in recorder.calls]
    logs = [recorder.log for recorder in recorders]
    demands, failures = _split(reconciled(hits))
    own = sorted({hit.what for hit in hits if isinstance(hit.what, Own)}, key=_own_key)
    outcomes = outcomes_of(leaves, claims_only=claims_only(scope))
    if not outcomes and any(isinstance(block.terminator, Return) for block in scope.facts.ir.blocks) and gaps:
        outcomes = (Outcome(ranges.FULL, None, (), (), ()),)
    is_open = bool(gaps) or _is_blurred(scope)
    if is_open:
        outcomes = tuple(replace(outcome, blurred=True) for outcome in outcomes)
    return FunctionSummary(
        outcomes,
        demands,
        failures,
        tuple(own),
        gaps,
        _locks(hits, calls, is_open=is_open),
        takes_of(logs),
        nested_of(logs),
        () if gaps else _imbalances(scope, recorders, leaves),
    )


def _imbalances(scope: Scope, recorders: list[Recorder], leaves: list[Leave]) -> tuple[Imbalance, ...]:
    if scope.facts.ir.name in scope.context.spec.primitives:
        # what it does is stated, and callers go by that
        return ()
    faults = {(fault.kind, fault.name, fault.at): fault for recorder in recorders for fault in recorder.faults}
    found = at_returns(leaves, scope.context.entries.get(scope.id), scope.parameter_names())
    return (*faults.values(), *found)


def _own_key(own: Own) -> tuple[int, int, str, str]:
    return (own.at.line, own.at.column, own.rule, own.access)


# -- demands ------------------------------------------------------------------------------------------------------


def _split(hits: list[Hit]) -> tuple[tuple[Demand, ...], tuple[Failure, ...]]:
    by_formula: dict[Formula, list[Hit]] = defaultdict(list)
    # hits of one call share what remains: it is looked at once
    shared: dict[int, list[Hit] | None] = {}
    decidable = Decidable()
    failures: dict[object, Failure] = {}
    # of several ways that fail at one place, the one on which least is held shows it best
    for hit in sorted(hits, key=lambda hit: len(hit.setting.held)):
        if hit.rest is True:
            continue
        if id(hit.rest) not in shared:
            shared[id(hit.rest)] = None if _is_decided(hit.rest) else by_formula[hit.rest]
        group = shared[id(hit.rest)]
        if group is not None:
            group.append(hit)
        else:
            reason = "" if hit.rest is False else str(atoms(hit.rest)[0][1])
            failures.setdefault((hit.what, reason), Failure(Cause(hit.what, hit.setting), not reason, reason))
    demands = tuple(one for formula, group in by_formula.items() for one in _demands(formula, group, decidable))
    return demands, tuple(failures.values())


def _is_decided(rest: Formula) -> bool:
    """Tell whether callers have no say in what remains."""
    return rest is False or all(atom[0] == "maybe" for atom in atoms(rest))


def _demands(formula: Formula, group: list[Hit], decidable: Decidable) -> list[Demand]:
    """Return a demand for each condition under which places ask for `formula`."""
    asks_sections = section_of(formula) is not None
    at_place: dict[Own | Passed, list[Hit]] = defaultdict(list)
    for hit in group:
        at_place[hit.what].append(hit)
    by_guards: dict[Guards, list[Cause]] = defaultdict(list)
    for what, hits in at_place.items():
        by_guards[decidable.common([hit.guards for hit in hits])] += _causes(what, hits, asks_sections=asks_sections)
    if len(by_guards) > MAX_CONDITIONS:
        causes = [cause for some in by_guards.values() for cause in some]
        by_guards = {common_guards(list(by_guards)): causes}
    return [demand(formula, known, tuple(some)) for known, some in by_guards.items()]


def _causes(what: Own | Passed, hits: list[Hit], *, asks_sections: bool) -> list[Cause]:
    """Return the cause of a demand at one place: with the least that is held there, or with all if that may differ."""
    if len(hits) == 1 or not asks_sections:
        return [Cause(what, hits[0].setting)]
    settings = {held_at(hit.setting): hit.setting for hit in hits}
    return [Cause(what, setting) for setting in settings.values()]


# -- locksets at places -------------------------------------------------------------------------------------------


def _locks(hits: list[Hit], calls: list[CallHit], *, is_open: bool) -> tuple[SiteLocks, ...]:
    places = [(call.at, call.callee, call.setting) for call in calls]
    places += [(h.what.at, f"{h.what.object} {h.what.access}", h.setting) for h in hits if isinstance(h.what, Own)]
    return at_places(places, is_open=is_open)


def _is_blurred(scope: Scope) -> bool:
    """Tell whether some callee's ways to return are not told apart by the locks held then."""
    return any(
        outcome.blurred
        for block in scope.facts.ir.blocks
        for event in block.events
        if isinstance(event, Call)
        for target in scope.targets(event.callee)
        for outcome in scope.summary(target).outcomes
    )


def settled_demands(before: tuple[Demand, ...], now: tuple[Demand, ...]) -> tuple[Demand, ...]:
    """Return demands that stand for both, one for each formula: those of a recursion settle so."""
    by_formula: dict[Formula, list[Demand]] = defaultdict(list)
    for one in (*before, *now):
        by_formula[one.formula].append(one)
    return tuple(_joined_demand(formula, group) for formula, group in by_formula.items())


def _joined_demand(formula: Formula, group: list[Demand]) -> Demand:
    asks_sections = section_of(formula) is not None
    causes = {
        (cause.what, held_at(cause.setting) if asks_sections else None): cause for one in group for cause in one.causes
    }
    return demand(formula, common_guards([one.guards for one in group]), tuple(causes.values()))
