# SPDX-License-Identifier: GPL-2.0-only
"""What updaters change before they wait for readers: which member a grace period protects.

In: the program before it is analysed. Out: `Retired`: `kvm.irq_routing` is stored in one place and the readers of
`kvm.irq_srcu` are waited for in another, on a way from the one to the other.

A grace period is waited for asleep (effect `wait`), or what was replaced is freed after one (effect `free` or a callback,
both with `after`): then the member is one that led to the freed record, or is linked into a list by it. Callees are looked
into, as far as they only change members or only wait.

**Invariant:** order is that of the control flow graph. Conditions, locks, and whether an object could be reached at all
then, are left to the analysis; what the function itself allocated is taken for new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from copy import copy
from functools import cached_property
from typing import NamedTuple

from analyzer.analysis.locks import LockTypes
from analyzer.analysis.members import Members
from analyzer.analysis.once import Once, argument_of
from analyzer.analysis.retired import Cell, Change, Retired, Waited
from analyzer.facts.unit import FunctionFacts
from analyzer.ir.function import Branch, Call, Event, FunctionIR, Goto, Jump, Store, Switch, Terminator
from analyzer.ir.values import AddressOf, Constant, FunctionAddress, Load, Local, Parameter
from analyzer.program.arguments import Conducts
from analyzer.program.flow import WRITE, FlowFacts
from analyzer.program.graph import CallGraph
from analyzer.program.link import Program
from analyzer.spec.effect import Effect, LockAbstract, LockArgument, LockSource, Primitive
from analyzer.spec.model import Callback, SpecSet

#: callees further below are not asked what they change, callers further above not whether they wait there
MAX_DEPTH = 2


class _Known(NamedTuple):
    """What callers need of a function."""

    #: what is changed and not waited for at some return
    left: frozenset[Change]
    #: grace periods, if the function changes nothing itself
    waits: tuple[Waited, ...]
    #: what is changed before a grace period
    retired: tuple[Retired, ...]
    #: what else was looked through for that
    looked: tuple[tuple[str, int], ...]


class _Notes(NamedTuple):
    """What is found while a function is looked through; in the order in which it is."""

    retired: dict[Retired, None]
    looked: dict[tuple[str, int], None]


#: what a function is, from further above, is told by functions so far below
_REACH = MAX_DEPTH + 1


class Retirements:
    """Looks through the functions that wait, and those around them."""

    def __init__(
        self,
        program: Program,
        flows: Mapping[str, FlowFacts],
        graph: CallGraph,
        conducts: Conducts,
        spec: SpecSet,
        facts_of: Callable[[str], FunctionFacts],
    ) -> None:
        self._program = program
        self._flows = flows
        self._graph = graph
        self._conducts = conducts
        self._primitives = spec.primitives
        self._types = LockTypes(spec)
        self._facts_of = facts_of
        self._members = Members(program)
        self._callbacks = {row.function: row for row in spec.callbacks if row.function and row.after}
        self._waiting = frozenset(self._callbacks) | {
            name for name, row in spec.primitives.items() if any(_waits(effect) for effect in row.effects)
        }
        self._allocators = frozenset(
            name for name, row in spec.primitives.items() if any(effect.kind == "allocate" for effect in row.effects)
        )
        self._waiters = frozenset(filter(self._waits_itself, flows))
        #: by function and number of calls above it
        self._known: dict[tuple[str, int], _Known] = {}
        #: changes of members that are asked about, by function
        self._stores: dict[str, tuple[Change, ...]] = {}
        #: both, of a program before: as far as they hold
        self._before: tuple[Mapping[tuple[str, int], _Known], Mapping[str, tuple[Change, ...]]] = ({}, {})
        self._notes = _Notes({}, {})
        self._asked: frozenset[Cell] = frozenset()

    def successor(
        self,
        program: Program,
        flows: Mapping[str, FlowFacts],
        graph: CallGraph,
        conducts: Conducts,
        facts_of: Callable[[str], FunctionFacts],
        changed: Set[str],
        different: Set[str],
    ) -> Retirements:
        """Return the same for a program in which the functions `changed` are others, before anything is looked for.

        The functions `different` treat their arguments and memory otherwise than before.
        """
        later = copy(self)
        later._program, later._flows, later._graph = program, flows, graph
        later._conducts, later._facts_of = conducts, facts_of
        later._members = self._members if self._members.holds_for(program) else Members(program)
        later._waiters = (self._waiters - changed) | set(filter(later._waits_itself, changed))
        later._known, later._stores, later._before = {}, {}, ({}, {})
        if later._members is self._members:
            stale = later._told_by(changed, different)
            later._before = (
                {key: known for key, known in self._known.items() if key[0] not in stale},
                {ident: some for ident, some in self._stores.items() if ident not in changed},
            )
        later.__dict__.pop("_around", None)
        return later

    def _told_by(self, changed: Set[str], different: Set[str]) -> Set[str]:
        """Return the functions of which something may be found that hangs on these."""
        found = {*changed, *self._callers(different)}
        for _ in range(_REACH):
            found |= self._callers(found)
        return found

    def _callers(self, idents: Iterable[str]) -> set[str]:
        return {edge.caller for ident in idents for edge in self._graph.callers.get(ident, ())}

    def find(self, asked: frozenset[Cell] = frozenset()) -> tuple[Retired, ...]:
        """Return all that is changed before a grace period; of members that are `asked` about, before none as well."""
        if asked != self._asked:
            self._before = (self._before[0], {})
        self._asked = asked
        for ident in self._around:
            self._look(ident, 0)
        found = {one for known in self._known.values() for one in known.retired}
        waited = {(one.cell, one.changed) for one in found}
        for ident in self._flows if asked else ():
            for change in () if asked.isdisjoint(self._flows[ident].writes) else self._stores_of(ident):
                if (change.cell, change.place) not in waited:
                    found.add(Retired(change.cell, (), change.place, change.place, ident, change.cleared, change.leads))
        return tuple(sorted(found, key=repr))

    def _stores_of(self, ident: str) -> tuple[Change, ...]:
        """Return the stores of a function to members that are asked about."""
        known = self._before[1].get(ident)
        if known is None:
            ir = self._facts_of(ident).ir
            once = Once(ir)
            events = (event for block in ir.blocks for event in block.events if isinstance(event, Store))
            stored = (self._stored(ident, once, event) for event in events)
            known = tuple(change for change in stored if change is not None and change.cell in self._asked)
        self._stores[ident] = known
        return known

    def holds_for(self, later: Retirements, changed: Set[str], different: Set[str]) -> bool:
        """Tell whether what was found is what `later` would find, in which the functions `changed` are others.

        The functions `different` treat their arguments and memory otherwise than before.
        """
        looked = {ident for ident, _ in self._known}
        if not (looked.isdisjoint(changed) and looked.isdisjoint(later._callers(different))):
            return False
        if self._waiters != later._waiters or self._around != later._around:
            return False
        flows = [
            flow for ident in changed for flow in (self._flows.get(ident), later._flows[ident]) if flow is not None
        ]
        return all(self._asked.isdisjoint(flow.writes) for flow in flows)

    @cached_property
    def _around(self) -> list[str]:
        """The functions that wait themselves, and their near callers."""
        found: Set[str] = self._waiters
        level = found
        for _ in range(MAX_DEPTH):
            level = {
                edge.caller for ident in level for edge in self._graph.callers.get(ident, ()) if edge.kind == "direct"
            }
            found = found | level
        return sorted(found)

    def _waits_itself(self, ident: str) -> bool:
        return any(site.callee in self._waiting for site in self._flows[ident].sites)

    # -- one function ---------------------------------------------------------------------------------------------

    def _look(self, ident: str, depth: int) -> _Known:
        key = (ident, depth)
        self._notes.looked[key] = None
        if key not in self._known:
            known = self._before[0].get(key)
            if known is None:
                outer, self._notes = self._notes, _Notes({}, {})
                known = self._run(ident, depth)
                self._notes = outer
            else:
                for callee, below in known.looked:
                    self._look(callee, below)
            self._known[key] = known
        return self._known[key]

    def _run(self, ident: str, depth: int) -> _Known:
        ir = self._facts_of(ident).ir
        once = Once(ir)
        before: list[frozenset[Change] | None] = [None] * len(ir.blocks)
        before[0] = frozenset()
        work, left, waits = [0], frozenset[Change](), dict[Waited, None]()
        while work:
            block = work.pop()
            state = before[block] or frozenset()
            for event in ir.blocks[block].events:
                state = self._event(ident, ir, once, event, state, depth, waits)
            following = list(_following(ir.blocks[block].terminator))
            left = left if following else left | state
            for target in following:
                known = before[target]
                if known is None or not state <= known:
                    before[target] = state | (known or frozenset())
                    work.append(target)
        changes_some = any(
            isinstance(event, Store) and self._members.cell(once.path(event.path))
            for block in ir.blocks
            for event in block.events
        )
        waited = () if changes_some or left else tuple(waits)
        return _Known(left, waited, tuple(self._notes.retired), tuple(self._notes.looked))

    def _event(
        self,
        ident: str,
        ir: FunctionIR,
        once: Once,
        event: Event,
        state: frozenset[Change],
        depth: int,
        waits: dict[Waited, None],
    ) -> frozenset[Change]:
        """Return what is changed and not waited for after `event`."""
        if isinstance(event, Store):
            change = self._stored(ident, once, event)
            return state if change is None else state | {change}
        if not isinstance(event, Call) or not isinstance(event.callee, FunctionAddress):
            return state
        for one in self._waited_by(ident, once, event, ir, depth):
            self._retire(ident, state, one, self._uses_later(ir, event))
            if one.record:
                continue
            waits[one] = None
            state = frozenset()
        return state | self._changed_by(ident, once, event, depth)

    def _stored(self, ident: str, once: Once, event: Store) -> Change | None:
        path = once.path(event.path)
        cell = self._members.cell(path)
        if cell is None or once.made_by(path) in self._allocators:
            return None
        leads = self._members.leads(cell)
        cleared = leads and once.value(event.value) == Constant(0)
        return Change(cell, (ident, event.at), cleared, once.holding(cell), leads)

    def _uses_later(self, ir: FunctionIR, event: Call) -> frozenset[str]:
        """Return the locals that calls below `event` are given."""
        return frozenset(
            argument.path.root.name
            for block in ir.blocks
            for other in block.events
            if isinstance(other, Call) and (other.at.line, other.at.column) > (event.at.line, event.at.column)
            for argument in other.arguments
            if isinstance(argument, Load) and isinstance(argument.path.root, Local)
        )

    def _retire(self, ident: str, state: Iterable[Change], one: Waited, later: frozenset[str]) -> None:
        domain = tuple(name for name in one.domain if isinstance(name, str))
        published = {self._members.pointee(change.cell) for change in state}
        for change in state if len(domain) == len(one.domain) and domain else ():
            if not one.record and self._members.outermost(change.cell) in published:
                # what is written into an object before readers are led to it
                continue
            if one.record and not self._members.leads_to(change.cell, one.record):
                continue
            gives_up = change.cleared or bool(one.record) or not change.old.isdisjoint(later)
            retired = Retired(change.cell, domain, change.place, one.place, ident, gives_up, change.leads)
            self._notes.retired[retired] = None

    # -- calls ----------------------------------------------------------------------------------------------------

    def _changed_by(self, ident: str, once: Once, event: Call, depth: int) -> frozenset[Change]:
        """Return what a call changes: what its arguments point to, and in callees."""
        assert isinstance(event.callee, FunctionAddress)
        name = event.callee.name
        target = self._program.resolve(self._program.functions[ident].unit, name)
        row = self._primitives.get(name)
        found = set()
        for index, argument in enumerate(event.arguments):
            value = once.value(argument)
            path = once.path(value.path) if isinstance(value, AddressOf) else None
            cell = self._members.cell(path) if path is not None else None
            if path is None or cell is None or once.made_by(path) in self._allocators:
                continue
            if self._writes(row, target, index):
                found.add(Change(cell, (ident, event.at), leads=self._members.leads(cell)))
        if target is not None and row is None and depth < MAX_DEPTH and self._conducts.of[target].writes:
            found.update(self._look(target, depth + 1).left)
        return frozenset(found)

    def _writes(self, row: Primitive | None, target: str | None, index: int) -> bool:
        if row is not None and row.is_whole:
            accesses = (effect for effect in row.effects if effect.kind == "access" and effect.access != "read")
            return any(effect.lock == LockArgument(index) for effect in accesses)
        return target is not None and bool(self._conducts.of[target].touches.get(index, 0) & WRITE)

    def _waited_by(self, ident: str, once: Once, event: Call, ir: FunctionIR, depth: int) -> Iterator[Waited]:
        """Yield the grace periods of a call."""
        assert isinstance(event.callee, FunctionAddress)
        name, place = event.callee.name, (ident, event.at)

        def domain(sources: Iterable[LockSource], contexts: tuple[str, ...]) -> tuple[str | int, ...]:
            return (*(self._lock(source, once, event) for source in sources), *contexts)

        row, handed = self._primitives.get(name), self._callbacks.get(name)
        waits = [effect for effect in row.effects if effect.kind == "wait" and effect.promised] if row else []
        if waits:
            sources = [effect.lock for effect in waits if effect.lock is not None]
            yield Waited(domain(sources, tuple(c for effect in waits for c in effect.contexts)), place)
        for effect in row.effects if row else ():
            if effect.after and isinstance(effect.lock, LockArgument):
                record = self._freed(effect.lock.index, once, event, ir)
                yield from [Waited(domain(effect.after, effect.contexts), place, record)] if record else []
        if handed is not None:
            record = self._freed(_head(handed), once, event, ir)
            yield from [Waited(domain(handed.after, handed.contexts), place, record)] if record else []
        target = self._program.resolve(self._program.functions[ident].unit, name)
        if target is not None and row is None and handed is None and depth < MAX_DEPTH and self._may_wait(target):
            for one in self._look(target, depth + 1).waits:
                given = tuple(self._lock(LockArgument(d), once, event) if isinstance(d, int) else d for d in one.domain)
                yield one._replace(domain=given)

    def _may_wait(self, ident: str, depth: int = 0) -> bool:
        return ident in self._waiters or (
            depth < MAX_DEPTH
            and any(
                edge.kind == "direct" and self._may_wait(edge.callee, depth + 1)
                for edge in self._graph.callees.get(ident, ())
            )
        )

    def _lock(self, source: LockSource, once: Once, event: Call) -> str | int:
        """Return the class of a lock, or the parameter that points to it; -1 if neither is known."""
        if not isinstance(source, LockArgument):
            return source.name if isinstance(source, LockAbstract) else -1
        value = once.value(argument_of(event, source.index))
        match value:
            case AddressOf(path):
                return self._members.lock(once.path(path), self._types.records) or -1
            case Load(path) if isinstance(path.root, Parameter) and not path.selectors:
                return path.root.index
        return -1

    def _freed(self, index: int, once: Once, event: Call, ir: FunctionIR) -> str:
        """Return the record that an argument points to, or into; empty if that is not known."""
        value = once.value(argument_of(event, index))
        if isinstance(value, AddressOf):
            cell = self._members.cell(once.path(value.path))
            return self._members.outermost(cell) if cell else ""
        return self._members.pointed(value, ir)


def _head(row: Callback) -> int:
    """Return the argument that is handed on: it lies in what is freed."""
    return row.passes[0] if row.passes else 0


def _waits(effect: Effect) -> bool:
    return (effect.kind == "wait" and effect.promised) or bool(effect.after)


def _following(terminator: Terminator) -> Iterator[int]:
    match terminator:
        case Jump(target):
            yield target
        case Branch(_, true, false, _):
            yield from (true, false)
        case Switch():
            yield from (case.target for case in terminator.cases)
            yield terminator.default
        case Goto(targets, _):
            yield from targets
