# SPDX-License-Identifier: GPL-2.0-only
"""What callees ask of their caller, and what they take.

In: a call of a summarised function in a state. Out: hits for the demands that the state does not meet, under the
callee's conditions; its acquisitions; answers to calls through pointers that it left to this caller.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msgspec import Struct

from analyzer.analysis import conditions, ranges
from analyzer.analysis.acquisitions import Below
from analyzer.analysis.asked import Asked
from analyzer.analysis.bits import decided, is_question
from analyzer.analysis.context import Scope, Target
from analyzer.analysis.deferred import MAX_NESTING, answered, is_callers_choice, pass_on, with_locks
from analyzer.analysis.evaluate import load
from analyzer.analysis.formula import Formula, at_entry, atoms, rebind, residue, where_made
from analyzer.analysis.freshness import is_new
from analyzer.analysis.in_use import told
from analyzer.analysis.locksets import Setting
from analyzer.analysis.over import Loader, Over
from analyzer.analysis.places import Recorder
from analyzer.analysis.situation import Guards, guards, is_told, relies_on, setting
from analyzer.analysis.state import State
from analyzer.analysis.summary import Passed
from analyzer.analysis.terms import TOLD, ZERO, Term, spell
from analyzer.ir.function import At
from analyzer.program.callbacks import slot_of_row
from analyzer.program.flow import Slot
from analyzer.program.graph import spell_slot

#: why what is asked about an object is in doubt where it is being made: most of what is done to objects is not done to new ones
NEW_OBJECT = "the way begins with an object that is newly allocated; whether it can be taken with it is not known"


class Case(Struct, frozen=True):
    """A state under some conditions."""

    state: State
    guards: Guards
    #: why the callee may not get there
    doubt: str


class Cases:
    """The state at a call under the callee's conditions, looked at once for all that it asks under them."""

    def __init__(
        self,
        asking: Asking,
        state: State,
        conditions: tuple[Guards, ...],
        arguments: tuple[Term, ...],
        loader: Loader | None = None,
        locks: Setting | None = None,
    ) -> None:
        self.state = state
        self.arguments = arguments
        #: rewrites the callee's terms
        self.over = Over(arguments, loader or partial(load, state))
        #: which conditions do not change
        self.locks = setting(state, asking.recorder.parameters) if locks is None else locks
        self._asking = asking
        self._conditions = conditions
        self._known: dict[int, Case | None] = {}

    def under(self, number: int) -> Case | None:
        """Return the state under one of the conditions; None if it cannot meet them."""
        if number not in self._known:
            self._known[number] = self._asking.narrow(self.state, self._conditions[number], self.over)
        return self._known[number]


class Asking:
    """Asks for the callees of one function."""

    def __init__(self, scope: Scope, recorder: Recorder) -> None:
        self.scope = scope
        self.recorder = recorder

    def ask(
        self,
        state: State,
        at: At,
        target: Target,
        arguments: tuple[Term, ...],
        doubt: str = "",
        locks: Setting | None = None,
    ) -> None:
        """Ask of `state` what `target` demands, and note what it takes.

        `doubt` says why it may not be called, `locks` are those of `state` if they are known already.
        """
        summary = self.scope.summary(target)
        if not (summary.demands or summary.takes or summary.nested):
            return
        cases = Cases(self, state, summary.asks.conditions, arguments, locks=locks)
        self._takes(cases, at, target, doubt=doubt)
        new = bool(arguments) and is_new(arguments[0], state)
        for asked in summary.asks.demands:
            if asked.is_call:
                self._ask_call(cases, at, target, asked)
            elif self.recorder.asks:
                self._ask_formula(cases, at, target, asked, doubt, new=new)

    def _ask_call(self, cases: Cases, at: At, target: Target, asked: Asked) -> None:
        for one in asked.ones:
            case = cases.under(one.case)
            if case is not None:
                what = Passed(target.id or "", one.id, at, target.via)
                self._answer(case.state, at, asked.formula, what, cases.arguments, 0)

    def _ask_formula(self, cases: Cases, at: At, target: Target, asked: Asked, doubt: str, *, new: bool) -> None:
        here = rebind(asked.formula, cases.over)
        if new:
            here = where_made(here)
            if asked.is_section or _is_about(here, cases.arguments[0]):
                doubt = doubt or NEW_OBJECT
        state = cases.state
        rest = residue(here, state)
        if rest is True:
            # what holds anyway holds under the callee's conditions too
            if asked.is_section:
                self.recorder.inside(state, at, here)
            return
        for one in asked.ones:
            case = cases.under(one.case)
            if case is None:
                continue
            # under the callee's conditions, nothing but what branches tell differs, and few formulas ask for that
            differs = (asked.by_branches or one.by_count) and case.state is not state
            left = residue(here, case.state) if differs else rest
            what = Passed(target.id or "", one.id, at, target.via)
            self.recorder.rest(case.state, what, here, left, doubt, case.guards, cases.locks)

    def _takes(
        self, cases: Cases, at: At, target: Target, then: Callable[[str], Passed] | None = None, doubt: str = ""
    ) -> None:
        """Note what the callee takes; `then` makes the link to it, for a call that was left to this function."""
        summary = self.scope.summary(target)
        found = []
        for take in summary.asks.takes:
            case = cases.under(take.case)
            if case is not None:
                one = take.one
                link = then(one.id) if then else Passed(target.id or "", one.id, at, target.via)
                found.append(Below(take, link, case.guards if one.guards else None, doubt or case.doubt))
        self.recorder.log.callee(cases.state, found, cases.over, at)
        opened = [nested for nested in summary.nested if nested.is_open]
        links = {(one.take.one.what, one.take.one.key, one.take.one.mode): one.link for one in found} if opened else {}
        for nested in opened:
            if (known := links.get((nested.what, nested.inner, nested.mode))) is not None:
                self.recorder.log.opened(cases.state, nested, known, cases.over)

    def narrow(self, state: State, under: Guards, over: Over) -> Case | None:
        """Return `state` under conditions of a callee; None if it cannot meet them."""
        narrowed = self._assuming(state, under, over)
        return None if narrowed is None else Case(narrowed, guards(narrowed), self._doubt(state, narrowed))

    def _assuming(self, state: State, under: Guards, over: Over) -> State | None:
        """Return `state` under conditions of the callee; None if it cannot meet them."""
        if not under:
            return state
        news = told(under, self.scope.own_use)
        if not news:
            return state if news is not None else None
        narrowed = state.narrowed()
        for term, known in news:
            here = decided(over(term), self.scope.context.constants)
            if not conditions.refine(narrowed.facts, here, known):
                return None
            if known == ranges.NULL and (relies_on(state, here) or self._is_told(state, here)):
                return None
        return narrowed

    def _is_told(self, state: State, term: Term) -> bool:
        """Tell whether the function that `term` is about would tell of a lock that is held."""
        return term[0] == TOLD and is_told(state, self.scope.context.spec.primitives[term[1]])

    def _doubt(self, state: State, narrowed: State) -> str:
        """Say why a callee may not get somewhere: flags that nothing here tells, a counter that may not be so low."""
        for term, known in narrowed.facts.items() if narrowed is not state else ():
            if state.facts.get(term) == known or conditions.range_of(state.facts, term) == known:
                continue
            if term[0] == "w" and known == ranges.NULL:
                name = spell(term, self.scope.parameter_names())
                return f"only if {name} is 0 then: whether a last reference can be dropped there is not known"
            if is_question(term) and _is_passed(term[2]):
                return self.recorder.log.undecided(term)
        return ""

    def _answer(
        self, state: State, at: At, call: Formula, what: Passed, arguments: tuple[Term, ...], nesting: int
    ) -> None:
        """Answer a callee's deferred call with the function that this caller put there, or pass it on."""
        assert isinstance(call, tuple)
        over = Over(arguments, partial(load, state))
        _, pointer, given, locks, site = call
        pointer = over(pointer)
        given = tuple(map(over, given))
        if pointer == ZERO:
            return
        slot = tuple(site[3]) if site[3] else None
        if pointer[0] == "fn":
            targets: tuple[Target, ...] = (self.scope.named(pointer[1], spell_slot(slot)),)
        elif not self.scope.is_entry and is_callers_choice(pointer):
            self.recorder.require(state, what, pass_on(self.scope, call, state, pointer, given, at, over))
            return
        else:
            targets = self.scope.through(site[0], slot)
        inside = with_locks(call, state, over, at)
        for target in targets:
            cases = Cases(self, inside, self.scope.summary(target).asks.conditions, given, partial(load, state))
            if locks is not None:
                self._takes(cases, at, target, partial(answered, self.scope, what, target, site=site))
            for asked in self.scope.summary(target).asks.demands:
                if not (asked.is_call or self.recorder.asks):
                    continue
                left = asked.formula if asked.is_call else rebind(asked.formula, cases.over)
                if locks is None and not asked.is_call:
                    left = self._elsewhere(left, slot)
                for one in asked.ones:
                    case = cases.under(one.case)
                    if case is None:
                        continue
                    through = answered(self.scope, what, target, one.id, site)
                    if not asked.is_call:
                        self.recorder.require(case.state, through, left)
                    elif nesting < MAX_NESTING:
                        self._answer(case.state, at, left, through, given, nesting + 1)

    def _elsewhere(self, formula: Formula, slot: Slot | None) -> Formula:
        """Return what is left of `formula` in a function that is called later or elsewhere, in a context of its own."""
        rows = (row for row in self.scope.context.graph.callbacks.rows if slot_of_row(row) == slot)
        row = next(rows, None)
        return at_entry(formula, () if row is None else ((row.context, "write"),))


def _is_passed(value: Term) -> bool:
    """Tell whether `value` is made of what callers choose: what is read from memory may be one or the other, as the text says."""
    return value[0] == "P" or (value[0] in ("op", "un") and any(map(_is_passed, value[2:])))


def _is_about(formula: Formula, pointer: Term) -> bool:
    """Tell whether `formula` asks about the object at `pointer` itself, or about one of which is not known where it is."""
    return any(_leads_to(atom, pointer) for atom in atoms(formula))


def _leads_to(term: Term, pointer: Term) -> bool:
    """Tell whether `term` is about what `pointer` points to: not where a pointer that is kept there leads."""
    if term == pointer or term[:1] == ("?",):
        return True
    return term[:1] != ("ld",) and any(isinstance(part, tuple) and _leads_to(part, pointer) for part in term)
