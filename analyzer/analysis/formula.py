# SPDX-License-Identifier: GPL-2.0-only
"""Requirements as formulas, and what remains of them at a place.

In: a requirement bound to an object, and a state. Out: True, False, or the formula that is left to the callers.

Atoms (tuples, so that equal ones are shared and cached):
  ("held", class, mode, owner)          a lock of the class is held; `owner` is the object it must be a member of, or
                                        None for any instance. A fifth part, if there is one, tells what the function
                                        did to locks that only its callers know, before it asks: (lock, times, mode,
                                        recursive), …
                                        The mode `shared` is for reading only, and `read` any.
  ("unheld", class, mode, owner)        no lock of the class is held, in this mode at least; with a fifth part as above
  ("when", function, field, op, n, owner)  `function(&owner->field) op n` (function may be empty: the field itself)
  ("fresh", object pointer)             nobody else can reach the object yet
  ("after", rule, owner)                what the rule asks for came before; ("quiet", rule, object pointer): see `marks`
  ("dying", object)                     a counter of the object's is known to be 0: its last reference is gone
  ("spared", exemptions, object)        one of the exemptions applies to the object
  ("section", key, site, domain, gone)  the reader is where a grace period waits for him, see `sections`
  ("new",)                              the way begins in the function that made the object
  ("lock", key, mode)                   this lock is held, of which only a caller knows the class
  ("atomic", truth)                     a lock is held whose holder must not sleep, or none is
  ("locked", truth, reason)             any lock is held, or none is; with a reason, it is not known what that is good for
  ("maybe", reason)                     cannot be decided; reason is for people
Formulas: True, False, an atom, ("any", f, …), ("all", f, …).
"""

from collections.abc import Callable
from operator import is_
from typing import Any

from analyzer.analysis import ranges, sections
from analyzer.analysis.effects import change
from analyzer.analysis.exempt import MAX_OWNER_DEPTH, dying, fresh, spared
from analyzer.analysis.freshness import is_own_object
from analyzer.analysis.locks import certain, differ, exported_lock, instance, is_context, is_perhaps, lock_class
from analyzer.analysis.sequence import came, is_quiet
from analyzer.analysis.state import Hold, State
from analyzer.analysis.terms import Term, address, depth, is_entry_term, root
from analyzer.ir.function import At

Formula = bool | tuple[Any, ...]
#: modes asked for, and how the lock is held, that exclude each other
_CONTRARY = frozenset((("write", "read"), ("shared", "write")))
#: what functions are entered in, where claims ask for it as for a lock; empty if nothing is known of it
_CONTEXTS = frozenset(("", "atomic", "hardirq", "process", "softirq"))


def any_of(parts: list[Formula]) -> Formula:
    """Return the disjunction, simplified."""
    if True in parts:
        return True
    return _join("any", [part for part in parts if part is not False], empty=False)


def all_of(parts: list[Formula]) -> Formula:
    """Return the conjunction, simplified."""
    if False in parts:
        return False
    return _join("all", [part for part in parts if part is not True], empty=True)


def _join(operator: str, parts: list[Formula], *, empty: bool) -> Formula:
    flat: list[Formula] = []
    for part in parts:
        inner = part[1:] if isinstance(part, tuple) and part[0] == operator else (part,)
        flat.extend(p for p in inner if p not in flat)
    if not flat:
        return empty
    return flat[0] if len(flat) == 1 else (operator, *flat)


def rebind(formula: Formula, over: Callable[[Term], Term]) -> Formula:
    """Rewrite a callee's formula over the caller's arguments, as `over` does it for terms; itself if nothing changes."""
    if isinstance(formula, bool):
        return formula
    match formula[0]:
        case "any" | "all":
            parts = [rebind(part, over) for part in formula[1:]]
            return _of(formula, parts)
        case "held" | "unheld":
            owner = None if formula[3] is None else over(formula[3])
            if len(formula) > 4:
                return (*formula[:3], owner, tuple((over(key), *how) for key, *how in formula[4]))
            return formula if owner == formula[3] else (*formula[:3], owner)
        case "lock":
            return lock_atom(over(formula[1]), formula[2])
        case "when":
            return formula if formula[5] is None else (*formula[:5], over(formula[5]))
        case "fresh" | "dying":
            return (formula[0], over(formula[1]))
        case "spared":
            return (*formula[:2], over(formula[2]))
        case "after" | "quiet":
            return formula if formula[2] is None else (*formula[:2], over(formula[2]))
        case _:
            return formula


def _of(formula: tuple[Any, ...], parts: list[Formula]) -> Formula:
    """Return `formula`, of which nothing is left but `parts`; itself if that is all of it."""
    if all(map(is_, parts, formula[1:])):
        return formula
    return any_of(parts) if formula[0] == "any" else all_of(parts)


def where_made(formula: Formula) -> Formula:
    """Return what is left of `formula` in the function that made the object that the way hands on."""
    if isinstance(formula, bool):
        return formula
    if formula[0] in ("any", "all"):
        parts = [where_made(part) for part in formula[1:]]
        return any_of(parts) if formula[0] == "any" else all_of(parts)
    made = formula[0] == "new" or (formula[0] == "spared" and "creation" in formula[1])
    return True if made else formula


def residue(formula: Formula, state: State) -> Formula:
    """Return what is left of `formula` in `state`: True where it holds, False where no caller can mend it."""
    if isinstance(formula, bool):
        return formula
    match formula[0]:
        case "any" | "all":
            parts = [residue(part, state) for part in formula[1:]]
            return _of(formula, parts)
        case "held":
            return _held(formula, state)
        case "unheld":
            return _unheld(formula, state)
        case "lock":
            return _this_lock(formula, state)
        case "atomic":
            known = any(hold.times > 0 and hold.atomic for hold in state.locks.values())
            return formula[1] if known else formula
        case "locked":
            return _any_lock(formula, state)
        case "when":
            return _when(formula, state)
        case "fresh":
            return fresh(formula[1], state)
        case "dying":
            return dying(formula, state)
        case "spared":
            return spared(formula, state)
        case "after":
            return _after_call(formula, state)
        case "quiet":
            quiet = is_quiet(formula, state)
            return formula if quiet is None else quiet
        case "section":
            return sections.left(formula, state)
        case _:
            return formula


def _held(atom: tuple[Any, ...], state: State) -> Formula:
    _, wanted, mode, owner, *given = atom
    if given:
        state = _after(state, given[0])
    doubt = False
    unsure: list[int] = []
    for key, hold in _of_class(wanted, state):
        same = _same_owner(key, owner)
        if is_perhaps(key):
            unsure += [] if same is False else [hold.times]
        elif hold.times < 0:
            if same is not False:
                return False
        elif (mode, hold.mode) in _CONTRARY:
            # upgrading is impossible: whoever holds it for reading here cannot have been given it for writing
            if same is not False:
                return False
        elif same:
            return True
        else:
            doubt = doubt or same is None
    claimed = _claimed(wanted, mode, owner, state) if state.assumed else None
    if claimed is not None:
        return claimed
    if doubt:
        return ("maybe", f"{wanted} is held, but whether it is of the same object is not known")
    if unsure:
        # it is not gone, but perhaps held oftener than the caller knows
        left = _to_callers(("held", wanted, mode, owner), owner) if min(unsure) == 0 else False
        return any_of([_not_told(wanted), left])
    if _was_dropped(wanted, owner, state):
        return False
    left = _to_callers(atom[:4], owner)
    handled = [
        (key, hold.times, hold.mode, hold.recursive)
        for key, hold in state.locks.items()
        if key[0] == "O" and key[1][0] == "P"
    ]
    return (*left, tuple(sorted(handled, key=repr))) if handled and isinstance(left, tuple) else left


def _not_told(name: str) -> Formula:
    return ("maybe", f"whether {name} is held is not known: too many lock situations come together before")


def _claimed(wanted: str, mode: str, owner: Term | None, state: State) -> bool | None:
    """Tell whether the source claims before that the lock is held, or that it is held otherwise."""
    for key, how in state.assumed.items():
        if lock_class(key) == wanted and _same_owner(key, owner):
            if mode == "read" or how == ("read" if mode == "shared" else mode):
                return True
            if how != "any":
                return False
    return None


def lock_atom(key: Term, mode: str) -> Formula:
    """Return that the lock `key` is held: by its class and object, if the class is known."""
    name = lock_class(key)
    return ("lock", key, mode) if name is None else ("held", name, mode, instance(key))


def _this_lock(atom: tuple[Any, ...], state: State) -> Formula:
    _, key, mode = atom
    hold = state.locks.get(key)
    if hold is not None:
        return hold.times >= 0 and (mode, hold.mode) not in _CONTRARY
    if key in state.assumed:
        return True
    return atom if is_entry_term(key) else ("maybe", "which lock it is about is not known")


def _unheld(atom: tuple[Any, ...], state: State) -> Formula:
    """Return False where a lock of the class is held for certain, True where no caller can hold it either."""
    _, wanted, mode, owner, *given = atom
    if given:
        state = _after(state, given[0])
    if any(is_perhaps(key) and _same_owner(key, owner) is not False for key, _ in _of_class(wanted, state)):
        return _not_told(wanted)
    if owner is not None and is_own_object(address(owner), state):
        return not any(_is_at_least(hold, mode) and _same_owner(key, owner) for key, hold in _of_class(wanted, state))
    doubt = free = False
    dropped = []
    for key, hold in _of_class(wanted, state):
        same = _same_owner(key, owner)
        sure = same is True and (owner is not None or instance(key) is None) and not hold.recursive
        if hold.times < 0:
            free = free or sure
            doubt = doubt or key[0] == "unknown"
            dropped.append((exported_lock(key), hold.times, hold.mode, hold.recursive))
        elif not _is_at_least(hold, mode):
            # held for reading: then nobody above holds it for writing
            free = free or sure
        elif same and not doubt:
            return False
        else:
            doubt = doubt or same is not False
    if doubt:
        return ("maybe", f"{wanted} is held, but whether it is of the same object is not known")
    if free or _was_dropped(wanted, owner, state, by_name=True):
        return True
    left = _to_callers(atom[:4], owner)
    known = tuple(sorted((change for change in dropped if change[0] is not None), key=repr))
    return (*left, known) if known and isinstance(left, tuple) else left


def _any_lock(atom: tuple[Any, ...], state: State) -> Formula:
    _, truth, reason = atom
    held = (
        key for key, hold in state.locks.items() if hold.times > 0 and not is_context(key, hold.mode, hold.recursive)
    )
    if next(held, None) is None and not state.assumed:
        return atom
    return ("maybe", reason) if reason else bool(truth)


def _of_class(wanted: str, state: State) -> list[tuple[Term, Hold]]:
    return [(key, hold) for key, hold in state.locks.items() if lock_class(key) == wanted]


def _is_at_least(hold: Hold, mode: str) -> bool:
    return hold.times >= 0 and (mode != "write" or hold.mode == "write")


def _after(state: State, given: tuple[tuple[Term, int, str, bool], ...]) -> State:
    """Return `state` with what a callee did to locks that it was given pointers to."""
    inside = state.fork()
    for key, times, mode, recursive in given:
        change(inside, key, Hold(times, mode, recursive, At(0)))
    return inside


def _same_owner(key: Term, owner: Term | None) -> bool | None:
    """Tell whether the lock `key` is a member of `owner`; None when that cannot be known."""
    if owner is None:
        return True
    holder = instance(key)
    if certain(key)[0] == "unknown":
        return None
    if holder is None or holder == owner:
        return True
    return False if differ(holder, owner) else None


def _was_dropped(wanted: str, owner: Term | None, state: State, *, by_name: bool = False) -> bool:
    """A lock that this path itself acquired and dropped cannot be the caller's, unless its holder may nest it.

    With `by_name`, a lock is one of the owner's only if both are known by name.
    """
    return bool(state.dropped) and any(
        lock_class(key) == wanted
        and not dropped.recursive
        and (instance(key) == owner if by_name else _same_owner(key, owner))
        for key, dropped in state.dropped.items()
    )


def _to_callers(atom: tuple[Any, ...], owner: Term | None) -> Formula:
    if owner is None or (is_entry_term(owner) and depth(owner) <= MAX_OWNER_DEPTH):
        return atom
    if atom[0] == "when":
        return (*atom[:-1], None)
    if root(owner)[0] not in ("P", "G") or depth(owner) > MAX_OWNER_DEPTH:
        return (*atom[:3], ("?", -1, "owner"))
    return atom


def _when(atom: tuple[Any, ...], state: State) -> Formula:
    _, function, field, operator, number, owner = atom
    kind = "w" if function else "ld"
    for term, known in state.facts.items():
        if term[0] != kind or (function and term[1] != function):
            continue
        obj = term[2] if function else term[1]
        if obj[0] != "F" or (owner is not None and obj[1] != owner) or f"{obj[2]}.{obj[3]}" != field:
            continue
        if ranges.satisfies(known, operator, number):
            return True
    return _to_callers(atom, owner)


def _after_call(atom: tuple[Any, ...], state: State) -> Formula:
    known = came(atom, state)
    if isinstance(known, str):
        return ("maybe", known)
    owner = atom[2]
    if known is not None or owner is None or is_entry_term(owner):
        return atom if known is None else known
    return (*atom[:2], ("?", -1, "owner"))


def atoms(formula: Formula) -> list[tuple[Any, ...]]:
    """Return the atoms of `formula`, in order."""
    if isinstance(formula, bool):
        return []
    if formula[0] in ("any", "all"):
        return [atom for part in formula[1:] for atom in atoms(part)]
    return [formula]


def section_of(formula: Formula) -> tuple[Any, ...] | None:
    """Return what `formula` asks of a reader, or tells of an updater, of a grace period; None if nothing."""
    return next((atom for atom in atoms(formula) if atom[0] == "section"), None)


def at_entry(
    formula: Formula, holds: tuple[tuple[str, str], ...] = (), exclusion: sections.Exclusion | None = None
) -> Formula:
    """Return what is left of a formula where nothing is known and only `holds` are held: lock classes with modes."""
    if isinstance(formula, bool):
        return formula
    match formula[0]:
        case "any":
            return any_of([at_entry(part, holds, exclusion) for part in formula[1:]])
        case "all":
            return all_of([at_entry(part, holds, exclusion) for part in formula[1:]])
        case "held":
            held = any(name == formula[1] and (formula[2], mode) not in _CONTRARY for name, mode in holds)
            if held and any(times <= 0 for _, times, *_ in (*formula[4:], ())[0]):
                return ("maybe", f"a lock was dropped that may be {formula[1]}")
            return held
        case "unheld":
            return _unheld_at_entry(formula, holds)
        case "section":
            return sections.entered(formula, holds, exclusion)
        case "maybe":
            return formula
        case "atomic":
            return not formula[1]
        case "locked":
            held = any(name not in _CONTEXTS for name, _ in holds)
            return (("maybe", formula[2]) if formula[2] else formula[1]) if held else not formula[1]
        case "calls":
            # an entry point answers its callees' deferred calls itself
            return True
    return False


def _unheld_at_entry(atom: tuple[Any, ...], holds: tuple[tuple[str, str], ...]) -> Formula:
    held = any(name == atom[1] and (atom[2] != "write" or mode == "write") for name, mode in holds)
    if held and len(atom) > 4:
        return ("maybe", f"a lock was dropped that may be {atom[1]}")
    return not held
