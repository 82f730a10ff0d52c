# SPDX-License-Identifier: GPL-2.0-only
"""Findings and counts of all rules, from the trails that the analysis found.

In: the analysed program. Out: one Finding for each place and entry point that is not proven and for each problem of
the whole program, and for each rule the number of its places by verdict.
"""

from collections import defaultdict
from typing import Any

from analyzer.analysis.descent import Place
from analyzer.analysis.names import lock_texts
from analyzer.analysis.obligations import Trail, Verdict
from analyzer.analysis.problems import Problem
from analyzer.analysis.trace import Tracer
from analyzer.analysis.witness import place_of, tell
from analyzer.findings.model import Finding, RuleCount
from analyzer.pipeline.analyse import Analysis
from analyzer.pipeline.wording import cause, lack
from analyzer.program.link import Program
from analyzer.rules import PlaceKind, SpokenKind, rule_kinds
from analyzer.spec.model import Rule, requirement_of


def findings(analysis: Analysis, *, explain_paths: bool = False) -> list[Finding]:
    """Return the findings, by location; with `explain_paths`, witnesses tell the branches on the way, too."""
    tracer = Tracer(analysis.context, analysis.facts_of) if explain_paths else None
    by_id = {rule.id: rule for rule in analysis.rules}
    found = [
        _finding(analysis.program, by_id[place.own.rule], place, trail, tracer)
        for place, ways in analysis.trails.items()
        for trail in ways
        if place.own.rule not in analysis.judged
    ]
    for rule_id, judged in analysis.judged.items():
        found += [_problem(analysis, by_id[rule_id], problem, tracer) for problem in judged.problems]
    return sorted(found, key=_order)


def _order(finding: Finding) -> tuple[object, ...]:
    return (finding.location, finding.rule, finding.access, finding.verdict, [s.text for s in finding.witness])


def _finding(program: Program, rule: Rule, place: Place, trail: Trail, tracer: Tracer | None) -> Finding:
    kind = rule_kinds()[type(rule.check)]
    assert isinstance(kind, PlaceKind)
    witness = tell(program, trail)
    requires = requirement_of(rule.check)
    if isinstance(kind, SpokenKind):
        wrong, why = kind.words(rule.check, witness, trail)
    else:
        wrong, why = lack(requires, witness, trail.verdict), cause(requires, witness, trail)
    return _made(
        rule,
        verdict=trail.verdict,
        message=f"{kind.headline(place.own.access, place.own.object)} {wrong}",
        location=place_of(program, place.function, place.own.at),
        function=program.functions[place.function].name,
        object=place.own.object,
        access=place.own.access,
        requires=place.own.locks or tuple(lock_texts(requires)),
        held=tuple(dict.fromkeys(str(lock) for lock in witness.held)),
        witness=tell(program, trail, tracer=tracer).steps if tracer else witness.steps,
        cause=trail.reason or why,
        chain=_chain(program, trail),
        root=trail.n_leading,
    )


def _problem(analysis: Analysis, rule: Rule, problem: Problem, tracer: Tracer | None) -> Finding:
    told = [
        tell(analysis.program, trail, thread, analysis.locks.taken_in, tracer)
        for thread, trail in enumerate(problem.threads)
    ]
    return _made(
        rule,
        verdict=problem.verdict,
        message=problem.message,
        location=place_of(analysis.program, problem.function, problem.at),
        function=analysis.program.functions[problem.function].name,
        object=problem.object,
        access=problem.access,
        requires=problem.requires,
        held=tuple(dict.fromkeys(str(lock) for lock in told[0].held)),
        witness=tuple(step for witness in told for step in witness.steps),
        cause=problem.cause,
        chain=_chain(analysis.program, problem.threads[0]),
        root=problem.threads[0].n_leading,
        parts=tuple((function_name(analysis.program, ident), what) for ident, what in problem.parts),
    )


def function_name(program: Program, ident: str) -> str:
    """Return a function as findings name it: `file:function`."""
    function = program.functions[ident]
    return f"{function.ref.location.file}:{function.name}"


def _chain(program: Program, trail: Trail) -> tuple[str, ...]:
    return tuple(function_name(program, ident) for ident, _ in trail.links if ident in program.functions)


def _made(rule: Rule, **rest: Any) -> Finding:  # noqa: ANN401 — the fields of a finding
    return Finding(
        rule=rule.id,
        kind=rule_kinds()[type(rule.check)].KIND,
        severity=rule.severity,
        why=rule.why,
        source=rule.source,
        rule_location=rule.location,
        **rest,
    )


def counts(analysis: Analysis) -> tuple[RuleCount, ...]:
    """Return the coverage of every rule, in the order of the specification."""
    places = _places(analysis)
    return tuple(_of_program(rule, analysis) or _of_places(rule, analysis, places[rule.id]) for rule in analysis.rules)


def _places(analysis: Analysis) -> dict[str, list[Place]]:
    """Return the places that rules speak about, by rule id."""
    summaries = analysis.context.summaries
    places: dict[str, list[Place]] = defaultdict(list)
    for ident in summaries.speaking():
        for own in summaries[ident].own:
            places[own.rule].append(Place(ident, own))
    return places


def _of_places(rule: Rule, analysis: Analysis, places: list[Place]) -> RuleCount:
    trails = analysis.trails
    return _count(rule, len(places), [trails[place][0].verdict for place in places if place in trails])


def _of_program(rule: Rule, analysis: Analysis) -> RuleCount | None:
    judged = analysis.judged.get(rule.id)
    return None if judged is None else _count(rule, judged.sites, [problem.verdict for problem in judged.problems])


def _count(rule: Rule, sites: int, verdicts: list[Verdict]) -> RuleCount:
    violations, unknown = verdicts.count("violation"), verdicts.count("unknown")
    kind = rule_kinds()[type(rule.check)]
    return RuleCount(
        id=rule.id,
        sites=sites,
        proven=max(sites - len(verdicts), 0),
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
