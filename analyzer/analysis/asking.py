# SPDX-License-Identifier: GPL-2.0-only
"""What callees ask of their caller, and what they take.

In: a call of a summarised function in a state. Out: hits for the demands that the state does not meet, under the
callee's conditions; its acquisitions; answers to calls through pointers that it left to this caller.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from analyzer.analysis import conditions, ranges
from analyzer.analysis.acquisitions import Below
from analyzer.analysis.bits import decided, is_question
from analyzer.analysis.context import Scope, Target
from analyzer.analysis.deferred import MAX_NESTING, answered, is_callers_choice, pass_on, with_locks
from analyzer.analysis.evaluate import load
from analyzer.analysis.formula import Formula, asks_branches, at_entry, rebind, residue, where_made
from analyzer.analysis.freshness import is_new
from analyzer.analysis.in_use import told
from analyzer.analysis.places import Recorder
from analyzer.analysis.situation import Guards, guards, is_told, relies_on
from analyzer.analysis.state import State
from analyzer.analysis.summary import Passed
from analyzer.analysis.terms import TOLD, ZERO, Loader, Term, spell, substitute
from analyzer.ir.function import At
from analyzer.program.graph import spell_slot

#: why a way is in doubt that begins with an object being made: most of what is done to objects is not done to new ones
NEW_OBJECT = "the way begins with an object that is newly allocated; whether it can be taken with it is not known"


class Case(NamedTuple):
    """A state under some conditions."""

    state: State
    guards: Guards
    #: why the callee may not get there
    doubt: str


Cases = dict[Guards, Case | None]


class Asking:
    """Asks for the callees of one function."""

    def __init__(self, scope: Scope, recorder: Recorder) -> None:
        self.scope = scope
        self.recorder = recorder

    def ask(self, state: State, at: At, target: Target, arguments: tuple[Term, ...], doubt: str = "") -> None:
        """Ask of `state` what `target` demands, and note what it takes; `doubt` says why it may not be called."""

        def loader(obj: Term) -> Term:
            return load(state, obj)

        summary = self.scope.summary(target)
        cases: Cases = {}
        self._takes(state, at, target, arguments, loader, cases, doubt=doubt)
        new = bool(arguments) and is_new(arguments[0], state)
        doubt = doubt or (NEW_OBJECT if new else "")
        asked: Formula = True
        here: Formula = True
        rest: Formula = True
        by_branches = False
        for demand in summary.demands:
            deferred = isinstance(demand.formula, tuple) and demand.formula[0] == "calls"
            # demands of one formula stand together; what holds anyway holds under their conditions too
            if not deferred and demand.formula != asked:
                asked, here = demand.formula, rebind(demand.formula, arguments, loader)
                here = where_made(here) if new else here
                rest = residue(here, state)
                if rest is True:
                    self.recorder.inside(state, at, here)
                    here = True
                by_branches = asks_branches(here)
            if not deferred and here is True:
                continue
            case = self._case(state, demand.guards, arguments, loader, cases)
            if case is None:
                continue
            what = Passed(target.id or "", demand.id, at, target.via)
            if isinstance(demand.formula, tuple) and deferred:
                self._answer(case.state, at, demand.formula, what, arguments, 0)
            else:
                # under the callee's conditions, nothing but what branches tell differs, and few formulas ask for that
                differs = case.state is not state and (by_branches or any(term[0] == "w" for term, _ in demand.guards))
                left = residue(here, case.state) if differs else rest
                self.recorder.rest(case.state, what, here, left, doubt, case.guards)

    def _takes(
        self,
        state: State,
        at: At,
        target: Target,
        arguments: tuple[Term, ...],
        loader: Loader,
        cases: Cases,
        then: Callable[[str], Passed] | None = None,
        doubt: str = "",
    ) -> None:
        """Note what the callee takes; `then` makes the link to it, for a call that was left to this function."""
        found = []
        for one in self.scope.summary(target).takes:
            case = self._case(state, one.guards, arguments, loader, cases)
            if case is not None:
                link = then(one.id) if then else Passed(target.id or "", one.id, at, target.via)
                found.append(Below(one, link, case.guards if one.guards else None, doubt or case.doubt))
        self.recorder.log.callee(state, found, arguments, loader, at)
        links = {(below.one.what, below.one.key, below.one.mode): below.link for below in found}
        for nested in self.scope.summary(target).nested:
            if nested.is_open and (known := links.get((nested.what, nested.inner, nested.mode))) is not None:
                self.recorder.log.opened(state, nested, known, arguments, loader)

    def _case(
        self, state: State, under: Guards, arguments: tuple[Term, ...], loader: Loader, cases: Cases
    ) -> Case | None:
        """Return `state` under conditions of the callee, looked at once for all that it asks under them."""
        if under not in cases:
            narrowed = self._assuming(state, under, arguments, loader)
            cases[under] = None if narrowed is None else Case(narrowed, guards(narrowed), self._doubt(state, narrowed))
        return cases[under]

    def _assuming(self, state: State, under: Guards, arguments: tuple[Term, ...], loader: Loader) -> State | None:
        """Return `state` under conditions of the callee; None if it cannot meet them."""
        if not under:
            return state
        news = told(under, self.scope.own_use)
        if not news:
            return state if news is not None else None
        narrowed = state.narrowed()
        for term, known in news:
            here = decided(substitute(term, arguments, loader), self.scope.context.constants)
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
            if conditions.range_of(state.facts, term) == known:
                continue
            if term[0] == "w" and known == ranges.NULL:
                name = spell(term, self.scope.parameter_names())
                return f"only if {name} is 0 then: whether a last reference can be dropped there is not known"
            if is_question(term):
                return self.recorder.log.undecided(term)
        return ""

    def _answer(
        self, state: State, at: At, call: tuple[Any, ...], what: Passed, arguments: tuple[Term, ...], nesting: int
    ) -> None:
        """Answer a callee's deferred call with the function that this caller put there, or pass it on."""

        def loader(obj: Term) -> Term:
            return load(state, obj)

        _, pointer, given, locks, site = call
        pointer = substitute(pointer, arguments, loader)
        given = tuple(substitute(argument, arguments, loader) for argument in given)
        if pointer == ZERO:
            return
        slot = tuple(site[3]) if site[3] else None
        if pointer[0] == "fn":
            targets: tuple[Target, ...] = (self.scope.named(pointer[1], spell_slot(slot)),)
        elif not self.scope.is_entry and is_callers_choice(pointer):
            over = partial(substitute, arguments=arguments, loader=loader)
            self.recorder.require(state, what, pass_on(self.scope, call, state, pointer, given, at, over))
            return
        else:
            targets = self.scope.through(site[0], slot)
        inside = with_locks(call, state, arguments, loader, at)
        for target in targets:
            if locks is not None:
                then = partial(answered, self.scope, what, target, site=site)
                self._takes(inside, at, target, given, loader, {}, then)
            for demand in self.scope.summary(target).demands:
                narrowed = self._assuming(inside, demand.guards, given, loader)
                if narrowed is None:
                    continue
                through = answered(self.scope, what, target, demand.id, site)
                if isinstance(demand.formula, tuple) and demand.formula[0] == "calls":
                    if nesting < MAX_NESTING:
                        self._answer(narrowed, at, demand.formula, through, given, nesting + 1)
                    continue
                formula = rebind(demand.formula, given, loader)
                self.recorder.require(narrowed, through, at_entry(formula) if locks is None else formula)
