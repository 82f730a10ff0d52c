# SPDX-License-Identifier: GPL-2.0-only
"""Ways on which somebody sleeps under a lock: whether one can be taken, going by what is known at each call on it.

In: a function that holds a lock at a call, summaries. Out: a way from there to a place that sleeps, or None.

Summaries tell a condition on sleeping where it is about what is passed, and one for all ways. `if (to_tile(shape)->kind
== PLAIN) return area(shape);` under a spinlock, where `area()` sleeps unless `to_tile(shape)->kind` is PLAIN, is told as
sleeping. So where a problem would be told, the functions on the way are analysed again, each with what its caller
knows: about what is around the object passed, about globals, through pointers, under one implementation. Problems are
few, so that this costs less than to tell all callers all of it.

**Invariant:** what was heard in a function before holds as long as its summary was not made again: it hangs on the same.
**Invariant:** a way is only left out where the analysis of one function, begun with facts that hold there, does not come
to its next call. What is too long to follow is taken for possible.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from analyzer.analysis import conditions, ranges
from analyzer.analysis.acquisitions import Below, Draft, Log, Wait, switched_off
from analyzer.analysis.context import Context, Scope
from analyzer.analysis.function import FunctionAnalysis, settled
from analyzer.analysis.locks import lock_class
from analyzer.analysis.locksets import Setting
from analyzer.analysis.memo import Packed
from analyzer.analysis.over import Over
from analyzer.analysis.places import Recorder
from analyzer.analysis.retell import retold
from analyzer.analysis.situation import common_guards, is_told, setting
from analyzer.analysis.state import State
from analyzer.analysis.summary import ACCESS, Cause, Nested, Own, Passed
from analyzer.analysis.terms import TOLD, Term
from analyzer.analysis.tested import Tested
from analyzer.facts.unit import FunctionFacts
from analyzer.ir.function import At

Links = tuple[tuple[str, Cause], ...]
Known = tuple[tuple[Term, ranges.Range], ...]
_NOTHING = Setting((), ())
#: so many calls below the one at which a lock is held, what is known is followed no further
MAX_CALLS = 10
#: so many functions are analysed again for one problem
MAX_FUNCTIONS = 48


#: functions that tell of locks held further up; None for the function that holds one itself
_Told = frozenset[str] | None
#: a function, what tells of the locks that its callers hold, and what they know
_Question = tuple[str, _Told, Known]


class Heard(NamedTuple):
    """A place that sleeps in one state, or calls what does."""

    at: At
    link: Passed | None
    setting: Setting
    #: over the entry of the function called
    known: Known
    #: what is done there if nothing is called
    own: Own | None
    #: classes of locks that are dropped there
    dropped: frozenset[str]
    #: in a function that holds locks that forbid sleeping: which, and the functions that tell of them
    under: frozenset[Term] = frozenset()
    told: frozenset[str] = frozenset()


class Feasibility:
    """Answers for the problems of one run."""

    def __init__(
        self,
        context: Context,
        facts_of: Callable[[str], FunctionFacts],
        before: Feasibility | None = None,
    ) -> None:
        """Answer for `context`; what was heard `before` holds for functions that were not summarised again since."""
        self._context = context
        self._facts_of = facts_of
        #: with the summary that the function had then
        self._heard: dict[_Question, tuple[Packed | None, tuple[Heard, ...] | None]] = {}
        self._before = before._heard if before is not None else {}
        #: the class of the lock that the problem at hand is about
        self._name = ""
        #: what was asked for it, and what of that was found not to sleep
        self._asked: set[_Question] = set()
        self._never: set[_Question] = set()
        self._statics: dict[str, frozenset[str]] = {}

    def way(self, ident: str, one: Nested, known: Links) -> Links | None:
        """Return a way from the call where `ident` holds a lock to where it sleeps; None if none can be taken.

        The way ends early where it was not followed further: from there on, summaries tell it. It is `known` where
        nothing is found out.
        """
        heard = [place for place in self._listen((ident, None, ())) or () if place.at == one.at]
        under = [place for place in heard if one.outer in place.under]
        if not under:
            # what was told before stands
            return known
        self._name, self._asked, self._never = one.held.name, set(), set()
        return self._first(ident, under, None, 0)

    def _first(self, ident: str, heard: Iterable[Heard], told: _Told, depth: int) -> Links | None:
        """Return the first way that one of the places in `ident` is on."""
        calls: dict[tuple[At, Passed], list[Heard]] = defaultdict(list)
        for place in heard:
            if self._name in place.dropped:
                continue
            if place.own is not None:
                return ((ident, Cause(place.own, place.setting)),)
            assert place.link is not None
            calls[place.at, place.link].append(place)
        for some in calls.values():
            # what is known in all states does mostly
            together = some[0]._replace(
                known=common_guards([place.known for place in some]),
                told=frozenset.intersection(*(place.told for place in some)),
            )
            found = self._through(ident, together, told, depth)
            for place in some if found is not None and len(some) > 1 else ():
                found = self._through(ident, place, told, depth)
                if found is not None:
                    break
            if found is not None:
                return found
        return None

    def _through(self, ident: str, place: Heard, told: _Told, depth: int) -> Links | None:
        """Return the first way through a call."""
        what, between = place.link, list[tuple[str, Cause]]()
        assert what is not None
        while what.then is not None:
            between.append((what.callee, Cause(what.then, _NOTHING)))
            what = what.then
        below = self._below((what.callee, place.told if told is None else told, place.known), depth + 1)
        return None if below is None else ((ident, Cause(place.link or what, place.setting)), *between, *below)

    def _below(self, asked: _Question, depth: int) -> Links | None:
        """Return the way below a call; nothing where it is not followed, None where there is none."""
        ident, told, known = asked
        if ident not in self._context.program.functions or depth > MAX_CALLS:
            return ()
        if asked in self._never or self._runs_elsewhere(ident, known):
            return None
        if asked in self._asked or len(self._asked) >= MAX_FUNCTIONS:
            return ()
        self._asked.add(asked)
        heard = self._listen(asked)
        if heard is None:
            return ()
        found = self._first(ident, heard, told, depth)
        if found is None:
            self._never.add(asked)
        return found

    def _runs_elsewhere(self, ident: str, known: Known) -> bool:
        """Tell whether a function runs under other implementations than what is known says."""
        use = dict(self._context.in_use.get(ident, ()))
        return any(term in use and ranges.meet(use[term], told) is None for term, told in known)

    def _listen(self, asked: _Question) -> tuple[Heard, ...] | None:
        """Return the places in a function that sleep, or call what does; None if not all of them can be told."""
        if asked not in self._heard:
            packed, known = self._context.summaries.packed(asked[0]), self._before.get(asked)
            still = known is not None and packed is not None and known[0] is packed
            self._heard[asked] = known if known is not None and still else (packed, self._overhear(*asked))
        return self._heard[asked][1]

    def _overhear(self, ident: str, told: _Told, known: Known) -> tuple[Heard, ...] | None:
        def begin(scope: Scope, tested: Tested | None) -> _Listening:
            return _Listening(scope, tested, told, known, self._shares)

        analysis, _ = settled(Scope(self._context, ident, self._facts_of(ident)), begin)
        found = {place for log in analysis.logs() for place in log.heard}
        return None if analysis.gaps else tuple(sorted(found, key=_order))

    def _shares(self, one: str, other: str, name: str) -> bool:
        """Tell whether functions of two units mean the same variable by `name`."""
        return one == other or not any(name in self._static(unit) for unit in (one, other))

    def _static(self, unit: str) -> frozenset[str]:
        if unit not in self._statics:
            variables = self._context.program.units[unit].globals
            self._statics[unit] = frozenset(variable.name for variable in variables if variable.static)
        return self._statics[unit]


def _order(place: Heard) -> tuple[object, ...]:
    link = place.link
    return (
        link is not None,
        place.at.line,
        place.at.column,
        *((link.callee, link.demand) if link else ()),
        repr(place),
    )


class _Listening(FunctionAnalysis):
    """One function, begun with what a caller knows."""

    def __init__(
        self,
        scope: Scope,
        tested: Tested | None,
        told: _Told,
        known: Known,
        shares: Callable[[str, str, str], bool],
    ) -> None:
        super().__init__(scope, tested)
        self._told = told
        self._known = known
        self._shares = shares

    def start(self) -> State:
        """Return the state at the entry."""
        state = super().start()
        for term, known in (*self._known, *self.scope.own_use):
            conditions.refine(state.facts, term, known)
        return state

    def recorder(self) -> Recorder:
        """Return what collects the hits of one pass over a block."""
        found = super().recorder()
        found.log = _Overheard(self.scope, self._told, self._shares)
        found.asks = False
        return found

    def logs(self) -> Iterable[_Overheard]:
        """Yield what was heard in each block."""
        for recorder in self.recorders.values():
            assert isinstance(recorder.log, _Overheard)
            yield recorder.log


class _Overheard(Log):
    """Collects what sleeps under a lock that is held, here or further up."""

    def __init__(self, scope: Scope, told: _Told, shares: Callable[[str, str, str], bool]) -> None:
        context = scope.context
        super().__init__(context.lock_types, context.constants, scope.parameter_names())
        self._scope = scope
        self._told = told
        self._shares = shares
        self.heard: list[Heard] = []

    def callee(self, state: State, takes: Iterable[Below], over: Over, at: At) -> None:
        """Note which of a callee's acquisitions sleep."""
        known: dict[str, Known] = {}
        if self._told is None and not switched_off(state):
            return
        for below in takes:
            one, link = below.take.one, below.link
            if one.waits == "sleep" and not one.off and not self._is_contradicted(one.guards):
                while link.then is not None:
                    link = link.then
                if link.callee not in known:
                    known[link.callee] = self._retold(state, link.callee, over.arguments)
                self._hear(state, Heard(at, below.link, _NOTHING, known[link.callee], None, frozenset(one.without)))

    def opened(self, state: State, one: Nested, link: Passed, over: Over) -> None:
        """Leave out what is about locks that are taken."""

    def _note(
        self,
        state: State,
        locks: object,  # noqa: ARG002 — as the others do
        wait: Wait,
        draft: Draft,
        below: frozenset[str],  # noqa: ARG002
        doubt: str = "",  # noqa: ARG002
    ) -> None:
        if wait.waits == "sleep":
            name = "" if wait.what == "sleep" else lock_class(wait.key) or ""
            own = Own("", name, ACCESS[wait.what], draft.at)
            self._hear(state, Heard(draft.at, None, _NOTHING, (), own, wait.without))

    def _hear(self, state: State, place: Heard) -> None:
        """Note a place that sleeps, unless the function itself holds a lock there that forbids it."""
        place = place._replace(setting=setting(state, self._parameters))
        if self._told is None:
            held = (key for key, hold in state.locks.items() if hold.times > 0 and hold.atomic)
            under = frozenset(key for key in held if lock_class(key) not in place.dropped)
            rows = self._scope.context.spec.primitives
            told = frozenset(name for name, row in rows.items() if is_told(state, row))
            self.heard.append(place._replace(under=under, told=told))
        elif not switched_off(state) - place.dropped and not self._is_contradicted(state.facts.items()):
            gone = (lock_class(key) or "" for key, hold in state.locks.items() if hold.times < 0)
            self.heard.append(place._replace(dropped=place.dropped.union(gone)))

    def _is_contradicted(self, conditions: Iterable[tuple[Term, ranges.Range]]) -> bool:
        """Tell whether conditions ask that a function does not tell of a lock, which is held."""
        names = self._told or ()
        return any(term[0] == TOLD and known == ranges.NULL and term[1] in names for term, known in conditions)

    def _retold(self, state: State, callee: str, arguments: tuple[Term, ...]) -> Known:
        program = self._scope.context.program
        function = program.functions.get(callee)
        if function is None:
            return ()

        def is_shared(name: str) -> bool:
            return self._shares(self._scope.unit, function.unit, name)

        told = retold(state, arguments, is_shared)
        return tuple(sorted(told.items(), key=repr))
