# SPDX-License-Identifier: GPL-2.0-only
"""Rules as sentences for a header: what a member needs, in the words of C.

In: a rule, and the structure it is written at. Out: `Said("Writes need kvm->slots_lock", …)`; a lock of the structure itself
is `@slots_lock`, one of another is `kvm->slots_lock`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from analyzer.spec.model import (
    AllOf,
    AnyOf,
    Atomicity,
    GracePeriod,
    GuardedBy,
    Held,
    MustHold,
    MustNotHold,
    Name,
    OnlyThrough,
    PrecededBy,
    Requirement,
    Rule,
    When,
)

#: the path of a name in the structure at hand; None for one of another structure
Relative = Callable[[Name], str | None]
_EXEMPT = {
    "unpublished": "nobody else can reach the object yet",
    "creation": "the object that owns it is being made",
}


class Said(Struct, frozen=True):
    """What a rule says, and when it does not matter."""

    #: without a full stop
    text: str
    #: clauses: `refcount_read(&kvm->users_count) == 0`
    unless: tuple[str, ...]
    #: locks as the text spells them
    locks: tuple[str, ...]


class Speller:
    """Spells names and requirements where one structure is declared."""

    def __init__(self, relative: Relative, read_sides: frozenset[str] = frozenset()) -> None:
        self._relative = relative
        #: locks without an object that are held by reading only: RCU
        self._read_sides = read_sides

    def lock(self, name: Name) -> str:
        """Spell a lock, or any member."""
        own = self._relative(name)
        if own:
            return f"@{own}"
        if len(name.parts) == 1:
            return f"a read side of {name}" if str(name) in self._read_sides else str(name)
        return f"{name.parts[0]}->{'.'.join(name.parts[1:])}"

    def rule(self, rule: Rule, access: str = "") -> Said | None:
        """Say what `rule` asks for, of a member if it checks it; None if there is nothing to say at a declaration."""
        check = rule.check
        match check:
            case GuardedBy():
                return self._needs(rule, f"{_accesses(check.access)} need", check.requires)
            case MustHold():
                return self._needs(rule, _calls(check.functions, rule.title), check.requires)
            case MustNotHold():
                who = (
                    f"No {access or 'access'}" if check.fields else _calls(check.functions, rule.title, "must not run")
                )
                joint = "together with" if isinstance(check.forbids, AllOf) else "or"
                locks = _locks(check.forbids)
                return Said(
                    f"{who} with {f' {joint} '.join(map(self._held, locks))} held",
                    self._exempt(rule),
                    tuple(self.lock(held.lock) for held in locks),
                )
            case OnlyThrough():
                return Said(
                    f"{_accesses(check.access)} only in {_and(_called(check.functions))}", self._exempt(rule), ()
                )
            case Atomicity():
                lock = self.lock(check.lock)
                return Said(
                    f"What was read under {lock} is not used once that was dropped", self._exempt(rule), (lock,)
                )
            case PrecededBy():
                return self._comes_after(rule, check)
            case GracePeriod() if check.readers is not None:
                lock = self.lock(check.readers)
                return Said(f"Who reads it stays inside {lock}: updaters wait for that", self._exempt(rule), (lock,))
        return None

    def _needs(self, rule: Rule, who: str, requires: Requirement) -> Said:
        parts = requires.of if isinstance(requires, AnyOf) else (requires,)
        whens = tuple(part.text for part in parts if isinstance(part, When))
        rest = tuple(part for part in parts if not isinstance(part, When))
        locks = tuple(dict.fromkeys(self.lock(held.lock) for held in _locks(requires)))
        if not rest:
            return Said(f"{who} {_or(tuple(f'that {when}' for when in whens))}", self._exempt(rule), ())
        needed = self.requirement(AnyOf(rest) if len(rest) > 1 else rest[0])
        return Said(f"{who} {needed}", (*whens, *self._exempt(rule)), locks)

    def _comes_after(self, rule: Rule, check: PrecededBy) -> Said:
        about = f" of {self.lock(check.lock)}" if check.lock else ""
        since = [f"a write of {self.lock(name)}" for name in check.since_writes]
        since += [f"a call of {name}" for name in _called(check.since_calls)]
        after = f" after {_or(tuple(since))}" if since else ""
        whens = tuple(when.text for when in _whens(check.otherwise))
        locks = (self.lock(check.lock),) if check.lock else ()
        text = f"{_and(_called(check.functions))} only once {_or(_called(check.earlier))}{about} has returned{after}"
        return Said(text, (*whens, *self._exempt(rule)), locks)

    def _exempt(self, rule: Rule) -> tuple[str, ...]:
        return tuple(_EXEMPT[word] for word in rule.unless if word in _EXEMPT)

    def requirement(self, requirement: Requirement, *, inner: bool = False) -> str:
        """Spell a requirement as the object of "need"."""
        match requirement:
            case AnyOf(parts):
                told = tuple(self.requirement(part, inner=True) for part in parts)
                return _or(told) if inner or len(told) > 2 else f"either {_or(told)}"
            case AllOf(parts):
                told = tuple(self.requirement(part, inner=True) for part in parts)
                simple = all(isinstance(part, Held) for part in parts)
                return (_and(told) if inner else f"both {_and(told)}") if simple else ", together with ".join(told)
            case When(text):
                return f"that {text}"
        return self._held(requirement)

    def _held(self, held: Held) -> str:
        mode = {"write": " held for writing", "read": " held at least for reading"}.get(held.mode or "", "")
        return f"{self.lock(held.lock)}{mode}"


def sentences(said: Sequence[Said]) -> tuple[str, ...]:
    """Return whole sentences; what lets all of them off stands at the end, once."""
    common = [clause for clause in said[0].unless if all(clause in one.unless for one in said)] if said else []
    told = []
    for one in said:
        own = [clause for clause in one.unless if clause not in common]
        told.append(f"{one.text}{f', unless {_or(tuple(own))}' if own else ''}.")
    if common:
        told.append(f"{'None of this is' if len(said) > 1 else 'Not'} needed while {_or(tuple(common))}.")
    return tuple(dict.fromkeys(told))


def _locks(requirement: Requirement | None) -> list[Held]:
    match requirement:
        case AnyOf(parts) | AllOf(parts):
            return [lock for part in parts for lock in _locks(part)]
        case Held():
            return [requirement]
    return []


def _whens(requirement: Requirement | None) -> list[When]:
    match requirement:
        case AnyOf(parts) | AllOf(parts):
            return [when for part in parts for when in _whens(part)]
        case When():
            return [requirement]
    return []


def _accesses(access: str) -> str:
    return {"read": "Reads", "write": "Writes"}.get(access, "Reads and writes")


def _calls(functions: tuple[str, ...], title: str, verb: str = "") -> str:
    about = f" ({title})" if title else ""
    return f"{_and(_called(functions))}{about} {verb or ('need' if len(functions) > 1 else 'needs')}"


def _called(functions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name}()" for name in functions)


def _and(parts: tuple[str, ...]) -> str:
    return _joined(parts, "and")


def _or(parts: tuple[str, ...]) -> str:
    return _joined(parts, "or")


def _joined(parts: tuple[str, ...], word: str) -> str:
    *firsts, last = parts
    return f"{', '.join(firsts)} {word} {last}" if firsts else last
