# SPDX-License-Identifier: GPL-2.0-only
"""What the analysis of one function looks up outside it.

In: the linked program, the specification, summaries made so far. Out: `Context`, shared by all functions of a run, and
`Scope`, the view of one function.
"""

from collections.abc import Mapping

from msgspec import Struct

from analyzer.analysis.backlinks import Backlinks
from analyzer.analysis.evaluate import cell
from analyzer.analysis.in_use import EVERY, InUse
from analyzer.analysis.locks import LockTypes
from analyzer.analysis.memo import Summaries
from analyzer.analysis.rounds import Rounds
from analyzer.analysis.state import NO_BACKLINKS, State, Telling
from analyzer.analysis.summary import PLAIN, FunctionSummary
from analyzer.analysis.terms import Term, contains
from analyzer.analysis.watch import Watches
from analyzer.facts.unit import FunctionFacts
from analyzer.ir.function import Call, Claim, Event, Store
from analyzer.ir.values import FunctionAddress, Local, Value
from analyzer.program.arguments import Conduct, Conducts
from analyzer.program.entries import Entry
from analyzer.program.flow import FlowFacts, Slot, callee_slot
from analyzer.program.graph import CallGraph, spell_slot
from analyzer.program.link import Program
from analyzer.spec.effect import Primitive
from analyzer.spec.model import SpecSet


class Context(Struct):
    """Shared by the whole run."""

    program: Program
    flows: Mapping[str, FlowFacts]
    graph: CallGraph
    conducts: Conducts
    spec: SpecSet
    watches: Watches
    lock_types: LockTypes
    entries: Mapping[str, Entry]
    #: what keeps states of a function apart
    telling: Telling
    #: summaries by function id; a function that is missing has not been reached yet
    summaries: Summaries
    #: summaries of functions without a body that call a function they are handed, by name
    handovers: Mapping[str, FunctionSummary]
    #: functions of the component under analysis, whose missing summary means "never returns, as far as is known"
    pending: set[str]
    #: members that only ever hold certain constants
    constants: Mapping[tuple[str, str], frozenset[int]]
    #: the members that each term's value depends on, as bits of `conducts`
    known_reads: dict[Term, int]
    #: which implementations functions run under, for those that do not run under all
    in_use: Mapping[str, InUse] = {}
    #: pointers that lead back to where one came from
    backlinks: Backlinks = NO_BACKLINKS
    #: what members hold where functions begin, by the function's name; the specification assumes it
    entered: Mapping[str, Backlinks] = {}
    #: functions of which calls are left out under conditions, by the specification
    idle: frozenset[str] = frozenset()

    def at_entry(self, function: str) -> Backlinks:
        """Return where pointers lead back in `function`."""
        return self.entered.get(function, self.backlinks)

    def reads(self, term: Term) -> int:
        """Return the members that the value of `term` depends on, as a bit set."""
        known = self.known_reads.get(term)
        if known is None:
            known = self.known_reads[term] = self._reads(term)
        return known

    def _reads(self, term: Term) -> int:
        bits = 0
        for part in term[1:]:
            if isinstance(part, tuple):
                bits |= self.reads(part)
        if term[0] == "ld":
            return bits | self._overlaid(term[1])
        return bits | self.conducts.of[term[1]].reads if term[0] == "pc" else bits

    def _overlaid(self, obj: Term) -> int:
        """Return what may be the storage of `obj`: the member, what it is a part of, and other members of a union."""
        bits = self.conducts.bit(cell(obj))
        while obj[0] in ("F", "I"):
            record = self.program.records.get(obj[2]) if obj[0] == "F" else None
            if record is not None and record.kind == "union":
                for other in record.members:
                    bits |= self.conducts.bit((record.name, other.name))
            obj = obj[1]
            if obj[0] == "F":
                bits |= self.conducts.bit(cell(obj))
        return bits


class Target(Struct, frozen=True):
    """One function that a call may reach."""

    #: None for a function without a body
    id: str | None
    name: str
    #: the slot of an indirect call in words, else ""
    via: str


def _is_computed(term: Term) -> bool:
    """Tell whether `term` is what a function computes from memory, whenever that was."""
    return term[0] in ("pc", "w")


class Scope:
    """One function's view of the program."""

    def __init__(self, context: Context, ident: str, facts: FunctionFacts, rounds: Rounds | None = None) -> None:
        self.context = context
        #: what its blocks did before, for one of several mutually recursive functions
        self.rounds = rounds
        self.id = ident
        self.facts = facts
        #: may threads enter here from outside?
        self.is_entry = ident in context.entries
        #: does the body touch any watched member?
        self.watched = not context.watches.names.isdisjoint((*facts.fields, *facts.globals)) or any(
            cell in context.watches.holders for cell in context.flows[ident].writes
        )
        self.unit = context.program.functions[ident].unit
        #: which implementations it runs under, if not under all
        self.own_use = context.in_use.get(ident, EVERY)
        self._targets: dict[Value, tuple[Target, ...]] = {}
        self._names = tuple(formal.name for formal in facts.ir.parameters)

    @property
    def leaves_out(self) -> bool:
        """Tell whether the function makes calls that are left out where the specification assumes so."""
        return not self.context.idle.isdisjoint(self.facts.calls)

    def primitive(self, name: str) -> Primitive | None:
        """Return the primitive called `name`, if its row says all that a call does."""
        found = self.context.spec.primitives.get(name)
        return found if found is not None and found.is_whole else None

    def targets(self, callee: Value) -> tuple[Target, ...]:
        """Return what a call of `callee` can reach; empty if nothing is known."""
        found = self._targets.get(callee)
        if found is None:
            found = self._targets[callee] = self._find_targets(callee)
        return found

    def _find_targets(self, callee: Value) -> tuple[Target, ...]:
        slot = callee_slot(callee, self.facts.ir.name)
        if isinstance(callee, FunctionAddress) and slot is None:
            return (self.named(callee.name, ""),)
        return self.through(self.id, slot)

    def named(self, name: str, via: str) -> Target:
        """Return the function whose address is taken by `name` here."""
        return Target(self.context.program.resolve(self.unit, name), name, via)

    def through(self, ident: str, slot: Slot | None) -> tuple[Target, ...]:
        """Return what a call through `slot` in function `ident` can reach."""
        functions = self.context.program.functions
        found = self.context.graph.indirect(ident, slot)
        return tuple(Target(target, functions[target].name, spell_slot(slot)) for target in found)

    def summary(self, target: Target) -> FunctionSummary:
        """Return the summary of a call's target; one without a body changes nothing, and calls what it is handed."""
        if target.id is None:
            return self.context.handovers.get(target.name, PLAIN)
        known = self.context.summaries.reached(target.id)
        if self.rounds is not None and target.id in self.context.pending:
            self.rounds.asked[target.id] = known
        if known is not None:
            return known
        return FunctionSummary(()) if target.id in self.context.pending else PLAIN

    def conduct(self, target: Target) -> Conduct | None:
        """Return what the call may do to its arguments; None for a function without a body."""
        return self.context.conducts.of.get(target.id) if target.id is not None else None

    def runs_under(self, target: Target) -> InUse:
        """Return which implementations a call's target runs under."""
        return EVERY if target.id is None else self.context.in_use.get(target.id, EVERY)

    def matters(self, event: Event) -> bool:
        """Tell whether `event` is a call that concerns locks or rules; accesses are not told apart."""
        if isinstance(event, Claim):
            return event.form in self.context.watches.claims
        if not isinstance(event, Call):
            return self.watched and not (isinstance(event, Store) and isinstance(event.path.root, Local))
        watched_calls, primitives = self.context.watches.heard, self.context.spec.primitives
        return any(
            target.name in primitives or target.name in watched_calls or self.summary(target).matters
            for target in self.targets(event.callee)
        )

    def forget_written(self, state: State, writes: int, renewed: int = 0) -> None:
        """Forget branch facts that depend on any member in the bit set `writes`.

        Of members that are `renewed`, it is known still what they were: reading one gives another value from now on.
        """
        reads, bit = self.context.reads, self.context.conducts.bit
        for term in [term for term in state.facts if reads(term) & writes]:
            if not (renewed and term[0] == "ld" and bit(cell(term[1])) & renewed and not contains(term, _is_computed)):
                del state.facts[term]

    def rewritten(self, writes: int) -> int:
        """Return those of the members in the bit set `writes` that the function reads, itself or below."""
        known = self.context.conducts.of.get(self.id)
        return writes if known is None else writes & known.reads

    def parameter_names(self) -> tuple[str, ...]:
        """Return the names of the function's parameters, in order."""
        return self._names
