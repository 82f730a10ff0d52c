# SPDX-License-Identifier: GPL-2.0-only
"""The oracle: a program run on concrete inputs, straight from its values, knowing nothing of the analyser.

In: `Program`. Out: `Observed`: for every point and call site that some run reaches, the locks held there, each time.

A run starts in a function that nobody calls, holding nothing, with two boxes. Whatever comes from outside (parameters,
members, what `pick()` returns, whether an attempt succeeds) is decided when it is read first; all combinations are
tried, or as many as there is patience for. A run ends where a thread would wait for itself or drops what it does not
hold: what would happen after that is nobody's business. So does one that nests read sides deeper than the analysis
counts, which is the only thing known of it here.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from analyzer.analysis.effects import MAX_TIMES
from tests.properties import program as p
from tests.properties.printer import _calls

#: a lock: the object that it is a member of ("" for a global one) and its name
Object = tuple[str, str]
#: locks held, with their mode
Held = frozenset[tuple[Object, str]]

MAX_STEPS = 400
MAX_RUNS = 300
N_SAMPLES = 60


@dataclass(frozen=True)
class Moment:
    """One time that a place was reached."""

    held: Held
    #: what the function's pointers are
    pointers: tuple[tuple[str, str], ...]


@dataclass
class Observed:
    """What happened in all runs."""

    points: dict[int, set[Moment]] = field(default_factory=lambda: defaultdict(set))
    sites: dict[int, set[Moment]] = field(default_factory=lambda: defaultdict(set))
    #: was every combination of inputs tried, each to its end?
    complete: bool = True
    n_runs: int = 0


class StopError(Exception):
    """The run cannot go on."""


class _Choices:
    """One run's decisions: a given beginning, then the first possibility each time, or a random one."""

    def __init__(self, prefix: Sequence[int], dice: random.Random | None = None) -> None:
        self.taken: list[tuple[int, int]] = []
        self._prefix = prefix
        self._dice = dice

    def choose(self, n: int) -> int:
        index = len(self.taken)
        if self._dice is not None:
            chosen = self._dice.randrange(n)
        else:
            chosen = self._prefix[index] if index < len(self._prefix) else 0
        self.taken.append((chosen, n))
        return chosen

    def following(self) -> list[int] | None:
        """Return the next beginning in order; None after the last."""
        taken = list(self.taken)
        while taken and taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        return [chosen for chosen, _ in taken[:-1]] + [taken[-1][0] + 1] if taken else None


def observe(program: p.Program, max_runs: int = MAX_RUNS) -> Observed:
    """Run `program` from each of its entry points on all inputs, or on `max_runs` and some random ones."""
    observed = Observed()
    called = {call.function for call in _calls(program)}
    for function in program.functions:
        if function.name not in called:
            _explore(program, function, observed, max_runs)
    return observed


def _explore(program: p.Program, function: p.Function, observed: Observed, max_runs: int) -> None:
    prefix: list[int] | None = []
    for _ in range(max_runs):
        choices = _Choices(prefix or ())
        _Run(program, choices, observed).enter(function)
        prefix = choices.following()
        if prefix is None:
            return
    observed.complete = False
    dice = random.Random(repr(function))  # noqa: S311 - the same each time, on purpose
    for _ in range(N_SAMPLES):
        _Run(program, _Choices((), dice), observed).enter(function)


#: how a statement ended: None, ("break",), ("continue",), ("goto", label), ("return", value)
Signal = tuple[str, int] | None


class _Frame:
    def __init__(self, function: p.Function, values: dict[str, int], pointers: dict[str, str]) -> None:
        self.function = function
        self.values = {**values, **dict.fromkeys((*function.ints, *function.bools), 0)}
        self.pointers = {**pointers, **dict.fromkeys(function.boxes, pointers.get("a", ""))}
        self.given = tuple(sorted(pointers.items()))
        self.taken: dict[str, bool] = {}


class _Run:
    def __init__(self, program: p.Program, choices: _Choices, observed: Observed) -> None:
        self.program = program
        self.choices = choices
        self.observed = observed
        self.memory: dict[tuple[str, str], int] = {}
        #: mode and how often
        self.held: dict[Object, tuple[str, int]] = {}
        self.n_steps = 0

    def enter(self, function: p.Function) -> None:
        """Run from an entry point to the end."""
        pointers = {"a": "box0", "b": "box1", "l": "mutex0/*"}
        frame = _Frame(function, {}, {name: pointers[name] for name in function.pointers})
        self.observed.n_runs += 1
        try:
            self.body(frame)
        except StopError as stop:
            if stop.args:
                self.observed.complete = False

    def body(self, frame: _Frame) -> int:
        blocks = (frame.function.body, *frame.function.ladder)
        index = 0
        while index < len(blocks):
            signal = self.block(frame, blocks[index])
            index += 1
            if signal is not None and signal[0] == "return":
                return signal[1]
            if signal is not None and signal[0] == "goto":
                index = 1 + signal[1]
        return 0

    # -- locks --------------------------------------------------------------------------------------------------------

    def object_of(self, frame: _Frame, lock: p.Lock) -> Object:
        if lock.name == "*":
            holder, _, name = frame.pointers[lock.base].partition("/")
            return (holder, name)
        return (frame.pointers[lock.base] if lock.base else "", lock.name)

    def moment(self, frame: _Frame) -> Moment:
        return Moment(frozenset((lock, mode) for lock, (mode, _) in self.held.items()), frame.given)

    def acquire(self, lock: Object, mode: str) -> None:
        times = self.held.get(lock, (mode, 0))[1]
        if (times and lock[1] != "rcu") or times == MAX_TIMES:
            raise StopError
        self.held[lock] = (mode, times + 1)

    def release(self, lock: Object, mode: str) -> None:
        known, times = self.held.get(lock, ("", 0))
        if known != mode:
            raise StopError
        if times > 1:
            self.held[lock] = (mode, times - 1)
        else:
            del self.held[lock]

    def attempt(self, frame: _Frame, attempt: p.Attempt) -> int:
        lock = self.object_of(frame, attempt.lock)
        # one's own lock cannot be had again; a signal can always come
        success = lock not in self.held and self.choices.choose(2) == 0
        if success:
            self.acquire(lock, attempt.mode)
        return (0 if success else -4) if attempt.killable else int(success)

    # -- values -------------------------------------------------------------------------------------------------------

    def outside(self, domain: Sequence[int]) -> int:
        return domain[self.choices.choose(len(domain))]

    def test(self, frame: _Frame, expression: p.Expression | p.Taken) -> bool:
        return self.value(frame, expression) != 0

    def value(self, frame: _Frame, expression: p.Expression | p.Taken) -> int:
        match expression:
            case p.Number(value):
                return value
            case p.Variable(name):
                return self.read(frame, name)
            case p.Member(pointer, name):
                return self.load((frame.pointers[pointer], name))
            case p.Pick():
                return self.outside(p.DOMAIN)
            case p.Arithmetic(operator, left, right) | p.Compare(operator, left, right):
                return int(OPERATORS[operator](self.value(frame, left), self.value(frame, right)))
            case p.Not(inner):
                return int(not self.test(frame, inner))
            case p.Both(left, right, either):
                first = self.test(frame, left)
                return int(first if first == either else self.test(frame, right))
            case p.Attempt():
                return self.attempt(frame, expression)
            case p.Call():
                return self.call(frame, expression)
            case p.Taken(name):
                return int(frame.taken[name])
        raise AssertionError(expression)

    def read(self, frame: _Frame, name: str) -> int:
        if name == "g0":
            return self.load(("", name))
        if name not in frame.values:
            frame.values[name] = self.outside(p.DOMAIN)
        return frame.values[name]

    def load(self, cell: tuple[str, str]) -> int:
        if cell not in self.memory:
            self.memory[cell] = self.outside((0, 1) if cell[1] == "on" else p.DOMAIN)
        return self.memory[cell]

    def assign(self, frame: _Frame, target: p.Variable | p.Member, value: int) -> None:
        match target:
            case p.Member(pointer, name):
                self.memory[(frame.pointers[pointer], name)] = int(value != 0) if name == "on" else value
            case p.Variable("g0"):
                self.memory[("", "g0")] = value
            case p.Variable(name):
                frame.values[name] = int(value != 0) if name in frame.function.bools else value

    def call(self, frame: _Frame, call: p.Call) -> int:
        function = self.program.function(call.function)
        pointers: dict[str, str] = {}
        numbers = iter(function.numbers)
        names = iter(function.pointers)
        values: dict[str, int] = {}
        for argument in call.arguments:
            if not isinstance(argument, p.Pointer):
                values[next(numbers)] = self.value(frame, argument)
            elif isinstance(argument.to, str):
                pointers[next(names)] = frame.pointers[argument.to]
            else:
                pointers[next(names)] = "/".join(self.object_of(frame, argument.to))
        self.observed.sites[call.site].add(self.moment(frame))
        return self.body(_Frame(function, values, pointers))

    # -- statements ---------------------------------------------------------------------------------------------------

    def block(self, frame: _Frame, statements: p.Block) -> Signal:
        for statement in statements:
            self.n_steps += 1
            if self.n_steps > MAX_STEPS:
                raise StopError("too long")
            signal = self.statement(frame, statement)
            if signal is not None:
                return signal
        return None

    def statement(self, frame: _Frame, statement: p.Statement) -> Signal:
        match statement:
            case p.If(test, then, other):
                return self.block(frame, then if self.test(frame, test) else other)
            case p.Switch():
                return self.switch(frame, statement)
            case p.For() | p.While():
                return self.loop(frame, statement)
            case p.Guard():
                return self.guard(frame, statement)
            case p.Leave(word):
                return (word, 0)
            case p.Goto(label):
                return ("goto", label)
            case p.Return(value):
                return ("return", self.value(frame, value))
        self.simple(frame, statement)
        return None

    def simple(self, frame: _Frame, statement: p.Statement) -> None:
        match statement:
            case p.Acquire(lock, mode):
                self.acquire(self.object_of(frame, lock), mode)
            case p.Release(lock, mode):
                self.release(self.object_of(frame, lock), mode)
            case p.Downgrade(lock):
                self.release(self.object_of(frame, lock), "write")
                self.acquire(self.object_of(frame, lock), "read")
            case p.Assign(target, value):
                self.assign(frame, target, self.value(frame, value))
            case p.Choose(pointer, test, one, other):
                frame.pointers[pointer] = frame.pointers[one if self.test(frame, test) else other]
            case p.Do(call):
                self.call(frame, call)
            case p.Point(number, _):
                self.observed.points[number].add(self.moment(frame))

    def switch(self, frame: _Frame, statement: p.Switch) -> Signal:
        value = self.value(frame, statement.value)
        entered = False
        for number, block, falls in statement.cases:
            entered = entered or number == value
            if not entered:
                continue
            signal = self.block(frame, block)
            if signal is not None:
                return None if signal[0] == "break" else signal
            if not falls:
                return None
        signal = self.block(frame, statement.default or ())
        return None if signal is not None and signal[0] == "break" else signal

    def loop(self, frame: _Frame, statement: p.For | p.While) -> Signal:
        for _ in self.passes(frame, statement):
            signal = self.block(frame, statement.body)
            if signal is not None and signal[0] == "break":
                return None
            if signal is not None and signal[0] != "continue":
                return signal
        return None

    def passes(self, frame: _Frame, statement: p.For | p.While) -> Iterator[None]:
        """Yield once for each pass through a loop's body."""
        if isinstance(statement, p.For):
            frame.values[statement.counter] = 0
            while frame.values[statement.counter] < self.value(frame, statement.bound):
                yield
                frame.values[statement.counter] += 1
                self.count()
            return
        while statement.late or self.test(frame, statement.test):
            yield
            self.count()
            if statement.late and not self.test(frame, statement.test):
                return

    def count(self) -> None:
        """Count a pass: an empty body must not run for ever."""
        self.n_steps += 1
        if self.n_steps > MAX_STEPS:
            raise StopError("too long")

    def guard(self, frame: _Frame, guard: p.Guard) -> Signal:
        lock = self.object_of(frame, guard.lock)
        taken = True
        if guard.attempt:
            taken = self.attempt(frame, p.Attempt(guard.lock, guard.mode, killable=False)) != 0
        else:
            self.acquire(lock, guard.mode)
        frame.taken[guard.name] = taken
        signal = self.block(frame, guard.body)
        if taken:
            self.release(lock, guard.mode)
        return signal


OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "&": lambda a, b: a & b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
