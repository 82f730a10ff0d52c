# SPDX-License-Identifier: GPL-2.0-only
"""Findings and counts of all rules, from the trails that the analysis found.

In: rules, summaries, trails. Out: one Finding for each place and entry point that is not proven, and for each rule the
number of its places by verdict.
"""

from collections.abc import Iterable, Mapping

from analyzer.analysis.memo import Summaries
from analyzer.analysis.names import lock_texts
from analyzer.analysis.obligations import Place, Trail
from analyzer.analysis.witness import place_of, tell
from analyzer.findings.model import Finding, RuleCount
from analyzer.pipeline.wording import cause, lack
from analyzer.program.link import Program
from analyzer.rules import rule_kinds
from analyzer.spec.model import Rule


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
        message=f"{kind.headline(place.own.access, place.own.object)} {lack(requires, witness, trail.verdict)}",
        location=place_of(program, place.function, place.own.at),
        function=program.functions[place.function].name,
        object=place.own.object,
        access=place.own.access,
        requires=tuple(lock_texts(requires)),
        held=held,
        witness=witness.steps,
        cause=trail.reason or cause(requires, witness, trail),
        why=rule.why,
        source=rule.source,
        rule_location=rule.location,
    )


def counts(
    rules: Iterable[Rule], summaries: Summaries, trails: Mapping[Place, tuple[Trail, ...]]
) -> tuple[RuleCount, ...]:
    """Return the coverage of every rule, in the order of the specification."""
    result = []
    for rule in rules:
        sites = [(ident, own) for ident in summaries.speaking() for own in summaries[ident].own if own.rule == rule.id]
        verdicts = [
            trails[place][0].verdict for place in (Place(ident, own) for ident, own in sites) if place in trails
        ]
        violations, unknown = verdicts.count("violation"), verdicts.count("unknown")
        kind = rule_kinds()[type(rule.check)]
        result.append(
            RuleCount(
                id=rule.id,
                sites=len(sites),
                proven=len(sites) - len(verdicts),
                violations=violations,
                unknown=unknown,
                noun=kind.NOUN,
                kind=kind.KIND,
                severity=rule.severity,
                title=rule.title,
                why=rule.why,
                source=rule.source,
                location=rule.location,
            )
        )
    return tuple(result)
