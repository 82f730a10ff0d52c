# SPDX-License-Identifier: GPL-2.0-only
"""Small programs as values: what is generated, printed as C, and run by the interpreter.

In: nothing. Out: `Program(functions=(Function("f0", …), …))`. Functions call only those before them.

There are two boxes, `struct box { struct mutex lock; struct rw_semaphore sem; int n; bool on; … }`; the globals are
the mutexes m0 and m1, the semaphore r0 and the integer g0. Numbers that come from outside lie in `DOMAIN`; constants in
tests lie inside it, so that every branch that some number takes is taken by one of these.
"""

from __future__ import annotations

from dataclasses import dataclass

#: what parameters, members and `pick()` may be
DOMAIN = (0, 1, 2, -1, 3, -2)
#: constants that conditions compare with
CONSTANTS = (0, 1, 2, -1)

#: global locks and locks in a box, with their record
GLOBAL_LOCKS = {"m0": "mutex", "m1": "mutex", "r0": "rw_semaphore"}
MEMBER_LOCKS = {"lock": "mutex", "sem": "rw_semaphore"}


@dataclass(frozen=True)
class Lock:
    """A lock as a function names it."""

    #: "" for a global one, else the pointer that leads to it
    base: str
    #: member or global; "*" where the pointer is to the lock itself; "rcu"
    name: str
    #: `mutex`, `rw_semaphore`, `rcu`
    sort: str


# -- expressions; tests are those that yield 0 or 1 ------------------------------------------------------------------


@dataclass(frozen=True)
class Number:
    value: int


@dataclass(frozen=True)
class Variable:
    """A parameter or a local; a global where `name` is g0."""

    name: str


@dataclass(frozen=True)
class Member:
    pointer: str
    #: `n` or `on`
    name: str


@dataclass(frozen=True)
class Pick:
    """`pick()`: a function without a body that returns anything."""


@dataclass(frozen=True)
class Arithmetic:
    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Compare:
    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Not:
    inner: Expression


@dataclass(frozen=True)
class Both:
    """`left && right`, or with `either` `left || right`."""

    left: Expression
    right: Expression
    either: bool


@dataclass(frozen=True)
class Attempt:
    """Taking a lock in a way that may fail: a trylock (1 is success), or a killable one (0 is success)."""

    lock: Lock
    mode: str
    killable: bool


@dataclass(frozen=True)
class Call:
    function: str
    arguments: tuple[Expression | Pointer, ...]
    #: unique in the program
    site: int


@dataclass(frozen=True)
class Pointer:
    """An argument that is a pointer to a box, by name, or the address of a lock."""

    to: str | Lock


Expression = Number | Variable | Member | Pick | Arithmetic | Compare | Not | Both | Attempt | Call


# -- statements ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Acquire:
    lock: Lock
    mode: str


@dataclass(frozen=True)
class Release:
    lock: Lock
    mode: str


@dataclass(frozen=True)
class Downgrade:
    lock: Lock


@dataclass(frozen=True)
class Assign:
    target: Variable | Member
    value: Expression


@dataclass(frozen=True)
class Choose:
    """`pointer = test ? one : other`, boxes."""

    pointer: str
    test: Expression
    one: str
    other: str


@dataclass(frozen=True)
class Do:
    """A call for its effects."""

    call: Call


@dataclass(frozen=True)
class If:
    test: Expression
    then: Block
    other: Block


@dataclass(frozen=True)
class Switch:
    value: Expression
    #: value, statements, does it fall through?
    cases: tuple[tuple[int, Block, bool], ...]
    default: Block | None


@dataclass(frozen=True)
class For:
    """`for (counter = 0; counter < bound; counter++)`."""

    counter: str
    bound: Expression
    body: Block


@dataclass(frozen=True)
class While:
    """`while (test)`, or with `late` `do … while (test)`."""

    test: Expression
    body: Block
    late: bool


@dataclass(frozen=True)
class Leave:
    """`break` or `continue`."""

    word: str


@dataclass(frozen=True)
class Goto:
    """To one of the labels at the function's end."""

    label: int


@dataclass(frozen=True)
class Return:
    value: Expression


@dataclass(frozen=True)
class Guard:
    """A scope whose end drops the lock; with `attempt` it may not have been taken, which `taken` tells."""

    lock: Lock
    mode: str
    attempt: bool
    #: name of the guard's variable: not NULL where the lock was taken
    name: str
    body: Block


@dataclass(frozen=True)
class Taken:
    """Tells whether a guard that may fail holds its lock."""

    name: str


@dataclass(frozen=True)
class Point:
    """A watched place: a store to a global of its own, or to a member of a box."""

    number: int
    pointer: str


Statement = (
    Acquire
    | Release
    | Downgrade
    | Assign
    | Choose
    | Do
    | If
    | Switch
    | For
    | While
    | Leave
    | Goto
    | Return
    | Guard
    | Point
)
Block = tuple[Statement, ...]


@dataclass(frozen=True)
class Function:
    name: str
    #: pointers to boxes: any of a, b; to a mutex: l
    pointers: tuple[str, ...]
    #: numbers: any of n, k
    numbers: tuple[str, ...]
    #: ints, bools and pointers to boxes that it declares, all 0 (pointers: the first parameter) at first
    ints: tuple[str, ...]
    bools: tuple[str, ...]
    boxes: tuple[str, ...]
    body: Block
    #: labels at the end, run into one after the other; the last statement of the last returns
    ladder: tuple[Block, ...]


@dataclass(frozen=True)
class Program:
    functions: tuple[Function, ...]

    def function(self, name: str) -> Function:
        return next(function for function in self.functions if function.name == name)
