# SPDX-License-Identifier: GPL-2.0-only
"""Requirements as formulas, and what remains of them at a place.

In: a requirement bound to an object, and a state. Out: True, False, or the formula that is left to the callers.

Atoms (tuples, so that equal ones are shared and cached):
  ("held", class, mode, owner)          a lock of the class is held; `owner` is the object it must be a member of, or
                                        None for any instance. A fifth part, if there is one, tells what the function
                                        did to locks that only its callers know, before it asks: (lock, times, mode,
                                        recursive), …
  ("when", function, field, op, n, owner)  `function(&owner->field) op n` (function may be empty: the field itself)
  ("fresh", object pointer)             nobody else can reach the object yet
  ("new",)                              the way begins in the function that made the object
  ("maybe", reason)                     cannot be decided; reason is for people
Formulas: True, False, an atom, ("any", f, …), ("all", f, …).
"""

from typing import Any

from analyzer.analysis import ranges
from analyzer.analysis.effects import change
from analyzer.analysis.freshness import status
from analyzer.analysis.locks import differ, instance, lock_class
from analyzer.analysis.state import FRESH, HANDED_OUT, Hold, State
from analyzer.analysis.terms import Loader, Term, depth, is_entry_term, root, substitute
from analyzer.ir.function import At

Formula = bool | tuple[Any, ...]


#: an owner further away than this is not told apart from others: recursion over linked objects would lead on for ever
MAX_OWNER_DEPTH = 14


def any_of(parts: list[Formula]) -> Formula:
    """Return the disjunction, simplified."""
    if any(part is True for part in parts):
        return True
    return _join("any", [part for part in parts if part is not False], empty=False)


def all_of(parts: list[Formula]) -> Formula:
    """Return the conjunction, simplified."""
    if any(part is False for part in parts):
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


def rebind(formula: Formula, arguments: tuple[Term, ...], loader: Loader) -> Formula:
    """Rewrite a callee's formula over the caller's arguments."""
    if isinstance(formula, bool):
        return formula
    match formula[0]:
        case "any" | "all":
            parts = [rebind(part, arguments, loader) for part in formula[1:]]
            return any_of(parts) if formula[0] == "any" else all_of(parts)
        case "held":
            owner = None if formula[3] is None else substitute(formula[3], arguments, loader)
            given = tuple((substitute(key, arguments, loader), *how) for key, *how in (*formula[4:], ())[0])
            return (*formula[:3], owner, given) if given else (*formula[:3], owner)
        case "when":
            return (*formula[:5], None if formula[5] is None else substitute(formula[5], arguments, loader))
        case "fresh":
            return ("fresh", substitute(formula[1], arguments, loader))
        case _:
            return formula


def where_made(formula: Formula) -> Formula:
    """Return what is left of `formula` in the function that made the object that the way hands on."""
    if isinstance(formula, bool):
        return formula
    if formula[0] in ("any", "all"):
        parts = [where_made(part) for part in formula[1:]]
        return any_of(parts) if formula[0] == "any" else all_of(parts)
    return True if formula[0] == "new" else formula


def residue(formula: Formula, state: State) -> Formula:
    """Return what is left of `formula` in `state`: True where it holds, False where no caller can mend it."""
    if isinstance(formula, bool):
        return formula
    match formula[0]:
        case "any":
            return any_of([residue(part, state) for part in formula[1:]])
        case "all":
            return all_of([residue(part, state) for part in formula[1:]])
        case "held":
            return _held(formula, state)
        case "when":
            return _when(formula, state)
        case "fresh":
            return _fresh(formula[1], state)
        case _:
            return formula


def _held(atom: tuple[Any, ...], state: State) -> Formula:
    _, wanted, mode, owner, *given = atom
    if given:
        state = _after(state, given[0])
    doubt = False
    for key, hold in state.locks.items():
        if lock_class(key) != wanted:
            continue
        same = _same_owner(key, owner)
        if hold.times < 0:
            if same is not False:
                return False
        elif mode == "write" and hold.mode == "read":
            # upgrading is impossible: whoever holds it for reading here cannot have been given it for writing
            if same is not False:
                return False
        elif same:
            return True
        else:
            doubt = doubt or same is None
    if doubt:
        return ("maybe", f"{wanted} is held, but whether it is of the same object is not known")
    if _was_dropped(wanted, owner, state):
        return False
    left = _to_callers(("held", wanted, mode, owner), owner)
    handled = [
        (key, hold.times, hold.mode, hold.recursive)
        for key, hold in state.locks.items()
        if key[0] == "O" and key[1][0] == "P"
    ]
    return (*left, tuple(sorted(handled, key=repr))) if handled and isinstance(left, tuple) else left


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
    if holder is None or holder == owner:
        return True
    return False if differ(holder, owner) else None


def _was_dropped(wanted: str, owner: Term | None, state: State) -> bool:
    """A lock that this path itself acquired and dropped cannot be the caller's, unless its holder may nest it."""
    return any(
        lock_class(key) == wanted and not dropped.recursive and _same_owner(key, owner)
        for key, dropped in state.dropped.items()
    )


def _to_callers(atom: tuple[Any, ...], owner: Term | None) -> Formula:
    if owner is None or (is_entry_term(owner) and depth(owner) <= MAX_OWNER_DEPTH):
        return atom
    if not _reaches_callers(owner) or depth(owner) > MAX_OWNER_DEPTH:
        return (*atom[:-1], None) if atom[0] == "when" else ("held", atom[1], atom[2], ("?", -1, "owner"))
    return atom


def _reaches_callers(owner: Term) -> bool:
    return root(owner)[0] in ("P", "G")


def _when(atom: tuple[Any, ...], state: State) -> Formula:
    _, function, field, operator, number, owner = atom
    for term, known in state.facts.items():
        obj = _read_object(term, function)
        if obj is None or obj[0] != "F" or f"{obj[2]}.{obj[3]}" != field:
            continue
        if (owner is None or obj[1] == owner) and ranges.satisfies(known, operator, number):
            return True
    return _to_callers(atom, owner)


def _read_object(term: Term, function: str) -> Term | None:
    if function:
        return term[2] if term[0] == "w" and term[1] == function else None
    return term[1] if term[0] == "ld" else None


def _fresh(pointer: Term, state: State) -> Formula:
    known = status(pointer, state)
    if known == FRESH:
        return True
    if known == HANDED_OUT:
        return ("maybe", "the object is newly allocated, and was handed to a function that may publish it")
    return ("fresh", pointer) if known is None and is_entry_term(pointer) else False


def object_pointer(obj: Term) -> Term:
    """Return the pointer through which `obj` is reached: the one whose freshness decides."""
    while obj[0] in ("F", "I", "C"):
        obj = obj[1]
    return obj[1] if obj[0] == "O" else ("ad", obj)


def atoms(formula: Formula) -> list[tuple[Any, ...]]:
    """Return the atoms of `formula`, in order."""
    if isinstance(formula, bool):
        return []
    if formula[0] in ("any", "all"):
        return [atom for part in formula[1:] for atom in atoms(part)]
    return [formula]


def at_entry(formula: Formula, holds: tuple[tuple[str, str], ...] = ()) -> Formula:
    """Return what is left of a formula where nothing is known and only `holds` are held: lock classes with modes."""
    if isinstance(formula, bool):
        return formula
    match formula[0]:
        case "any":
            return any_of([at_entry(part, holds) for part in formula[1:]])
        case "all":
            return all_of([at_entry(part, holds) for part in formula[1:]])
        case "held":
            held = any(name == formula[1] and (formula[2] != "write" or mode == "write") for name, mode in holds)
            if held and any(times <= 0 for _, times, *_ in (*formula[4:], ())[0]):
                return ("maybe", f"a lock was dropped that may be {formula[1]}")
            return held
        case "maybe":
            return formula
        case "calls":
            # an entry point answers its callees' deferred calls itself
            return True
    return False
