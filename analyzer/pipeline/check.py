# SPDX-License-Identifier: GPL-2.0-only
"""The main job: a kernel tree in, a report out.

In: `CheckOptions`. Out: `Report`.
"""

from msgspec.structs import replace

from analyzer.base.gap import Gap
from analyzer.base.location import Location
from analyzer.facts.store import Store
from analyzer.findings.fingerprint import fingerprinted
from analyzer.findings.model import Report
from analyzer.pipeline.analyse import Analysis, Observers, analyse, chosen_rules
from analyzer.pipeline.assumed import assumed
from analyzer.pipeline.extract import Extraction, extract
from analyzer.pipeline.options import CheckOptions, Progress
from analyzer.pipeline.scope import wrong
from analyzer.pipeline.verdicts import counts, findings
from analyzer.source.commands import UnitList, read_units
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.load import load


def check(options: CheckOptions, progress: Progress, *, explain_paths: bool = False) -> Report:
    """Analyse what `options` name and report; raise `SpecError` or `InputError` for what the user must mend.

    With `explain_paths`, witnesses tell the branches on the way, too.
    """
    with Store(options.cache) as store:
        extraction, analysis = examine(options, store, progress)
        errors = wrong(analysis.program, analysis.context.spec, analysis.rules, partial=True)
        if errors:
            raise CombinedSpecError(errors)
        return report(extraction, analysis, explain_paths=explain_paths)


def examine(
    options: CheckOptions,
    store: Store,
    progress: Progress,
    observers: Observers | None = None,
    *,
    lenient: bool | None = None,
) -> tuple[Extraction, Analysis]:
    """Extract and analyse what `options` name; `observers` watch beside the rules.

    `lenient` leaves out rules that do not fit the program; None: those that are shipped.
    """
    spec = load(options.specs or None)
    extraction = extracted(options, store, progress)
    lenient = not options.specs if lenient is None else lenient
    rules = chosen_rules(spec, options.rules)
    analysis = analyse(extraction, store, spec, rules, progress, observers, lenient=lenient)
    return extraction, analysis


def extracted(options: CheckOptions, store: Store, progress: Progress) -> Extraction:
    """Extract what `options` name."""
    units = named_units(options)
    return extract(units, store, progress, jobs=options.jobs, overlays=options.overlays, snapshot=options.snapshot)


def named_units(options: CheckOptions) -> UnitList:
    """Return the units that `options` name, as they are on disk."""
    return read_units(
        tree=options.tree,
        build=options.build,
        compile_commands=options.compile_commands,
        preprocessed=options.preprocessed,
        under=options.under,
        units=options.units,
    )


def report(extraction: Extraction, analysis: Analysis, *, explain_paths: bool = False) -> Report:
    """Make the report of an analysed program; with `explain_paths`, witnesses tell the branches on the way, too."""
    skipped = sum(1 for unit in extraction.units for ref in unit.functions if not ref.facts_key)
    return Report(
        findings=fingerprinted(findings(analysis, explain_paths=explain_paths)),
        rules=counts(analysis),
        gaps=all_gaps(extraction, analysis),
        units_analysed=len(extraction.units),
        units_failed=len(extraction.failed),
        functions_analysed=len(analysis.program.functions),
        functions_skipped=skipped,
        explained=explain_paths,
        assumed=assumed(extraction, analysis),
    )


def all_gaps(extraction: Extraction, analysis: Analysis) -> tuple[Gap, ...]:
    """Return the gaps of units, of function bodies and of the analysis, each once."""
    gaps = {*extraction.gaps, *analysis.gaps}
    for unit in extraction.units:
        gaps.update(unit.gaps)
    for function in analysis.program.functions.values():
        ref = function.ref
        inner = extraction.functions.outline(ref.facts_key).gaps
        for gap in (*inner, *_analysis_gaps(analysis, function.id)):
            at = gap.location
            gaps.add(replace(gap, location=Location(ref.location.file, ref.first_line + at.line, at.column)))
    return tuple(sorted(gaps))


def _analysis_gaps(analysis: Analysis, ident: str) -> tuple[Gap, ...]:
    summaries = analysis.context.summaries
    return summaries[ident].gaps if summaries.speaks(ident) else ()
