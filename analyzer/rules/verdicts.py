# SPDX-License-Identifier: GPL-2.0-only
"""Findings and counts of all rules, from the trails that the analysis found.

In: rules, summaries, trails. Out: one Finding for each place and entry point that is not proven, and for each rule the
number of its places by verdict.
"""

from collections.abc import Iterable, Mapping

from analyzer.analysis.names import lock_texts
from analyzer.analysis.obligations import Place, Trail
from analyzer.analysis.summary import FunctionSummary
from analyzer.analysis.witness import Witness, place_of, tell
from analyzer.findings.model import Finding, RuleCount
from analyzer.program.link import Program
from analyzer.rules import rule_kinds
from analyzer.spec.model import AllOf, AnyOf, Held, Requirement, Rule


def findings(program: Program, rules: Iterable[Rule], trails: Mapping[Place, tuple[Trail, ...]]) -> list[Finding]:
    """Return the findings, by location."""
    by_id = {rule.id: rule for rule in rules}
    found = [_finding(program, by_id[place.own.rule], place, trail) for place, ways in trails.items() for trail in ways]
    return sorted(found, key=_order)


def _order(finding: Finding) -> tuple[object, ...]:
    return (finding.location, finding.rule, finding.access, finding.verdict, [s.text for s in finding.witness])


def _finding(program: Program, rule: Rule, place: Place, trail: Trail) -> Finding:
    kind = rule_kinds()[type(rule.check)]
    witness = tell(program, trail)
    held = tuple(dict.fromkeys(str(lock) for lock in witness.held))
    requires = rule.check.requires
    return Finding(
        rule=rule.id,
        kind=kind.KIND,
        verdict=trail.verdict,
        severity=rule.severity,
        message=f"{kind.headline(place.own.access, place.own.object)} {_lack(requires, witness)}",
        location=place_of(program, place.function, place.own.at),
        function=program.functions[place.function].name,
        object=place.own.object,
        access=place.own.access,
        requires=tuple(lock_texts(requires)),
        held=held,
        witness=witness.steps,
        cause=trail.reason or _cause(requires, witness, trail),
        why=rule.why,
        source=rule.source,
        rule_location=rule.location,
    )


def _locks(requirement: Requirement) -> list[Held]:
    match requirement:
        case AnyOf(parts) | AllOf(parts):
            return [lock for part in parts for lock in _locks(part)]
        case Held():
            return [requirement]
    return []


def _lack(requires: Requirement, witness: Witness) -> str:
    """Say what is missing: `without kvm.slots_lock or kvm.srcu`, or what is wrong with the lock that is held."""
    wanted = _locks(requires)
    for lock in wanted:
        for held in witness.held:
            if _is(held.name, lock):
                if lock.mode == "write" and held.mode == "read":
                    return f"with {lock.lock} held for read only"
                return f"with {lock.lock} of another {lock.lock.parts[0]}"
    joint = " and " if isinstance(requires, AllOf) else " or "
    return "without " + joint.join(f"{lock.lock} ({lock.mode})" if lock.mode else str(lock.lock) for lock in wanted)


def _is(name: str, lock: Held) -> bool:
    """Tell whether the lock class `name` is the one that a rule writes as `lock`, maybe through a nested record."""
    return name == str(lock.lock) or name.split(".")[-1:] == list(lock.lock.parts[-1:])


def _cause(requires: Requirement, witness: Witness, trail: Trail) -> str:
    """Say why the lock counts as not held."""
    for lock in _locks(requires):
        for gone in witness.dropped:
            if _is(gone.name, lock):
                return f"{lock.lock} was dropped at {gone.location}"
    held = ", ".join(dict.fromkeys(str(lock) for lock in witness.held))
    start = trail.entry.text if trail.entry else "no caller can hold it"
    return f"{start}; {'only ' + held + ' is' if held else 'no lock is'} held on this way"


def counts(
    rules: Iterable[Rule], summaries: Mapping[str, FunctionSummary], trails: Mapping[Place, tuple[Trail, ...]]
) -> tuple[RuleCount, ...]:
    """Return the coverage of every rule, in the order of the specification."""
    result = []
    for rule in rules:
        sites = [(ident, own) for ident, summary in summaries.items() for own in summary.own if own.rule == rule.id]
        verdicts = [
            trails[place][0].verdict for place in (Place(ident, own) for ident, own in sites) if place in trails
        ]
        violations, unknown = verdicts.count("violation"), verdicts.count("unknown")
        kind = rule_kinds()[type(rule.check)]
        result.append(RuleCount(rule.id, len(sites), len(sites) - len(verdicts), violations, unknown, kind.NOUN))
    return tuple(result)
