# SPDX-License-Identifier: GPL-2.0-only
"""Generations: the analysed program as of one state of its texts.

In: options and overlays, or the generation before and one unit's new facts. Out: `Generation`, with its report.

**Invariant:** the report is the one that `check` makes of the same texts, whichever way the generation came about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from analyzer.analysis.again import Resolved, TracedKeys, solve_again
from analyzer.analysis.bare import conditions, conditions_in
from analyzer.analysis.context import Context
from analyzer.analysis.in_use import in_use
from analyzer.analysis.keys import sites_of, without_sites
from analyzer.analysis.memo import Summaries
from analyzer.analysis.names import NameResolver
from analyzer.analysis.watch import Watches
from analyzer.facts.functions import Functions
from analyzer.facts.store import Store
from analyzer.facts.unit import UnitFacts
from analyzer.findings.model import Report
from analyzer.ir.function import Claim
from analyzer.pipeline.analyse import Analysis, Readers, analyse, chosen_rules, judged, readers_again
from analyzer.pipeline.check import report
from analyzer.pipeline.extract import Extraction, extract
from analyzer.pipeline.link import Linked, with_classes
from analyzer.pipeline.live.recall import Recall
from analyzer.pipeline.options import CheckOptions, Progress
from analyzer.pipeline.scope import wrong
from analyzer.program.constants import member_constants
from analyzer.program.entries import entries_again
from analyzer.program.flow import FlowFacts, read_flow
from analyzer.program.implementations import find_implementations, same_usage
from analyzer.program.link import Program
from analyzer.program.patch import patched, still_ordered
from analyzer.source.commands import UnitList
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.load import load
from analyzer.spec.model import SpecSet

#: is told a report that holds until the next one, some milliseconds later
Meanwhile = Callable[[Report], None]


class Generation(Struct, frozen=True):
    """The program, analysed."""

    spec: SpecSet
    units: UnitList
    extraction: Extraction
    analysis: Analysis
    #: strongly connected components of the call graph, callees first
    components: tuple[list[str], ...]
    #: see `TracedKeys`
    asked_by: dict[str, set[str]]
    report: Report
    #: what it took to get here from the generation before; None where all was analysed
    resolved: Resolved | None = None

    @property
    def program(self) -> Program:
        """Return the linked program."""
        return self.analysis.program

    def unit(self, name: str) -> UnitFacts | None:
        """Return the facts of a unit."""
        return self.program.units.get(name)


def analysed(options: CheckOptions, units: UnitList, store: Store, recall: Recall, progress: Progress) -> Generation:
    """Analyse all that `options` name; raise `LockspecError` for what the user must mend."""
    extraction = extract(units, store, progress, jobs=options.jobs, overlays=options.overlays)
    return concluded(options, units, load(options.specs or None), extraction, store, recall, progress)


def concluded(
    options: CheckOptions,
    units: UnitList,
    spec: SpecSet,
    extraction: Extraction,
    store: Store,
    recall: Recall,
    progress: Progress,
) -> Generation:
    """Analyse the program that the extracted units make up; raise `LockspecError`."""
    traced: list[TracedKeys] = []
    recall.pulse = lambda: progress.advance(0)

    def keys(*arguments: object) -> TracedKeys:
        traced.append(TracedKeys(*arguments))  # type: ignore[arg-type]  # those of `KeysOf`
        return traced[0]

    rules = chosen_rules(spec, options.rules)
    analysis = analyse(
        extraction, store, spec, rules, progress, lenient=not options.specs, remembered=recall, keys_of=keys
    )
    errors = wrong(analysis.program, spec, analysis.rules, partial=True)
    if errors:
        raise CombinedSpecError(errors)
    components = tuple(analysis.context.graph.components())
    return Generation(spec, units, extraction, analysis, components, traced[0].asked_by, report(extraction, analysis))


def replaced(before: Generation, unit: UnitFacts, functions: Functions) -> Extraction:
    """Return the extraction with other facts of one unit."""
    units = tuple(unit if known.name == unit.name else known for known in before.extraction.units)
    return replace(before.extraction, units=units, functions=functions)


def stepped(
    before: Generation, unit: UnitFacts, extraction: Extraction, recall: Recall, meanwhile: Meanwhile
) -> Generation | None:
    """Return the next generation, in which one unit has other facts; None where that may concern the whole program.

    Where callers see something else now, which takes longer, `meanwhile` is told what the changed functions alone say.
    """
    old = before.unit(unit.name)
    program = Program(extraction.units)
    if old is None or _shape(old) != _shape(unit) or not _fits(before.program, program, old, unit):
        return None
    changed = _changed(before, program, extraction.functions)
    flows = dict(before.analysis.flows)
    for ident in changed:
        flows[ident] = read_flow(extraction.functions[program.functions[ident].ref.facts_key])
    linked = _linked(before, extraction, program, flows, changed)
    if linked is None or not _asks_alike(before, linked, changed):
        return None
    return _resolved(before, extraction, linked, changed, recall, meanwhile)


def _shape(unit: UnitFacts) -> tuple[object, ...]:
    """Return what of a unit concerns other functions than the one that changed, without its places."""
    return (
        [(item.path, item.function) for item in unit.initialisers],
        [(item.name, item.type, item.static, item.guards) for item in unit.globals if item.defined],
        [(item.path, item.variable) for item in unit.addresses],
        unit.exports,
        unit.initcalls,
        {ref.name: (ref.static, ref.weak) for ref in unit.functions if not ref.inline},
    )


def _fits(before: Program, program: Program, old: UnitFacts, unit: UnitFacts) -> bool:
    """Tell whether all functions are still there, and the same records and globals, as far as names can mean them."""
    known = {record.name: (record.kind, record.members) for record in old.records}
    return (
        before.functions.keys() <= program.functions.keys()
        and before.records.keys() == program.records.keys()
        and all(known.get(one.name, (one.kind, one.members)) == (one.kind, one.members) for one in unit.records)
        and _globals(before) == _globals(program)
        and _annotated(before) == _annotated(program)
    )


def _globals(program: Program) -> set[str]:
    return {item.name for unit in program.units.values() for item in unit.globals}


def _annotated(program: Program) -> dict[str, tuple[Claim, ...]]:
    return {name: claims for name, (claims, _) in program.annotated.items()}


def _asks_alike(before: Generation, linked: Linked, changed: set[str]) -> bool:
    """Tell whether accessors of the pointers that readers share ask for what they asked for."""
    cells = frozenset(before.analysis.context.watches.bare)
    if all(_claimed(before.analysis, ident, cells) == _claimed(linked, ident, cells) for ident in changed):
        return True
    old = conditions(before.program, before.analysis.flows, before.analysis.facts_of, before.spec, cells)
    return old == conditions(linked.program, linked.flows, linked.facts_of, before.spec, cells)


def _claimed(where: Analysis | Linked, ident: str, cells: frozenset[tuple[str, str]]) -> list[object]:
    """Return what accessors in a function claim of `cells`; nothing if it is not there."""
    if ident not in where.flows or cells.isdisjoint(where.flows[ident].mentions):
        return []
    return [(cell, claim.statement) for cell, claim in conditions_in(where.facts_of(ident), cells)]


def _changed(before: Generation, program: Program, functions: Functions) -> set[str]:
    """Return the functions that are new, behave differently, or take their names from another unit."""
    changed = set()
    known, old = before.program.functions, before.extraction.functions
    for ident, function in program.functions.items():
        earlier = known.get(ident)
        if earlier is not None and earlier.ref.facts_key == function.ref.facts_key and earlier.unit == function.unit:
            continue
        digest = functions.outline(function.ref.facts_key).digest
        if earlier is None or earlier.unit != function.unit or old.outline(earlier.ref.facts_key).digest != digest:
            changed.add(ident)
    return changed


def _linked(
    before: Generation, extraction: Extraction, program: Program, flows: Mapping[str, FlowFacts], changed: set[str]
) -> Linked | None:
    """Link what changed; None where that may concern the whole program."""
    assumed = {name for one in before.spec.assumptions for name, _ in one.functions}
    if any(program.functions[ident].name in assumed for ident in changed):
        # what is assumed of a function is held against its parameters
        return None
    graph = patched(before.analysis.context.graph, program, flows, changed)
    if graph is None or member_constants(flows, program, before.spec.primitives) != before.analysis.context.constants:
        return None
    names = NameResolver(program, before.spec)
    context = before.analysis.context
    rows = with_classes(before.spec.entries, names)
    entries = entries_again(context.entries, context.graph, graph, rows, changed)
    same = entries.keys() == context.entries.keys() and same_usage(context.graph, graph, entries, changed)
    if not same and in_use(*find_implementations(program, graph, flows, entries)) != context.in_use:
        return None
    return Linked(extraction, program, flows, graph, entries, context.in_use, 0.0, 0.0, 0, before.analysis.assumptions)


def _resolved(
    before: Generation,
    extraction: Extraction,
    linked: Linked,
    changed: set[str],
    recall: Recall,
    meanwhile: Meanwhile,
) -> Generation | None:
    """Make the summaries that may differ, and apply the rules to all; None where rules watch other things now."""
    context, components, again = before.analysis.context, before.components, set(changed)
    if not still_ordered(components, context.graph, linked.graph):
        components = tuple(linked.graph.components())
        known = {tuple(component) for component in before.components}
        again |= {ident for component in components if tuple(component) not in known for ident in component}
    again |= linked.entries.keys() ^ context.entries.keys()
    conducts, different = context.conducts.again(linked.program, linked.graph, linked.flows, components, again)
    names = NameResolver(linked.program, context.spec)
    rules, gaps = before.analysis.rules, before.analysis.gaps
    about = readers_again(before.analysis, linked, conducts, again, different)
    renewed = _renewed(before.analysis, about, linked.program)
    if renewed is None:
        return None
    context = replace(context, watches=renewed[0])
    again |= renewed[1]

    def solved(spread: bool) -> tuple[Analysis, Resolved]:
        following = _following(context, linked, conducts)
        keys = TracedKeys(following, linked.flows, linked.digest_of, before.asked_by)
        old, facts_of = context.summaries, linked.facts_of
        resolved = solve_again(following, old, components, facts_of, keys, recall, again, different, spread=spread)
        return judged(linked, following, names, rules, gaps, about, before=before.analysis), resolved

    analysis, resolved = solved(spread=False)
    if resolved.n_left:
        meanwhile(report(extraction, analysis))
        n_analysed = resolved.n_analysed
        analysis, resolved = solved(spread=True)
        resolved = replace(resolved, n_analysed=resolved.n_analysed + n_analysed)
    told = report(extraction, analysis)
    return Generation(before.spec, before.units, extraction, analysis, components, before.asked_by, told, resolved)


def _renewed(before: Analysis, about: Readers, program: Program) -> tuple[Watches, set[str]] | None:
    """Return the watches where updaters change members elsewhere now, and the functions that do; None if others are asked."""
    known, watches = before.readers, before.context.watches
    if known is None or list(map(without_sites, about.sections)) != list(map(without_sites, known.sections)):
        return None
    if about.sections == known.sections:
        return watches, set()
    renewed = watches.renewed(dict(zip(known.sections, about.sections, strict=True)))
    old, new = sites_of(watches), sites_of(renewed)
    moved = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    return renewed, {ident for ident, function in program.functions.items() if function.name in moved}


def _following(context: Context, linked: Linked, conducts: object) -> Context:
    """Return the context of the next generation, without summaries."""
    return replace(
        context,
        program=linked.program,
        flows=linked.flows,
        graph=linked.graph,
        conducts=conducts,
        entries=linked.entries,
        summaries=Summaries(),
        pending=set(),
        known_reads={},
    )
