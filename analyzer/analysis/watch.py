# SPDX-License-Identifier: GPL-2.0-only
"""Watches: what a rule wants to be asked about, and requirements bound to the objects at hand.

In: rule kinds hand in watches. Out: `Watches`, looked up by member or by function name while functions are analysed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import copy

from msgspec import Struct

from analyzer.analysis.exempt import object_pointer
from analyzer.analysis.formula import Formula, all_of, any_of, atoms
from analyzer.analysis.owners import owner_in_arguments, owner_on_path
from analyzer.analysis.sections import Section, Site, atom
from analyzer.analysis.sequence import Sequence
from analyzer.analysis.terms import Term
from analyzer.facts.unit import RecordLayout
from analyzer.ir.types import CType, Record
from analyzer.spec.model import AllOf, AnyOf, Held, Instance, Name, Requirement, When

#: records inside records inside records …
MAX_NESTING = 6


class Watch(Struct, frozen=True):
    """A member or a function that a rule speaks about."""

    rule: str
    #: canonical (record, member) of a guarded member; ("", name) for a global; None for a function
    cell: tuple[str, str] | None
    #: name of a function whose calls matter, else ""
    function: str
    #: as the rule writes it: `kvm_memory_slot.gmem.file`, `kvm_gmem_get_file()`
    object: str
    #: `read`, `write`, `any` for members; `call` for functions
    access: str
    #: names resolved: every lock is a lock class, every predicate's field a cell
    requires: Requirement
    #: `unpublished`: an object that nobody else can reach is exempt; `creation`: so are ways that begin where it is made;
    #: `dying`: so is an object whose last reference is gone
    unless: tuple[str, ...] = ()
    #: what `requires` says must not be so: then it names locks alone
    negated: bool = False
    #: functions that alone may access the member; None: any may
    through: tuple[str, ...] | None = None
    #: what must come before a call
    after: Sequence | None = None
    #: class of the lock under which the member is read, if uses of what was read matter; else empty
    lock: str = ""
    #: the member tells, by being compared, that all that was read is still so
    is_version: bool = False
    #: the form of what the source claims, which is what matters; else empty
    form: str = ""
    #: functions whose accesses alone matter; none: all do
    by: tuple[str, ...] = ()
    #: what a place asks for, in words, where the rule does not say it
    locks: tuple[str, ...] = ()
    #: a declaration says so: functions may say that it is not to be checked in them
    annotated: bool = False
    #: the member is a pointer, and what matters is what it points to
    behind: bool = False
    #: the member is a pointer that readers share, and what matters are reads without an accessor
    bare: bool = False
    #: the lock of those who change it is known
    named: bool = False
    #: where readers of the member must be, if updaters wait for them
    section: Section | None = None


class Watches:
    """All watches of a run."""

    def __init__(self, watches: Iterable[Watch], records: Iterable[RecordLayout], counts: Iterable[str] = ()) -> None:
        """Look `watches` up; `counts` are functions that read what the end of an object is told by."""
        #: by (record, member)
        self.cells: dict[tuple[str, str], list[Watch]] = defaultdict(list)
        #: by function name
        self.calls: dict[str, list[Watch]] = defaultdict(list)
        #: (function, (record, member)) of every predicate
        self.predicates: set[tuple[str, tuple[str, str]]] = set()
        #: functions that read what a predicate asks: `refcount_read`
        self.readers: set[str] = set()
        #: by (record, member): members of which the uses of what was read matter, what they point to, reads without an accessor
        self.dated: dict[tuple[str, str], list[Watch]] = defaultdict(list)
        self.pointees: dict[tuple[str, str], list[Watch]] = defaultdict(list)
        self.bare: dict[tuple[str, str], list[Watch]] = defaultdict(list)
        #: by the form of a claim
        self.claims: dict[str, list[Watch]] = defaultdict(list)
        #: does any rule ask for readers to be in a section?
        self.sections = False
        #: what must come before something, each once
        self.sequences: dict[Sequence, None] = {}
        counted = [self._add(watch) for watch in watches]
        if any(counted):
            self.readers.update(counts)
        #: members and records that hold watched members, with the members that lead from them there
        self.holders: dict[tuple[str, str], list[tuple[tuple[str, str], ...]]] = defaultdict(list)
        self._add_holders(_by_type(records))
        #: members whose writes make something stale that came before
        self.stale_cells = frozenset(cell for sequence in self.sequences for cell in sequence.stale_cells)
        #: `record.member` of the watched members, and names of watched globals
        self.names = frozenset(
            f"{record}.{member}" if record else member
            for record, member in (*self.cells, *self.stale_cells, *self.dated, *self.pointees)
        )
        #: those that something can make stale
        self.staling = tuple(s for s in self.sequences if s.stale_calls or s.stale_cells)
        #: functions that they are about
        self.ordering = frozenset(name for s in self.sequences for name in (*s.calls, *s.stale_calls))
        #: functions whose calls matter
        self.heard = frozenset(self.calls) | self.ordering

    def renewed(self, news: Mapping[Watch, Watch]) -> Watches:
        """Return the same with other watches in the place of some; they differ in the sites of their sections alone."""
        renewed = copy(self)
        renewed.cells = defaultdict(list)
        for cell, some in self.cells.items():
            renewed.cells[cell] = [watch if watch.section is None else news[watch] for watch in some]
        return renewed

    def _add(self, watch: Watch) -> bool:
        """Let `watch` be found by what it is about; tell whether counts of references matter to it."""
        if watch.after is not None:
            self.sequences[watch.after] = None
        self.sections = self.sections or watch.section is not None
        if watch.form:
            self.claims[watch.form].append(watch)
        elif watch.cell is not None and watch.lock:
            self.dated[watch.cell].append(watch)
        elif watch.cell is not None and watch.bare:
            self.bare[watch.cell].append(watch)
        elif watch.cell is not None:
            (self.pointees if watch.behind else self.cells)[watch.cell].append(watch)
        else:
            self.calls[watch.function].append(watch)
        self._add_readers(watch.requires)
        return bool(watch.form) or "dying" in watch.unless

    def _add_holders(self, members: Mapping[str, list[tuple[str, str]]]) -> None:
        """Find what contains the watched members: storing a whole record stores them too."""
        work: list[tuple[str, tuple[tuple[str, str], ...]]] = [(cell[0], (cell,)) for cell in self.cells if cell[0]]
        while work:
            record, chain = work.pop()
            self.holders[(record, "")].append(chain)
            for holder in members.get(record, ()):
                if len(chain) < MAX_NESTING:
                    self.holders[holder].append(chain)
                    work.append((holder[0], (holder, *chain)))

    def _add_readers(self, requirement: Requirement) -> None:
        match requirement:
            case AnyOf(parts) | AllOf(parts):
                for part in parts:
                    self._add_readers(part)
            case When() if requirement.function:
                self.readers.add(requirement.function)
                if len(requirement.field.parts) == 2:
                    self.predicates.add((requirement.function, requirement.field.parts))


def _by_type(records: Iterable[RecordLayout]) -> dict[str, list[tuple[str, str]]]:
    """Return the members that are records themselves, by record."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for record in records:
        for member in record.members:
            if isinstance(member.type, Record):
                found[member.type.name].append((record.name, member.name))
    return found


def wants(watch: Watch, access: str) -> bool:
    """Tell whether `watch` asks about an access of kind `read` or `write`."""
    return watch.access in ("any", access)


def bind_access(watch: Watch, obj: Term, pointer: Term, functions: tuple[str, ...] = ()) -> Formula:
    """Bind the requirement to the accessed object; `pointer` is what leads to it, `functions` are who accesses it."""
    bound = _bind(watch, lambda record: owner_on_path(obj, record))
    if watch.through is not None and not set(functions) & set(watch.through):
        bound = False
    fresh = [("fresh", pointer)] if "unpublished" in watch.unless else []
    return any_of([bound, *_exempt(watch), *dying(watch, bound), *fresh])


def bind_section(watch: Watch, obj: Term, pointer: Term, mode: str, site: Site) -> Formula:
    """Bind what a reader, or an updater at `site`, is asked for: to be in a section, or what the rule lets do as well."""
    assert watch.section is not None
    asked = atom((watch.rule, watch.object), watch.section, mode, site)
    bound = _bind(watch, lambda record: owner_on_path(obj, record))
    spared = [("fresh", pointer), *_exempt(watch), *dying(watch, bound)]
    return any_of([asked, *spared, *([bound] if mode != "write" else _whens(bound))])


def _whens(bound: Formula) -> list[Formula]:
    """Return the predicates of which one is enough: an updater has them as a reader has, locks do not make up for readers."""
    parts = bound[1:] if isinstance(bound, tuple) and bound[0] == "any" else (bound,)
    return [part for part in parts if isinstance(part, tuple) and part[0] == "when"]


def bind_call(watch: Watch, arguments: tuple[Term, ...], signature: CType) -> Formula:
    """Bind the requirement of calling a function to its arguments."""
    bound = _bind(watch, lambda record: owner_in_arguments(arguments, signature, record))
    if watch.after is not None:
        owner = owner_in_arguments(arguments, signature, watch.after.record)
        needless = [_fresh_or_quiet(watch, arguments[0])] if "unpublished" in watch.unless and arguments else []
        bound = any_of([("after", watch.rule, owner), *needless, bound])
    return any_of([bound, *_exempt(watch), *dying(watch, bound)])


def bind_claim(watch: Watch, claim: Formula) -> Formula:
    """Add to what the source claims what the rule does not ask about."""
    if not watch.unless:
        return claim
    # one atom for all exemptions: most of a program's demands are claims, and each is asked for at many calls
    spared: list[Formula] = [("spared", watch.unless, owner) for owner in _owners(claim)]
    return any_of([claim, *(spared or _exempt(watch))])


def dying(watch: Watch, bound: Formula) -> list[Formula]:
    """Return that an object whose lock is asked for has no reference left, if that exempts it."""
    return [("dying", owner) for owner in _owners(bound)] if "dying" in watch.unless else []


def _owners(bound: Formula) -> list[Term]:
    """Return the objects whose locks are asked for."""
    owners = [atom[3] for atom in atoms(bound) if atom[0] in ("held", "unheld") and atom[3] is not None]
    return list(dict.fromkeys(owners))


def _fresh_or_quiet(watch: Watch, pointer: Term) -> Formula:
    """Return that nobody can have seen the object: at all, or those whom the earlier call would have waited for."""
    assert watch.after is not None
    told = watch.after.stale_calls or watch.after.stale_cells
    return any_of([("fresh", pointer), *([("quiet", watch.rule, pointer)] if told else [])])


def _exempt(watch: Watch) -> list[Formula]:
    return [("new",)] if "creation" in watch.unless else []


def _bind(watch: Watch, owner: Callable[[str], Term | None]) -> Formula:
    if watch.negated:
        return _unheld(watch.requires, owner)
    return _required(watch.requires, owner, "unpublished" in watch.unless)


def _required(requirement: Requirement, owner: Callable[[str], Term | None], unpublished: bool) -> Formula:
    match requirement:
        case AnyOf(parts):
            return any_of([_required(part, owner, unpublished) for part in parts])
        case AllOf(parts):
            return all_of([_required(part, owner, unpublished) for part in parts])
        case Held(lock, mode, instance):
            holder = _holder(lock, instance, owner)
            held = ("held", str(lock), mode or "read", holder)
            # nobody waits for a lock of an object that nobody else can reach
            return held if holder is None or not unpublished else any_of([held, ("fresh", object_pointer(holder))])
        case When(_, function, field, operator, value):
            return ("when", function, str(field), operator, value, owner(field.parts[0]))


def _unheld(requirement: Requirement, owner: Callable[[str], Term | None]) -> Formula:
    """Bind what must not be held: neither of `any`, not both of `all`."""
    match requirement:
        case AnyOf(parts):
            return all_of([_unheld(part, owner) for part in parts])
        case AllOf(parts):
            return any_of([_unheld(part, owner) for part in parts])
        case Held(lock, mode, instance):
            return ("unheld", str(lock), mode or "read", _holder(lock, instance, owner))
        case When():
            return ("maybe", "what a predicate forbids is not modelled")


def _holder(lock: Name, instance: Instance | None, owner: Callable[[str], Term | None]) -> Term | None:
    record = lock.parts[0] if len(lock.parts) > 1 else ""
    return None if instance == "any" or not record else owner(record)
