# SPDX-License-Identifier: GPL-2.0-only
"""Members about which a rule, an annotation, a comment, a document and a condition do not agree.

In: rules, headers and documents as text, the conditions under which accessors read pointers. Out: `Drift`s about
`record.member`.

**Invariant:** only words that name a lock of the program count; a sentence about anything else says nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from analyzer.analysis.agreement import locks_in
from analyzer.analysis.contracts import Contract
from analyzer.analysis.names import NameResolver
from analyzer.analysis.witness import place_of
from analyzer.base.location import Location
from analyzer.findings.drift import Drift, Saying
from analyzer.ir.claims import Asked
from analyzer.ir.function import Claim
from analyzer.ir.values import AccessPath, Field, Load
from analyzer.lower.claims import QUESTION
from analyzer.pipeline.known import Known, Texts
from analyzer.pipeline.link import Linked
from analyzer.pipeline.ruling import demand, spell
from analyzer.source.comments import MemberText, members
from analyzer.source.lock_reference import entries
from analyzer.source.sentences import SaidOfLocks, of_locks
from analyzer.spec.model import GuardedBy, MustHold, Rule

_POINTER = f"{QUESTION}pointer"
#: what sparse calls a pointer that readers follow and grace periods guard
_READ_SIDE = "__rcu"
#: what Clang calls the lock that a member needs; its argument names it
_GUARDS = frozenset({"__guarded_by", "__pt_guarded_by"})


class Members:
    """Compares what is said of members."""

    def __init__(self, linked: Linked, rules: Iterable[Rule], names: NameResolver, known: Known) -> None:
        self._linked = linked
        self._names = names
        self._known = known
        self._guards: dict[str, list[Rule]] = defaultdict(list)
        self._calls: dict[str, list[Rule]] = defaultdict(list)
        self.count: Counter[str] = Counter()
        for rule in rules:
            if isinstance(rule.check, GuardedBy):
                for field in rule.check.fields:
                    self._guards[known.canonical(field)].append(rule)
            elif isinstance(rule.check, MustHold):
                for function in rule.check.functions:
                    self._calls[function].append(rule)

    @property
    def compared(self) -> tuple[tuple[str, int], ...]:
        """Say what was looked at, and how much."""
        return tuple(sorted(self.count.items()))

    # -- declarations -----------------------------------------------------------------------------------------------

    def declarations(self, texts: Texts) -> Iterator[Drift]:
        """Yield what comments and annotations at declarations say otherwise than the rules."""
        records = {cell.rpartition(".")[0].split(".")[0] for cell in self._guards}
        for name in sorted(records & self._linked.program.records.keys()):
            place = self._linked.program.records[name].location
            text = texts.read(place.file)
            for member in members(text, place.line) if text else ():
                yield from self._member(name, member, place.file)

    def _member(self, record: str, member: MemberText, file: str) -> Iterator[Drift]:
        cell = self._cell(record, member.name)
        if cell is None:
            return
        self.count["declarations of members"] += 1
        holder = cell.rpartition(".")[0]
        for word, argument in member.annotations:
            lock = self._known.lock(argument, holder) if word in _GUARDS else None
            if lock is not None:
                saying = Saying("annotation", f"{word}({argument})", Location(file, member.line))
                yield from self._against(cell, "any", {lock}, saying)
        if any(word == _READ_SIDE for word, _ in member.annotations):
            yield from self._readers(cell, Saying("annotation", _READ_SIDE, Location(file, member.line)))
        for comment in member.comments:
            for said in of_locks(comment.text):
                if "data" in said.about:
                    yield from self._sentence(record, cell, said, Location(file, comment.line))

    def _readers(self, cell: str, saying: Saying) -> Iterator[Drift]:
        """Yield that a pointer is annotated as one for readers, and that rules about reads name no read side."""
        asked = [rule for rule in self._guards[cell] if _meets(_access(rule), "read")] if cell in self._guards else []
        if asked and not any(self._known.has_read_side(lock) for rule in asked for lock in self._locks(rule)):
            message = "the annotation says that readers are waited for, and the rules about reads name no read side"
            yield Drift("annotation", cell, message, (*map(self._rule, asked), saying))

    def _cell(self, record: str, path: str) -> str | None:
        return self._known.member(f"{record}.{path}")

    def _sentence(self, record: str, cell: str, said: SaidOfLocks, place: Location) -> Iterator[Drift]:
        holder = cell.rpartition(".")[0]
        locks = {lock for word in said.locks if (lock := self._known.lock(word, holder)) is not None}
        if not locks:
            return
        self.count["sentences about locks"] += 1
        saying = Saying("comment", said.text, place)
        called = [name for name in said.functions if name in self._calls]
        for name in called:
            named = {lock for rule in self._calls[name] for lock in self._locks(rule)}
            if not named & locks:
                rules = tuple(map(self._rule, self._calls[name]))
                yield Drift("comment", f"{name}()", "the comment names another lock", (*rules, saying))
        if not said.functions:
            about = next((known for word in said.subjects if (known := self._known.member(word, record))), cell)
            yield from self._against(about, said.access, locks, saying)

    # -- documents --------------------------------------------------------------------------------------------------

    def documents(self, files: Iterable[str], texts: Texts) -> Iterator[Drift]:
        """Yield what lock references say otherwise than the rules."""
        for file in files:
            for entry in entries(texts.read(file) or ""):
                lock = self._known.lock(entry.lock)
                if lock is None:
                    continue
                self.count["entries of documents"] += 1
                for word, line in entry.protects:
                    cell = self._known.member(word, lock.rpartition(".")[0])
                    if cell is not None and self._known.lock(word) is None:
                        saying = Saying("document", f"{entry.lock} protects {word}", Location(file, line))
                        yield from self._against(cell, "any", {lock}, saying)

    # -- conditions of accessors --------------------------------------------------------------------------------------

    def conditions(self, claims: Iterable[Contract]) -> Iterator[Drift]:
        """Yield conditions under which a pointer is read that share no lock with the rules about it."""
        by_function: dict[str, list[Contract]] = defaultdict(list)
        for claim in claims:
            by_function[claim.function].append(claim)
        for ident, found in sorted(by_function.items()):
            pointers = self._pointers(ident)
            for claim in found:
                cell = pointers.get(claim.at.line)
                if cell is not None and not claim.negated:
                    self.count["conditions of accessors"] += 1
                    text = f"{claim.form}: {spell(claim.requires)}"
                    saying = Saying("assertion", text, place_of(self._linked.program, ident, claim.at))
                    yield from self._against(cell, "any", set(locks_in(claim.requires)), saying)

    def _pointers(self, ident: str) -> dict[int, str]:
        """Return the members that accessors read, by line of the function."""
        found = {}
        for block in self._linked.facts_of(ident).ir.blocks:
            for event in block.events:
                if isinstance(event, Claim) and isinstance(event.statement, Asked):
                    arguments = event.statement.arguments if event.statement.function == _POINTER else ()
                    cell = _read(arguments[0].path) if arguments and isinstance(arguments[0], Load) else None
                    if cell is not None:
                        found[event.at.line] = cell
        return found

    # -- against the rules ------------------------------------------------------------------------------------------

    def _against(self, cell: str, access: str, locks: set[str], saying: Saying) -> Iterator[Drift]:
        """Compare what is said of a member with the rules about such accesses of it."""
        rules = self._guards.get(cell, [])
        asked = [rule for rule in rules if _meets(_access(rule), access)]
        if any(self._locks(rule) & locks for rule in rules) or cell in locks:
            return
        if asked and _covers(asked, access):
            message = f"the {saying.voice} names another lock than the rules do"
            kind = saying.voice if saying.voice != "rule" else "source"
            yield Drift(kind, cell, message, (*map(self._rule, asked), saying))
        elif saying.voice != "assertion":
            yield Drift("unruled", cell, f"the {saying.voice} names a lock that no rule about it names", (saying,))

    def _locks(self, rule: Rule) -> set[str]:
        assert isinstance(rule.check, GuardedBy | MustHold)
        return set(locks_in(self._names.requirement(rule.check.requires, rule.location)))

    def _rule(self, rule: Rule) -> Saying:
        return Saying("rule", f"{rule.id}: {demand(rule)}", rule.location)


def _access(rule: Rule) -> str:
    return rule.check.access if isinstance(rule.check, GuardedBy) else ""


def _covers(rules: list[Rule], access: str) -> bool:
    """Tell whether rules say all of what is said about such accesses: who says it of any access may mean some."""
    found = {_access(rule) for rule in rules}
    return access != "any" or "any" in found or found >= {"read", "write"}


def _meets(one: str, other: str) -> bool:
    return "any" in (one, other) or one == other


def _read(path: AccessPath) -> str | None:
    """Return the member that a pointer was read of."""
    for selector in reversed(path.selectors):
        if isinstance(selector, Field):
            return f"{selector.record}.{selector.member}"
    return None
