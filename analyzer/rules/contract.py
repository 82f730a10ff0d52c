# SPDX-License-Identifier: GPL-2.0-only
"""`contract`: what the source claims of locks is so, on every way to where it claims it.

In: a Contract rule. Out: a watch for each of its forms, which the claims of functions are.
"""

from collections.abc import Iterable, Iterator

from analyzer.analysis.claims import NOT
from analyzer.analysis.names import Cell, NameResolver, lock_texts
from analyzer.analysis.obligations import Trail, Verdict
from analyzer.analysis.summary import Own
from analyzer.analysis.watch import Watch
from analyzer.analysis.witness import Witness
from analyzer.spec.model import AllOf, AnyOf, Check, Contract, Held, Name, Rule

#: the annotation of a pointer that readers share, and what is done to it that matters
POINTER = "__rcu"
BARE = "bare read"

NOUN = "claim"
#: how claims begin of what the function drops
RELEASES = "__releases"
KIND = "contract"
CHECK = Contract


def watches(rule: Rule, names: NameResolver) -> Iterable[Watch]:
    """Return the watches of `rule`."""
    check = rule.check
    assert isinstance(check, Contract)
    for form in check.forms:
        yield Watch(rule.id, None, "", form, "claim", AllOf(()), rule.unless, form=form)
        if form == POINTER:
            yield from _bare(rule, names)
            continue
        for cell, locks in names.annotated(form):
            yield from _guarded(rule, cell, locks, names, behind=form.startswith("pt_"))


def _bare(rule: Rule, names: NameResolver) -> Iterator[Watch]:
    """Yield what is asked where a marked pointer is read without an accessor: what accessors of it ask for, or readers."""
    cells = frozenset(cell for cell, _ in names.annotated(POINTER) if names.holds_pointer(cell))
    asked = names.conditions(cells) if cells else {}
    for cell in sorted(cells):
        own = [names.requirement(one, rule.location) for one in asked.get(cell, ())]
        requires = AnyOf((*map(Held, names.reading()), *own))
        readers = {str(name) for name in names.reading()}
        texts = tuple(dict.fromkeys(text for one in own for text in lock_texts(one) if text not in readers))
        named = ".".join(part for part in cell if part)
        words = ("a read-side section", *texts)
        yield Watch(rule.id, cell, "", named, BARE, requires, rule.unless, locks=words, bare=True, named=bool(texts))


def _guarded(rule: Rule, cell: Cell, locks: tuple[Name, ...], names: NameResolver, *, behind: bool) -> Iterator[Watch]:
    """Yield what an annotated member asks for: all its locks to write it, one of them to read it."""
    what = ("*" if behind else "") + ".".join(part for part in cell if part)
    for access in ("read", "write"):
        # who writes is no reader: what he needs instead nobody says
        meant = locks if access == "read" else tuple(lock for lock in locks if not names.is_section(lock))
        if not meant:
            continue
        held = tuple(Held(lock, "write" if access == "write" and names.has_readers(lock) else None) for lock in meant)
        wanted = AllOf(held) if access == "write" else AnyOf(held)
        requires = names.requirement(wanted, rule.location)
        texts = tuple(lock_texts(requires))
        yield Watch(rule.id, cell, "", what, access, requires, rule.unless, locks=texts, annotated=True, behind=behind)


def headline(access: str, name: str) -> str:
    """Return `claim lockdep_assert_held(kvm.slots_lock)`, or `write of shelf.books`."""
    return f"{access} {name}" if access == "claim" else f"{access} of {name}"


def words(check: Check, witness: Witness, trail: Trail) -> tuple[str, str]:  # noqa: ARG001 (every kind takes them)
    """Return `fails: without kvm.slots_lock`, and what is held on this way."""
    held = list(dict.fromkeys(str(lock) for lock in witness.held))
    which = f"only {' and '.join(held)} {'is' if len(held) == 1 else 'are'}" if held else "no lock is"
    start = trail.entry.text if trail.entry else "whoever calls"
    own = trail.links[-1][1].what
    lacks = _lacks(own.locks if isinstance(own, Own) else (), witness, trail.verdict)
    if isinstance(own, Own) and own.access != "claim":
        return lacks, f"{start}; {which} held on this way"
    fails = "may fail" if trail.verdict == "unknown" else "fails"
    if isinstance(own, Own) and own.object.startswith(RELEASES) and not lacks:
        lacks = "returns with the lock still held"
    return f"{fails}: {lacks}" if lacks else fails, f"{start}; {which} held on this way"


def _lacks(locks: tuple[str, ...], witness: Witness, verdict: Verdict) -> str:
    """Say what is held that must not be, is held otherwise, or is missing: `without kvm.slots_lock or kvm.srcu`."""
    modes = {lock.name: lock.mode for lock in witness.held}
    missing = []
    for text in locks:
        name, _, mode = text.removeprefix(NOT).partition(" ")
        if name not in modes:
            missing += [] if text.startswith(NOT) else [text]
        elif text.startswith(NOT):
            return f"with {name} held"
        elif mode and mode != f"({modes[name]})":
            return f"with {name} held for {'read only' if modes[name] == 'read' else 'writing'}"
        else:
            return (
                f"with {name} of {'another' if verdict == 'violation' else 'what may be another'} {name.split('.')[0]}"
            )
    return f"without {' or '.join(missing)}" if missing else ""
