# SPDX-License-Identifier: GPL-2.0-only
"""Calls: what a call event does to a state, by primitive or by summary.

In: a state and a Call event. Out: the states after it, one for each outcome that differs in locks.
"""

from analyzer.analysis import conditions, ranges
from analyzer.analysis.asking import Asking
from analyzer.analysis.context import Scope, Target
from analyzer.analysis.deferred import (
    demand_call,
    may_defer,
    undecided_call,
)
from analyzer.analysis.effects import apply_effect, apply_primitive, change, lock_of, value_found
from analyzer.analysis.evaluate import cell, evaluate, load, store
from analyzer.analysis.formula import where_made
from analyzer.analysis.freshness import hand_out, is_new, publish
from analyzer.analysis.in_use import running
from analyzer.analysis.over import Loader, substitute
from analyzer.analysis.places import Recorder
from analyzer.analysis.rewrites import after
from analyzer.analysis.sequence import take
from analyzer.analysis.situation import is_told
from analyzer.analysis.state import FRESH, Hold, State
from analyzer.analysis.summary import Outcome, Own, Passed
from analyzer.analysis.terms import MAX_DEPTH, OPEN, TOLD, Term, container_of_element, contains, element, pointee, size
from analyzer.analysis.watch import bind_call
from analyzer.ir.function import At, Call
from analyzer.ir.types import CType, Function, Pointer
from analyzer.ir.values import FunctionAddress
from analyzer.program.arguments import STORED
from analyzer.program.flow import READ, WRITE, callee_slot
from analyzer.program.graph import spell_slot
from analyzer.spec.effect import Effect, LockAbstract, LockArgument, LockSource, Primitive


class Caller:
    """Applies the calls of one function."""

    def __init__(self, scope: Scope, recorder: Recorder) -> None:
        self.scope = scope
        self.recorder = recorder
        self.asking = Asking(scope, recorder)
        #: block and event of the call at hand
        self.place = (0, 0)

    def apply(self, state: State, event: Call, place: tuple[int, int]) -> list[State]:
        """Return the states after `event`, the `place[1]`-th event of block `place[0]`."""
        self.place = place
        arguments = tuple(evaluate(state, argument) for argument in event.arguments)
        result: Term = ("r", *place)
        targets = self.scope.targets(event.callee)
        doubt = ""
        if not isinstance(event.callee, FunctionAddress):
            pointer = evaluate(state, event.callee)
            if pointer[0] == "fn":
                targets = (self.scope.named(pointer[1], targets[0].via if targets else "a local"),)
            elif may_defer(self.scope, pointer, targets):
                return [self._defer(state, event, pointer, targets, arguments, result)]
            else:
                doubt = undecided_call(self.scope, pointer, targets)
        self._watch(state, event, arguments, targets)
        primitive = self.scope.primitive(targets[0].name) if len(targets) == 1 else None
        if primitive is not None:
            self._touch_by_primitive(state, event, primitive, arguments)
        else:
            for target in targets or (Target(None, "", "a pointer"),):
                self._touch(state, event, target, arguments)
        if len(targets) == 1 and targets[0].name in self.recorder.watches.readers and arguments:
            return [self._finish(state, event, ("w", targets[0].name, pointee(arguments[0])), arguments, None)]
        if primitive is not None:
            result = value_found(primitive, arguments, result)
            self._log_primitive(state, primitive, arguments, event.at)
            states = apply_primitive(state, primitive, arguments, result, event.at, self.scope.context.lock_types)
            return [self._finish(after, event, result, arguments, None) for after in states]
        return self._by_summaries(state, event, targets, arguments, result, doubt)

    # -- what rules see -------------------------------------------------------------------------------------------

    def _watch(self, state: State, event: Call, arguments: tuple[Term, ...], targets: tuple[Target, ...]) -> None:
        for target in targets:
            for watch in self.recorder.watches.calls.get(target.name, ()):
                what = Own(watch.rule, watch.object, "call", event.at)
                formula = bind_call(watch, arguments, event.signature)
                new = bool(arguments) and is_new(arguments[0], state)
                self.recorder.require(state, what, where_made(formula) if new else formula)

    def _touch_by_primitive(self, state: State, event: Call, primitive: Primitive, arguments: tuple[Term, ...]) -> None:
        for effect in primitive.effects:
            if effect.kind == "access" and isinstance(effect.lock, LockArgument) and effect.lock.index < len(arguments):
                obj = pointee(arguments[effect.lock.index])
                inside = self._while(state, effect, arguments, event.at)
                for mode in ("read", "write") if effect.access == "any" else (effect.access,):
                    self.recorder.access(inside, obj, mode, event.at, into=primitive.name)
                if effect.access != "read":
                    self._overwrite(state, obj, ("?", self.place[0], (self.place, effect.lock.index)))
                for kept in effect.keeps:
                    if kept < len(arguments):
                        publish(state, obj, arguments[kept])

    def _while(self, state: State, effect: Effect, arguments: tuple[Term, ...], at: At) -> State:
        """Return `state` with the lock held that the call holds while it accesses its object."""
        if effect.inside is None:
            return state
        inside = state.fork()
        held = Effect("acquire", effect.inside, "read", True)
        apply_effect(inside, held, arguments, ("?", -1, "held"), at, self.scope.context.lock_types)
        return inside

    def _log_primitive(self, state: State, primitive: Primitive, arguments: tuple[Term, ...], at: At) -> None:
        self.recorder.log.primitive(state, primitive, arguments, at)
        taken: list[LockSource | None] = []
        for effect in primitive.effects:
            if effect.kind == "acquire":
                taken.append(effect.lock)
            if effect.kind == "release" and effect.lock not in taken and effect.sets is None:
                key = lock_of(effect, arguments, self.scope.context.lock_types)
                self.recorder.drops(state, key, Hold(1, effect.mode, effect.recursive, at))

    def _log_row(self, state: State, target: Target, arguments: tuple[Term, ...], at: At) -> None:
        """Note what the row of a target says beside what its body shows: that it may sleep."""
        row = self.scope.context.spec.primitives.get(target.name)
        if row is not None:
            self.recorder.log.primitive(state, row, arguments, at)

    def _touch(self, state: State, event: Call, target: Target, arguments: tuple[Term, ...]) -> None:
        """Record what the call does to the objects that its arguments point into."""
        conduct = self.scope.conduct(target)
        for index, argument in enumerate(arguments):
            if argument[0] != "ad":
                continue
            if conduct is not None:
                bits, doubt = conduct.touches.get(index, 0), ""
            else:
                bits = READ if _points_to_const(event.signature, index) else READ | WRITE
                doubt = f"its address is passed to {target.name or 'an unknown function'}(), which is not analysed"
            if bits & READ:
                self.recorder.access(state, argument[1], "read", event.at, doubt, target.name)
            if bits & WRITE:
                self.recorder.access(state, argument[1], "write", event.at, doubt, target.name)

    def _defer(
        self,
        state: State,
        event: Call,
        pointer: Term,
        targets: tuple[Target, ...],
        arguments: tuple[Term, ...],
        result: Term,
    ) -> State:
        """Leave a call through a pointer to the callers; it may change what any of its targets may."""
        slot = callee_slot(event.callee, self.scope.facts.ir.name)
        demand = demand_call(self.scope, state, pointer, arguments, event.at, slot)
        what = Passed("", "", event.at, spell_slot(slot))
        self.recorder.require(state, what, demand)
        for target in targets:
            self._log_row(state, target, arguments, event.at)
            if target.id is not None:
                self.recorder.call(state, event.at, target.id)
            self._touch(state, event, target, arguments)
            state = self._finish(state, event, result, arguments, target)
        return state

    # -- what changes ---------------------------------------------------------------------------------------------

    def _by_summaries(
        self,
        state: State,
        event: Call,
        targets: tuple[Target, ...],
        arguments: tuple[Term, ...],
        result: Term,
        doubt: str,
    ) -> list[State]:
        """Return the states after a call of one of `targets`; `doubt` says why it may be another one of them."""
        states: list[State] = []
        if len(targets) == 1:
            result = self._told(state, targets[0]) or self._computed(targets[0], arguments) or result
        for target, inside in self._inside(state, targets):
            summary = self.scope.summary(target)
            self._log_row(inside, target, arguments, event.at)
            if self.scope.primitive(target.name) is None:
                called = target.id is not None or summary.demands
                locks = self.recorder.call(inside, event.at, target.id or target.name) if called else None
                self.asking.ask(inside, event.at, target, arguments, doubt, locks)
            for number, outcome in enumerate(summary.outcomes, 1):
                last = number == len(summary.outcomes) and (inside is not state or target is targets[-1])
                after = inside if last else inside.fork()
                names = self._named(after, outcome, arguments, result)
                returned = self._outcome(after, target, outcome, names, event)
                if returned is not None:
                    stores = [(names(obj), names(value)) for obj, value in outcome.stores]
                    self._finish(after, event, returned, arguments, target)
                    for obj, value in stores:
                        store(after, obj, value, self.place)
                    states.append(after)
        if not targets:
            states.append(self._finish(state, event, result, arguments, Target(None, "", "")))
        return states

    def _inside(self, state: State, targets: tuple[Target, ...]) -> list[tuple[Target, State]]:
        """Return those of `targets` that `state` can come to, each with the state as it gets there."""
        if len(targets) <= 1:
            return [(target, state) for target in targets]
        own = self.scope.own_use
        found = [(target, running(state, self.scope.runs_under(target), own)) for target in targets]
        possible = [(target, inside) for target, inside in found if inside is not None]
        return possible or [(target, state) for target in targets]

    def _told(self, state: State, target: Target) -> Term | None:
        """Return the value of a function that tells of locks without an object; None for any other.

        Where a lock of the caller was dropped before, callers cannot say what it told.
        """
        row = self.scope.context.spec.primitives.get(target.name)
        if row is None or not any(e.kind == "tell" and isinstance(e.lock, LockAbstract) for e in row.effects):
            return None
        if any(hold.times <= 0 for hold in state.locks.values()):
            return None
        term: Term = (TOLD, target.name)
        state.facts.pop(term, None)
        if is_told(state, row):
            conditions.refine(state.facts, term, ranges.NONZERO)
        return term

    def _computed(self, target: Target, arguments: tuple[Term, ...]) -> Term | None:
        """Return the term of a value that calling `target` again with the same arguments would give again."""
        conduct = self.scope.conduct(target)
        if conduct is None or not conduct.pure or sum(map(size, arguments)) > MAX_DEPTH:
            return None
        return ("pc", target.id, *arguments)

    def _named(self, state: State, outcome: Outcome, arguments: tuple[Term, ...], result: Term) -> Loader:
        """Return what rewrites the callee's terms: over the arguments, and over what the callee made."""
        returned = result

        def loader(obj: Term) -> Term:
            if obj[0] != "ret":
                return load(state, obj)
            return ("r", self.place[0], (self.place, obj[1])) if obj[1] else returned

        def over(term: Term) -> Term:
            return substitute(term, arguments, loader)

        if outcome.value is not None and result[0] != TOLD:
            returned = over(outcome.value)
            found_in = container_of_element(returned)
            if found_in is not None and returned == element(found_in, OPEN):
                returned = element(found_in, result)
            elif returned[0] == "in" and returned[2] == OPEN:
                returned = ("in", returned[1], result)
        return over

    def _outcome(self, state: State, target: Target, outcome: Outcome, over: Loader, event: Call) -> Term | None:
        """Apply one way to return to `state`; return the value returned, None if this state rules it out."""
        for term, known in outcome.guards:
            if not conditions.refine(state.facts, over(term), known):
                return None
        key = self.scope.context.lock_types.key
        changes = [(key(over(made.key)), made) for made in outcome.changes]
        for term, known in [(over(t), k) for t, k in outcome.establishes]:
            conditions.refine(state.facts, term, known)
        returned = over(("ret", 0))
        if returned[0] not in ("agg", "?") and not conditions.refine(state.facts, returned, outcome.returns):
            return None
        if outcome.fresh:
            state.fresh[returned] = FRESH
        take(state, outcome.marks, over, event.at)
        for lock, how in outcome.assumes:
            state.assumed[over(lock)] = how
        for lock, made in changes:
            origin = (target.id, made.key) if target.id else None
            hold = Hold(made.count, made.mode, made.recursive, event.at, made.atomic, origin)
            if made.count < 0:
                self.recorder.drops(state, lock, hold._replace(times=-made.count))
            change(state, lock, hold)
        return returned

    def _finish(
        self,
        state: State,
        event: Call,
        result: Term,
        arguments: tuple[Term, ...],
        target: Target | None,
    ) -> State:
        """Store the result, forget what the call may have changed, publish what it may have published."""
        conduct = self.scope.conduct(target) if target is not None else None
        if target is not None:
            self._forget(state, target, arguments)
            self._escape(state, arguments, conduct.escapes if conduct else None)
        if event.result is not None:
            state.env[event.result.name] = result
        return state

    def _forget(self, state: State, target: Target, arguments: tuple[Term, ...]) -> None:
        conduct = self.scope.conduct(target)
        for index, argument in enumerate(arguments):
            if argument[0] == "ad" and (conduct is None or conduct.touches.get(index, 0) & WRITE):
                self._overwrite(state, argument[1], ("?", self.place[0], (self.place, index)))
        writes = self.scope.context.conducts.behind(target.name) if conduct is None else conduct.writes
        if not writes:
            return
        bit = self.scope.context.conducts.bit
        # what is read from now on is not what callers passed, whether it was read before or not
        renewed = self.scope.rewritten(writes)
        self.scope.forget_written(state, writes, renewed if self.scope.leaves_out else 0)
        state.rewrites = after(state.rewrites, renewed, self.place) if renewed else state.rewrites
        for group in [group for group in state.epochs if bit(group) & renewed]:
            del state.epochs[group]
        for obj in [o for o in state.memory if bit(cell(o)) & writes and not contains(o, _is_local)]:
            store(state, obj, ("?", self.place[0], (self.place, obj)), self.place)

    def _overwrite(self, state: State, obj: Term, unknown: Term) -> None:
        """Forget the contents of a local that the callee may write."""
        inner = obj
        while inner[0] in ("F", "I"):
            inner = inner[1]
        if inner[0] != "L":
            return
        state.forget_object(obj)
        if obj[0] == "L":
            state.env[obj[1]] = unknown
        else:
            state.memory[obj] = unknown

    def _escape(self, state: State, arguments: tuple[Term, ...], escapes: dict[int, int] | None) -> None:
        """Note who can reach the objects that the arguments point to after the call."""
        for index, argument in enumerate(arguments):
            if escapes is None:
                hand_out(state, argument)
            elif escapes.get(index) == STORED:
                publish(state, ELSEWHERE, argument)
            elif escapes.get(index):
                hand_out(state, argument)


#: memory that anybody can reach
ELSEWHERE: Term = ("G", "")


def _is_local(term: Term) -> bool:
    return bool(term[0] == "L")


def _points_to_const(signature: CType, index: int) -> bool:
    if not isinstance(signature, Function) or index >= len(signature.parameters):
        return False
    ctype = signature.parameters[index]
    return isinstance(ctype, Pointer) and ctype.const
