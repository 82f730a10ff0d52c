# SPDX-License-Identifier: GPL-2.0-only
"""What one function does with pointers, regardless of the order it does it in.

In: FunctionIR. Out: FlowFacts: its call sites, the function pointers it passes on, what it writes, and how it treats
its parameters. For `static void f(struct a *a) { a->x = 1; g(&a->list); }`: writes `a.x`, touches parameter 0, one call
site of `g` with an argument that lies inside parameter 0's object.

**Invariant:** depends on the IR alone, so that it is kept under the IR's digest.
"""

from hashlib import blake2b
from pathlib import Path

from msgspec import Struct

from analyzer.facts.unit import FunctionFacts
from analyzer.ir.function import Assembly, At, Call, Event, FunctionIR, Read, Return, Store
from analyzer.ir.types import UNKNOWN, Function, Pointer, Record, spell
from analyzer.ir.values import (
    AccessPath,
    AddressOf,
    Binary,
    Constant,
    Deref,
    Field,
    FunctionAddress,
    Global,
    Load,
    Local,
    Parameter,
    Pointee,
    Value,
)
from analyzer.program.buffers import Handed, handed
from analyzer.program.static_calls import UPDATE, key_slot, trampoline_slot

READ, WRITE = 1, 2

#: where a function pointer can stand: ("m", record, member), ("g", global, ""), ("p", function, index),
#: ("d", function, index): what a parameter points to, where that is no member,
#: ("l", function, local), ("r", function, ""), ("s", key, "") of a static call, ("f", function, ""): the function itself;
#: UNTOLD: memory that no name stands for
Slot = tuple[str, str, str]

UNTOLD: Slot = ("?", "", "")


class Source(Struct, frozen=True, array_like=True, gc=False):
    """Where a pointer value comes from, as far as parameters matter."""

    #: parameter index
    parameter: int
    #: the parameter's own value, or (false) an address inside the object that it points to
    whole: bool


class Site(Struct, frozen=True, array_like=True):
    """One call site."""

    #: called function of a direct call, else ""
    callee: str
    #: slot that an indirect call loads its target from; None if that cannot be told
    slot: Slot | None
    #: per argument, the parameters that it may come from
    arguments: tuple[tuple[Source, ...], ...]
    at: At
    #: what compiled this call in, as in `ir.function.Call.origin`
    origin: str = ""
    #: per argument, the slots that a function pointer in it may come from; ("a", function, local) for a local's address
    given: tuple[tuple[Slot, ...], ...] = ()
    #: local that receives the value; "" if none does
    result: str = ""
    #: of an indirect call, the parameter that holds the pointer, or points to the record that does; -1 if none
    choice: int = -1
    #: of an indirect call, the type of the called function
    type: str = ""


class Member(Struct, frozen=True, array_like=True, gc=False):
    """A function pointer stored in a member of a local record."""

    local: str
    #: both empty where the whole record is copied
    record: str
    member: str
    source: Slot


class FlowFacts(Struct, frozen=True, array_like=True):
    """One function's pointer use."""

    sites: tuple[Site, ...]
    #: function pointers copied from slot to slot: (to, from)
    copies: tuple[tuple[Slot, Slot], ...]
    #: cells written: (record, member); globals as ("", name)
    writes: tuple[tuple[str, str], ...]
    #: per parameter index: READ | WRITE of the object it points to
    touches: tuple[tuple[int, int], ...]
    #: parameters whose value, or an address inside their object, is stored where others may find it
    stored: tuple[int, ...]
    #: members and globals in any access path: (record, member), ("", name)
    mentions: tuple[tuple[str, str], ...]
    #: holds inline assembly, whose effects are not known
    assembly: bool
    #: what its local records hold
    members: tuple[Member, ...] = ()
    #: function pointers stored in members: (member, function or parameter, place)
    lodged: tuple[tuple[Slot, Slot, At], ...] = ()
    #: its own type
    type: str = ""
    #: called where the compiler finds an argument constant: such calls have no site, their likes for other arguments do
    otherwise: tuple[str, ...] = ()
    #: constants stored in members: (record, member, value)
    constants: tuple[tuple[str, str, int], ...] = ()
    #: members that anything else may be stored in: (record, member), (record, "") for a whole record
    computed: tuple[tuple[str, str], ...] = ()
    #: pointers that are handed on without their type
    handed: tuple[Handed, ...] = ()


def slot_of(path: AccessPath, function: str) -> Slot | None:
    """Return the slot that `path` denotes in `function`; None for storage that has no name."""
    for selector in reversed(path.selectors):
        if isinstance(selector, Field):
            return ("m", selector.record, selector.member)
    match path.root:
        case Global(name):
            return ("g", name, "")
        case Parameter(index, _) if not path.selectors:
            return ("p", function, str(index))
        case Parameter(index, _) if path.selectors.count(Deref()) == 1 and path.selectors[0] == Deref():
            return ("d", function, str(index))
        case Local(name) if Deref() not in path.selectors:
            return ("l", function, name)
    return None


def callee_slot(callee: Value, function: str) -> Slot | None:
    """Return the slot that a call of `callee` in `function` takes its target from; None for a direct call."""
    match callee:
        case FunctionAddress(name):
            return trampoline_slot(name)
        case Load(path):
            return slot_of(path, function)
    return None


class _Reader:
    """Collects the flow of one function."""

    def __init__(self, ir: FunctionIR) -> None:
        self.ir = ir
        self.origins: dict[str, set[Source]] = {}
        self.copies: set[tuple[Slot, Slot]] = set()
        self.writes: set[tuple[str, str]] = set()
        self.touches: dict[int, int] = {}
        self.stored: set[int] = set()
        self.members: set[Member] = set()
        self.lodged: set[tuple[Slot, Slot, At]] = set()
        self.constants: set[tuple[str, str, int]] = set()
        self.computed: set[tuple[str, str]] = set()
        self.handed: dict[Handed, None] = {}

    def slots(self, value: Value) -> list[Slot]:
        match value:
            case FunctionAddress(name):
                return [("f", name, "")]
            case Load(path):
                return [slot_of(path, self.ir.name) or UNTOLD]
        return []

    def given(self, value: Value) -> tuple[Slot, ...]:
        """Return where a function pointer in an argument comes from, or the local record that it may stand in."""
        match value:
            case AddressOf(AccessPath(Local(name), selectors)) if Deref() not in selectors:
                return (("a", self.ir.name, name),)
        return tuple(self.slots(value))

    def sources(self, value: Value) -> set[Source]:
        match value:
            case Load(AccessPath(Parameter(index, _), ())):
                return {Source(index, True)}
            case Load(AccessPath(Local(name), ())):
                return self.origins.get(name, set())
            case AddressOf(path):
                return {Source(s.parameter, s.whole and not path.selectors[1:]) for s in self.base(path)}
            case Binary(_, left, _):
                return {Source(s.parameter, False) for s in self.sources(left)}
        return set()

    def base(self, path: AccessPath) -> set[Source]:
        """Return the parameters whose object `path` lies in: one `Deref`, the first selector."""
        selectors = path.selectors
        match path.root:
            case Pointee(value):
                return set() if Deref() in selectors else self.sources(value)
            case Parameter() | Local() if selectors and isinstance(selectors[0], Deref):
                if any(isinstance(s, Deref) for s in selectors[1:]):
                    return set()
                return self.sources(Load(AccessPath(path.root)))
        return set()

    def touch(self, path: AccessPath, bits: int) -> None:
        for source in self.base(path):
            self.touches[source.parameter] = self.touches.get(source.parameter, 0) | bits

    def store(self, event: Store) -> None:
        path = event.path
        target = slot_of(path, self.ir.name) or UNTOLD
        self.copies.update((target, source) for source in self.slots(event.value) if source != target)
        if target[0] == "m":
            found = ((target, source, event.at) for source in self.slots(event.value))
            self.lodged.update(lodged for lodged in found if lodged[1][0] in ("f", "p"))
        self.keep(path, event.value)
        self.assign(cell_of(path, self.ir), event)
        if isinstance(path.root, Local) and not any(isinstance(s, Deref) for s in path.selectors):
            self.origins.setdefault(path.root.name, set()).update(self.sources(event.value))
            return
        if isinstance(path.root, Parameter) and not path.selectors:
            return
        self.touch(path, WRITE)
        self.writes.add(cell_of(path, self.ir))
        into = {source.parameter for source in self.base(path)}
        self.stored.update(s.parameter for s in self.sources(event.value) if s.parameter not in into)

    def assign(self, cell: tuple[str, str], event: Store) -> None:
        """Note what values a member may take."""
        self.expose(event.value)
        if not cell[0]:
            return
        if isinstance(event.value, Constant) and cell[1] and not event.update:
            self.constants.add((*cell, event.value.value))
        elif cell[1] or not isinstance(event.value, Load):
            # a whole record that is copied brings no values that another of its kind did not have
            self.computed.add(cell)

    def expose(self, value: Value) -> None:
        """Note that whoever gets `value` may store anything in the member that it points to."""
        if isinstance(value, AddressOf) and value.path.selectors and isinstance(value.path.selectors[-1], Field):
            last = value.path.selectors[-1]
            self.computed.add((last.record, last.member))

    def keep(self, path: AccessPath, value: Value) -> None:
        """Note what a local record holds."""
        if not isinstance(path.root, Local) or Deref() in path.selectors:
            return
        last = next((s for s in reversed(path.selectors) if isinstance(s, Field)), Field("", ""))
        self.members.update(Member(path.root.name, last.record, last.member, slot) for slot in self.slots(value))

    def site(self, event: Call) -> Site:
        slot = callee_slot(event.callee, self.ir.name)
        callee = event.callee.name if isinstance(event.callee, FunctionAddress) and slot is None else ""
        for index, argument in enumerate(event.arguments):
            self.expose(argument)
            if callee:
                self.lend(("d", callee, str(index)), argument)
        self.patch(callee, event.arguments)
        self.handed.update(dict.fromkeys(handed(event, self.ir)))
        return Site(
            callee,
            slot,
            tuple(tuple(sorted(self.sources(a), key=_source_key)) for a in event.arguments),
            event.at,
            event.origin,
            tuple(self.given(argument) for argument in event.arguments),
            event.result.name if event.result is not None else "",
            -1 if callee else _choice(event.callee),
            "" if callee else spell(event.signature),
        )

    def lend(self, pointee: Slot, argument: Value) -> None:
        """Note that a callee's parameter points to a slot of this function: what it stores there stays there."""
        match argument:
            case AddressOf(path):
                slot = slot_of(path, self.ir.name)
            case Load(AccessPath(Parameter(index, _), ())):
                slot = ("d", self.ir.name, str(index))
            case _:
                return
        if slot is not None and slot[0] in ("g", "d", "l"):
            self.copies.update(((pointee, slot), (slot, pointee)))

    def patch(self, callee: str, arguments: tuple[Value, ...]) -> None:
        """Note that a static call's key gets a target."""
        function, key, target = UPDATE
        if callee != function or len(arguments) <= target:
            return
        match arguments[key]:
            case AddressOf(AccessPath(Global(name), ())):
                slot = key_slot(name)
                if slot is not None:
                    self.copies.update((slot, source) for source in self.slots(arguments[target]))


def _choice(callee: Value) -> int:
    """Return the parameter that decides what a call reaches: it holds the pointer, or points to what does."""
    match callee:
        case Load(AccessPath(Parameter(index, _), ())):
            return index
        case Load(AccessPath(Parameter(index, _), (Deref(), *inner))) if all(isinstance(s, Field) for s in inner):
            return index if inner else -1
    return -1


def _source_key(source: Source) -> tuple[int, bool]:
    return (source.parameter, source.whole)


def cell_of(path: AccessPath, ir: FunctionIR) -> tuple[str, str]:
    """Return what a store to `path` writes: a member, (record, "") for a whole record, ("", name) for a global."""
    for selector in reversed(path.selectors):
        if isinstance(selector, Field):
            return (selector.record, selector.member)
        if isinstance(selector, Deref):
            return (_pointed_record(path, ir) or "*", "")
    return ("", path.root.name) if isinstance(path.root, Global) else ("*", "")


def _pointed_record(path: AccessPath, ir: FunctionIR) -> str | None:
    """Return the record that the parameter or local at the root of `path` points to, if `path` is just that."""
    if path.selectors != (Deref(),):
        return None
    match path.root:
        case Parameter(index, _) if index < len(ir.parameters):
            ctype = ir.parameters[index].type
        case Local(name):
            ctype = dict(ir.locals).get(name, UNKNOWN)
        case _:
            return None
    return ctype.to.name if isinstance(ctype, Pointer) and isinstance(ctype.to, Record) else None


def _mentions(facts: FunctionFacts) -> set[tuple[str, str]]:
    fields = {(record, member) for record, _, member in (name.rpartition(".") for name in facts.fields)}
    return fields | {("", name) for name in facts.globals}


def read_flow(facts: FunctionFacts) -> FlowFacts:
    """Return the flow facts of a function."""
    ir = facts.ir
    reader = _Reader(ir)
    events = [event for block in ir.blocks for event in block.events]
    # local copies may stand after their use in block order (loops): two rounds settle chains of copies
    for _ in range(2):
        for event in events:
            if isinstance(event, Store):
                reader.store(event)
    sites = []
    for event in events:
        if isinstance(event, Read):
            reader.touch(event.path, READ)
        elif isinstance(event, Call):
            sites.append(reader.site(event))
    for block in ir.blocks:
        if isinstance(block.terminator, Return) and block.terminator.value is not None:
            returned = reader.slots(block.terminator.value)
            reader.copies.update((("r", ir.name, ""), slot) for slot in returned)
    return FlowFacts(
        tuple(sites),
        tuple(sorted(reader.copies)),
        tuple(sorted(reader.writes)),
        tuple(sorted(reader.touches.items())),
        tuple(sorted(reader.stored)),
        tuple(sorted(_mentions(facts))),
        any(isinstance(event, Assembly) for event in events),
        tuple(sorted(reader.members, key=_member_key)),
        tuple(sorted(reader.lodged, key=_lodged_key)),
        spell(Function(ir.returns, tuple(formal.type for formal in ir.parameters), ir.variadic)),
        tuple(sorted(_without_site(facts, events))),
        tuple(sorted(reader.constants)),
        tuple(sorted(reader.computed)),
        tuple(reader.handed),
    )


def _without_site(facts: FunctionFacts, events: list[Event]) -> set[str]:
    """Return the functions that are called by name, but by no event."""
    called = {e.callee.name for e in events if isinstance(e, Call) and isinstance(e.callee, FunctionAddress)}
    return set(facts.calls) - called


def _lodged_key(lodged: tuple[Slot, Slot, At]) -> tuple[int, int, Slot, Slot]:
    return (lodged[2].line, lodged[2].column, lodged[0], lodged[1])


def _member_key(member: Member) -> tuple[str, str, str, Slot]:
    return (member.local, member.record, member.member, member.source)


def version() -> bytes:
    """Return a digest of this layer: what it makes of an IR may change with it."""
    return blake2b(b"".join(map(Path.read_bytes, sorted(Path(__file__).parent.glob("*.py")))), digest_size=16).digest()
