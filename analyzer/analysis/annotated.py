# SPDX-License-Identifier: GPL-2.0-only
"""Functions of which only an annotated declaration is known: primitives by their own word.

In: the linked program, a specification. Out: for `void shelf_lock(struct shelf *s) __acquires(&s->lock);`, which no unit
defines, a row that says what it takes, and a summary that takes it.

The row says of locks alone: what the call does to memory is as unknown as that of any function without a body. How a lock
is taken (does its holder sleep, may he nest it) is as its family's other primitives take it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple

from msgspec.structs import replace

from analyzer.analysis import ranges
from analyzer.analysis.contracts import told
from analyzer.analysis.evaluate import evaluate
from analyzer.analysis.locks import LockTypes
from analyzer.analysis.state import State
from analyzer.analysis.summary import FunctionSummary, LockChange, Outcome
from analyzer.analysis.terms import Term, pointee
from analyzer.ir.claims import Asked, Negated
from analyzer.ir.function import At, Claim
from analyzer.ir.types import CType, Function, Pointer, Record
from analyzer.ir.values import Constant, Text, Value
from analyzer.program.link import Program
from analyzer.spec.effect import AccessMode, Effect, LockAbstract, LockTerm, Primitive, ReturnTest
from analyzer.spec.model import SpecSet

#: questions of annotations, by what they say
_KINDS = {"__lockspec_held": "assert", "__lockspec_acquired": "acquire", "__lockspec_released": "release"}
#: more parameters than these no lock is found through
_PARAMETERS = 16


class Annotated(NamedTuple):
    """What annotations alone tell."""

    #: the specification with a row for each such function
    spec: SpecSet
    #: by name
    summaries: dict[str, FunctionSummary]


def annotated(program: Program, spec: SpecSet) -> Annotated:
    """Return `spec` with rows about functions that are only declared; a row that is there already stays alone."""
    defined = {function.name for function in program.functions.values()}
    reading = _Reading(program, spec)
    rows = {
        name: Primitive(name, "", tuple(reading.effects(name, claims)), place, True)
        for name, (claims, place) in sorted(program.annotated.items())
        if name not in defined and name not in spec.primitives
    }
    rows = {name: row for name, row in rows.items() if row.effects}
    if not rows:
        return Annotated(spec, {})
    digest = blake2b(spec.digest.encode() + repr(rows).encode(), digest_size=32).hexdigest()
    summaries = {name: summary for name, row in rows.items() if (summary := _summary(row.effects)) is not None}
    return Annotated(replace(spec, primitives=spec.primitives | rows, digest=digest), summaries)


class _Reading:
    """Reads claims as effects."""

    def __init__(self, program: Program, spec: SpecSet) -> None:
        self._program = program
        self._spec = spec
        self._types = LockTypes(spec)
        self._start = State(env={str(index): ("P", index) for index in range(_PARAMETERS)})

    def effects(self, name: str, claims: tuple[Claim, ...]) -> Iterator[Effect]:
        """Yield what the annotations `claims` of function `name` say."""
        for claim in claims:
            said = claim.statement.part if isinstance(claim.statement, Negated) else claim.statement
            if not isinstance(said, Asked):
                continue
            question = said.function.removesuffix("_read").removesuffix("_write")
            mode = said.function[len(question) + 1 :]
            kind = _KINDS.get(question)
            lock, *test = said.arguments or (Text(said.function),)
            if kind is None:
                kind, mode = "assert", ""
            for source, ctype in self._locks(name, lock):
                if kind == "assert":
                    access: AccessMode = "write" if mode == "write" else "read" if mode == "read" else "any"
                    negated = isinstance(claim.statement, Negated)
                    yield Effect("assert", source, access=access, form=claim.form, negated=negated)
                else:
                    yield replace(self._alike(kind, source, ctype, mode), lock=source, when=_test(test), attempt=False)

    def _locks(self, name: str, lock: Value) -> Iterator[tuple[LockAbstract | LockTerm, CType | None]]:
        if not isinstance(lock, Text):
            term = self._types.key(pointee(evaluate(self._start, lock)))
            yield LockTerm(term), self._type(name, term)
            return
        for effect in told(self._spec, lock.value):
            if isinstance(effect.lock, LockAbstract):
                yield effect.lock, None
                return

    def _type(self, function: str, term: Term) -> CType | None:
        """Return the type of the lock `term`, over the parameters of `function`."""
        if term[0] == "F":
            layout = self._program.records.get(term[2])
            return next((m.type for m in layout.members if m.name == term[3]), None) if layout else None
        if term[0] == "G":
            found = (item for unit in self._program.units.values() for item in unit.globals if item.name == term[1])
            return next((item.type for item in found), None)
        signature = self._program.signatures.get(function)
        if term[0] == "O" and term[1][0] == "P" and isinstance(signature, Function):
            given = signature.parameters[term[1][1] : term[1][1] + 1]
            return given[0].to if given and isinstance(given[0], Pointer) else None
        return None

    def _alike(self, kind: str, source: LockAbstract | LockTerm, ctype: CType | None, mode: str) -> Effect:
        """Return the effect of a primitive that does the same to such a lock."""
        found = [
            effect
            for effect in self._known(source, ctype)
            if effect.kind == kind and not effect.attempt and (not mode or effect.mode == mode)
        ]
        default = Effect("acquire" if kind == "acquire" else "release", mode="read" if mode == "read" else "write")
        return max(found, key=lambda effect: effect.mode == "write", default=default)

    def _known(self, source: LockAbstract | LockTerm, ctype: CType | None) -> Iterable[Effect]:
        if isinstance(source, LockAbstract):
            return [e for row in self._spec.primitives.values() for e in row.effects if e.lock == source]
        name = ctype.name if isinstance(ctype, Record) else ""
        families = {family.name for family in self._spec.families if name in family.types}
        rows = (row for row in self._spec.primitives.values() if row.family in families)
        return [e for row in rows for e in row.effects if not isinstance(e.lock, LockAbstract)]


def _test(test: list[Value]) -> ReturnTest | None:
    if len(test) == 2 and isinstance(test[0], Text) and isinstance(test[1], Constant):
        return ReturnTest(test[0].value, test[1].value)
    return None


def _summary(effects: tuple[Effect, ...]) -> FunctionSummary | None:
    """Return the ways in which a function with these effects returns; None if it changes no lock."""
    sure = _changes(effect for effect in effects if effect.when is None)
    tried = _changes(effect for effect in effects if effect.when is not None)
    if not sure and not tried:
        return None
    test = next((effect.when for effect in effects if effect.when is not None), None)
    if test is None or not tried:
        return FunctionSummary((_outcome(ranges.FULL, sure),))
    success = ranges.from_test(test.operator, test.value)
    failure = ranges.complement(success)
    found = [_outcome(success, sure + tried)] + ([_outcome(failure, sure)] if failure else [])
    return FunctionSummary(tuple(found))


def _outcome(returns: ranges.Range, changes: tuple[LockChange, ...]) -> Outcome:
    return Outcome(returns, None, changes, (), ())


def _changes(effects: Iterable[Effect]) -> tuple[LockChange, ...]:
    """Return what taking and dropping comes to for each lock."""
    found: dict[Term, LockChange] = {}
    for effect in effects:
        if effect.kind not in ("acquire", "release"):
            continue
        key = effect.lock.term if isinstance(effect.lock, LockTerm) else ("abstract", getattr(effect.lock, "name", ""))
        before = found[key].count if key in found else 0
        count = before + (1 if effect.kind == "acquire" else -1)
        found[key] = LockChange(key, count, effect.mode, effect.recursive, At(0), effect.atomic)
    return tuple(change for change in found.values() if change.count)
