# SPDX-License-Identifier: GPL-2.0-only
"""What the specification takes for true of functions, put into those that call them, or known where they begin.

In: the row that `zap_children()` does nothing where `arg 0->page.invalid != 0`, and a function that calls it. Out: the
function as if it said `if (!page->invalid) zap_children(page);`. Of a row that a member holds an argument: what a load of
that member is in the function.

Facts stay what they are; only the analysis sees the function so.

**Invariant:** the call stays on every way on which the condition is not known to hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, KeysView
from functools import reduce

from msgspec import Struct
from msgspec.structs import replace

from analyzer.analysis.backlinks import Backlinks, Entered
from analyzer.analysis.names import Cell, NameResolver
from analyzer.analysis.terms import Term, container, member
from analyzer.base.errors import SpecError
from analyzer.facts.unit import FunctionFacts
from analyzer.ir.function import Call, FunctionIR
from analyzer.ir.guarded import Comparison, Guard, guarded
from analyzer.ir.types import Array, CType, Pointer, Record, Unknown, element
from analyzer.ir.values import (
    AccessPath,
    AddressOf,
    Deref,
    Field,
    FunctionAddress,
    Global,
    Load,
    Pointee,
    Value,
)
from analyzer.program.link import Program
from analyzer.spec.assumed import Assumption, Condition, Same
from analyzer.spec.model import Name, SpecSet

#: facts of a function by its id
FactsOf = Callable[[str], FunctionFacts]


class _Resolved(Struct, frozen=True):
    """A condition with its members resolved."""

    condition: Condition
    members: tuple[Cell, ...]

    def test(self, arguments: tuple[Value, ...]) -> Comparison | None:
        """Return what is tested at a call with `arguments`; None where the call passes too few."""
        one = self.condition
        fields = tuple(Field(*cell) for cell in self.members)
        if one.argument is None:
            value: Value = Load(AccessPath(Global(one.path[0]), fields))
        elif one.argument >= len(arguments):
            return None
        else:
            value = arguments[one.argument]
            value = Load(_behind(value, fields)) if fields else value
        return Comparison(value, one.operator, one.value)


def _behind(pointer: Value, fields: tuple[Field, ...]) -> AccessPath:
    """Return the member behind `pointer`, written as the text of the function writes it."""
    match pointer:
        case Load(AccessPath(root, selectors)):
            return AccessPath(root, (*selectors, Deref(), *fields))
        case AddressOf(AccessPath(root, selectors)):
            return AccessPath(root, (*selectors, *fields))
    return AccessPath(Pointee(pointer), fields)


class _Row(Struct, frozen=True):
    """An assumption about one function."""

    assumption: Assumption
    when: tuple[_Resolved, ...]

    def guard(self, arguments: tuple[Value, ...]) -> Guard | None:
        """Return where a call with `arguments` does nothing; None where the row does not fit it."""
        tests = tuple(test for one in self.when if (test := one.test(arguments)) is not None)
        return Guard(tests, self.assumption.returns) if len(tests) == len(self.when) else None


class Assumptions:
    """The assumptions of one run; without any, all functions are what they are."""

    __slots__ = ("_held", "_rows", "errors")

    def __init__(
        self, program: Program | None = None, spec: SpecSet | None = None, facts_of: FactsOf | None = None
    ) -> None:
        #: by the called function
        self._rows: dict[str, list[_Row]] = defaultdict(list)
        #: by function: what members hold where it begins, with the row that says so
        self._held: dict[str, list[tuple[Assumption, Term, Term]]] = defaultdict(list)
        #: what rows name and the program, where it has the function, does not have
        self.errors: list[SpecError] = []
        if program is None or spec is None or facts_of is None or not spec.assumptions:
            return
        fit = _Fit(program, spec, facts_of)
        for assumption in spec.assumptions:
            for function, _ in assumption.functions:
                if assumption.same is not None:
                    self._held[function] += [(assumption, *held) for held in fit.held(assumption.same, function)]
                elif (row := fit.row(assumption, function)) is not None:
                    self._rows[function].append(row)
        self.errors = fit.errors

    def entered(self, backlinks: Backlinks) -> dict[str, Backlinks]:
        """Return where pointers lead back, by function, where that is more than `backlinks` say."""
        return {
            name: Entered(backlinks, {obj: value for _, obj, value in held})
            for name, held in self._held.items()
            if held
        }

    def applied(self, facts: FunctionFacts) -> FunctionFacts:
        """Return `facts` with the calls that rows are about made conditional."""
        if self._rows.keys().isdisjoint(facts.calls):
            return facts
        return replace(facts, ir=guarded(facts.ir, self._guards))

    def _guards(self, call: Call) -> tuple[Guard, ...]:
        rows = self._rows.get(call.callee.name, ()) if isinstance(call.callee, FunctionAddress) else ()
        return tuple(guard for row in rows if (guard := row.guard(call.arguments)) is not None)

    @property
    def names(self) -> KeysView[str]:
        """Return the names of the functions of which calls are assumed to do nothing."""
        return self._rows.keys()

    def about(self, function: str) -> tuple[Assumption, ...]:
        """Return the assumptions about a function, by its name."""
        held = (assumption for assumption, _, _ in self._held.get(function, ()))
        return (*(row.assumption for row in self._rows.get(function, ())), *held)

    def inside(self) -> Iterator[Assumption]:
        """Yield the assumptions about what holds inside functions, once for each function."""
        for held in self._held.values():
            yield from (assumption for assumption, _, _ in held)

    def calls(self, facts: FunctionFacts) -> Iterator[tuple[Assumption, str]]:
        """Yield the calls in a function that rows are about: the row, and the called function."""
        if self._rows.keys().isdisjoint(facts.calls):
            return
        for event in (event for block in facts.ir.blocks for event in block.events):
            if isinstance(event, Call) and isinstance(event.callee, FunctionAddress):
                for row in self._rows.get(event.callee.name, ()):
                    if row.guard(event.arguments) is not None:
                        yield row.assumption, event.callee.name


class _Fit:
    """Holds the conditions of rows against the program."""

    def __init__(self, program: Program, spec: SpecSet, facts_of: FactsOf) -> None:
        self._program = program
        self._names = NameResolver(program, spec)
        self._facts_of = facts_of

    @property
    def errors(self) -> list[SpecError]:
        """Return what rows name and the program does not have."""
        return self._names.errors

    def row(self, assumption: Assumption, function: str) -> _Row | None:
        """Return what is assumed of calls of `function`; None where something in it is wrong, or absent."""
        when = [self._resolved(condition, function) for condition in assumption.when]
        known = tuple(one for one in when if one is not None)
        return _Row(assumption, known) if len(known) == len(when) else None

    def held(self, same: Same, function: str) -> Iterator[tuple[Term, Term]]:
        """Yield the member and what it holds, over the parameters of `function`; nothing where something is wrong."""
        functions = [self._facts_of(ident).ir for ident in self._program.named(function)]
        texts = [
            SpecError(text, place)
            for index, record, place in (
                (same.of, "" if same.inside else same.member[0], same.places[1]),
                (same.value, "", same.places[2]),
            )
            if (text := self._misfit_in(functions, index, record))
        ]
        if same.inside and same.inside[0] != same.member[0]:
            texts.append(SpecError(f"'{'.'.join(same.inside)}' is no member of '{same.member[0]}'", same.places[1]))
        self.errors.extend(texts)
        inside = self._names.way(Name(same.inside), same.places[1]) if same.inside else ()
        way = self._names.way(Name(same.member), same.places[0])
        if texts or not way or (same.inside and not inside) or not functions:
            return
        obj: Term = ("O", ("P", same.of))
        for cell in reversed(inside):
            obj = container(obj, *cell)
        yield reduce(lambda inner, cell: member(inner, *cell), way, obj), ("P", same.value)

    def _resolved(self, condition: Condition, function: str) -> _Resolved | None:
        text = self._misfit(condition, function)
        if text:
            self.errors.append(SpecError(text, condition.location))
            return None
        if condition.argument is None:
            return _Resolved(condition, ()) if self._names.cell(Name(condition.path), condition.location) else None
        members = self._names.way(Name(condition.path), condition.location) if condition.path else ()
        return _Resolved(condition, members) if members or not condition.path else None

    def _misfit(self, condition: Condition, function: str) -> str:
        """Say what is wrong with a condition on an argument of `function`, or nothing."""
        if condition.argument is None:
            return ""
        functions = [self._facts_of(ident).ir for ident in self._program.named(function)]
        return self._misfit_in(functions, condition.argument, condition.path[0] if condition.path else "")

    def _misfit_in(self, functions: list[FunctionIR], index: int, record: str) -> str:
        """Say why argument `index` of none of `functions` points to `record`; any will do if that is empty."""
        texts = [self._misfit_of(ir, index, record) for ir in functions]
        # of several functions of one name it may be about one
        return "" if "" in texts or not texts else texts[0]

    @staticmethod
    def _misfit_of(ir: FunctionIR, index: int, record: str) -> str:
        if index >= len(ir.parameters):
            n_arguments = len(ir.parameters) or "no"
            return "" if ir.variadic else f"{ir.name}() has {n_arguments} arguments: there is no arg {index}"
        to = _pointed_to(ir.parameters[index].type) if record else None
        if to is None or to == record:
            return ""
        return f"arg {index} of {ir.name}() does not point to a '{record}'" + f" but to a '{to}'" * bool(to)


def _pointed_to(ctype: CType) -> str | None:
    """Return the record that a parameter points to, "" if it points to none; None where that is not known: `void *`."""
    if not isinstance(ctype, Pointer | Array):
        return None if isinstance(ctype, Unknown) else ""
    to = element(ctype.to if isinstance(ctype, Pointer) else ctype)
    return to.name if isinstance(to, Record) else None
