# SPDX-License-Identifier: GPL-2.0-only
"""Names in specifications, resolved against the records of the program.

In: `kvm.arch.apic_map`. Out: the cell `("kvm_arch", "apic_map")`: the record that holds the last member, and the member.
A name that no record or global has is an error at its place in the specification.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property

from analyzer.analysis.locks import LockTypes
from analyzer.base.errors import SpecError
from analyzer.base.location import Location
from analyzer.facts.unit import RecordLayout
from analyzer.ir.types import Array, CType, Pointer, Record
from analyzer.program.link import Program
from analyzer.spec.effect import LockAbstract
from analyzer.spec.model import AllOf, AnyOf, Held, Name, Requirement, SpecSet, When
from analyzer.spec.names import abstract_locks
from analyzer.spec.suggest import did_you_mean

Cell = tuple[str, str]
#: the question whether whoever asks is a reader
READING = "__lockspec_reading"


class NameResolver:
    """Resolves the names of one run; what it cannot resolve it collects in `errors`."""

    def __init__(self, program: Program, spec: SpecSet) -> None:
        self._records: Mapping[str, RecordLayout] = program.records
        self._globals = {item.name: item.type for unit in program.units.values() for item in unit.globals}
        self._lock_types = LockTypes(spec).records
        self._reading = spec.primitives.get(READING)
        #: words of annotations for locks that no object stands for
        self._words = {
            row.name: effect.lock.name
            for row in spec.primitives.values()
            for effect in row.effects
            if len(row.effects) == 1 and effect.kind == "tell" and isinstance(effect.lock, LockAbstract)
        }
        self._abstract = abstract_locks(spec)
        shared = {row.family for row in spec.primitives.values() if any(e.mode == "read" for e in row.effects)}
        #: record names of locks that readers share
        self._shared = {name for family in spec.families if family.name in shared for name in family.types}
        self._guards = {
            item.name: item.guards for unit in program.units.values() for item in unit.globals if item.guards
        }
        #: what accessors of a pointer ask for, once that is known
        self.conditions: Callable[[frozenset[Cell]], Mapping[Cell, tuple[Requirement, ...]]] = lambda _: {}
        #: what the rules name and the program lacks, in the order of asking
        self.errors: list[SpecError] = []
        #: records that rules name and no analysed function uses: not an error in a partial run
        self.absent: set[str] = set()

    def cell(self, name: Name, location: Location) -> Cell | None:
        """Return the record and member that `name` means, ("", name) for a global; None if there is no such thing."""
        if len(name.parts) == 1:
            return ("", name.parts[0]) if self._known_global(name.parts[0]) else None
        way = self.way(name, location)
        return way[-1] if way else None

    def way(self, name: Name, location: Location) -> tuple[Cell, ...]:
        """Return the members that lead from the record `name` begins with to its last one; none if there is no such."""
        record, members = name.parts[0], name.parts[1:]
        way: list[Cell] = []
        for index, member in enumerate(members):
            layout = self._records.get(record)
            if layout is None:
                self.absent.add(record)
                return ()
            ctype = next((m.type for m in layout.members if m.name == member), None)
            if ctype is None:
                hint = did_you_mean(member, (m.name for m in layout.members))
                self.errors.append(SpecError(f"{layout.kind} {record} has no member '{member}'{hint}", location))
                return ()
            way.append((record, member))
            if index == len(members) - 1:
                return tuple(way)
            inner = _record_in(ctype)
            if inner is None:
                self.errors.append(
                    SpecError(f"{record}.{member} is no structure: it has no '{members[index + 1]}'", location)
                )
                return ()
            record = inner
        return tuple(way)

    def is_lock(self, name: Name) -> bool:
        """Tell whether `name` is a lock by its type, or one that no object stands for."""
        if len(name.parts) == 1 and name.parts[0] in self._abstract:
            return True
        holder = self._records.get(name.parts[-2]) if len(name.parts) > 1 else None
        members = {member.name: member.type for member in holder.members} if holder else self._globals
        ctype = members.get(name.parts[-1])
        return ctype is not None and _record_in(ctype) in self._lock_types

    def _known_global(self, name: str) -> bool:
        if name in self._globals or name in self._abstract:
            return True
        self.absent.add(name)
        return False

    def requirement(self, requirement: Requirement, location: Location) -> Requirement:
        """Return `requirement` with every lock as a lock class and every predicate's field as a cell.

        A lock that the program does not have is never held: it stays under its own name.
        """
        match requirement:
            case AnyOf(parts):
                return AnyOf(tuple(self.requirement(part, location) for part in parts))
            case AllOf(parts):
                return AllOf(tuple(self.requirement(part, location) for part in parts))
            case Held(lock, mode, instance):
                return Held(self._canonical(lock, location), mode, instance)
            case When(text, function, field, operator, value):
                return When(text, function, self._canonical(field, location), operator, value)

    @cached_property
    def _annotated_records(self) -> tuple[RecordLayout, ...]:
        return tuple(layout for layout in self._records.values() if any(member.guards for member in layout.members))

    def annotated(self, attribute: str) -> Iterator[tuple[Cell, tuple[Name, ...]]]:
        """Yield the members and globals with this annotation, each with the locks that it names."""
        for layout in self._annotated_records:
            siblings = {member.name for member in layout.members}
            for member in layout.members:
                for text in (text for name, text in member.guards if name == attribute):
                    yield (layout.name, member.name), tuple(self._named(text, layout.name, siblings))
        for name, guards in sorted(self._guards.items()):
            for text in (text for said, text in guards if said == attribute):
                yield ("", name), tuple(self._named(text, "", frozenset()))

    def _named(self, text: str, record: str, siblings: Collection[str]) -> Iterator[Name]:
        """Yield the locks that an annotation names: members beside it, globals, or what a word stands for (`RCU`)."""
        for part in text.split(","):
            path = tuple("".join(part.split()).lstrip("&").replace("->", ".").removeprefix("self.").split("."))
            if path[0] in siblings:
                yield Name((record, *path))
            elif path[0]:
                word = self._words.get(path[0]) if path[0] not in self._globals else None
                yield Name(path) if word is None else Name((word,))

    def is_section(self, lock: Name) -> bool:
        """Tell whether no object stands for `lock`: who holds it reads."""
        return str(lock) in self._abstract

    def holds_pointer(self, cell: Cell) -> bool:
        """Tell whether a member, or a global, is a pointer to an object, or an array of such."""
        layout = self._records.get(cell[0])
        members = {member.name: member.type for member in layout.members} if layout else self._globals
        ctype = members.get(cell[1])
        while isinstance(ctype, Array):
            ctype = ctype.of
        return isinstance(ctype, Pointer) and not isinstance(ctype.to, Pointer)

    def reading(self) -> tuple[Name, ...]:
        """Return the locks without an object whose holders read what readers share."""
        effects = self._reading.effects if self._reading is not None else ()
        return tuple(Name((effect.lock.name,)) for effect in effects if isinstance(effect.lock, LockAbstract))

    def has_readers(self, lock: Name) -> bool:
        """Tell whether readers can share `lock`: a member, or a global, of whose type nothing is known here."""
        layout = self._records.get(lock.parts[0]) if len(lock.parts) == 2 else None
        types = [member.type for member in layout.members if member.name == lock.parts[1]] if layout else []
        return not types or any(isinstance(ctype, Record) and ctype.name in self._shared for ctype in types)

    def lock(self, name: Name, location: Location) -> str:
        """Return the class of a lock; a lock that the program does not have keeps its own name."""
        return str(self._canonical(name, location))

    def classes(self, locks: Iterable[Name], location: Location) -> frozenset[str]:
        """Return the lock classes that `locks` mean."""
        return frozenset(self.lock(lock, location) for lock in locks)

    def _canonical(self, name: Name, location: Location) -> Name:
        cell = self.cell(name, location)
        if cell is None:
            return name
        return Name(cell) if cell[0] else Name((cell[1],))


def _record_in(ctype: CType) -> str | None:
    while isinstance(ctype, Pointer | Array):
        ctype = ctype.to if isinstance(ctype, Pointer) else ctype.of
    return ctype.name if isinstance(ctype, Record) else None


def lock_texts(requirement: Requirement) -> Iterable[str]:
    """Yield the parts of a requirement as the rule writes them, for messages: `kvm.slots_lock`."""
    match requirement:
        case AnyOf(parts) | AllOf(parts):
            for part in parts:
                yield from lock_texts(part)
        case Held(lock, mode, _):
            yield f"{lock} ({mode})" if mode else str(lock)
        case When(text):
            yield text
