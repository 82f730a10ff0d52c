# SPDX-License-Identifier: GPL-2.0-only
"""The abstract state on one path of a function, and how states meet.

In: states at a join. Out: one state for each distinguishable lock situation.

**Invariant:** a state is only changed by its owner; `fork()` before handing it on.
**Invariant:** `locks` is a must-lockset relative to the function's entry: negative counts are locks of the caller that
the function dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from analyzer.analysis import conditions, ranges
from analyzer.analysis.backlinks import Backlinks
from analyzer.analysis.locks import is_perhaps, lock_class, perhaps
from analyzer.analysis.marks import age, inherit, merge_marks
from analyzer.analysis.rewrites import Rewrites, joined
from analyzer.analysis.terms import Term, common_container, common_list, contains, element, maybe_cleared, one_address
from analyzer.ir.function import At


class Hold(NamedTuple):
    """How a lock is held, relative to the function's entry."""

    #: acquisitions minus releases since the entry; 0 for a lock of the caller that is held in another mode now
    times: int
    #: `read` or `write`
    mode: str
    #: may be acquired again by its holder
    recursive: bool
    #: where it was acquired (times > 0) or dropped (times < 0)
    at: At
    #: its holder must not sleep
    atomic: bool = False
    #: the callee that acquired or dropped it (its id), and the lock as the callee knows it
    origin: tuple[str, Term] | None = None


class Dropped(NamedTuple):
    """A lock that this function acquired and dropped again on this path: its caller cannot have held it."""

    mode: str
    recursive: bool
    acquired: At
    released: At


Signature = tuple[object, ...]
#: where states meet: at the beginning of a block, or after one of its events
Join = tuple[int] | tuple[int, int]


class Telling(NamedTuple):
    """What beside the locks held keeps states apart."""

    #: members that are locks, by (record, member)
    locks: frozenset[tuple[str, str]]
    #: (function, (record, member)) that rules ask about
    predicates: frozenset[tuple[str, tuple[str, str]]]


#: who can reach an object: nobody else / perhaps a function that cannot be looked into / anybody
FRESH, HANDED_OUT, PUBLISHED = 2, 1, 0


NO_BACKLINKS = Backlinks()
#: marks that keep states apart
_AGED = frozenset(("old", "decided"))
_APART = _AGED | {"after", "stale"}


def _no_bit(_: tuple[str, str]) -> int:
    return 0


@dataclass(slots=True)
class State:
    """What holds on the paths that this state stands for."""

    #: values of locals, by name
    env: dict[str, Term] = field(default_factory=dict)
    #: values stored to objects on this path
    memory: dict[Term, Term] = field(default_factory=dict)
    #: last writer of a member by (record, member), where the function wrote it itself
    epochs: dict[tuple[str, str], object] = field(default_factory=dict)
    facts: conditions.Facts = field(default_factory=dict)
    locks: dict[Term, Hold] = field(default_factory=dict)
    dropped: dict[Term, Dropped] = field(default_factory=dict)
    #: FRESH, HANDED_OUT or PUBLISHED by object, see `freshness`
    fresh: dict[Term, int] = field(default_factory=dict)
    #: objects stored inside an object that nobody else could reach then
    inside: dict[Term, frozenset[Term]] = field(default_factory=dict)
    #: what came before on this path, for rules that ask for an order, see `marks`
    marks: dict[Term, Any] = field(default_factory=dict)
    #: locks of the caller that the source claims are held, with the mode: `read` (only), `write`, `any`
    assumed: dict[Term, str] = field(default_factory=dict)
    #: what callees wrote since the function wrote it itself, if it did
    rewrites: Rewrites = ()
    #: the same in all states of a run
    backlinks: Backlinks = NO_BACKLINKS
    bit: Callable[[tuple[str, str]], int] = _no_bit

    def fork(self) -> State:
        """Return a copy that can be changed independently."""
        return State(
            self.env.copy(),
            self.memory.copy(),
            self.epochs.copy(),
            self.facts.copy(),
            self.locks.copy(),
            self.dropped.copy(),
            self.fresh.copy(),
            self.inside.copy(),
            self.marks.copy(),
            self.assumed.copy(),
            self.rewrites,
            self.backlinks,
            self.bit,
        )

    def narrowed(self) -> State:
        """Return a copy of which nothing but the facts can be changed independently."""
        return State(
            self.env,
            self.memory,
            self.epochs,
            self.facts.copy(),
            self.locks,
            self.dropped,
            self.fresh,
            self.inside,
            self.marks,
            self.assumed,
            self.rewrites,
            self.backlinks,
            self.bit,
        )

    def signature(self, telling: Telling, *, came: bool = True) -> Signature:
        """Return what must agree for two states to be merged: locks held, pointers to locks, predicates known.

        With `came`, what came before as well, as far as rules ask for it.
        """
        locks = frozenset((key, hold.times, hold.mode) for key, hold in self.locks.items())
        pointers = frozenset(
            (name, value)
            for name, value in self.env.items()
            if value[0] == "ad" and value[1][0] == "F" and value[1][2:] in telling.locks
        )
        reads = frozenset(
            (term, known)
            for term, known in self.facts.items()
            if term[0] == "w" and term[2][0] == "F" and (term[1], term[2][2:]) in telling.predicates
        )
        if self.assumed:
            locks |= {(key, -1, f"claimed {mode}") for key, mode in self.assumed.items()}
        if not self.marks:
            return (locks, pointers, reads)
        marks = frozenset((key, value) for key, value in self.marks.items() if key[0] in (_APART if came else _AGED))
        return (locks, pointers, reads, marks)

    def forget_object(self, obj: Term) -> None:
        """Forget the stored values inside `obj`: a callee may have written it."""
        for term in [t for t in self.memory if contains(t, lambda part: part == obj)]:
            del self.memory[term]


def merge(old: State, new: State, join: Join, widening: bool) -> bool:
    """Join `new` into `old`, both with one signature, at `join`; return whether `old` changed."""
    changed = _merge_env(old, new, join, widening)
    for key in [k for k, value in old.memory.items() if new.memory.get(k) != value]:
        del old.memory[key]
        changed = True
    for key in [k for k in old.dropped if k not in new.dropped]:
        del old.dropped[key]
        changed = True
    changed |= _merge_fresh(old, new)
    for key in [k for k, mode in old.assumed.items() if new.assumed.get(k) != mode]:
        del old.assumed[key]
        changed = True
    changed |= merge_marks(old.marks, new.marks) if old.marks or new.marks else False
    return _merge_epochs(old, new, join) | _merge_facts(old, new, widening) | changed


def _merge_fresh(old: State, new: State) -> bool:
    """Keep the lesser of what two paths say of an object; one that a path does not know was not allocated there."""
    changed = False
    for base in old.fresh.keys() | new.fresh.keys():
        unknown = FRESH if base[0] in ("P", "L") else PUBLISHED
        least = min(old.fresh.get(base, unknown), new.fresh.get(base, unknown))
        if old.fresh.get(base) != least:
            old.fresh[base] = least
            changed = True
    for holder, items in new.inside.items():
        mine = old.inside.get(holder, frozenset())
        if not items <= mine:
            old.inside[holder] = mine | items
            changed = True
    return changed


def _merge_env(old: State, new: State, where: Join, widening: bool) -> bool:
    changed = False
    if new.marks:
        kept = {key[2] for key in new.marks if key[0] in ("read", "old")}
        # a local that is not set on one path may still be as old as on the other
        old.env.update({n: ("?", *where, n) for n, value in new.env.items() if n not in old.env and value in kept})
    for name in list(old.env):
        mine, theirs = old.env[name], new.env.get(name)
        if mine is theirs or mine == theirs:
            continue
        phi: Term = ("phi", *where, name)
        found_in = (common_container((mine, theirs)) or common_list(mine, theirs)) if theirs is not None else None
        if found_in is not None:
            # one or another element of the same container, or none
            phi = element(found_in, phi)
        elif theirs is not None and mine[0] in ("ad", "in") and theirs[0] in ("ad", "in"):
            phi = one_address(mine, theirs, phi)
        elif theirs is not None and "&" in (mine[1:2] + theirs[1:2]):
            phi = maybe_cleared(mine, theirs, phi)
        theirs = ("?", *where, name) if theirs is None else theirs
        if old.marks or new.marks:
            inherit(old.marks, mine, phi)
            inherit(new.marks, theirs, phi)
        join = ranges.widen if widening else ranges.hull
        joined = join(conditions.range_of(old.facts, mine), conditions.range_of(new.facts, theirs))
        if mine != phi or joined != conditions.range_of(old.facts, phi):
            changed = True
        old.env[name] = phi
        if joined == ranges.FULL:
            old.facts.pop(phi, None)
        else:
            old.facts[phi] = joined
        new.facts[phi] = joined
    return changed


def _merge_epochs(old: State, new: State, where: Join) -> bool:
    here = ("join", *where)
    changed = False
    for key in old.epochs.keys() | new.epochs.keys() if old.epochs or new.epochs else ():
        mine = old.epochs.get(key, 0)
        if mine != new.epochs.get(key, 0) and mine != here:
            old.epochs[key] = here
            changed = True
    before, old.rewrites = old.rewrites, joined(old.rewrites, new.rewrites, here)
    return changed or old.rewrites is not before


def _merge_facts(old: State, new: State, widening: bool) -> bool:
    changed = False
    for term, mine in list(old.facts.items()):
        theirs = new.facts.get(term) or conditions.range_of(new.facts, term)
        if mine == theirs:
            continue
        joined = ranges.widen(mine, theirs) if widening else ranges.hull(mine, theirs)
        if joined == mine:
            continue
        changed = True
        if conditions.says_nothing(term, joined):
            del old.facts[term]
        else:
            old.facts[term] = joined
    return changed


def close_pass(state: State, header: int, entered: list[State]) -> None:
    """Age what was made inside a loop before it flows back to `header`: next time round it is something else.

    Predicates, and locks of array elements, that no state in `entered` has are of this pass: keeping each apart would
    unroll the loop.
    """

    def is_inner(term: Term) -> bool:
        return term[0] in ("r", "phi", "?") and isinstance(term[1], int) and term[1] >= header

    def aged(term: Term) -> Term:
        return ("fix", term, header) if contains(term, is_inner) and term[0] != "fix" else term

    known = {term: state.facts.pop(term) for term in list(state.facts) if contains(term, is_inner)}
    for name, value in state.env.items():
        if contains(value, is_inner):
            state.env[name] = aged(value)
            if value in known:
                state.facts[aged(value)] = known[value]
    for key in [k for k in state.locks if contains(k, is_inner)]:
        _hold_some(state, key)
    for key in [k for k in state.dropped if contains(k, is_inner)]:
        del state.dropped[key]
    _forget_elements(state, entered)
    for key in [k for k in state.assumed if contains(k, is_inner)]:
        del state.assumed[key]
    for key in [k for k in state.memory if contains(k, is_inner) or contains(state.memory[k], is_inner)]:
        del state.memory[key]
    for key in [k for k in state.fresh if contains(k, is_inner)]:
        del state.fresh[key]
    age(state.marks, is_inner)
    for key in [k for k in state.inside if contains(k, is_inner)]:
        del state.inside[key]


def _forget_elements(state: State, entered: list[State]) -> None:
    """Forget which elements of arrays a pass was about."""
    for term in [t for t in state.facts if t[0] == "w" and not any(t in other.facts for other in entered)]:
        del state.facts[term]
    for name, value in state.env.items():
        if value[0] == "ad" and contains(value, _is_element):
            state.env[name] = ("?", -1, name)
    for key in [k for k in state.locks if contains(k, _is_element) and not any(k in o.locks for o in entered)]:
        _hold_some(state, key)


def _hold_some(state: State, key: Term) -> None:
    """Take `key` for one of several locks of its class: which of them are held is not told apart."""
    hold = state.locks.pop(key)
    some: Term = ("unknown", lock_class(key) or "")
    if is_perhaps(key):
        state.locks[perhaps(some)] = hold
        return
    before = state.locks.pop(some, None)
    times = max(-1, min(1, hold.times + (before.times if before else 0)))
    if times:
        state.locks[some] = hold._replace(times=times)


def _is_element(term: Term) -> bool:
    return bool(term[0] == "I" and term[2][0] == "k")
