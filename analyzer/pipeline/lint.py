# SPDX-License-Identifier: GPL-2.0-only
"""What would rot unseen: specifications checked against a tree.

In: `CheckOptions` with a tree. Out: one `SpecError` for each name that nothing there has, for each rule that matches
nothing, and for each assumption that is about no call; one `SpecWarning` for each that no verdict needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256

from msgspec.structs import replace

from analyzer.base.errors import SpecError, SpecWarning
from analyzer.facts.store import Store
from analyzer.findings.model import Report
from analyzer.pipeline.analyse import Analysis, analyse
from analyzer.pipeline.assumed import wrong_assumptions
from analyzer.pipeline.check import examine, report
from analyzer.pipeline.extract import Extraction
from analyzer.pipeline.options import CheckOptions, Progress
from analyzer.pipeline.scope import wrong
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.load import load
from analyzer.spec.model import SpecSet


def lint(options: CheckOptions, progress: Progress) -> tuple[SpecError, ...]:
    """Check that every rule speaks about something in the tree. Raise `SpecError` where the YAML itself is wrong."""
    with Store(options.cache) as store:
        extraction, analysis = examine(options, store, progress, lenient=False)
        told = report(extraction, analysis)
        specs = analysis.context.spec
        errors: list[SpecError] = [
            *wrong(analysis.program, specs, analysis.rules, partial=False),
            *unmatched(specs, told),
            *wrong_assumptions(extraction, analysis),
        ]
        if not errors and not options.rules:
            # with some of the rules only, others might need it
            given = load(options.specs or None)
            errors += needless(given, told, lambda spec: _told(extraction, store, spec, analysis, progress))
    return CombinedSpecError(errors).errors if errors else ()


def unmatched(specs: SpecSet, report: Report) -> tuple[SpecError, ...]:
    """List an error for each rule of `specs` that the report knows and that has no site, in the order of the rules.

    One that names nothing of the program cannot be wrong about it: units may claim nothing in its form.
    """
    empty = {rule.id: rule.noun for rule in report.rules if rule.sites == 0}
    return tuple(
        SpecError(f"rule '{rule.id}' matches no {empty[rule.id]} in these units", rule.location)
        for rule in specs.rules
        if rule.id in empty and rule.mentions
    )


def _told(extraction: Extraction, store: Store, spec: SpecSet, before: Analysis, progress: Progress) -> Report:
    return report(extraction, analyse(extraction, store, spec, before.rules, progress))


def needless(specs: SpecSet, told: Report, told_with: Callable[[SpecSet], Report]) -> Iterator[SpecWarning]:
    """Yield a warning for each function of an assumption without which the report is the same.

    The program is analysed once more for each: what is assumed must be worth believing.
    """
    for assumption in specs.assumptions:
        for left_out in assumption.functions:
            rest = tuple(one for one in assumption.functions if one != left_out)
            less = tuple(
                replace(one, functions=rest) if one == assumption else one
                for one in specs.assumptions
                if rest or one != assumption
            )
            # what is remembered of functions goes by the digest
            digest = sha256(f"{specs.digest} without {assumption.id} {left_out[0]}".encode()).hexdigest()
            found = told_with(replace(specs, assumptions=less, digest=digest))
            if (found.findings, found.rules) == (told.findings, told.rules):
                what = f"{left_out[0]}()" if assumption.same else f"calls of {left_out[0]}()"
                text = f"assumption '{assumption.id}' is needless: no verdict depends on {what}"
                yield SpecWarning(text, left_out[1])
