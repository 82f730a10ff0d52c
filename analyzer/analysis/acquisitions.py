# SPDX-License-Identifier: GPL-2.0-only
"""What a function takes, waits for and sleeps in, and what it holds meanwhile.

In: calls of primitives and of summarised functions, each in a state. Out: acquisitions over the function's entry, which
its callers add to what they hold; for the locks that it holds itself, nested acquisitions.

Of a lock that nobody waits for (an attempt, a reader that never blocks) only the acquisition is kept; a context
(interrupts off) is no lock here, but what the acquisitions in it are told with.

**Invariant:** nothing here depends on rules: whatever kind asks finds the same facts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct

from analyzer.analysis import conditions, ranges
from analyzer.analysis.asked import Take
from analyzer.analysis.bits import Constants, some_bit
from analyzer.analysis.effects import apply_effect, lock_of
from analyzer.analysis.freshness import status
from analyzer.analysis.in_use import choices
from analyzer.analysis.locks import LockTypes, exported_lock, is_context, lock_class, relation, same_lock
from analyzer.analysis.locksets import HeldAt, Setting
from analyzer.analysis.over import Over
from analyzer.analysis.situation import Decidable, Guards, guards, setting
from analyzer.analysis.state import FRESH, Hold, State
from analyzer.analysis.summary import Acquisition, Elsewhere, Nested, Passed, identity
from analyzer.analysis.terms import Term, depth, spell
from analyzer.ir.function import At
from analyzer.spec.effect import Effect, LockAbstract, Primitive

#: more locks of one class than this in one function are told by their class alone
MAX_INSTANCES = 4
#: longer ways to a lock are told by its class alone: callers rarely know what lies there
MAX_DEPTH = 9
_NONE: frozenset[str] = frozenset()
NO_LOCK: Term = ("unknown", "")
ATOMIC = "atomic"


class Wait(NamedTuple):
    """What an acquisition is, apart from where it happens."""

    what: str
    key: Term
    mode: str
    recursive: bool
    waits: str
    off: frozenset[str]
    without: frozenset[str]


class Draft(Struct, frozen=True):
    """One place of an acquisition."""

    at: At
    link: Passed | None
    setting: Setting
    guards: Guards


class Below(Struct, frozen=True):
    """A callee's acquisition, as it comes to the caller."""

    take: Take
    link: Passed
    #: the conditions under which the call gets there; None: those of the call itself
    guards: Guards | None
    doubt: str


class _Locks:
    """The locks of one state, as all acquisitions there ask for them."""

    def __init__(self, state: State) -> None:
        known = [(key, hold, lock_class(key) or "") for key, hold in state.locks.items()]
        #: locks held, each with its class
        self.held = [one for one in known if one[1].times > 0]
        #: classes of locks that the function took or dropped
        self.names = frozenset(name for _, _, name in known)
        last = {name: hold for _, hold, name in known}
        #: classes of the caller's locks that are dropped
        self.dropped = frozenset(name for name, hold in last.items() if hold.times < 0)


class Log:
    """Collects the acquisitions of one pass over a block."""

    __slots__ = ("_constants", "_parameters", "_types", "nested", "takes")

    def __init__(self, types: LockTypes, constants: Constants, parameters: tuple[str, ...]) -> None:
        self._types = types
        self._constants = constants
        self._parameters = parameters
        self.takes: dict[Wait, dict[tuple[At, Guards], Draft]] = defaultdict(dict)
        self.nested: dict[tuple[object, ...], Nested] = {}

    def absorb(self, other: Log) -> None:
        """Note all that `other` has noted."""
        for wait, drafts in other.takes.items():
            mine = self.takes[wait]
            for place, draft in drafts.items():
                mine.setdefault(place, draft)
        for key, one in other.nested.items():
            known = self.nested.get(key)
            if known is None or (known.doubt and not one.doubt):
                self.nested[key] = one

    def primitive(self, state: State, primitive: Primitive, arguments: tuple[Term, ...], at: At) -> None:
        """Note what a call of `primitive` takes and waits for, in the order of its effects."""
        off = switched_off(state)
        if any(effect.kind == "release" for effect in primitive.effects[:-1]):
            state = state.fork()
        for effect in primitive.effects:
            if effect.kind == "release" and effect is not primitive.effects[-1]:
                apply_effect(state, effect, arguments, NO_LOCK, at, self._types)
                off = switched_off(state)
            wait = self._wait(effect, arguments, off)
            if effect.kind == "acquire" and isinstance(effect.lock, LockAbstract) and effect.atomic:
                off |= {effect.lock.name}
            if wait is None:
                continue
            known, doubt = guards(state), ""
            if effect.bits is not None:
                asked = self._asked(effect.bits, arguments)
                if ranges.meet(conditions.range_of(state.facts, asked), ranges.NONZERO) is None:
                    continue
                if asked[0] != "k":
                    known, doubt = ((asked, ranges.NONZERO), *known), self.undecided(asked)
            draft = Draft(at, None, setting(state, self._parameters), known)
            self._note(state, _Locks(state), wait, draft, _NONE, doubt)

    def _asked(self, bits: tuple[int, int], arguments: tuple[Term, ...]) -> Term:
        index, mask = bits
        return some_bit(arguments[index], mask, self._constants) if index < len(arguments) else ("k", mask)

    def undecided(self, asked: Term) -> str:
        """Say that it is not known whether a value has a bit."""
        return f"only if {spell(asked[2], self._parameters)} has a bit of {asked[3][1]:#x}, which is not known"

    def _wait(self, effect: Effect, arguments: tuple[Term, ...], off: frozenset[str]) -> Wait | None:
        match effect.kind:
            case "acquire":
                key = lock_of(effect, arguments, self._types)
                if is_context(key, effect.mode, effect.recursive):
                    return None
                return Wait("lock", key, effect.mode, effect.recursive, effect.waits, off, _NONE)
            case "wait":
                return Wait("grace", lock_of(effect, arguments, self._types), "write", False, "sleep", off, _NONE)
            case "sleep":
                return Wait("sleep", NO_LOCK, "write", True, "sleep", off, _NONE)
        return None

    def callee(
        self,
        state: State,
        takes: Iterable[Below],
        over: Over,
        at: At,
    ) -> None:
        """Note what a callee's acquisitions are to this function in `state`; `over` rewrites the callee's terms."""
        off, locks = switched_off(state), _Locks(state)
        here = None
        for found in takes:
            take, under = found.take, found.guards
            one, below = take.one, take.off
            key = one.key if one.what == "sleep" else self._types.key(over(one.key))
            here = here or (setting(state, self._parameters), guards(state))
            switched = (off - take.without) | below if off else below
            wait = Wait(one.what, key, one.mode, one.recursive, one.waits, switched, take.without)
            draft = Draft(at, found.link, here[0], here[1] if under is None else under)
            self._note(state, locks, wait, draft, below, found.doubt)

    def _note(
        self, state: State, locks: _Locks, wait: Wait, draft: Draft, below: frozenset[str], doubt: str = ""
    ) -> None:
        """Note an acquisition in `state`; its `without` are the locks that the callee had dropped."""
        if locks.held and (wait.waits != "none" or wait.what != "lock"):
            for outer, hold, name in locks.held:
                if name not in wait.without and (hold.atomic or wait.what != "sleep"):
                    self._nest(state, outer, hold, wait._replace(off=below), draft, doubt)
        if wait.what != "sleep":
            exported = exported_lock(wait.key)
            # nobody waits for the holder of a lock that nobody else can reach
            if exported is None or status(wait.key, state) == FRESH:
                if wait.waits != "sleep":
                    return
                wait = wait._replace(what="sleep", key=NO_LOCK, mode="write", recursive=True)
            elif exported != wait.key or depth(exported) > MAX_DEPTH:
                wait = wait._replace(key=("unknown", lock_class(wait.key) or ""))
        if locks.names:
            wait = wait._replace(without=locks.dropped | (wait.without - locks.names))
        self.takes[wait].setdefault((draft.at, draft.guards), draft)

    def _nest(self, state: State, outer: Term, hold: Hold, wait: Wait, draft: Draft, doubt: str) -> None:
        context = is_context(outer, hold.mode, hold.recursive)
        text = spell(outer, self._parameters)
        held = HeldAt(lock_class(outer) or "", hold.mode, hold.at, text, context, hold.origin)
        name = "" if wait.what == "sleep" else lock_class(wait.key) or ""
        same = same_lock(outer, wait.key) if name and name == held.name else None
        asleep = hold.atomic and wait.waits == "sleep" and not wait.off
        place = draft.at if asleep or same else None
        beside = _beside(state, outer, wait) if name else ()
        unshared = bool(name) and (status(outer, state) == FRESH or status(wait.key, state) == FRESH)
        whose = relation(outer, wait.key) if name else ""
        seen = (held.name, held.mode, hold.atomic, same, wait.what, name, wait.mode, wait.recursive, wait.waits)
        key = (*seen, place, beside, unshared, whose)
        known = self.nested.get(key)
        if known is None or (known.doubt and not doubt):
            off, atomic = tuple(sorted(wait.off)), hold.atomic
            ways = (wait.mode, wait.recursive, wait.waits, off, draft.at, draft.link, draft.setting, doubt)
            self.nested[key] = Nested(outer, held, atomic, same, wait.what, wait.key, name, *ways, beside, unshared)

    def opened(self, state: State, one: Nested, link: Passed, over: Over) -> None:
        """Note a callee's nesting of locks that it was given, which only callers can name."""
        outer, inner = (self._types.key(over(key)) for key in (one.outer, one.inner))
        hold = Hold(1, one.held.mode, False, link.at, one.atomic)
        wait = Wait(one.what, inner, one.mode, one.recursive, one.waits, frozenset(one.off), _NONE)
        draft = Draft(link.at, link, setting(state, self._parameters), ())
        self._nest(state, outer, hold, wait, draft, one.doubt)


def _beside(state: State, outer: Term, wait: Wait) -> tuple[tuple[Term, str], ...]:
    """Return the other locks held, but for contexts, which exclude nobody."""
    return tuple(
        (key, hold.mode)
        for key, hold in state.locks.items()
        if key != outer
        and hold.times > 0
        and not is_context(key, hold.mode, hold.recursive)
        and lock_class(key) not in wait.without
    )


def switched_off(state: State) -> frozenset[str]:
    """Return what the function itself holds that forbids sleeping."""
    held = (key[1] if key[0] == "abstract" else ATOMIC for key, h in state.locks.items() if h.times > 0 and h.atomic)
    return frozenset(held)


def takes_of(logs: Iterable[Log]) -> tuple[Acquisition, ...]:
    """Return the acquisitions of a function from those of all passes over its blocks."""
    drafts: dict[Wait, dict[tuple[At, Guards], Draft]] = defaultdict(dict)
    for log in logs:
        for wait, places in log.takes.items():
            drafts[wait].update(places)
    crowded = _crowded(drafts)
    for wait in [wait for wait in drafts if lock_class(wait.key) in crowded and wait.key[0] != "unknown"]:
        places = drafts.pop(wait)
        drafts[wait._replace(key=("unknown", lock_class(wait.key) or ""))].update(places)
    decidable = Decidable()
    conditions = {
        wait: decidable.common([draft.guards for draft in places.values()]) for wait, places in drafts.items()
    }
    return tuple(_acquisition(wait, conditions[wait], list(drafts[wait].values())) for wait in _undominated(conditions))


def _crowded(drafts: Iterable[Wait]) -> set[str | None]:
    instances: dict[str | None, set[Term]] = defaultdict(set)
    for wait in drafts:
        instances[lock_class(wait.key)].add(wait.key)
    return {name for name, keys in instances.items() if name is not None and len(keys) > MAX_INSTANCES}


def _undominated(conditions: Mapping[Wait, Guards]) -> list[Wait]:
    """Leave out what says nothing more than another that happens under no condition at all.

    That one is taken with fewer locks dropped and less switched off, of the same lock, or of a known one of the class.
    """
    always: dict[tuple[object, ...], list[Wait]] = defaultdict(list)
    for wait, known in conditions.items():
        if not known:
            always[_sort(wait)].append(wait)
    return [
        wait
        for wait in conditions
        if not any(
            one != wait and one.off <= wait.off and one.without <= wait.without and _covers(one, wait)
            for one in always.get(_sort(wait), ())
        )
    ]


def _sort(wait: Wait) -> tuple[object, ...]:
    return (wait.what, lock_class(wait.key), wait.mode, wait.recursive, wait.waits)


def _covers(one: Wait, other: Wait) -> bool:
    return one.key == other.key or (other.key[0] == "unknown" and one.key[0] != "unknown")


def _acquisition(wait: Wait, known: Guards, places: list[Draft]) -> Acquisition:
    first, *others = _by_choice(places)
    off, without = tuple(sorted(wait.off)), tuple(sorted(wait.without))
    seen = (wait.what, wait.key, wait.mode, wait.recursive, wait.waits, off, without, known)
    elsewhere = tuple(Elsewhere(choices(one.guards), one.at, one.link, one.setting) for one in others)
    return Acquisition(identity(seen), *seen, first.at, first.link, first.setting, choices(first.guards), elsewhere)


def _by_choice(places: list[Draft]) -> list[Draft]:
    """Return the first place, and if that needs certain implementations in use, the first for each other choice."""
    found: dict[Guards, Draft] = {}
    for draft in sorted(places, key=lambda draft: (draft.link is not None, draft.at.line, draft.at.column)):
        found.setdefault(choices(draft.guards), draft)
        if () in found:
            break
    return list(found.values())


def nested_of(logs: Iterable[Log]) -> tuple[Nested, ...]:
    """Return the nested acquisitions of a function, each once."""
    found: dict[tuple[object, ...], Nested] = {}
    for log in logs:
        for key, one in log.nested.items():
            known = found.get(key)
            if known is None or _rank(one) < _rank(known):
                found[key] = one
    return tuple(found.values())


def _rank(one: Nested) -> tuple[bool, int, int]:
    return (bool(one.doubt), one.at.line, one.at.column)
