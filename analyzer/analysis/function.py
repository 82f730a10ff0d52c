# SPDX-License-Identifier: GPL-2.0-only
"""The analysis of one function: locksets at every point, forward, path-sensitive where locks differ.

In: FunctionIR, the callees' summaries. Out: FunctionSummary.

States at the entry of a block are kept apart while their locks differ, and merged otherwise; blocks are visited in
reverse postorder until nothing changes.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TypeVar

from analyzer.analysis import conditions, ranges
from analyzer.analysis.conditions import truth_of
from analyzer.analysis.context import Scope
from analyzer.analysis.dating import DATED
from analyzer.analysis.evaluate import evaluate
from analyzer.analysis.events import Events
from analyzer.analysis.leave import Leave
from analyzer.analysis.locks import agree, certain, perhaps
from analyzer.analysis.marks import DEPTH, collapse
from analyzer.analysis.places import Recorder
from analyzer.analysis.promises import Promises, unchecked
from analyzer.analysis.state import Hold, Signature, State, close_pass, merge
from analyzer.analysis.summarise import summarise
from analyzer.analysis.summary import FunctionSummary
from analyzer.analysis.terms import Term
from analyzer.analysis.tested import Tested, find_tested, joins_of
from analyzer.analysis.uses import Uses
from analyzer.analysis.watch import Watch
from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.ir.function import Branch, Call, Goto, Jump, Return, Switch, Terminator

#: more lock situations than this at one point are merged into what they have in common
MAX_STATES = 48
#: states with the same locks that are kept apart by what is known of conditions to come
MAX_APART = 6
#: a function that returns with different locks is looked at for what its callers may know of it, if it is no larger
MANAGEABLE = 40
#: so many calls above where something came, its ways are told apart no longer unless a call there asks for it
MAX_DEPTH = 2
#: a block visited oftener than this widens what it knows of numbers
WIDEN_AFTER = 3
#: a block visited oftener than this ends the analysis with a gap
MAX_VISITS = 400
#: where the first state comes from
START: tuple[int, Signature] = (0, (None,))
A = TypeVar("A", bound="FunctionAnalysis")


def analyse(scope: Scope) -> FunctionSummary:
    """Return the summary of the function of `scope`."""
    return settled(scope, FunctionAnalysis)[1]


def settled(scope: Scope, kind: Callable[[Scope, Tested | None], A]) -> tuple[A, FunctionSummary]:
    """Return the analysis of the function of `scope`, with its summary.

    Only where locks differ at some point, or between returns, conditions can tell what goes with which; then the first
    look ends, and a second one keeps states apart by them.
    """
    # a call that is left out where the specification assumes so leaves what was known before
    tested = _from_the_start(scope) if scope.leaves_out else None
    while True:
        analysis = kind(scope, tested)
        try:
            summary = analysis.run()
            if len({(outcome.changes, outcome.marks, outcome.assumes) for outcome in summary.outcomes}) > 1:
                analysis.differ(at_return=True)
        except Apart as apart:
            tested = apart.tested
            continue
        return analysis, summary


def _from_the_start(scope: Scope) -> Tested:
    """Return the conditions that keep states apart, whether their locks differ or not."""
    ir = scope.facts.ir
    return find_tested(ir, joins_of(ir), scope.matters, at_return=False)


class Apart(Exception):  # noqa: N818 — no error: a reason to look again
    """Raised where locks differ first, if there are conditions that tell what goes with which."""

    def __init__(self, tested: Tested) -> None:
        super().__init__()
        self.tested = tested


class FunctionAnalysis:
    """One function under analysis."""

    #: may states go on without being kept, to blocks that no other leads to?
    passes = True

    def __init__(self, scope: Scope, tested: Tested | None = None) -> None:
        self.scope = scope
        self.ir = scope.facts.ir
        self.entries: list[dict[Signature, State]] = [{} for _ in self.ir.blocks]
        #: blocks that control comes to in several ways
        self.joins = joins_of(self.ir)
        #: states on their way to blocks that nobody else comes to: nothing is to be merged with them
        self.passing: dict[tuple[int, Signature], State] = {}
        #: conditions that keep states apart, by block; None before locks differ somewhere
        self.tested = tested
        self.visits = [0] * len(self.ir.blocks)
        self.work: list[tuple[int, int, Signature]] = []
        self.queued: set[tuple[int, Signature]] = set()
        self.recorders: dict[tuple[int, Signature], Recorder] = {}
        self.leaves: dict[tuple[int, Signature], list[Leave]] = {}
        self.gaps: list[Gap] = []
        self.promises: Promises | None = None
        self.unchecked = unchecked(scope)
        self._ticket = 0
        #: does one state only leave the block at hand?
        self.alone = False
        #: do calls ask for what came before? None: not looked yet
        self._asks: bool | None = None
        self.uses = Uses(scope) if scope.context.watches.dated else None
        self.events = Events(scope, self.uses, self.recorder)

    def run(self) -> FunctionSummary:
        """Return the function's summary."""
        start = self.start()
        self.promises = Promises(self.scope, start)
        self.arrive(0, start, START)
        while self.work:
            block, _, signature = heappop(self.work)
            self.queued.discard((block, signature))
            state = self.passing.pop((block, signature), None) or self.entries[block][signature].fork()
            self.visits[block] += 1
            if self.visits[block] > MAX_VISITS:
                self.give_up("too many rounds: locks may differ from what is shown")
                break
            self.visit(block, signature, state)
        leaves = [leave for leaves in self.leaves.values() for leave in leaves]
        if any(leave.state.marks and not self._keeps_apart(leave.state) for leave in leaves):
            collapse([leave.state.marks for leave in leaves])
        return summarise(self.scope, list(self.recorders.values()), leaves, tuple(self.gaps))

    def start(self) -> State:
        """Return the state at the entry."""
        env = {formal.name: ("P", i) for i, formal in enumerate(self.ir.parameters) if formal.name}
        context = self.scope.context
        start = State(env=env, backlinks=context.at_entry(self.ir.name), bit=context.conducts.bit)
        if self.uses is not None:
            start.marks[DATED] = 1
        return start

    def recorder(self) -> Recorder:
        """Return what collects the hits of one pass over a block."""
        context = self.scope.context
        names = self.scope.parameter_names()
        found = Recorder(context.watches, context.lock_types, context.constants, names, self.ir.name)
        found.unchecked = self.unchecked
        return found

    def give_up(self, text: str) -> None:
        """Note that a part of the function is not fully analysed."""
        gap = Gap(GapKind.ANALYSIS, Location("", 0), f"{self.ir.name}(): {text}")
        if gap not in self.gaps:
            self.gaps.append(gap)

    # -- between blocks -------------------------------------------------------------------------------------------

    def arrive(self, block: int, state: State, source: tuple[int, Signature]) -> None:
        """Let `state` enter `block`, coming from a block where it had a signature."""
        if self.passes and self.alone and not self.joins[block] and block > source[0]:
            self._pass(block, state, source[1])
            return
        signature = self.enter(block, state, source)
        known = self.entries[block].get(signature)
        if known is None:
            if self.entries[block]:
                self.differ()
            if len(self.entries[block]) >= MAX_STATES:
                self._squeeze(block, state)
                return
            self.entries[block][signature] = state
        elif not merge(known, state, (block,), self.visits[block] > WIDEN_AFTER):
            return
        elif self.scope.leaves_out and self.visits[block] <= WIDEN_AFTER:
            self._remind(known, block, signature)
        self._enqueue(block, signature)

    def _remind(self, state: State, block: int, signature: Signature) -> None:
        """Let what came together at `block` know what told both from others: the values may differ, not the outcome."""
        told = signature[-1]
        if self.tested is None or not self.joins[block] or not isinstance(told, tuple):
            return
        for condition, truth in zip(self.tested.conditions[block], told, strict=True):
            if truth is not None:
                conditions.assume(state.facts, evaluate(state, condition), truth)

    def _pass(self, block: int, state: State, signature: Signature) -> None:
        """Let the one state that comes from a block go on to `block`, which no other leads to."""
        if self.uses is not None:
            self.uses.enter(state, block)
        self.passing[block, signature] = state
        self._enqueue(block, signature)

    def differ(self, *, at_return: bool = False) -> None:
        """Note that locks differ at some point, or between returns."""
        at_return = at_return and len(self.ir.blocks) <= MANAGEABLE
        if self.tested is None or (at_return and not self.tested.at_return):
            before = self.tested
            self.tested = find_tested(self.ir, self.joins, self.scope.matters, at_return=at_return)
            if self.tested.conditions and (before is None or before.conditions != self.tested.conditions):
                raise Apart(self.tested)

    def enter(self, block: int, state: State, source: tuple[int, Signature]) -> Signature:
        """Make `state`, coming from a block where it had a signature, one at `block`; return its signature there."""
        if block <= source[0] and source != START:
            close_pass(state, block, list(self.entries[block].values()))
        if self.uses is not None:
            self.uses.enter(state, block)
        return self._signature(block, state, source[1])

    def _keeps_apart(self, state: State) -> bool:
        """Tell whether states are kept apart by what came before: near to where it came, or where calls ask for it."""
        if state.marks.get(DEPTH, 0) <= MAX_DEPTH:
            return True
        if self._asks is None:
            self._asks = any(
                watch.after is not None for name in self.scope.facts.calls for watch in self._watching(name)
            ) or any(
                self.scope.summary(target).asks.order
                for block in self.ir.blocks
                for event in block.events
                if isinstance(event, Call)
                for target in self.scope.targets(event.callee)
            )
        return self._asks

    def _watching(self, name: str) -> list[Watch]:
        return self.scope.context.watches.calls.get(name, [])

    def _signature(self, block: int, state: State, before: Signature) -> Signature:
        """Return what must agree for two states to be merged at `block`."""
        locks = state.signature(self.scope.context.telling, came=not state.marks or self._keeps_apart(state))
        if self.tested is None or not self.tested.conditions:
            return (*locks, None)
        if not self.joins[block]:
            # nobody else comes here: what told it apart before still does
            return (*locks, before[-1])
        told = tuple(truth_of(state.facts, evaluate(state, known)) for known in self.tested.conditions[block])
        signature = (*locks, told)
        if signature in self.entries[block]:
            return signature
        apart = sum(known[:-1] == locks for known in self.entries[block])
        return signature if apart < MAX_APART else (*locks, None)

    def _enqueue(self, block: int, signature: Signature) -> None:
        if (block, signature) not in self.queued:
            self.queued.add((block, signature))
            self._ticket += 1
            heappush(self.work, (block, self._ticket, signature))

    def _squeeze(self, block: int, state: State) -> None:
        """Merge one state too many into one that holds only what all of them hold."""
        self.give_up("too many lock situations at one point: only what they have in common is kept")
        common: Signature = ("common", None)
        known = self.entries[block].get(common)
        if known is None:
            self.entries[block][common] = state
            self._enqueue(block, common)
            return
        before = known.locks
        known.locks = _common(before, state.locks)
        if merge(known, state, (block,), True) or known.locks != before:
            self._enqueue(block, common)

    # -- inside a block -------------------------------------------------------------------------------------------

    def visit(self, block: int, signature: Signature, state: State) -> None:
        """Run the events of `block` and hand the states on."""
        recorder = self.recorder()
        states = self.events.run(block, state, recorder)
        key = (block, signature)
        self.recorders[key], self.leaves[key] = recorder, []
        self.alone = len(states) == 1
        for after in states:
            self._leave(key, after, self.ir.blocks[block].terminator)

    def _leave(self, key: tuple[int, Signature], state: State, terminator: Terminator) -> None:
        if isinstance(terminator, Branch):
            self._branch(key, state, evaluate(state, terminator.condition), terminator.true, terminator.false)
        elif isinstance(terminator, Jump):
            self.arrive(terminator.target, state, key)
        elif isinstance(terminator, Return):
            value = terminator.value
            leave = Leave(state, None if value is None else evaluate(state, value), terminator.at)
            self.leaves[key].append(leave)
            if self.promises:
                self.promises.check(leave, self.recorders[key])
        elif isinstance(terminator, Switch):
            self._switch(key, state, terminator)
        elif isinstance(terminator, Goto):
            for target in terminator.targets:
                self.arrive(target, state.fork(), key)

    def _branch(self, key: tuple[int, Signature], state: State, term: Term, true: int, false: int) -> None:
        if self.uses is not None:
            self.uses.branch(state, term, key[0])
        known = truth_of(state.facts, term)
        if known is not None:
            self.arrive(true if known else false, state, key)
            return
        other = state.fork()
        if conditions.assume(state.facts, term, True):
            self.arrive(true, state, key)
        if conditions.assume(other.facts, term, False):
            self.arrive(false, other, key)

    def _switch(self, key: tuple[int, Signature], state: State, terminator: Switch) -> None:
        term = evaluate(state, terminator.value)
        others: ranges.Range | None = conditions.range_of(state.facts, term)
        for case in terminator.cases:
            label = ((case.low, case.high),)
            taken = state.fork()
            if conditions.refine(taken.facts, term, label):
                self.arrive(case.target, taken, key)
            rest = ranges.complement(label)
            others = ranges.meet(others, rest) if others and rest else None
        if others and conditions.refine(state.facts, term, others):
            self.arrive(terminator.default, state, key)


def _common(one: dict[Term, Hold], other: dict[Term, Hold]) -> dict[Term, Hold]:
    """Return what is certain of locks in two states, and which of them are perhaps held."""
    common: dict[Term, Hold] = {}
    for key in dict.fromkeys(certain(known) for known in (*one, *other)):
        holds = [hold for hold in (one.get(key), other.get(key)) if hold is not None]
        doubts = [hold for hold in (one.get(perhaps(key)), other.get(perhaps(key))) if hold is not None]
        # a caller's lock that is held in another mode now is not what it was
        counts = [hold.times or -1 for hold in holds] + [0] * (2 - len(holds))
        if agree(counts):
            common[key] = min(holds, key=lambda hold: (hold.times, hold.mode))
        if doubts or not agree(counts):
            least = min((*holds, *doubts), key=lambda hold: (hold.times, hold.mode))
            times = max(-1, min(0, *counts, *(hold.times for hold in doubts)))
            common[perhaps(key)] = least._replace(times=times)
    return common
