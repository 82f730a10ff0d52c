# SPDX-License-Identifier: GPL-2.0-only
"""Functions of generated programs that are made to lock, to unlock, or to try.

In: decisions. Out: `Made`: a function together with what its callers can rely on.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.properties import program as p
from tests.properties.dice import Dice


@dataclass
class Names:
    """Numbers given away so far in one program."""

    points: int = 0
    sites: int = 0
    guards: int = 0
    wrappers: int = 0


@dataclass(frozen=True)
class Made:
    """A function and its role."""

    function: p.Function
    #: `plain`, `lock`, `unlock`, `attempt`, `killable`, `retake`
    role: str
    #: names of the locks that it may take or drop
    touches: frozenset[str]
    #: what it is about, over its own parameters; None for a plain one
    lock: p.Lock | None = None
    mode: str = "write"
    #: the wrapper that drops what this one takes
    undo: Made | None = None


#: a lock and the mode in which it is held
Take = tuple[p.Lock, str]

LOCKS = (
    p.Lock("a", "lock", "mutex"),
    p.Lock("", "m0", "mutex"),
    p.Lock("a", "sem", "rw_semaphore"),
    p.Lock("l", "*", "mutex"),
    p.Lock("", "r0", "rw_semaphore"),
)


def modes(lock: p.Lock) -> tuple[str, ...]:
    """Return the modes in which a lock can be taken."""
    return {"mutex": ("write",), "rcu": ("read",)}.get(lock.sort, ("read", "write"))


def wrappers(dice: Dice, names: Names) -> list[Made]:
    """Return a function that unlocks and one that locks, perhaps."""
    lock = dice.pick(LOCKS)
    mode = dice.pick(modes(lock))
    role = dice.pick(("lock", "attempt", "killable", "conditional"))
    number = names.wrappers
    names.wrappers += 1
    unlock = _made(f"drop{number}", "unlock", lock, mode, (p.Release(lock, mode),), conditional=role == "conditional")
    bodies = {"attempt": _attempt, "killable": _killable}
    body = bodies[role](dice, lock, mode) if role in bodies else (p.Acquire(lock, mode),)
    kind = "lock" if role == "conditional" else role
    if dice.chance(40):
        return [unlock, _retake(names, lock, mode, unlock if dice.chance(50) and role != "conditional" else None)]
    take = _made(f"take{number}", kind, lock, mode, body, conditional=role == "conditional", undo=unlock)
    return [unlock, take]


def _retake(names: Names, lock: p.Lock, mode: str, unlock: Made | None) -> Made:
    """Return a function that drops its caller's lock and takes it again."""
    names.points += 2
    where = "a" if lock.base == "a" else ""
    points = p.Point(names.points - 1, where), p.Point(names.points, where)
    drop: p.Statement = p.Release(lock, mode)
    if unlock is not None:
        names.sites += 1
        drop = p.Do(p.Call(unlock.function.name, tuple(p.Pointer(one) for one in _given(lock)), names.sites))
    body = (drop, points[0], p.Acquire(lock, mode), points[1])
    return _made(f"retake{names.wrappers}", "retake", lock, mode, body, conditional=False)


def _given(lock: p.Lock) -> tuple[str | p.Lock, ...]:
    return (lock,) if lock.base == "l" else (lock.base,) if lock.base else ()


def _made(
    name: str, role: str, lock: p.Lock, mode: str, body: p.Block, *, conditional: bool, undo: Made | None = None
) -> Made:
    pointers = (lock.base,) if lock.base else ()
    numbers = ("n",) if conditional or role in ("attempt", "killable") else ()
    if conditional:
        body = (p.If(p.Variable("n"), body, ()),)
    function = p.Function(name, pointers, numbers, (), (), (), (*body, p.Return(p.Number(0))), ())
    return Made(function, role, frozenset({lock.name}), lock, mode, undo)


def _attempt(dice: Dice, lock: p.Lock, mode: str) -> p.Block:
    attempt, one = p.Attempt(lock, mode, killable=False), p.Return(p.Number(1))
    match dice.below(4):
        case 0:
            return (p.Return(attempt),)
        case 1:
            return (p.If(p.Not(attempt), (p.Return(p.Number(0)),), ()), one)
        case 2:
            undone = p.If(p.Variable("n"), (p.Release(lock, mode), p.Return(p.Number(0))), ())
            return (p.If(attempt, (undone, one), ()),)
    # the caller says whether it may wait
    waits = p.If(p.Variable("n"), (p.Acquire(lock, mode), one), ())
    return (waits, p.Return(attempt))


def _killable(dice: Dice, lock: p.Lock, mode: str) -> p.Block:
    attempt = p.Attempt(lock, mode, killable=True)
    match dice.below(3):
        case 0:
            return (p.Return(attempt),)
        case 1:
            return (p.If(attempt, (p.Return(p.Number(-1)),), ()),)
    undone = p.If(p.Compare("<", p.Variable("n"), p.Number(0)), (p.Release(lock, mode), p.Return(p.Number(-2))), ())
    return (p.If(attempt, (p.Return(p.Number(-1)),), ()), undone)


def fits(made: Made, take: Take) -> bool:
    """Tell whether a wrapper can be about a lock that is held."""
    lock, mode = take
    if made.lock is None or made.mode != mode or made.lock.sort != lock.sort or lock.base == "x":
        return False
    return made.lock.base == "l" or (made.lock.name == lock.name and bool(made.lock.base) == bool(lock.base))


def passing(made: Made, lock: p.Lock) -> dict[str, p.Pointer]:
    """Return the arguments by which a wrapper gets at a lock."""
    assert made.lock is not None
    if made.lock.base == "l":
        return {"l": p.Pointer(lock)}
    return {"a": p.Pointer(lock.base)} if made.lock.base else {}
