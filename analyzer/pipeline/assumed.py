# SPDX-License-Identifier: GPL-2.0-only
"""The assumptions that a run made: what a reader of its report has to believe.

In: an analysed program. Out: `Assumed` for each that is about some call; what is wrong with assumptions, for `lint`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from analyzer.base.errors import SpecError
from analyzer.findings.model import Assumed
from analyzer.pipeline.analyse import Analysis
from analyzer.pipeline.extract import Extraction
from analyzer.pipeline.scope import ProgramScope
from analyzer.spec.assumed import Assumption
from analyzer.spec.suggest import did_you_mean


def assumed(extraction: Extraction, analysis: Analysis) -> tuple[Assumed, ...]:
    """Return the assumptions that are about something in the program, in the order of the specification."""
    n_places = Counter(assumption.id for assumption, _ in _calls(extraction, analysis))
    n_places.update(assumption.id for assumption in analysis.assumptions.inside())
    return tuple(
        Assumed(
            one.id, one.text, n_places[one.id], "function" if one.same else "call", one.why, one.source, one.location
        )
        for one in analysis.context.spec.assumptions
        if n_places[one.id]
    )


def _calls(extraction: Extraction, analysis: Analysis) -> Iterator[tuple[Assumption, str]]:
    """Yield the calls that assumptions are about, each with the called function."""
    names = analysis.assumptions.names
    for function in analysis.program.functions.values() if names else ():
        if not names.isdisjoint(extraction.functions.outline(function.ref.facts_key).calls):
            yield from analysis.assumptions.calls(extraction.functions[function.ref.facts_key])


def wrong_assumptions(extraction: Extraction, analysis: Analysis) -> list[SpecError]:
    """List what assumptions name and the program does not have, and functions that nobody calls as they say."""
    scope = ProgramScope(analysis.program)
    called = {(assumption.id, name) for assumption, name in _calls(extraction, analysis)}
    errors = []
    for one in analysis.context.spec.assumptions:
        unknown = [*_unknown(one, scope)]
        errors += unknown
        errors += [
            SpecError(f"assumption '{one.id}': nothing calls {name}() by its name in these units", place)
            for name, place in one.functions
            if not unknown and not one.same and (one.id, name) not in called
        ]
    return errors


def _unknown(assumption: Assumption, scope: ProgramScope) -> Iterable[SpecError]:
    for name, place in assumption.functions:
        if name not in scope.functions():
            yield SpecError(f"no function '{name}'{did_you_mean(name, scope.functions())}", place)
    for name, place in assumption.functions if assumption.same else ():
        if name in scope.functions() and not scope.defines(name):
            yield SpecError(f"{name}() is not defined in these units", place)
    for condition in assumption.when:
        first = condition.path[:1]
        if not first:
            continue
        known = scope.globals() if condition.argument is None else scope.records()
        if first[0] not in known:
            what = "global variable" if condition.argument is None else "record"
            text = f"no {what} '{first[0]}' in these units{did_you_mean(first[0], known)}"
            yield SpecError(text, condition.location)
