# SPDX-License-Identifier: GPL-2.0-only
"""What functions say that they do to locks, held against what they do.

In: the annotations of a function (`__acquires(&kvm->lock)`), and the states in which it returns. Out: a hit for each
lock at each return: taken or dropped as promised, otherwise, or not to be seen.

A lock that a function says it drops and takes, it has at the end as often as before. What `__cond_acquires()` promises
hangs on the value returned.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from analyzer.analysis import ranges
from analyzer.analysis.context import Scope
from analyzer.analysis.contracts import told
from analyzer.analysis.evaluate import evaluate
from analyzer.analysis.formula import Formula
from analyzer.analysis.leave import Leave, value_range
from analyzer.analysis.locks import certain, is_perhaps, lock_class, same_lock
from analyzer.analysis.places import Recorder
from analyzer.analysis.state import State
from analyzer.analysis.summary import Own
from analyzer.analysis.terms import Term, pointee, root, spell
from analyzer.ir.claims import Asked, Statement
from analyzer.ir.function import Assembly, Call, Claim
from analyzer.ir.values import AddressOf, Constant, FunctionAddress, Load, Text, Value
from analyzer.spec.effect import LockAbstract

#: questions of claims about what a function does, by how much oftener a lock is held after it
_CHANGES = {"__lockspec_acquired": 1, "__lockspec_released": -1}
_MODES = ("_read", "_write")
#: the word of a function of which annotations are not to be checked
_UNCHECKED = "__lockspec_unchecked"
#: before a lock that must not be held at the end, see `claims.NOT`
_NOT = "no "


class Promise(NamedTuple):
    """A lock that a function says it takes or drops."""

    form: str
    key: Term
    #: how much oftener the lock is held afterwards
    times: int
    #: `read`, `write`; empty: in any mode
    mode: str
    #: values returned on which it is so; None: any
    returns: ranges.Range | None


class Promises:
    """The promises of one function."""

    def __init__(self, scope: Scope, start: State) -> None:
        """Read what the function says; its parameters are as they are in `start`."""
        self._scope = scope
        asked = scope.context.watches.claims
        quiet = unchecked(scope) or scope.primitive(scope.facts.ir.name) is not None
        claims = [] if quiet else [claim for claim in claims_of_change(scope) if claim.form in asked]
        self._promises = [one for claim in claims for one in promises(scope, start, claim)]

    def __bool__(self) -> bool:
        return bool(self._promises)

    def check(self, leave: Leave, recorder: Recorder) -> None:
        """Record for each promise whether it is kept where the function returns."""
        for promise in self._promises:
            others = [one for one in self._promises if one.key == promise.key and one.returns == promise.returns]
            formula = self._kept(promise, sum(one.times for one in others), leave)
            name = lock_class(promise.key) or spell(promise.key, recorder.parameters)
            what = f"{promise.form}({name})"
            text = name if promise.times > 0 else f"{_NOT}{name}"
            for watch in self._scope.context.watches.claims[promise.form]:
                recorder.require(leave.state, Own(watch.rule, what, "claim", leave.at, (text,)), formula)

    def _kept(self, promise: Promise, wanted: int, leave: Leave) -> Formula:
        """Tell whether the lock is held `wanted` times oftener than before."""
        if promise.returns is not None:
            known = value_range(leave)
            if ranges.meet(known, promise.returns) is None:
                wanted = 0
            elif ranges.complement(promise.returns) and ranges.meet(known, ranges.complement(promise.returns) or ()):
                return ("maybe", "what is returned there is not known: success, with the lock, or failure, without")
        times = self._times(promise, leave.state)
        if isinstance(times, str):
            return ("maybe", times)
        if times == wanted:
            return True
        unseen = self._unseen(promise)
        return ("maybe", unseen) if unseen and times == 0 else False

    def _times(self, promise: Promise, state: State) -> int | str:
        """Return how much oftener the lock is held than before, or why that is not known."""
        if promise.key[0] == "unknown":
            return f"no specification knows what {lock_class(promise.key)} is"
        hold = state.locks.get(promise.key)
        if hold is not None:
            is_other = promise.mode and hold.times and hold.mode != promise.mode
            return 0 if is_other else hold.times
        for key in state.locks:
            if lock_class(certain(key)) == lock_class(promise.key) and (
                is_perhaps(key) or same_lock(key, promise.key) is not False
            ):
                return f"{lock_class(key)} is taken or dropped, but whether it is this one is not known"
        return 0

    def _unseen(self, promise: Promise) -> str:
        """Say what the function does that could be it and cannot be seen; empty if there is no such thing."""
        owner = root(promise.key)
        for block in self._scope.facts.ir.blocks:
            for event in block.events:
                if isinstance(event, Assembly) and event.text.strip('" ') and _is_given_itself(promise.key):
                    return "assembly may do it"
                if isinstance(event, Call):
                    called = self._opaque(event)
                    if called and (
                        owner[0] != "P" or any(_leads_from(argument, owner[1]) for argument in event.arguments)
                    ):
                        return f"{called} is not analysed and may do it"
        return ""

    def _opaque(self, call: Call) -> str:
        """Return in words what is called if nothing is known of it."""
        targets = self._scope.targets(call.callee)
        if not targets:
            return "what a pointer leads to"
        known = self._scope.context.spec.primitives
        return next((f"{one.name}()" for one in targets if one.id is None and one.name not in known), "")


def unchecked(scope: Scope) -> bool:
    """Tell whether the function says that annotations are not to be checked in it."""
    return any(isinstance(said, Asked) and said.function == _UNCHECKED for said in _said(scope))


def _said(scope: Scope) -> Iterator[Statement]:
    for event in scope.facts.ir.blocks[0].events:
        if not isinstance(event, Claim):
            return
        yield event.statement


def claims_of_change(scope: Scope) -> Iterator[Claim]:
    """Yield what the function of `scope` says that it does to locks: that stands where it begins."""
    for event in scope.facts.ir.blocks[0].events:
        if not isinstance(event, Claim):
            return
        if isinstance(event.statement, Asked) and _split(event.statement.function)[0] in _CHANGES:
            yield event


def promises(scope: Scope, start: State, claim: Claim) -> Iterator[Promise]:
    """Yield what `claim` promises of each lock that it names."""
    assert isinstance(claim.statement, Asked)
    question, mode = _split(claim.statement.function)
    lock, *test = claim.statement.arguments
    returns = None
    if len(test) == 2 and isinstance(test[0], Text) and isinstance(test[1], Constant):
        returns = ranges.from_test(test[0].value, test[1].value)
    for key in _locks(scope, start, lock):
        yield Promise(claim.form, key, _CHANGES[question], mode, returns)


def _locks(scope: Scope, start: State, lock: Value) -> Iterator[Term]:
    """Yield the lock that an annotation names: an object, or what a word stands for."""
    if not isinstance(lock, Text):
        yield scope.context.lock_types.key(pointee(evaluate(start, lock)))
        return
    known = [
        effect.lock.name for effect in told(scope.context.spec, lock.value) if isinstance(effect.lock, LockAbstract)
    ]
    yield ("abstract", known[0]) if known else ("unknown", lock.value)


def _is_given_itself(key: Term) -> bool:
    """Tell whether the lock is what a parameter points to, or no object: what assembly is written for."""
    return bool(key[0] == "abstract" or (key[0] == "O" and key[1][0] == "P"))


def _split(question: str) -> tuple[str, str]:
    """Return a question without its mode, and the mode."""
    ending = next((mode for mode in _MODES if question.endswith(mode)), "")
    return question.removesuffix(ending), ending.lstrip("_")


def _leads_from(value: Value, parameter: int) -> bool:
    """Tell whether `value` is parameter number `parameter`, or where it leads."""
    if isinstance(value, Load | AddressOf):
        return getattr(value.path.root, "index", None) == parameter
    return isinstance(value, FunctionAddress)
