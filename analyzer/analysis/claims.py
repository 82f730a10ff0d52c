# SPDX-License-Identifier: GPL-2.0-only
"""What the source claims of locks: an obligation on all callers, and known from there on.

In: a claim in a state. Out: a hit for each rule about its form; the state in which the claim is believed.

A claim that a caller breaks is told once, where it stands. What comes after it in the function, and asks for the same
lock, is not told again. Where no rule is about its form, a claim is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.analysis.calls import Caller
from analyzer.analysis.context import Scope
from analyzer.analysis.contracts import told
from analyzer.analysis.effects import lock_of
from analyzer.analysis.evaluate import evaluate, load, store
from analyzer.analysis.formula import Formula, all_of, any_of, atoms, lock_atom, where_made
from analyzer.analysis.freshness import allocation, is_new
from analyzer.analysis.locks import instance, lock_class
from analyzer.analysis.places import Hit, Recorder
from analyzer.analysis.ranges import meet
from analyzer.analysis.situation import decidable
from analyzer.analysis.state import State
from analyzer.analysis.summary import Own
from analyzer.analysis.terms import Term, pointee, spell
from analyzer.analysis.watch import bind_claim
from analyzer.ir.claims import Asked, Both, Either, Named, Negated, Statement
from analyzer.ir.function import At, Call, Claim, Done, Event, Read, Store
from analyzer.ir.types import Record
from analyzer.ir.values import Local
from analyzer.spec.effect import Effect

#: modes as formulas have them: that a lock is held is read, too
_MODES = {"any": "read", "read": "shared", "write": "write"}
_HOW = {mode: how for how, mode in _MODES.items()}
#: in words of what is claimed, before a lock that must not be held
NOT = "no "
#: the question whether any lock is held
_LOCKED = "__lockspec_locked"
_EITHER = "the function claims the other mode as well; what decides which one is not told to callers"
_OTHER = "part of what is claimed is about something else than locks"
SHAPE = "of the assertion only its shape is left: what it claims of the lock is not known for certain"


class Claims:
    """The claims of one function."""

    def __init__(self, scope: Scope, recorder: Recorder) -> None:
        self._scope = scope
        self._recorder = recorder
        self._types = scope.context.lock_types

    def claim(self, state: State, claim: Claim, place: tuple[int, int]) -> None:
        """Ask for what `claim` says, and believe it."""
        watches = self._recorder.watches.claims.get(claim.form)
        if not watches:
            return
        inside = self._evaluated(state, claim.before, place) if claim.before else state
        formula = self._formula(inside, claim.statement)
        self._ask(state, claim.form, formula, claim.at)

    def called(self, state: State, call: Call) -> None:
        """Ask for what a function asserts that is called, and believe it."""
        for target in self._scope.targets(call.callee):
            row = self._scope.context.spec.primitives.get(target.name)
            if row is None:
                continue
            asserted = [effect for effect in row.effects if effect.kind == "assert"]
            for form in dict.fromkeys(effect.form or target.name for effect in asserted):
                if form in self._recorder.watches.claims:
                    arguments = tuple(evaluate(state, argument) for argument in call.arguments)
                    said = [effect for effect in asserted if (effect.form or target.name) == form]
                    formula = all_of([self._asserted(state, effect, arguments) for effect in said])
                    self._ask(state, form, formula, call.at)

    def _asserted(self, state: State, effect: Effect, arguments: tuple[Term, ...]) -> Formula:
        key = lock_of(effect, arguments, self._types, lambda obj: load(state, obj))
        formula = lock_atom(key, _MODES[effect.access])
        return opposite(formula) if effect.negated else formula

    def _ask(self, state: State, form: str, formula: Formula, at: At) -> None:
        locks = [atom for atom in atoms(formula) if atom[0] not in ("maybe", "when")]
        if not locks:
            return
        names = tuple(dict.fromkeys(self._lock_name(atom) for atom in locks))
        plain = " or ".join(name.removeprefix(NOT) for name in names)
        what = f"{form}({plain})" if form.isidentifier() else f"{form} of {plain}"
        for watch in self._recorder.watches.claims[form]:
            bound = bind_claim(watch, formula)
            new = any(is_new(allocation(atom[3]), state) for atom in locks if atom[0] == "held" and atom[3])
            bound = where_made(bound) if new else bound
            self._recorder.require(state, Own(watch.rule, what, "claim", at, names), bound)
        for key, mode in _certain(formula):
            held = (lock for lock, hold in state.locks.items() if hold.times > 0)
            if not any(lock_class(lock) == lock_class(key) and instance(lock) == instance(key) for lock in held):
                state.assumed[key] = mode

    def _evaluated(self, state: State, before: tuple[Done, ...], place: tuple[int, int]) -> State:
        """Return a state in which a claim's own values are known; nothing of it is recorded."""
        recorder = Recorder(
            self._recorder.watches, self._types, self._scope.context.constants, self._recorder.parameters
        )
        caller, inside = Caller(self._scope, recorder), state.fork()
        for number, event in enumerate(before, 1):
            beside = (place[0], -(place[1] * 64 + number))
            if isinstance(event, Call):
                inside = next(iter(caller.apply(inside, event, beside)), inside)
            elif isinstance(event, Store):
                store(inside, ("L", getattr(event.path.root, "name", "")), evaluate(inside, event.value), beside)
        return inside

    def _formula(self, state: State, statement: Statement) -> Formula:
        match statement:
            case Asked(function, arguments):
                return self._asked(function, tuple(evaluate(state, argument) for argument in arguments))
            case Named(pointer, to) if isinstance(to, Record) and to.name in self._types.records:
                key = self._types.key(pointee(evaluate(state, pointer)))
                return any_of([lock_atom(key, "read"), ("maybe", SHAPE)])
            case Negated(part):
                return opposite(self._formula(state, part))
            case Either(parts):
                return any_of([self._formula(state, part) for part in parts])
            case Both(parts):
                return all_of([self._formula(state, part) for part in parts])
        return ("maybe", _OTHER)

    def _asked(self, function: str, arguments: tuple[Term, ...]) -> Formula:
        if function == _LOCKED:
            return ("locked", True, "")
        effects = told(self._scope.context.spec, function)
        if effects:
            parts = [self._held(effect, arguments) for effect in effects]
            return any_of([*parts, *([("atomic", True)] if any(effect.atomic for effect in effects) else [])])
        obj = pointee(arguments[0]) if arguments else ("?", -1, "")
        if obj[0] == "F" and function in self._recorder.watches.readers:
            return ("when", function, f"{obj[2]}.{obj[3]}", "!=", 0, obj[1])
        return ("maybe", _OTHER)

    def _held(self, effect: Effect, arguments: tuple[Term, ...]) -> Formula:
        return lock_atom(lock_of(effect, arguments, self._types), _MODES[effect.access])

    def _lock_name(self, atom: tuple[object, ...]) -> str:
        if atom[0] == "atomic":
            return "any lock whose holder must not sleep"
        if atom[0] == "locked":
            return "lock" if atom[1] else f"{NOT}lock"
        name = spell(atom[1], self._recorder.parameters) if isinstance(atom[1], tuple) else str(atom[1])
        mode = {"write": " (write)", "shared": " (read)"}.get(str(atom[2]), "")
        return f"{NOT if atom[0] == 'unheld' else ''}{name}{mode}"


def claims_only(scope: Scope) -> bool:
    """Tell whether the function does nothing but claim: its callers claim the same by calling it."""
    claims = scope.context.watches.claims
    events = [event for block in scope.facts.ir.blocks for event in block.events]
    return (
        bool(claims)
        and any(isinstance(event, Claim | Call) for event in events)
        and all(_only_claims(scope, event) for event in events)
    )


def _only_claims(scope: Scope, event: Event) -> bool:
    if isinstance(event, Call):
        targets = scope.targets(event.callee)
        return bool(targets) and all(
            target.name in scope.context.watches.claims
            or any(outcome.assumes for outcome in scope.summary(target).outcomes)
            for target in targets
        )
    return isinstance(event, Claim | Read) or (isinstance(event, Store) and isinstance(event.path.root, Local))


def opposite(formula: Formula) -> Formula:
    """Return the opposite of a formula about held locks."""
    if isinstance(formula, bool):
        return not formula
    match formula[0]:
        case "any" | "all":
            parts = [opposite(part) for part in formula[1:]]
            return all_of(parts) if formula[0] == "any" else any_of(parts)
        case "held":
            return ("unheld", *formula[1:])
        case "unheld":
            return ("held", *formula[1:])
        case "atomic":
            return ("atomic", not formula[1])
        case "locked":
            return ("locked", not formula[1], formula[2])
        case "when":
            return (*formula[:3], {"!=": "==", "==": "!="}[formula[3]], *formula[4:])
    return ("maybe", _OTHER)


def reconciled(hits: list[Hit]) -> list[Hit]:
    """Let a claim of one mode doubt that of the other, where the function makes both and callers cannot tell when.

    What decides which of them is made decided for the callers how they took the lock.
    """
    claims = [hit for hit in hits if isinstance(hit.what, Own) and hit.what.access == "claim"]
    modes = {(hit.what, atom[1:]): hit for hit in claims for atom in atoms(hit.rest) if atom[0] == "held"}
    for (_, (name, mode, *owner)), hit in modes.items():
        other = {"write": "shared", "shared": "write"}.get(mode)
        twins = [twin for (_, atom), twin in modes.items() if atom == (name, other, *owner)]
        if any(not _exclude(hit, twin) for twin in twins):
            held = ("held", name, "read", *owner)
            hit.rest = any_of([hit.rest, all_of([held, ("maybe", _EITHER)])])
    return hits


def _exclude(one: Hit, other: Hit) -> bool:
    """Tell whether callers can tell the conditions of two hits apart."""
    theirs = dict(decidable(other.guards))
    return any(term in theirs and meet(known, theirs[term]) is None for term, known in decidable(one.guards))


def _certain(formula: Formula) -> Iterator[tuple[Term, str]]:
    """Yield the locks that are held if `formula` is so, each with its mode."""
    if isinstance(formula, bool):
        return
    match formula[0]:
        case "all":
            for part in formula[1:]:
                yield from _certain(part)
        case "held":
            yield _key(formula[1], formula[3]), _HOW[formula[2]]
        case "lock":
            yield formula[1], _HOW[formula[2]]


def _key(name: str, owner: Term | None) -> Term:
    """Return a lock of class `name` in `owner`; without an owner, which of its class it is does not matter."""
    return ("G", name) if owner is None else ("F", owner, *name.rsplit(".", 1))
