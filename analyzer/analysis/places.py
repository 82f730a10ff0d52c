# SPDX-License-Identifier: GPL-2.0-only
"""Places that rules speak about, and the locks there.

In: events and states. Out: hits: what remains of a rule's requirement at a place in one state.
"""

from __future__ import annotations

from analyzer.analysis.acquisitions import Log
from analyzer.analysis.bits import Constants
from analyzer.analysis.exempt import object_pointer
from analyzer.analysis.formula import Formula, any_of, atoms, residue, where_made
from analyzer.analysis.freshness import allocation, is_new
from analyzer.analysis.imbalances import release_fault
from analyzer.analysis.locks import LockTypes
from analyzer.analysis.locksets import Setting
from analyzer.analysis.sections import is_inside
from analyzer.analysis.situation import Guards, guards, setting
from analyzer.analysis.state import Hold, State
from analyzer.analysis.summary import Imbalance, Own, Passed
from analyzer.analysis.terms import Term
from analyzer.analysis.watch import Watches, bind_access, bind_section, wants
from analyzer.ir.function import At


class Hit:
    """One requirement at one place in one state."""

    __slots__ = ("guards", "rest", "setting", "what")

    def __init__(self, what: Own | Passed, rest: Formula, guards: Guards, setting: Setting) -> None:
        self.what = what
        #: what remains of the requirement: True, False or a formula over the entry
        self.rest = rest
        self.guards = guards
        self.setting = setting


class CallHit:
    """One call of an analysed function in one state."""

    __slots__ = ("at", "callee", "setting")

    def __init__(self, at: At, callee: str, setting: Setting) -> None:
        self.at = at
        self.callee = callee
        self.setting = setting


class Recorder:
    """Collects the hits of one pass over a block."""

    __slots__ = ("asks", "calls", "faults", "function", "hits", "log", "parameters", "unchecked", "watches")

    def __init__(
        self,
        watches: Watches,
        types: LockTypes,
        constants: Constants,
        parameters: tuple[str, ...],
        function: str = "",
    ) -> None:
        self.watches = watches
        #: name of the function
        self.function = function
        self.parameters = parameters
        self.hits: list[Hit] = []
        self.calls: list[CallHit] = []
        self.log = Log(types, constants, parameters)
        self.faults: list[Imbalance] = []
        #: is it recorded what callees ask for?
        self.asks = True
        #: the function says that annotations are not to be checked in it
        self.unchecked = False

    def absorb(self, other: Recorder) -> None:
        """Record all that `other` has recorded."""
        self.hits += other.hits
        self.calls += other.calls
        self.faults += other.faults
        self.log.absorb(other.log)

    def access(self, state: State, obj: Term, mode: str, at: At, doubt: str = "", into: str = "") -> None:
        """Record an access of kind `mode` to every watched member that `obj` lies in.

        `into` is the function that is given the address of `obj` and accesses it.
        """
        inner, pointer = obj, None
        while inner[0] in ("F", "I", "C", "G"):
            cell = (inner[2], inner[3]) if inner[0] == "F" else ("", inner[1]) if inner[0] == "G" else None
            for watch in self.watches.cells.get(cell, ()) if cell else ():
                if watch.annotated and self.unchecked:
                    continue
                if wants(watch, mode) and (not watch.by or {self.function, into} & set(watch.by)):
                    pointer = pointer or object_pointer(obj)
                    what = Own(watch.rule, watch.object, mode, at, watch.locks)
                    if watch.section is not None:
                        if not watch.section.asks(self.function, mode):
                            self.rest(state, what, True, True)
                            continue
                        site = (self.function, at.line, at.column)
                        formula = bind_section(watch, inner, pointer, mode, site)
                    else:
                        formula = bind_access(watch, inner, pointer, (self.function, into))
                    new = is_new(allocation(pointer), state)
                    self.require(state, what, where_made(formula) if new else formula, doubt)
            if inner[0] == "G":
                return
            inner = inner[1]
        if inner[0] == "O" and inner[1][0] == "ld" and inner[1][1][0] == "F":
            self._behind(state, inner[1][1], mode, at)

    def _behind(self, state: State, pointer: Term, mode: str, at: At) -> None:
        """Record an access to what the member `pointer` points to."""
        for watch in self.watches.pointees.get((pointer[2], pointer[3]), ()):
            if wants(watch, mode) and not self.unchecked:
                what = Own(watch.rule, watch.object, mode, at, watch.locks)
                self.require(state, what, bind_access(watch, pointer, object_pointer(pointer)))

    def require(
        self, state: State, what: Own | Passed, formula: Formula, doubt: str = "", under: Guards | None = None
    ) -> None:
        """Record what remains of `formula` in `state`, whose conditions are `under` if they are known already."""
        self.rest(state, what, formula, residue(formula, state), doubt, under)

    def rest(
        self,
        state: State,
        what: Own | Passed,
        formula: Formula,
        rest: Formula,
        doubt: str = "",
        under: Guards | None = None,
        locks: Setting | None = None,
    ) -> None:
        """Record that `rest` is what remains of `formula` in `state`, whose locks are `locks` if they are known already."""
        if rest is True:
            self.inside(state, what.at, formula)
        if doubt and rest is not True:
            rest = any_of([rest, ("maybe", doubt)])
        if rest is True and isinstance(what, Passed):
            return
        known = guards(state) if under is None else under
        self.hits.append(Hit(what, rest, known, setting(state, self.parameters) if locks is None else locks))

    def inside(self, state: State, at: At, formula: Formula) -> None:
        """Record that a reader, here or below, is where a grace period waits for him, if `formula` asks for that."""
        for one in atoms(formula):
            if one[0] == "section" and is_inside(one, state):
                rule, name = one[1]
                self.hits.append(Hit(Own(rule, name, "inside", at), True, (), setting(state, self.parameters)))

    def call(self, state: State, at: At, callee: str) -> Setting:
        """Record the locks held at a call, and return them."""
        locks = setting(state, self.parameters)
        self.calls.append(CallHit(at, callee, locks))
        return locks

    def drops(self, state: State, key: Term, less: Hold) -> None:
        """Record what is wrong with dropping `key` in `state`, if anything is."""
        fault = release_fault(state, key, less, self.parameters)
        if fault is not None:
            self.faults.append(fault)
