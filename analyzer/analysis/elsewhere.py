# SPDX-License-Identifier: GPL-2.0-only
"""What functions of other units may do to locks, as far as one part of a program shows.

In: the linked part. Out: whether a way to a place can be judged without the rest of the program.

A function without a body may take or drop any lock that it can get at: one inside a record that its arguments or its
result lead to, by members, by pointers, or outward from a member whose address it is given; and any lock with a name of
its own that other units can name. What a row of the specification tells of is no such function.

**Invariant:** what is not known (a record without layout, a pointer without a type) leads everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from analyzer.analysis.obligations import Trail
from analyzer.facts.unit import FunctionFacts
from analyzer.ir.function import At, Call, Event, FunctionIR, Return
from analyzer.ir.types import Array, CType, Function, Pointer, Record, Scalar, Unknown
from analyzer.ir.values import (
    AccessPath,
    AddressOf,
    Deref,
    Field,
    FunctionAddress,
    Global,
    Load,
    Local,
    Parameter,
    Value,
)
from analyzer.ir.verify import targets
from analyzer.program.flow import callee_slot
from analyzer.program.graph import CallGraph
from analyzer.program.link import Program
from analyzer.spec.model import SpecSet

#: names of records, and of variables other units can name; EVERYWHERE: anything
Reach = frozenset[str]
EVERYWHERE = "*"
_NOWHERE: Reach = frozenset()
_ANYWHERE: Reach = frozenset({EVERYWHERE})


class Elsewhere:
    """Answers for one part of a program, and remembers the answers."""

    def __init__(
        self,
        program: Program,
        graph: CallGraph,
        spec: SpecSet,
        facts_of: Callable[[str], FunctionFacts],
    ) -> None:
        self._program = program
        self._graph = graph
        #: functions that rows tell all of
        self._told = {name for name, row in spec.primitives.items() if row.is_whole}
        self._told |= {row.function for row in spec.callbacks if row.function}
        self._facts_of = facts_of
        self._static = {item.name for unit in program.units.values() for item in unit.globals if item.static}
        self._below: dict[str, Reach] = {}
        self._records: dict[str, Reach] = {}

    def leaves(self, trail: Trail, names: Iterable[str]) -> bool:
        """Tell whether nothing elsewhere, called on the way before its places, gets at any lock or object in `names`."""
        reach = frozenset[str]().union(*(self._before(ident, cause.what.at) for ident, cause in trail.links))
        return not any(self._is_in(name, reach) for name in names)

    def _is_in(self, name: str, reach: Reach) -> bool:
        """Tell whether `kvm.slots_lock`, or a variable, can be got at."""
        if not reach or name in self._static:
            return name in reach
        parts = name.split(".")
        if len(parts) == 1 or EVERYWHERE in reach:
            return True
        return any(".".join(parts[:n]) in reach for n in range(1, len(parts)))

    # -- calls ----------------------------------------------------------------------------------------------------

    def _before(self, ident: str, at: At) -> Reach:
        """Return what is got at by calls in function `ident` from which control can come to `at`."""
        ir = self._facts_of(ident).ir
        return frozenset[str]().union(*(self._call(ident, ir, call) for call in _calls_before(ir, at)))

    def _inside(self, ident: str) -> Reach:
        """Return what is got at by any call in function `ident` and below."""
        seen, work = {ident}, [ident]
        if ident not in self._below:
            found: set[str] = set()
            while work:
                one = work.pop()
                ir = self._facts_of(one).ir
                for call in (event for block in ir.blocks for event in block.events if isinstance(event, Call)):
                    found |= self._open(ir, call) if self._is_open(one, call) else _NOWHERE
                    for target in self._targets(one, call):
                        if target not in seen:
                            seen.add(target)
                            work.append(target)
            self._below[ident] = frozenset(found)
        return self._below[ident]

    def _call(self, ident: str, ir: FunctionIR, call: Call) -> Reach:
        below = (self._inside(target) for target in self._targets(ident, call))
        own = self._open(ir, call) if self._is_open(ident, call) else _NOWHERE
        return own.union(*below)

    def _targets(self, ident: str, call: Call) -> list[str]:
        """Return the functions of the part that a call reaches; a row tells all of what it names."""
        if isinstance(call.callee, FunctionAddress):
            if call.callee.name in self._told:
                return []
            found = self._program.resolve(self._program.functions[ident].unit, call.callee.name)
            if found is not None:
                return [found]
        return self._graph.indirect(ident, callee_slot(call.callee, self._facts_of(ident).ir.name))

    def _is_open(self, ident: str, call: Call) -> bool:
        """Tell whether a call may reach a function elsewhere."""
        if not isinstance(call.callee, FunctionAddress):
            return True
        name = call.callee.name
        if name in self._told:
            return False
        found = self._program.resolve(self._program.functions[ident].unit, name)
        return found is None or self._program.functions[found].ref.weak

    def _open(self, ir: FunctionIR, call: Call) -> Reach:
        signature = call.signature
        if not isinstance(signature, Function):
            return _ANYWHERE
        reach = self._of_type(signature.returns)
        for index, argument in enumerate(call.arguments):
            declared = signature.parameters[index] if index < len(signature.parameters) else None
            reach |= self._argument(ir, argument, declared)
        # a call that is handed nothing may still name what other units can name
        return reach | {""}

    def _argument(self, ir: FunctionIR, value: Value, declared: CType | None) -> Reach:
        reach = _NOWHERE if declared is None else self._of_type(declared)
        blank = declared is None or declared == Pointer(Scalar("void"), getattr(declared, "const", False))
        match value:
            case AddressOf(path):
                # outward from a member, and inward
                around = {s.record for s in _after_last_pointer(path) if isinstance(s, Field)}
                reach = reach.union(*(self._of_record(name) for name in sorted(around)))
                if isinstance(path.root, Global) and Deref() not in path.selectors:
                    reach |= {path.root.name}
                return reach | self._of_type(self._type_at(ir, path)) if blank else reach
            case Load(path) if blank:
                return reach | self._of_type(self._type_at(ir, path))
        return reach

    # -- types ----------------------------------------------------------------------------------------------------

    def _type_at(self, ir: FunctionIR, path: AccessPath) -> CType:
        last = path.selectors[-1] if path.selectors else None
        if isinstance(last, Field):
            layout = self._program.records.get(last.record)
            types = [member.type for member in layout.members if member.name == last.member] if layout else []
            return types[0] if types else Unknown()
        return _type_of(ir, path)

    def _of_type(self, ctype: CType) -> Reach:
        match ctype:
            case Pointer(to) if not isinstance(to, Function):
                return self._of_type(to)
            case Array(of):
                return self._of_type(of)
            case Record(_, name):
                return self._of_record(name)
            case Unknown():
                return _ANYWHERE
        return _NOWHERE

    def _of_record(self, name: str) -> Reach:
        """Return the records that members of record `name` lead to, and itself."""
        known = self._records.get(name)
        if known is None:
            found, work = {name}, [name]
            while work:
                layout = self._program.records.get(work.pop())
                if layout is None:
                    found.add(EVERYWHERE)
                    break
                for inner in {inner for member in layout.members for inner in _records_in(member.type)} - found:
                    found.add(inner)
                    work.append(inner)
            known = self._records[name] = frozenset(found)
        return known


def _records_in(ctype: CType) -> Iterator[str]:
    while isinstance(ctype, (Pointer, Array)):
        ctype = ctype.to if isinstance(ctype, Pointer) else ctype.of
    if isinstance(ctype, Record):
        yield ctype.name


def _type_of(ir: FunctionIR, path: AccessPath) -> CType:
    """Return the type of a plain parameter or local."""
    if path.selectors:
        return Unknown()
    match path.root:
        case Parameter(index, _) if index < len(ir.parameters):
            return ir.parameters[index].type
        case Local(name):
            return dict(ir.locals).get(name, Unknown())
    return Unknown()


def _after_last_pointer(path: AccessPath) -> tuple[object, ...]:
    """Return the selectors inside the object that the path's last pointer points to."""
    pointers = [place for place, selector in enumerate(path.selectors) if isinstance(selector, Deref)]
    return path.selectors[pointers[-1] + 1 if pointers else 0 :]


def _calls_before(ir: FunctionIR, at: At) -> list[Call]:
    """Return the calls from which control can come to an event or a return at `at`; all, if nothing stands there."""
    blocks = ir.blocks
    ends = {n for n, block in enumerate(blocks) if any(_stands(event, at) for event in block.events)}
    ends |= {n for n, b in enumerate(blocks) if isinstance(b.terminator, Return) and b.terminator.at == at}
    if not ends:
        return [event for block in blocks for event in block.events if isinstance(event, Call)]
    before = _leading_to(ir, ends)
    calls = [event for n in sorted(before) for event in blocks[n].events if isinstance(event, Call)]
    for n in sorted(ends - before):
        events = blocks[n].events
        last = max((place for place, event in enumerate(events) if _stands(event, at)), default=len(events))
        calls += [event for event in events[:last] if isinstance(event, Call)]
    return calls


def _stands(event: Event, at: At) -> bool:
    return event.at == at


def _leading_to(ir: FunctionIR, ends: set[int]) -> set[int]:
    """Return the blocks from whose end control can come to one of `ends`."""
    into: dict[int, list[int]] = {}
    for n, block in enumerate(ir.blocks):
        for following in targets(block.terminator):
            into.setdefault(following, []).append(n)
    found: set[int] = set()
    work = list(ends)
    while work:
        for n in into.get(work.pop(), ()):
            if n not in found:
                found.add(n)
                work.append(n)
    return found
