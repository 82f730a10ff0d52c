# SPDX-License-Identifier: GPL-2.0-only
"""Uses of values that were read under a lock: followed, stored, passed on, or deciding a write.

In: the events and branches of one function. Out: hits of rules that want no value used that is older than the lock.

A value is compared afresh by a condition that holds it and what is there now, or a result that a function without side
effects computes from it. What a function reads before it is called, or its caller, is not known here: then it is silent.
"""

from __future__ import annotations

from analyzer.analysis import dating
from analyzer.analysis.context import Scope
from analyzer.analysis.evaluate import cell, evaluate, load, locate
from analyzer.analysis.locksets import DroppedAt, HeldAt, Setting
from analyzer.analysis.places import Hit, Recorder
from analyzer.analysis.regions import Regions
from analyzer.analysis.situation import guards, setting
from analyzer.analysis.state import State
from analyzer.analysis.summary import Own
from analyzer.analysis.terms import Term
from analyzer.ir.function import At, Call, Event, Read, Store


class Uses:
    """Looks for uses in one function."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._watches = scope.context.watches
        self._regions: Regions | None = None

    def event(self, state: State, event: Event, recorder: Recorder) -> None:
        """Note what `event` reads and uses, before it happens."""
        match event:
            case Read(path, at):
                obj = locate(state, path)
                self._use(state, obj, at, recorder)
                self._read(state, obj)
            case Store(path, value, at):
                obj = locate(state, path)
                if _frame(obj)[0] != "L":
                    self._use(state, obj, at, recorder)
                    self._use(state, evaluate(state, value), at, recorder)
                    self._written(state, obj, at, recorder)
            case Call() if not self._is_pure(event):
                for argument in event.arguments:
                    self._use(state, evaluate(state, argument), event.at, recorder)

    def branch(self, state: State, term: Term, block: int) -> None:
        """Note that `block` ends by going one way or the other as `term` says."""
        dating.forget(state, dating.compared(state, term))
        for mark, _ in list(dating.used(state, term)):
            _, rule, _, lock, owner, obj = mark
            if mark[0] == "old" and dating.is_held(state, lock, owner) and not self._is_version(rule, obj):
                state.marks[("decided", rule, block, owner)] = mark

    def enter(self, state: State, block: int) -> None:
        """Forget what was decided by branches whose ways are together again at `block`."""
        for mark in [mark for mark in state.marks if mark[0] == "decided"]:
            if self._regions is None:
                self._regions = Regions(self._scope.facts.ir)
            if block not in self._regions.decided(mark[2]):
                del state.marks[mark]

    def _is_pure(self, event: Call) -> bool:
        conducts = [self._scope.conduct(target) for target in self._scope.targets(event.callee)]
        return bool(conducts) and all(conduct is not None and conduct.pure for conduct in conducts)

    def _is_version(self, rule: str, obj: Term) -> bool:
        return any(watch.rule == rule and watch.is_version for watch in self._watches.dated.get(cell(obj), ()))

    def _read(self, state: State, obj: Term) -> None:
        inner = obj
        while inner[0] in ("F", "I", "G"):
            for watch in self._watches.dated.get(cell(inner), ()):
                value = load(state, inner)
                if value[0] == "ld":
                    dating.read(state, inner, value, watch.rule, watch.lock)
            if inner[0] == "G":
                return
            inner = inner[1]

    def _use(self, state: State, term: Term, at: At, recorder: Recorder) -> None:
        for mark, known in list(dating.used(state, term)):
            if not self._is_version(mark[1], mark[5]):
                self._hit(state, mark, known, at, recorder)

    def _written(self, state: State, obj: Term, at: At, recorder: Recorder) -> None:
        """Note a write, which a branch may have decided by an old value."""
        inner = obj
        while inner[0] in ("F", "I", "G"):
            rules = {watch.rule for watch in self._watches.dated.get(cell(inner), ())}
            for decided in [decided for decided in state.marks if decided[0] == "decided" and decided[1] in rules]:
                mark = state.marks.pop(decided)
                if mark in state.marks:
                    self._hit(state, mark, state.marks[mark], at, recorder)
            if inner[0] == "G":
                return
            inner = inner[1]

    def _hit(self, state: State, mark: Term, known: Term, at: At, recorder: Recorder) -> None:
        kind, rule, _, lock, owner, obj = mark
        watch = next(watch for watch in self._watches.dated[cell(obj)] if watch.rule == rule)
        wrong = kind == "old" and dating.is_held(state, lock, owner)
        here = setting(state, recorder.parameters)
        what = Own(rule, watch.object, "use", at)
        recorder.hits.append(Hit(what, not wrong, guards(state), _with_drop(here, lock, known) if wrong else here))
        if wrong:
            # one use tells enough of a value
            del state.marks[mark]


def _with_drop(here: Setting, lock: str, known: Term) -> Setting:
    """Return the locks at a place, with the one that was dropped and taken again told as such."""
    taken, mode, dropped, *again_at = known
    gone, first = At(*dropped), At(*taken) if taken else None
    again = next((held for held in here.held if held.name == lock and held.at != first), None)
    if again is not None:
        return Setting(here.held, (*here.dropped, DroppedAt(lock, gone, first, mode)))
    return Setting(
        (*here.held, HeldAt(lock, mode, At(*again_at[0]) if again_at else gone, "")),
        (*here.dropped, DroppedAt(lock, gone, None, mode)),
    )


def _frame(obj: Term) -> Term:
    while obj[0] in ("F", "I"):
        obj = obj[1]
    return obj
