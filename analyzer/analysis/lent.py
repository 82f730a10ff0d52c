# SPDX-License-Identifier: GPL-2.0-only
"""What was read inside a section and is followed after it: the grace period waits no longer for this reader.

In: the events of one function. Out: what rules about sections ask for at places where a pointer is followed, or given to a
function, that the function read in a section of its own, and has left. A pointer that was given to a function, or whose
object was written, inside the section may have been made safe by a reference.

A mark ("lent", rule, value, object) in the state is 1 for such a pointer, 0 for one that may have been made safe.

**Invariant:** known only of pointers that the function itself read; else it is silent.
"""

from __future__ import annotations

from typing import Any

from analyzer.analysis.context import Scope
from analyzer.analysis.evaluate import cell, evaluate, load, locate
from analyzer.analysis.formula import Formula, residue
from analyzer.analysis.freshness import allocation
from analyzer.analysis.places import Recorder
from analyzer.analysis.sections import atom, is_inside
from analyzer.analysis.state import State
from analyzer.analysis.summary import Own
from analyzer.analysis.terms import Term
from analyzer.analysis.watch import Watch
from analyzer.ir.function import At, Call, Event, Read, Store
from analyzer.ir.types import Array, Pointer


class Lent:
    """Looks for pointers of one function that outlive a section."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._watches = scope.context.watches

    def event(self, state: State, event: Event, recorder: Recorder) -> None:
        """Note what `event` reads and follows, before it happens."""
        if not state.marks and not isinstance(event, Read):
            return
        match event:
            case Read(path, at):
                obj = locate(state, path)
                self._follow(state, allocation(obj), at, recorder)
                self._read(state, obj)
            case Store(path, _, at):
                obj = locate(state, path)
                if obj[0] != "L":
                    self._follow(state, allocation(obj), at, recorder)
                    self._make_safe(state, allocation(obj))
            case Call() if not self._is_pure(event):
                for argument in event.arguments:
                    pointer = allocation(evaluate(state, argument))
                    self._follow(state, pointer, event.at, recorder)
                    self._make_safe(state, pointer)

    def _is_pure(self, event: Call) -> bool:
        conducts = [self._scope.conduct(target) for target in self._scope.targets(event.callee)]
        return bool(conducts) and all(conduct is not None and conduct.pure for conduct in conducts)

    def _read(self, state: State, obj: Term) -> None:
        group = cell(obj)
        for watch in self._watches.cells.get(group, ()):
            if watch.section is not None and is_inside(_asked(watch), state) and self._holds_pointer(group):
                state.marks[("lent", watch.rule, load(state, obj), watch.object)] = 1

    def _holds_pointer(self, group: tuple[str, str]) -> bool:
        layout = self._scope.context.program.records.get(group[0])
        ctype = next((member.type for member in layout.members if member.name == group[1]), None) if layout else None
        while isinstance(ctype, Array):
            ctype = ctype.of
        return isinstance(ctype, Pointer)

    def _follow(self, state: State, pointer: Term, at: At, recorder: Recorder) -> None:
        for mark in [mark for mark in state.marks if mark[0] == "lent" and mark[2] == pointer]:
            watch = next((w for some in self._watches.cells.values() for w in some if _is(w, mark)), None)
            if watch is None or not state.marks[mark]:
                continue
            asked = _asked(watch)
            if residue(asked, state) is not True:
                recorder.require(state, Own(watch.rule, watch.object, "use", at), asked)

    def _make_safe(self, state: State, pointer: Term) -> None:
        for mark in [mark for mark in state.marks if mark[0] == "lent" and mark[2] == pointer]:
            state.marks[mark] = 0


def _asked(watch: Watch) -> tuple[Any, ...]:
    assert watch.section is not None
    asked: Formula = atom((watch.rule, watch.object), watch.section, "read", ("", 0, 0))
    assert isinstance(asked, tuple)
    return asked


def _is(watch: Watch, mark: Term) -> bool:
    return watch.section is not None and (watch.rule, watch.object) == (mark[1], mark[3])
