# SPDX-License-Identifier: GPL-2.0-only
"""Reads of pointers that readers share (`__rcu`), without an accessor, of which what they point to is used then.

In: the events of one function. Out: which of its reads are bare and followed; what rules ask for there. For all functions
together: under which locks accessors read a pointer, as their conditions say.

An accessor says which pointer it is about, beside the read: a claim right after it or, where the condition comes first,
right before. A value is followed where a path leads through it, through a local that it was stored to, or into a function
that accesses what it is given. What is returned may be followed further up. A pointer of which an accessor names the lock of
its updaters has no other; of any other pointer, whoever holds a lock may be an updater.

**Invariant:** a text that was preprocessed without markers of accessors has no marked pointers either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import pairwise

from analyzer.analysis.context import Scope
from analyzer.analysis.contracts import asked_of
from analyzer.analysis.evaluate import locate
from analyzer.analysis.exempt import object_pointer
from analyzer.analysis.formula import Formula, any_of, where_made
from analyzer.analysis.freshness import allocation, is_new
from analyzer.analysis.places import Recorder
from analyzer.analysis.state import State
from analyzer.analysis.summary import Own
from analyzer.analysis.tested import successors_of
from analyzer.analysis.watch import bind_access
from analyzer.facts.unit import FunctionFacts
from analyzer.ir.claims import Asked
from analyzer.ir.function import (
    Block,
    Call,
    Claim,
    Event,
    FunctionIR,
    Read,
    Return,
    Store,
)
from analyzer.ir.values import AccessPath, AddressOf, Deref, Field, Global, Load, Local, Value
from analyzer.program.flow import READ, WRITE, FlowFacts
from analyzer.program.link import Program
from analyzer.spec.model import Requirement, SpecSet

Cell = tuple[str, str]
#: the question by which an accessor says which pointer it is about
_POINTER = "__lockspec_pointer"
#: how a pointer is used that was read
FOLLOWED, RETURNED = "followed", "returned"
_RETURNED = "the pointer is returned: whether callers follow it is not known"
#: who holds a lock may be an updater, or a reader of another kind
_PERHAPS = "a lock is held: whether updaters of the pointer hold it, or wait for its holders, is not known"


class Bare:
    """The bare reads of one function."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._cells = scope.context.watches.bare
        self._reads = dict(_bare_reads(scope)) if self._mentions() else {}

    def __bool__(self) -> bool:
        return bool(self._reads)

    def _mentions(self) -> bool:
        return any(cell in self._cells for cell in self._scope.context.flows[self._scope.id].mentions)

    def event(self, state: State, event: Read, place: tuple[int, int], recorder: Recorder) -> None:
        """Ask for what rules want where a pointer is read bare and followed."""
        if place not in self._reads:
            return
        obj = locate(state, event.path)
        pointer = object_pointer(obj)
        inner = obj[1] if obj[0] == "I" else obj
        for watch in self._cells[cell_read(event.path) or ("", "")]:
            doubts: list[Formula] = [] if watch.named else [("locked", True, _PERHAPS)]
            doubts += [("maybe", _RETURNED)] if self._reads[place] == RETURNED else []
            formula = any_of([bind_access(watch, inner, pointer), *doubts])
            formula = where_made(formula) if is_new(allocation(pointer), state) else formula
            recorder.require(state, Own(watch.rule, watch.object, watch.access, event.at, watch.locks), formula)


def cell_read(path: AccessPath) -> Cell | None:
    """Return the member, or the global, that `path` ends in, or of which it is an element."""
    for selector in reversed(path.selectors):
        if isinstance(selector, Field):
            return (selector.record, selector.member)
        if isinstance(selector, Deref):
            return None
    return ("", path.root.name) if isinstance(path.root, Global) else None


def conditions(
    program: Program,
    flows: Mapping[str, FlowFacts],
    facts_of: Callable[[str], FunctionFacts],
    spec: SpecSet,
    cells: frozenset[Cell],
) -> dict[Cell, tuple[Requirement, ...]]:
    """Return for each of `cells` what the accessors that read it ask for."""
    asked = asked_of(spec)
    found: dict[Cell, list[Requirement]] = defaultdict(list)
    for ident in sorted(program.functions) if cells else ():
        if cells.isdisjoint(flows[ident].mentions):
            continue
        for cell, said in conditions_in(facts_of(ident), cells):
            requirement = asked(said.statement)
            if requirement is not None and requirement not in found[cell]:
                found[cell].append(requirement)
    return {cell: tuple(requirements) for cell, requirements in found.items()}


def conditions_in(facts: FunctionFacts, cells: Collection[Cell]) -> Iterator[tuple[Cell, Claim]]:
    """Yield what the accessors in one function claim of those of `cells` that they read."""
    for block in facts.ir.blocks:
        for before, claim in pairwise(block.events):
            cell = _accessed(claim)
            if cell is not None and cell in cells and isinstance(before, Claim):
                yield cell, before


def _accessed(event: Event) -> Cell | None:
    """Return the pointer that an accessor says that it is about."""
    if isinstance(event, Claim) and isinstance(event.statement, Asked) and event.statement.function == _POINTER:
        value = event.statement.arguments[0] if event.statement.arguments else None
        return cell_read(value.path) if isinstance(value, Load) else None
    return None


def _bare_reads(scope: Scope) -> Iterator[tuple[tuple[int, int], str]]:
    """Yield the places, block and event, of bare reads of watched pointers, and how what is read is used."""
    ir, cells = scope.facts.ir, scope.context.watches.bare
    for number, block in enumerate(ir.blocks):
        through = _through_accessors(block)
        for index, event in enumerate(block.events):
            if not isinstance(event, Read) or index in through or cell_read(event.path) not in cells:
                continue
            use = _use(scope, ir, number, index, event.path)
            if use:
                yield (number, index), use


def _through_accessors(block: Block) -> set[int]:
    """Return the reads that accessors make: next to the claim that says so."""
    found: set[int] = set()
    for index, claim in enumerate(block.events):
        cell = _accessed(claim)
        if cell is None:
            continue
        assert isinstance(claim, Claim)
        place = _nearest(block.events, range(index - 1, -1, -1), cell, found, calls=False)
        if place is None:
            place = _nearest(block.events, range(index + 1, len(block.events)), cell, found, calls=bool(claim.before))
        if place is not None:
            found.add(place)
    return found


def _nearest(events: tuple[Event, ...], way: range, cell: Cell, taken: set[int], *, calls: bool) -> int | None:
    """Return the first read of `cell` on a way on which nothing is done; `calls`: that is looked at by calls."""
    for index in way:
        event = events[index]
        if isinstance(event, Read):
            if cell_read(event.path) == cell and index not in taken:
                return index
            if way.step < 0:
                return None
        elif not isinstance(event, Claim) and not (calls and isinstance(event, Call)):
            return None
    return None


def _use(scope: Scope, ir: FunctionIR, number: int, index: int, path: AccessPath) -> str:
    """Tell whether what is read at a place is followed from there on, or returned, where it is not; empty for neither."""
    seen: set[tuple[int, AccessPath]] = set()
    work = [(number, index + 1, path)]
    returned = ""
    while work:
        number, start, held = work.pop()
        block, gone = ir.blocks[number], False
        for place, event in enumerate(block.events[start:], start):
            if any(_leads_through(used, held) for used in _paths(event)) or _is_given(scope, event, held):
                return FOLLOWED
            if isinstance(event, Store) and event.value == Load(held) and isinstance(event.path.root, Local):
                work.append((number, place + 1, event.path))
            if isinstance(event, Store | Read) and event.path == held:
                # another value, or another read of the same pointer, which is looked at by itself
                gone = isinstance(event, Store) or held == path
            if gone:
                break
        value = None if gone else getattr(block.terminator, "value", None)
        if value is not None and any(_leads_through(used, held) for used in _of_value(value)):
            return FOLLOWED
        if value == Load(held) and isinstance(block.terminator, Return):
            returned = RETURNED
        for target in () if gone else successors_of(block):
            if (target, held) not in seen:
                seen.add((target, held))
                work.append((target, 0, held))
    return returned


def _leads_through(path: AccessPath, pointer: AccessPath) -> bool:
    """Tell whether `path` goes on behind where `pointer` points."""
    size = len(pointer.selectors)
    behind = path.selectors[size : size + 1] == (Deref(),)
    return behind and path.root == pointer.root and path.selectors[:size] == pointer.selectors


def _is_given(scope: Scope, event: Event, pointer: AccessPath) -> bool:
    """Tell whether a function is given the pointer that accesses what it points to."""
    if not isinstance(event, Call) or Load(pointer) not in event.arguments:
        return False
    places = [index for index, argument in enumerate(event.arguments) if argument == Load(pointer)]
    conducts = [scope.conduct(target) for target in scope.targets(event.callee)]
    return any(
        conduct is not None and conduct.touches.get(index, 0) & (READ | WRITE)
        for conduct in conducts
        for index in places
    )


def _paths(event: Event) -> Iterable[AccessPath]:
    match event:
        case Read(path):
            return (path,)
        case Store(path, value):
            return (path, *_of_value(value))
        case Call(_, arguments):
            return [path for argument in arguments for path in _of_value(argument)]
    return ()


def _of_value(value: Value) -> Iterable[AccessPath]:
    return (value.path,) if isinstance(value, Load | AddressOf) else ()
