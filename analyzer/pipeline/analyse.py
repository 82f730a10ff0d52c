# SPDX-License-Identifier: GPL-2.0-only
"""From facts to verdicts: link, summarise, follow obligations.

In: the facts of all units, a specification. Out: `Analysis`, from which reports and
explanations are made.
"""

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import chain

from msgspec import Struct

from analyzer.analysis.backlinks import Backlinks
from analyzer.analysis.context import Context
from analyzer.analysis.deferred import handover_summaries
from analyzer.analysis.keys import Keys
from analyzer.analysis.lead import Leads
from analyzer.analysis.locks import LockTypes
from analyzer.analysis.memo import Summaries
from analyzer.analysis.names import NameResolver
from analyzer.analysis.obligations import Place, Trail, find_trails
from analyzer.analysis.problems import Judged, LockFacts
from analyzer.analysis.solve import solve
from analyzer.analysis.state import Telling
from analyzer.analysis.watch import Watch, Watches
from analyzer.base.gap import Gap
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
from analyzer.rules import judge, watches_of
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.model import Rule, SpecSet

#: further watches, made once names can be resolved
Observers = Callable[[NameResolver], Iterable[Watch]]


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


def chosen_rules(spec: SpecSet, globs: tuple[str, ...]) -> tuple[Rule, ...]:
    """Return the rules whose id matches one of `globs`; all rules if there are none."""
    return tuple(rule for rule in spec.rules if not globs or any(fnmatchcase(rule.id, glob) for glob in globs))


def analyse(
    extraction: Extraction,
    store: Store,
    spec: SpecSet,
    rules: tuple[Rule, ...],
    progress: Progress,
    observers: Observers | None = None,
    *,
    lenient: bool = False,
) -> Analysis:
    """Analyse the program that the extracted units make up; `lenient` leaves out rules that do not fit it."""
    remembered = Remembered(store)
    linked = link(extraction, remembered, spec)
    names = NameResolver(linked.program, spec)
    rules, gaps = applicable(linked.program, spec, rules) if lenient else (rules, ())
    observed = observers(names) if observers else ()
    watches = Watches(
        chain((watch for rule in rules for watch in watches_of(rule, names)), observed),
        linked.program.records.values(),
        (effect.fact[0] for row in spec.primitives.values() for effect in row.effects if effect.fact is not None),
    )
    backlinks = Backlinks(spec.backlinks, NameResolver(linked.program, spec))
    if backlinks.errors and not lenient:
        raise CombinedSpecError(backlinks.errors)
    context = _context(linked, spec, watches, backlinks)
    progress.begin("analyse", len(linked.program.functions))
    solve(context, linked.facts_of, Keys(context, linked.flows, linked.digest_of), remembered, progress.advance)
    remembered.flush()
    trails = find_trails(context.summaries, linked.entries)
    leads = Leads(linked.graph, context.summaries, linked.entries)
    led = {place: tuple(leads.led(trail) for trail in ways) for place, ways in trails.items()}
    locks = LockFacts(linked.program, linked.graph, context.summaries, linked.entries, leads)
    judged = judge(rules, locks, names)
    return Analysis(
        linked.program, linked.flows, context, linked.entries, rules, led, names, locks, judged, linked.facts_of, gaps
    )


def _context(linked: Linked, spec: SpecSet, watches: Watches, backlinks: Backlinks) -> Context:
    """Return what all functions of the run look up."""
    program, flows, graph = linked.program, linked.flows, linked.graph
    lock_types = LockTypes(spec)
    return Context(
        program,
        flows,
        graph,
        Conducts(program, graph, flows, spec.primitives),
        spec,
        watches,
        lock_types,
        linked.entries,
        Telling(lock_types.members(program.records.values()), frozenset(watches.predicates)),
        Summaries(),
        handover_summaries(graph.callbacks.rows),
        set(),
        member_constants(flows.values()),
        {},
        backlinks,
    )
