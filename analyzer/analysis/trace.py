# SPDX-License-Identifier: GPL-2.0-only
"""How a function gets to a place: its locks and the branches on the way, in the order of execution.

In: a function and the cause that a trail names in it. Out: locks taken and dropped, and what was assumed at branches that
decide about locks or about getting there.

The function is analysed again, with a note for each state of where it came from. So nothing of this is kept in summaries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from analyzer.analysis.calls import Caller
from analyzer.analysis.context import Context, Scope
from analyzer.analysis.function import START, FunctionAnalysis, settled
from analyzer.analysis.locks import is_context, lock_class
from analyzer.analysis.locksets import DroppedAt, HeldAt, Setting
from analyzer.analysis.places import Recorder
from analyzer.analysis.regions import Regions
from analyzer.analysis.situation import setting
from analyzer.analysis.spelling import assumption, spell_value
from analyzer.analysis.state import Hold, Signature, State
from analyzer.analysis.summary import Cause, Own
from analyzer.analysis.terms import Term, spell
from analyzer.facts.unit import FunctionFacts
from analyzer.ir.function import At, Branch, Call, Event, Store, Switch
from analyzer.ir.values import FunctionAddress, Local, Value

Key = tuple[int, Signature]


class Assumed(NamedTuple):
    """A branch on the way, and what holds because of the way it went."""

    at: At
    text: str


Moment = HeldAt | DroppedAt | Assumed


class Traced(FunctionAnalysis):
    """An analysis that remembers where each state came from."""

    #: every state is looked for again
    passes = False
    #: where a state at the entry of a block came from first
    parents: dict[Key, Key]
    #: while one block is run again: where its states go, and nothing else changes
    arrivals: list[Key] | None = None

    def arrive(self, block: int, state: State, source: Key) -> None:
        """Let `state` enter `block`, and note where it came from."""
        if source == START:
            self.parents = {}
        if self.arrivals is not None:
            self.arrivals.append((block, self.enter(block, state, source)))
            return
        super().arrive(block, state, source)

    def enter(self, block: int, state: State, source: Key) -> Signature:
        """Return the signature that `state` has at `block`, and note where it came from."""
        signature = super().enter(block, state, source)
        if self.arrivals is None:
            self.parents.setdefault((block, signature), source)
            self.parents.setdefault((block, ("common", None)), source)
        return signature

    def way(self, end: Key) -> list[Key]:
        """Return the states on a way from the entry to `end`."""
        way = [end]
        while way[-1] in self.parents and self.parents[way[-1]] != START and len(way) <= len(self.parents):
            way.append(self.parents[way[-1]])
        return way[::-1]

    def goes_on(self, state: State, key: Key, to: Key) -> bool:
        """Tell whether `state`, at the end of the block of `key`, goes on to `to`."""
        self.arrivals = []
        self._leave(key, state.fork(), self.ir.blocks[key[0]].terminator)
        found, self.arrivals = to in self.arrivals, None
        return found


class Tracer:
    """Tells ways inside functions; analyses each function once."""

    def __init__(self, context: Context, facts_of: Callable[[str], FunctionFacts]) -> None:
        self._context = context
        self._facts_of = facts_of
        self._known: dict[str, _Function] = {}

    def moments(self, ident: str, cause: Cause) -> list[Moment] | None:
        """Return what happens on the way to the place of `cause`; None if no way there is found."""
        known = self._known.get(ident)
        if known is None:
            known = self._known[ident] = _Function(Scope(self._context, ident, self._facts_of(ident)))
        return known.moments(cause)


class _Function:
    """One function whose ways are told."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.traced, _ = settled(scope, Traced)
        self.blocks = scope.facts.ir.blocks
        self.regions = Regions(scope.facts.ir)
        self.turning = frozenset(
            number for number, block in enumerate(self.blocks) if any(self._turns(event) for event in block.events)
        )

    def _turns(self, event: Event) -> bool:
        """Tell whether `event` changes locks, or what else states are told apart by."""
        if not isinstance(event, Call):
            return False
        for target in self.scope.targets(event.callee):
            primitive = self.scope.primitive(target.name)
            if primitive is not None and any(effect.kind in ("acquire", "release") for effect in primitive.effects):
                return True
            if any(outcome.changes or outcome.marks for outcome in self.scope.summary(target).outcomes):
                return True
        return False

    def moments(self, cause: Cause) -> list[Moment] | None:
        ends = sorted(self._ends(cause), key=lambda end: (end[0], end[1][0], repr(end[1][1])))
        if not ends:
            return None
        way = self.traced.way(ends[0][1])
        if way[0][0] != 0:
            return None
        told: list[Moment] = []
        temporaries: dict[str, str] = {}
        mine = set(self._assumed_on(way))
        for number, key in enumerate(way):
            after = way[number + 1] if number + 1 < len(way) else None
            told += self._run(key, after, cause)
            self._name_temporaries(key[0], temporaries)
            if after is not None and number in mine:
                told += _assumed(self.blocks[key[0]].terminator, after[0], temporaries)
        return told

    # -- where a way ends -----------------------------------------------------------------------------------------

    def _ends(self, cause: Cause) -> Iterator[tuple[int, Key]]:
        """Yield the states in which the place is reached; the better they fit what is told, the less their number."""
        what = cause.what
        for key, recorder in self.traced.recorders.items():
            found = [hit.setting for hit in recorder.hits if hit.what == what and hit.rest is not True]
            yield from ((_distance(one, cause.setting), key) for one in found)
            if not found and self._is_place(key[0], what.at):
                calls = [call.setting for call in recorder.calls if call.at == what.at]
                states = [leave.state for leave in self.traced.leaves[key] if leave.at == what.at]
                settings = calls or [setting(state, self.scope.parameter_names()) for state in states]
                for one in settings or [self._at_entry(key)]:
                    yield _distance(one, cause.setting) + 4, key

    def _is_place(self, block: int, at: At) -> bool:
        events = (*self.blocks[block].events, self.blocks[block].terminator)
        return any(getattr(event, "at", None) == at for event in events)

    def _at_entry(self, key: Key) -> Setting:
        state = self.traced.entries[key[0]].get(key[1])
        return setting(state, self.scope.parameter_names()) if state is not None else Setting((), ())

    # -- what happens in a block ----------------------------------------------------------------------------------

    def _run(self, key: Key, after: Key | None, cause: Cause) -> list[Moment]:
        """Run the block of `key` again up to its end, or up to the place, and tell what happens to locks."""
        start = self.traced.entries[key[0]].get(key[1])
        if start is None:
            return []
        context, names = self.scope.context, self.scope.parameter_names()
        recorder = Recorder(context.watches, context.lock_types, context.constants, names, self.traced.ir.name)
        caller = Caller(self.scope, recorder)
        runs: list[tuple[State, list[Moment]]] = [(start.fork(), [])]
        for index, event in enumerate(self.blocks[key[0]].events):
            if after is None and self._is_end(event, cause):
                break
            runs = [
                (state, [*told, *_changed(before, state, event.at, names)])
                for earlier, told in runs
                for before in (dict(earlier.locks),)
                for state in self.traced.events.event(earlier, event, (key[0], index), caller)
            ]
        if after is not None:
            return next((told for state, told in runs if self.traced.goes_on(state, key, after)), runs[0][1])
        return min(runs, key=lambda run: _distance(setting(run[0], names), cause.setting))[1] if runs else []

    def _is_end(self, event: Event, cause: Cause) -> bool:
        is_call = not isinstance(cause.what, Own) or cause.what.access in ("call", "acquire", "release")
        return event.at == cause.what.at and (isinstance(event, Call) or not is_call)

    def _name_temporaries(self, block: int, temporaries: dict[str, str]) -> None:
        """Note what the events of `block` compute into temporaries."""
        for event in self.blocks[block].events:
            if isinstance(event, Call) and event.result is not None and event.result.name.startswith("%"):
                arguments = ", ".join(spell_value(argument, temporaries) for argument in event.arguments)
                temporaries[event.result.name] = f"{_callee(event.callee, temporaries)}({arguments})"
            elif isinstance(event, Store) and isinstance(event.path.root, Local) and not event.path.selectors:
                name = event.path.root.name
                temporaries.update({name: spell_value(event.value, temporaries)} if name.startswith("%") else {})

    # -- which branches matter ------------------------------------------------------------------------------------

    def _assumed_on(self, way: list[Key]) -> Iterator[int]:
        """Yield the positions on `way` where a branch decides about locks or about getting to its end."""
        goal = {way[-1][0]}
        chosen = set()
        for number, (block, _) in enumerate(way[:-1]):
            decided = self.regions.decided(block)
            if not decided.isdisjoint(self.turning | goal):
                chosen.add(number)
        tested = {_condition(self.blocks[way[number][0]].terminator) for number in chosen}
        for number, (block, _) in enumerate(way[:-1]):
            if number in chosen or _condition(self.blocks[block].terminator) in tested - {None}:
                yield number


def _condition(terminator: object) -> Value | None:
    return terminator.condition if isinstance(terminator, Branch) else None


def _callee(callee: Value, temporaries: dict[str, str]) -> str:
    return callee.name if isinstance(callee, FunctionAddress) else spell_value(callee, temporaries)


def _assumed(terminator: object, target: int, temporaries: dict[str, str]) -> Iterator[Assumed]:
    """Yield what is assumed where control goes on in block `target`."""
    if isinstance(terminator, Branch) and terminator.true != terminator.false:
        text = assumption(terminator.condition, target == terminator.true, temporaries)
        yield Assumed(terminator.at, f"assumes {text}")
    elif isinstance(terminator, Switch):
        value = spell_value(terminator.value, temporaries)
        cases = [case for case in terminator.cases if case.target == target]
        told = " or ".join(str(c.low) if c.low == c.high else f"{c.low} to {c.high}" for c in cases)
        others = ", ".join(str(c.low) if c.low == c.high else f"{c.low} to {c.high}" for c in terminator.cases)
        yield Assumed(terminator.at, f"assumes {value} is {told}" if told else f"assumes {value} is none of {others}")


def _changed(before: dict[Term, Hold], state: State, at: At, names: tuple[str, ...]) -> Iterator[Moment]:
    """Yield the locks that are dropped and taken between two states."""
    for key in before.keys() | state.locks.keys():
        old, new = before.get(key), state.locks.get(key)
        times = (new.times if new else 0) - (old.times if old else 0)
        exchanged = old is not None and new is not None and old.mode != new.mode
        some = new or old
        assert some is not None
        name, context = lock_class(key) or "", is_context(key, some.mode, some.recursive)
        if times < 0 or exchanged:
            yield DroppedAt(name, at, context=context)
        if times > 0 or exchanged:
            yield HeldAt(name, some.mode, at, spell(key, names), context, some.origin)


def _distance(one: Setting, other: Setting) -> int:
    """Return how well two settings agree: 0 if they are equal, 3 if not even the locks held are."""
    if one == other:
        return 0
    mine, theirs = ([(lock.name, lock.mode) for lock in some.held] for some in (one, other))
    return 1 if sorted(mine) == sorted(theirs) else 3
