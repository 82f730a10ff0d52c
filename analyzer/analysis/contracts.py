# SPDX-License-Identifier: GPL-2.0-only
"""Contracts: what functions themselves claim of locks, in the words of requirements.

In: the linked program, and primitives that say what a question is about (effect `tell`). Out: for
`lockdep_assert_held_write(&kvm->mmu_lock)` in `f()` a `Contract("…:f", "lockdep_assert_held_write",
Held(kvm.mmu_lock, "write"), …)`.

**Invariant:** nothing here looks at a state: a contract is what the text says, on whatever way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from analyzer.analysis.locks import LockTypes
from analyzer.facts.unit import FunctionFacts
from analyzer.ir.claims import Asked, Both, Either, Named, Negated, Statement
from analyzer.ir.function import At, Call, Claim, FunctionIR
from analyzer.ir.types import Record
from analyzer.ir.values import AccessPath, AddressOf, Field, FunctionAddress, Global, Load, Value
from analyzer.program.link import Program
from analyzer.spec.effect import Effect, LockAbstract, LockArgument
from analyzer.spec.model import AllOf, AnyOf, Held, Name, Requirement, SpecSet


class Contract(Struct, frozen=True):
    """A claim of one function about locks."""

    #: function id
    function: str
    #: who says it: `lockdep_assert_held_write`; or the shape that preprocessing left of it
    form: str
    #: locks by class; `mode` None is any mode, and `read` is for reading only
    requires: Requirement
    #: `requires` says what must not be held
    negated: bool
    #: relative to the function's first line
    at: At
    #: parts of the claim that are about something else, or about a lock that only callers know
    rest: tuple[str, ...] = ()


def contracts(program: Program, facts_of: Callable[[str], FunctionFacts], spec: SpecSet) -> Iterator[Contract]:
    """Yield the contracts of all functions, by function id and place."""
    reading = _Reading(spec)
    for ident in sorted(program.functions):
        if not program.functions[ident].ref.facts_key:
            continue
        claims = [e for block in facts_of(ident).ir.blocks for e in block.events if isinstance(e, Claim)]
        for claim in sorted(claims, key=lambda claim: (claim.at.line, claim.at.column)):
            negated, requires, rest = reading.claim(claim.statement)
            if requires is not None:
                yield Contract(ident, claim.form, requires, negated, claim.at, rest)


def told(spec: SpecSet, function: str) -> tuple[Effect, ...]:
    """Return the locks that the value of `function` tells of."""
    row = spec.primitives.get(function)
    return tuple(effect for effect in row.effects if effect.kind == "tell") if row is not None else ()


def asked_of(spec: SpecSet) -> Callable[[Statement], Requirement | None]:
    """Return what tells which locks a statement asks for; None if it denies one, or asks for none."""
    reading = _Reading(spec)

    def asked(statement: Statement) -> Requirement | None:
        negated, requires, _ = reading.claim(statement)
        return None if negated else requires

    return asked


def taken(ir: FunctionIR, spec: SpecSet) -> frozenset[str]:
    """Return the classes of the locks that a function takes by calling primitives itself."""
    reading = _Reading(spec)
    calls = [event for block in ir.blocks for event in block.events if isinstance(event, Call)]
    return frozenset(str(held.lock) for call in calls for held in reading.acquired(call))


class _Reading:
    """Reads statements as requirements."""

    def __init__(self, spec: SpecSet) -> None:
        self._spec = spec
        self._types = LockTypes(spec)

    def claim(self, statement: Statement) -> tuple[bool, Requirement | None, tuple[str, ...]]:
        """Return whether the claim is a negated one, what it requires, and what of it is no requirement."""
        negated = isinstance(statement, Negated)
        rest: list[str] = []
        requires = self._requirement(statement.part if isinstance(statement, Negated) else statement, rest)
        return negated, requires, tuple(rest)

    def acquired(self, call: Call) -> Iterator[Held]:
        """Yield what a direct call of a primitive acquires."""
        row = self._spec.primitives.get(call.callee.name) if isinstance(call.callee, FunctionAddress) else None
        for effect in row.effects if row is not None else ():
            held = self._held(effect, call.arguments) if effect.kind == "acquire" else None
            if held is not None:
                yield held

    def _requirement(self, statement: Statement, rest: list[str]) -> Requirement | None:
        match statement:
            case Asked(function, arguments):
                held = [lock for effect in told(self._spec, function) if (lock := self._held(effect, arguments))]
                if not held:
                    rest.append(f"{function}()")
                return None if not held else held[0] if len(held) == 1 else AnyOf(tuple(held))
            case Named(pointer, to):
                if not isinstance(to, Record) or to.name not in self._types.records:
                    return None
                name = self._class(pointer)
                return Held(name, None, None) if name else None
            case Either(parts) | Both(parts):
                found = [part for part in (self._requirement(part, rest) for part in parts) if part is not None]
                join = AnyOf if isinstance(statement, Either) else AllOf
                return None if not found else found[0] if len(found) == 1 else join(tuple(found))
            case Negated():
                rest.append("a negation")
            case _:
                rest.append(getattr(statement, "text", ""))
        return None

    def _held(self, effect: Effect, arguments: tuple[Value, ...]) -> Held | None:
        mode = None if effect.access == "any" else effect.access
        match effect.lock:
            case LockAbstract(name):
                return Held(Name((name,)), mode, None)
            case LockArgument(index, None) if index < len(arguments):
                known = self._class(arguments[index])
                return Held(known, mode, None) if known else None
        return None

    def _class(self, pointer: Value) -> Name | None:
        """Return the class of the lock that `pointer` points to; None if only callers know it."""
        if not isinstance(pointer, AddressOf | Load):
            return None
        path: AccessPath = pointer.path
        for selector in reversed(path.selectors):
            if isinstance(selector, Field) and selector.record not in self._types.records:
                return Name((selector.record, selector.member)) if isinstance(pointer, AddressOf) else None
        return Name((path.root.name,)) if isinstance(path.root, Global) and isinstance(pointer, AddressOf) else None
