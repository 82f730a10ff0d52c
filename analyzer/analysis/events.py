# SPDX-License-Identifier: GPL-2.0-only
"""Events of one function: what each does to a state, and what rules see of it.

In: a state and the events of a block. Out: the states after them; hits in a `Recorder`.
"""

from collections.abc import Callable
from functools import reduce

from analyzer.analysis.bare import Bare
from analyzer.analysis.calls import Caller
from analyzer.analysis.claims import Claims
from analyzer.analysis.context import Scope
from analyzer.analysis.evaluate import cell, evaluate, locate, store
from analyzer.analysis.freshness import publish
from analyzer.analysis.lent import Lent
from analyzer.analysis.places import Recorder
from analyzer.analysis.sequence import called, made, written
from analyzer.analysis.state import Signature, State, merge
from analyzer.analysis.terms import Term, member
from analyzer.analysis.uses import Uses
from analyzer.ir.function import Call, Claim, Event, Read, Store
from analyzer.ir.values import Local, Parameter
from analyzer.program.flow import cell_of

#: more states than this inside a block are kept apart no longer if they hold the same locks
MAX_STATES = 8
#: what callees ask for and take, from which on it is remembered between rounds
WORTH = 6


class Events:
    """Runs the events of one function."""

    def __init__(self, scope: Scope, uses: Uses | None, recorder: Callable[[], Recorder]) -> None:
        """Run events in `scope`; `uses` looks for values that are used later than they hold."""
        self._recorder = recorder
        self._scope = scope
        self._ir = scope.facts.ir
        self._uses = uses
        self._lent = Lent(scope) if scope.context.watches.sections and scope.watched else None
        self._bare = Bare(scope) if scope.context.watches.bare else None
        #: accesses that are only read say nothing here
        self._quiet = uses is None and self._lent is None and not scope.watched and not self._bare

    def run(self, block: int, state: State, recorder: Recorder) -> list[State]:
        """Return the states after the events of `block`."""
        if not self._ir.blocks[block].events:
            return [state]
        caller = Caller(self._scope, recorder)
        states = [state]
        for index, event in enumerate(self._ir.blocks[block].events):
            if self._quiet and type(event) is Read:
                continue
            place = (block, index)
            run = self._call_again if isinstance(event, Call) and self._is_worth(event) else self.event
            if len(states) == 1:
                states = run(states[0], event, place, caller)
            else:
                states = [after for before in states for after in run(before, event, place, caller)]
            if len(states) > MAX_STATES:
                states = self._merged(states, place)
        return states

    def _merged(self, states: list[State], place: tuple[int, int]) -> list[State]:
        """Return the states after an event, those with the same locks as one: each call could double their number."""
        found: dict[Signature, State] = {}
        for state in states:
            known = found.setdefault(state.signature(self._scope.context.telling), state)
            if known is not state:
                merge(known, state, place, widening=False)
        return list(found.values())

    def _is_worth(self, call: Call) -> bool:
        """Tell whether to remember what a call did: rounds come again, and it asks for more than that costs."""
        if self._scope.rounds is None:
            return False
        targets = self._scope.targets(call.callee)
        return sum(self._scope.summary(target).n_asked for target in targets) >= WORTH

    def _call_again(self, state: State, event: Event, place: tuple[int, int], caller: Caller) -> list[State]:
        """Return the states after a call, which may have been looked at in an earlier round."""
        assert self._scope.rounds is not None
        recorder = self._recorder()
        found, states = self._scope.rounds.run(
            place, state, recorder, lambda before: self.event(before, event, place, Caller(self._scope, recorder))
        )
        caller.recorder.absorb(found)
        return states

    def event(self, state: State, event: Event, place: tuple[int, int], caller: Caller) -> list[State]:
        """Return the states after `event`, the `place[1]`-th event of block `place[0]`."""
        if self._uses is not None:
            self._uses.event(state, event, caller.recorder)
        if self._lent is not None:
            self._lent.event(state, event, caller.recorder)
        if isinstance(event, Call):
            if self._scope.context.watches.claims:
                Claims(self._scope, caller.recorder).called(state, event)
            if self._scope.context.watches.sequences:
                return self._ordered_call(state, event, place, caller)
            return caller.apply(state, event, place)
        if isinstance(event, Store):
            self._store(state, event, place, caller.recorder)
        elif isinstance(event, Read):
            if self._scope.watched:
                caller.recorder.access(state, locate(state, event.path), "read", event.at)
            if self._bare:
                self._bare.event(state, event, place, caller.recorder)
        elif isinstance(event, Claim):
            Claims(self._scope, caller.recorder).claim(state, event, place)
        return [state]

    def _ordered_call(self, state: State, event: Call, place: tuple[int, int], caller: Caller) -> list[State]:
        """Apply a call, and note what came before and after it."""
        watches, types = self._scope.context.watches, self._scope.context.lock_types
        names = [target.name for target in self._scope.targets(event.callee) if target.name in watches.ordering]
        arguments = tuple(evaluate(state, argument) for argument in event.arguments) if names else ()
        states = caller.apply(state, event, place)
        for after in states:
            if watches.staling and (after.fresh or after.marks):
                made(after, watches.staling, ("r", *place) if event.result is None else after.env[event.result.name])
            for sequence in watches.sequences if names else ():
                for name in names:
                    called(after, sequence, name, arguments, event.signature, types)
        return states

    def _make_stale(self, state: State, obj: Term) -> None:
        """Note a write to a member, or to a part of one, that makes stale what came before."""
        inner = obj
        while inner[0] in ("F", "I", "G"):
            for sequence in self._scope.context.watches.sequences:
                if cell(inner) in sequence.stale_cells:
                    written(state, sequence, inner)
            if inner[0] == "G":
                return
            inner = inner[1]

    def _store(self, state: State, event: Store, place: tuple[int, int], recorder: Recorder) -> None:
        value = evaluate(state, event.value)
        obj = locate(state, event.path)
        if value[0] == "?":
            value = ("?", *place)
        if isinstance(event.path.root, (Local, Parameter)) and obj[0] == "L":
            store(state, obj, value, place)
            return
        if self._scope.watched:
            recorder.access(state, obj, "write", event.at)
            for chain in self._scope.context.watches.holders.get(cell_of(event.path, self._ir), ()):
                recorder.access(state, reduce(lambda inner, cell: member(inner, *cell), chain, obj), "write", event.at)
        if self._scope.context.watches.stale_cells:
            self._make_stale(state, obj)
        publish(state, obj, value)
        self._scope.forget_written(state, self._scope.context.conducts.bit(cell(obj)))
        store(state, obj, value, place)
