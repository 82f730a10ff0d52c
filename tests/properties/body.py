# SPDX-License-Identifier: GPL-2.0-only
"""Bodies of generated functions: idioms of locking, nested and strung together.

In: decisions, a function without a body, the functions that it may call. Out: the function, as `Made`.

Locks that the idioms around a statement hold are known, so that early exits can drop them; now and then one forgets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.properties import expressions
from tests.properties import program as p
from tests.properties.dice import Dice
from tests.properties.wrappers import Made, Names, Take, fits, modes, passing

MAX_DEPTH = 3
#: statements of one function, about
BUDGET = 14
RCU = p.Lock("", "rcu", "rcu")


class Body:
    """Makes the body of one function."""

    def __init__(self, dice: Dice, names: Names, shell: p.Function, made: list[Made]) -> None:
        self.dice = dice
        self.names = names
        self.shell = shell
        self.made = made
        self.budget = BUDGET
        #: dropped by early exits: what is held but by guards, outermost first
        self.held: list[Take] = []
        #: held by guards
        self.guarded: list[Take] = []
        #: how many of `held` each loop around was entered with
        self.loops: list[int] = []
        #: ladder locks taken so far, and how many there are
        self.steps = 0
        self.n_steps = 0
        self.touched: set[str] = set()

    def function(self) -> Made:
        """Return the whole function."""
        self.n_steps = self.dice.pick((0, 0, 1, 2)) if self.locks() else 0
        body = self.ladder_body() if self.n_steps else self.block(0)
        ladder = tuple((p.Release(*take),) for take in reversed(self.rungs)) if self.n_steps else ()
        last = p.Return(self.number())
        if ladder:
            ladder = (*ladder, (self.point(), last))
        else:
            body = (*body, last)
        function = replace(self.shell, body=body, ladder=ladder)
        return Made(function, "plain", frozenset(self.touched))

    # -- names ----------------------------------------------------------------------------------------------------

    def locks(self) -> list[p.Lock]:
        """Return locks that can be named here and are not known to be held."""
        if "l" in self.shell.pointers:
            known = [p.Lock("l", "*", "mutex")]
        else:
            boxes = [name for name in (*self.shell.pointers, *self.shell.boxes) if name != "l"]
            known = [p.Lock(box, name, sort) for box in boxes for name, sort in p.MEMBER_LOCKS.items()]
            known += [p.Lock("", name, sort) for name, sort in p.GLOBAL_LOCKS.items()]
        taken = {lock for lock, _ in (*self.held, *self.guarded)}
        if any(lock.base == "x" for lock in taken):
            # x is one of the others
            names = {lock.name for lock in taken if lock.base == "x"}
            known = [lock for lock in known if not lock.base or lock.name not in names]
        return [*(lock for lock in known if lock not in taken), RCU]

    def take(self) -> Take:
        lock = self.dice.pick(self.locks())
        self.touched.add(lock.name)
        return lock, self.dice.pick(modes(lock))

    def readable(self) -> list[p.Variable | p.Member]:
        names: list[p.Variable | p.Member] = [p.Variable(name) for name in (*self.shell.numbers, *self.shell.bools)]
        names += [p.Variable(name) for name in self.shell.ints if name not in ("i", "j")]
        names += [p.Variable(name) for name in ("i", "j")[: len(self.loops)]]
        boxes = [name for name in (*self.shell.pointers, *self.shell.boxes) if name != "l"]
        names += [p.Member(box, name) for box in boxes for name in ("n", "on")]
        return [*names, p.Variable("g0")]

    def number(self) -> p.Expression:
        return expressions.number(self.dice, self.readable())

    def test(self) -> p.Expression:
        return expressions.condition(self.dice, self.readable())

    def point(self) -> p.Point:
        self.names.points += 1
        boxes = [name for name in (*self.shell.pointers, *self.shell.boxes) if name != "l"]
        return p.Point(self.names.points, self.dice.pick(("", *boxes)))

    # -- idioms ---------------------------------------------------------------------------------------------------

    def block(self, depth: int) -> p.Block:
        statements: list[p.Statement] = []
        for _ in range(1 + self.dice.below(3)):
            statements += self.idiom(depth)
            if statements and isinstance(statements[-1], p.Return | p.Leave | p.Goto):
                return tuple(statements)
        return tuple(statements)

    def inside(self, take: Take, depth: int) -> p.Block:
        """Return a block that runs with a lock held."""
        self.held.append(take)
        block = self.block(depth + 1)
        self.held.pop()
        return block

    def idiom(self, depth: int) -> list[p.Statement]:
        self.budget -= 1
        if depth >= MAX_DEPTH or self.budget < 0:
            return self.dice.pick((self.mark, self.assign, self.leave))(depth)
        idioms: tuple[Callable[[int], list[p.Statement]], ...] = (
            self.mark,
            self.section,
            self.branch,
            self.attempt,
            self.guard,
            self.correlated,
            self.call,
            self.wrapped,
            self.assign,
            self.loop,
            self.flag,
            self.switch,
            self.leave,
            self.retake,
            self.disorder,
        )
        return self.dice.pick(idioms)(depth)

    def mark(self, _: int) -> list[p.Statement]:
        return [self.point()]

    def section(self, depth: int) -> list[p.Statement]:
        take = self.take()
        return [p.Acquire(*take), *self.inside(take, depth), self.point(), self.drop_one(take)]

    def drop_one(self, take: Take) -> p.Statement:
        """Return what drops a lock: the primitive, or a function that does it."""
        known = [one for one in self.made if one.role == "unlock" and not one.function.numbers and fits(one, take)]
        if known and self.dice.chance(50):
            made = self.dice.pick(known)
            call = self.make_call(made, passing(made, take[0]))
            if call is not None:
                return p.Do(call)
        return p.Release(*take)

    def branch(self, depth: int) -> list[p.Statement]:
        test = self.test()
        return [p.If(test, self.block(depth + 1), self.block(depth + 1) if self.dice.chance(40) else ())]

    def attempt(self, depth: int) -> list[p.Statement]:
        take = self.take()
        if take[0] == RCU:
            return [self.point()]
        killable = self.dice.chance(40)
        attempt = p.Attempt(*take, killable)
        success: p.Expression = p.Not(attempt) if killable else attempt
        section = (*self.inside(take, depth), p.Release(*take))
        ints = [name for name in self.shell.ints if name not in ("i", "j")]
        match self.dice.below(4):
            case 0:
                return [p.If(success, section, self.block(depth + 1) if self.dice.chance(40) else ())]
            case 1 if ints:
                result = p.Variable(self.dice.pick(ints))
                test: p.Expression = p.Not(result) if killable else result
                early = self.inside(take, depth)
                return [p.Assign(result, attempt), self.point(), p.If(test, (*early, p.Release(*take)), ())]
            case 2:
                return [p.If(p.Both(self.test(), success, either=False), section, ()), self.point()]
        leave = self.leave(depth)
        return [p.If(attempt if killable else p.Not(attempt), tuple(leave), ()), *section] if _leaves(leave) else leave

    def guard(self, depth: int) -> list[p.Statement]:
        take = self.take()
        if take[0] == RCU:
            return [self.point()]
        self.names.guards += 1
        name, attempt = f"guard{self.names.guards}", self.dice.chance(30)
        self.guarded.append(take)
        body = self.block(depth + 1)
        self.guarded.pop()
        if attempt:
            body = (p.If(p.Taken(name), body, ()),)
        return [p.Guard(*take, attempt, name, body)]

    def correlated(self, depth: int) -> list[p.Statement]:
        """A lock that is taken and dropped under one condition."""
        test, take = self.test(), self.take()
        other = p.Not(p.Not(test)) if self.dice.chance(20) else test
        section = self.block(depth + 1)
        return [p.If(test, (p.Acquire(*take),), ()), *section, p.If(other, (self.point(), p.Release(*take)), ())]

    def flag(self, depth: int) -> list[p.Statement]:
        """A variable that tells whether a lock is held."""
        names = [name for name in (*self.shell.bools, *self.shell.ints) if name not in ("i", "j")]
        if not names:
            return [self.point()]
        flag, take = p.Variable(self.dice.pick(names)), self.take()
        begin = p.If(self.test(), (p.Acquire(*take), p.Assign(flag, p.Number(1))), ())
        middle = tuple(s for s in self.block(depth + 1) if not isinstance(s, p.Assign))
        end = p.If(flag, (self.point(), p.Release(*take)), ())
        return [p.Assign(flag, p.Number(0)), begin, *middle, end]

    def switch(self, depth: int) -> list[p.Statement]:
        values = list(p.CONSTANTS[: 1 + self.dice.below(3)])
        cases = tuple((value, self.block(depth + 1), self.dice.chance(20)) for value in values)
        return [p.Switch(self.number(), cases, self.block(depth + 1) if self.dice.chance(50) else None)]

    def loop(self, depth: int) -> list[p.Statement]:
        if len(self.loops) == 2:
            return [self.point()]
        counter = ("i", "j")[len(self.loops)]
        self.loops.append(len(self.held))
        body = self.block(depth + 1)
        if self.dice.chance(20):
            take = self.take()
            body = (p.If(p.Not(p.Variable(counter)), (p.Acquire(*take),), ()), *body, self.point())
        self.loops.pop()
        if self.dice.chance(65):
            bound = p.Number(self.dice.pick((2, 1, 3))) if self.dice.chance(60) else self.number()
            return [p.For(counter, bound, body)]
        return [p.While(self.test(), body, self.dice.chance(40))]

    def assign(self, _: int) -> list[p.Statement]:
        names: list[p.Variable | p.Member] = [p.Variable(name) for name in self.shell.bools]
        names += [name for name in self.readable() if name not in names and name not in COUNTERS]
        if self.shell.boxes and self.dice.chance(40):
            return [p.Choose("x", self.test(), self.dice.pick(("a", "b")), self.dice.pick(("b", "a")))]
        return [p.Assign(self.dice.pick(names), self.dice.pick((self.number, self.test))())]

    # -- calls ----------------------------------------------------------------------------------------------------

    def arguments(
        self, function: p.Function, fixed: dict[str, p.Pointer]
    ) -> tuple[p.Expression | p.Pointer, ...] | None:
        """Return arguments for a call; None where some pointer cannot be given."""
        boxes = [name for name in self.shell.pointers if name != "l"]
        if self.dice.chance(50):
            boxes.reverse()
        found: list[p.Expression | p.Pointer] = []
        for formal in function.pointers:
            if formal in fixed:
                found.append(fixed[formal])
            elif formal == "l":
                mutexes = [lock for lock in self.locks() if lock.sort == "mutex"]
                if not mutexes:
                    return None
                self.touched.add(mutexes[0].name)
                found.append(p.Pointer(self.dice.pick(mutexes)))
            elif boxes:
                found.append(p.Pointer(boxes.pop(0)))
            else:
                return None
        return (*found, *(self.number() for _ in function.numbers))

    def make_call(self, made: Made, fixed: dict[str, p.Pointer] | None = None) -> p.Call | None:
        if "l" in self.shell.pointers and made.function.pointers != ("l",):
            return None
        arguments = self.arguments(made.function, fixed or {})
        if arguments is None:
            return None
        self.names.sites += 1
        self.touched |= made.touches - {"*"}
        return p.Call(made.function.name, arguments, self.names.sites)

    def call(self, depth: int) -> list[p.Statement]:
        names = {lock.name for lock, _ in (*self.held, *self.guarded)}
        known = [one for one in self.made if one.role == "plain" and (not one.touches & names or self.dice.chance(20))]
        call = self.make_call(self.dice.pick(known)) if known else None
        if call is None:
            return [self.point()]
        ints = [name for name in self.shell.ints if name not in ("i", "j")]
        match self.dice.below(3):
            case 1 if ints:
                return [p.Assign(p.Variable(self.dice.pick(ints)), call), self.point()]
            case 2:
                return [p.If(p.Compare("<", call, p.Number(0)), self.block(depth + 1), ()), self.point()]
        return [p.Do(call), self.point()]

    def wrapped(self, depth: int) -> list[p.Statement]:
        """A section between two calls of wrappers."""
        known = [one for one in self.made if one.undo is not None]
        made = self.dice.pick(known) if known else None
        if made is None or made.lock is None or made.undo is None:
            return [self.point()]
        held = {(lock.base, lock.name) for lock, _ in (*self.held, *self.guarded)}
        boxes = [name for name in self.shell.pointers if name != "l" and (name, made.lock.name) not in held]
        if made.lock.base == "l":
            mutexes = [lock for lock in self.locks() if lock.sort == "mutex"]
            if not mutexes:
                return [self.point()]
            lock = self.dice.pick(mutexes)
            fixed = {"l": p.Pointer(lock)}
        elif made.lock.base:
            if not boxes:
                return [self.point()]
            lock = replace(made.lock, base=self.dice.pick(boxes))
            fixed = {"a": p.Pointer(lock.base)}
        else:
            lock, fixed = made.lock, {}
        self.touched.add(lock.name)
        return self.between(made, made.undo, (lock, made.mode), fixed, depth)

    def between(self, made: Made, undo: Made, take: Take, fixed: dict[str, p.Pointer], depth: int) -> list[p.Statement]:
        enter, leave = self.make_call(made, fixed), self.make_call(undo, fixed)
        if enter is None or leave is None:
            return [self.point()]
        if made.role == "lock" and leave.arguments != enter.arguments and not self.dice.chance(20):
            leave = replace(leave, arguments=enter.arguments)
        section = (*(self.inside(take, depth) if made.function.numbers == () else self.block(depth + 1)),)
        if made.role == "lock":
            return [p.Do(enter), *section, self.point(), p.Do(leave)]
        test: p.Expression = p.Not(enter) if made.role == "killable" else enter
        return [p.If(test, (*self.inside(take, depth), p.Do(leave)), ()), self.point()]

    # -- exits ----------------------------------------------------------------------------------------------------

    def drop(self, down_to: int) -> list[p.Statement]:
        """Drop what is held, the innermost first; forget it sometimes."""
        if self.dice.chance(6):
            return []
        return [p.Release(*take) for take in reversed(self.held[down_to:])]

    def leave(self, _: int) -> list[p.Statement]:
        if self.loops and self.dice.chance(50):
            return [*self.drop(self.loops[-1]), p.Leave(self.dice.pick(("break", "continue")))]
        if self.n_steps:
            return [*self.drop(self.steps), p.Goto(self.n_steps - self.steps)]
        return [*self.drop(0), p.Return(self.number())]

    def ladder_body(self) -> p.Block:
        """Take the locks of the ladder, one after the other, with early exits to its rungs."""
        self.rungs: list[Take] = []
        statements: list[p.Statement] = []
        for _ in range(self.n_steps):
            statements += self.block(1)
            take = self.take()
            if take[0] != RCU and self.dice.chance(30):
                attempt = p.Attempt(*take, killable=True)
                statements.append(p.If(attempt, (p.Goto(self.n_steps - self.steps),), ()))
            else:
                statements.append(p.Acquire(*take))
            self.rungs.append(take)
            self.held.append(take)
            self.steps += 1
        return (*statements, *self.block(0), self.point())

    # -- disorder -------------------------------------------------------------------------------------------------

    def retake(self, depth: int) -> list[p.Statement]:
        """Drop a lock that is held, and take it again, here or in a function."""
        if not self.held:
            return self.section(depth)
        take = self.dice.pick(self.held)
        known = [one for one in self.made if one.role == "retake" and fits(one, take)]
        if known and self.dice.chance(70):
            made = self.dice.pick(known)
            call = self.make_call(made, passing(made, take[0]))
            return [self.point(), p.Do(call), self.point()] if call is not None else [self.point()]
        return [p.Release(*take), self.point(), p.Acquire(*take), self.point()]

    def disorder(self, _: int) -> list[p.Statement]:
        """Do something with a lock that nothing else reckons with."""
        if self.held and self.dice.chance(40):
            take = self.dice.pick(self.held)
            if take[0].sort == "rw_semaphore" and take[1] == "write":
                return [p.Downgrade(take[0]), self.point(), p.Release(take[0], "read"), p.Acquire(*take)]
        take = self.take()
        statement = p.Release(*take) if self.dice.chance(50) else p.Acquire(*take)
        return [p.If(self.test(), (statement, self.point()), ()) if self.dice.chance(60) else statement, self.point()]


COUNTERS = (p.Variable("i"), p.Variable("j"))


def _leaves(statements: list[p.Statement]) -> bool:
    return bool(statements) and isinstance(statements[-1], p.Return | p.Leave | p.Goto)
