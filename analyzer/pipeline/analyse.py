# SPDX-License-Identifier: GPL-2.0-only
"""From facts to verdicts: link, summarise, follow obligations.

In: the facts of all units, a specification. Out: `Analysis`, from which reports and
explanations are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from fnmatch import fnmatchcase
from functools import cache
from itertools import chain

from msgspec import Struct

from analyzer.analysis.annotated import annotated
from analyzer.analysis.assumptions import Assumptions
from analyzer.analysis.backlinks import Backlinks
from analyzer.analysis.bare import conditions
from analyzer.analysis.context import Context
from analyzer.analysis.deferred import handover_summaries
from analyzer.analysis.descent import Descents, Place
from analyzer.analysis.exclusion import Kept, kept_off
from analyzer.analysis.feasible import Feasibility
from analyzer.analysis.keys import Keys
from analyzer.analysis.lead import Leads
from analyzer.analysis.locks import LockTypes
from analyzer.analysis.memo import Summaries
from analyzer.analysis.names import NameResolver
from analyzer.analysis.obligations import Trail, find_trails
from analyzer.analysis.problems import Judged, LockFacts
from analyzer.analysis.retired import Retired
from analyzer.analysis.retiring import Retirements
from analyzer.analysis.solve import solve
from analyzer.analysis.state import Telling
from analyzer.analysis.summary import FunctionSummary
from analyzer.analysis.told import Told, told
from analyzer.analysis.watch import Watch, Watches
from analyzer.base.collection import without_collection
from analyzer.base.errors import SpecError
from analyzer.base.gap import Gap, GapKind
from analyzer.facts.store import Store
from analyzer.facts.unit import FunctionFacts
from analyzer.pipeline.extract import Extraction
from analyzer.pipeline.link import Linked, link
from analyzer.pipeline.options import Progress
from analyzer.pipeline.remember import Remembered
from analyzer.pipeline.scope import applicable
from analyzer.program.arguments import Conducts
from analyzer.program.constants import member_constants
from analyzer.program.entries import Entry
from analyzer.program.flow import FlowFacts
from analyzer.program.link import Program
from analyzer.rules import asked_about, judge, section_watches_of, watches_of
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.model import Rule, SpecSet

#: further watches, made once names can be resolved
Observers = Callable[[NameResolver], Iterable[Watch]]
#: makes the keys under which summaries are remembered
KeysOf = Callable[[Context, Mapping[str, FlowFacts], Callable[[str], str]], Keys]


class Analysis(Struct, frozen=True):
    """The analysed program."""

    program: Program
    flows: Mapping[str, FlowFacts]
    context: Context
    entries: Mapping[str, Entry]
    #: rules that were applied
    rules: tuple[Rule, ...]
    trails: Mapping[Place, tuple[Trail, ...]]
    names: NameResolver
    #: for rules that look at the whole program
    locks: LockFacts
    #: what those rules found, by rule id
    judged: Mapping[str, Judged]
    facts_of: Callable[[str], FunctionFacts]
    #: what of the specification does not apply to the program
    gaps: tuple[Gap, ...] = ()
    #: for rules that ask for readers
    readers: Readers | None = None
    #: what was found below demands
    descents: Descents = Descents()
    #: what the specification takes for true of calls
    assumptions: Assumptions = Assumptions()


def chosen_rules(spec: SpecSet, globs: tuple[str, ...]) -> tuple[Rule, ...]:
    """Return the rules whose id matches one of `globs`; all rules if there are none."""
    return tuple(rule for rule in spec.rules if not globs or any(fnmatchcase(rule.id, glob) for glob in globs))


@without_collection()
def analyse(
    extraction: Extraction,
    store: Store,
    spec: SpecSet,
    rules: tuple[Rule, ...],
    progress: Progress,
    observers: Observers | None = None,
    *,
    lenient: bool = False,
    partial: bool = False,
    remembered: Remembered | None = None,
    keys_of: KeysOf = Keys,
) -> Analysis:
    """Analyse the program that the extracted units make up; `lenient` leaves out rules that do not fit it.

    `partial`: the units are a part of the program.
    """
    remembered = Remembered(store) if remembered is None else remembered
    linked = link(extraction, remembered, spec, partial=partial)
    spec, by_declaration = annotated(linked.program, spec)
    names = NameResolver(linked.program, spec)
    names.conditions = lambda cells: conditions(linked.program, linked.flows, linked.facts_of, spec, cells)
    rules, gaps = applicable(linked.program, spec, rules) if lenient else (rules, ())
    observed = observers(names) if observers else ()
    conducts = Conducts(linked.program, linked.graph, linked.flows, spec.primitives)
    about = readers(linked, conducts, spec, rules, names)
    asked = chain((watch for rule in rules for watch in watches_of(rule, names)), about.sections, observed)
    watches = Watches(asked, linked.program.records.values(), _counts(spec))
    backlinks = Backlinks(spec.backlinks, NameResolver(linked.program, spec))
    wrong = [*backlinks.errors, *linked.assumptions.errors]
    if wrong and not lenient:
        raise CombinedSpecError(wrong)
    gaps += tuple(_unfit(error) for error in linked.assumptions.errors)
    context = _context(linked, spec, watches, backlinks, conducts, by_declaration)
    progress.begin("analyse", len(linked.program.functions))
    solve(context, linked.facts_of, keys_of(context, linked.flows, linked.digest_of), remembered, progress.advance)
    remembered.flush()
    return judged(linked, context, names, rules, gaps, about, partial=partial)


def _unfit(error: SpecError) -> Gap:
    """Return the gap that an assumption leaves which does not fit the program: nothing is assumed."""
    assert error.location is not None
    text = str(error).removeprefix(f"{error.location}: ")
    return Gap(GapKind.RULE, error.location, f"the assumption does not apply: {text}")


class Readers(Struct, frozen=True):
    """What rules that ask for readers are about."""

    retirements: Retirements
    #: finds what is changed before readers are waited for
    retired: Callable[[], tuple[Retired, ...]]
    #: what other rules say of them
    said: Callable[[], frozenset[Told]]
    #: what is watched for these rules
    sections: tuple[Watch, ...]


def readers(linked: Linked, conducts: Conducts, spec: SpecSet, rules: tuple[Rule, ...], names: NameResolver) -> Readers:
    """Return what rules that ask for readers are about; only if there are some it is looked for."""
    looking = Retirements(linked.program, linked.flows, linked.graph, conducts, spec, linked.facts_of)
    return _readers(looking, linked.program, spec, rules, names)


def _readers(
    looking: Retirements, program: Program, spec: SpecSet, rules: tuple[Rule, ...], names: NameResolver
) -> Readers:
    retired, said = cache(lambda: looking.find(asked_about(rules, names))), cache(lambda: told(program, spec))
    return Readers(looking, retired, said, tuple(section_watches_of(rules, names, retired, program, said)))


def readers_again(
    before: Analysis, linked: Linked, conducts: Conducts, changed: Set[str], different: Set[str]
) -> Readers:
    """Return the same for a program in which the functions `changed` are others; most have no part in it."""
    known, spec = before.readers, before.context.spec
    assert known is not None
    now = (linked.program, linked.flows, linked.graph, conducts, linked.facts_of)
    later = known.retirements.successor(*now, changed, different)
    if known.retirements.holds_for(later, changed, different):
        return known
    return _readers(later, linked.program, spec, before.rules, NameResolver(linked.program, spec))


def judged(
    linked: Linked,
    context: Context,
    names: NameResolver,
    rules: tuple[Rule, ...],
    gaps: tuple[Gap, ...],
    about: Readers,
    *,
    partial: bool = False,
    before: Analysis | None = None,
) -> Analysis:
    """Apply the rules to summaries; what the analysis `before` found is not looked for again where it holds."""
    descents, heard = (Descents(), None) if before is None else (before.descents, before.locks.feasibility)
    feasibility = Feasibility(context, linked.facts_of, heard)
    locks = _lock_facts(context, linked, about if about.sections else None, descents, feasibility, partial=partial)
    found = judge(rules, locks, names)
    program, trails = (linked.program, linked.flows, context, linked.entries, rules), locks.trails
    return Analysis(*program, trails, names, locks, found, linked.facts_of, gaps, about, descents, linked.assumptions)


def _counts(spec: SpecSet) -> Iterator[str]:
    """Yield the functions that read what primitives establish: counters of users, mostly."""
    return (effect.fact[0] for row in spec.primitives.values() for effect in row.effects if effect.fact is not None)


def _lock_facts(
    context: Context,
    linked: Linked,
    about: Readers | None,
    descents: Descents,
    feasibility: Feasibility,
    *,
    partial: bool,
) -> LockFacts:
    """Return what is known once all summaries are made; `about` is None if no rule asks for readers."""
    summaries, entries = context.summaries, linked.entries
    kept = Kept({}, frozenset()) if about is None else kept_off(summaries, entries, descents)
    leads = Leads(linked.graph, summaries, entries, context.in_use)
    found = find_trails(summaries, entries, kept.locks, descents)
    trails = {place: tuple(leads.led(trail) for trail in ways) for place, ways in found.items()}
    return LockFacts(
        linked.program,
        linked.graph,
        summaries,
        entries,
        leads,
        () if about is None else about.retired(),
        kept,
        trails,
        frozenset() if about is None else about.said(),
        partial,
        context.in_use,
        feasibility,
    )


def _context(
    linked: Linked,
    spec: SpecSet,
    watches: Watches,
    backlinks: Backlinks,
    conducts: Conducts,
    by_declaration: Mapping[str, FunctionSummary],
) -> Context:
    """Return what all functions of the run look up."""
    program, flows, graph = linked.program, linked.flows, linked.graph
    lock_types = LockTypes(spec)
    return Context(
        program,
        flows,
        graph,
        conducts,
        spec,
        watches,
        lock_types,
        linked.entries,
        Telling(lock_types.members(program.records.values()), frozenset(watches.predicates)),
        Summaries(),
        {**by_declaration, **handover_summaries(graph.callbacks.rows)},
        set(),
        member_constants(flows, program, spec.primitives),
        {},
        linked.in_use,
        backlinks,
        linked.assumptions.entered(backlinks),
        frozenset(linked.assumptions.names),
    )
