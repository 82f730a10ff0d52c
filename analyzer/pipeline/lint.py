# SPDX-License-Identifier: GPL-2.0-only
"""Rules that would rot unseen: specifications checked against a tree.

In: `CheckOptions` with a tree. Out: one `SpecError` for each name that nothing there has, and for each rule that
matches nothing.
"""

from __future__ import annotations

from analyzer.base.errors import SpecError
from analyzer.facts.store import Store
from analyzer.findings.model import Report
from analyzer.pipeline.check import examine, report
from analyzer.pipeline.options import CheckOptions, Progress
from analyzer.pipeline.scope import wrong
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.model import SpecSet


def lint(options: CheckOptions, progress: Progress) -> tuple[SpecError, ...]:
    """Check that every rule speaks about something in the tree. Raise `SpecError` where the YAML itself is wrong."""
    with Store(options.cache) as store:
        extraction, analysis = examine(options, store, progress, lenient=False)
        told = report(extraction, analysis)
    specs = analysis.context.spec
    errors = (*wrong(analysis.program, specs, analysis.rules, partial=False), *unmatched(specs, told))
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
