# SPDX-License-Identifier: GPL-2.0-only
"""Programs as C.

In: `Program`. Out: `Printed`: the text, and the line of every call site.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.properties import program as p

HEADER = """\
typedef _Bool bool;
struct mutex { long owner; };
struct rw_semaphore { long count; };
struct box {
	struct mutex lock;
	struct rw_semaphore sem;
	int n;
	bool on;
%s};
void mutex_lock(struct mutex *lock);
int mutex_trylock(struct mutex *lock);
int mutex_lock_killable(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
void down_read(struct rw_semaphore *sem);
int down_read_trylock(struct rw_semaphore *sem);
int down_read_killable(struct rw_semaphore *sem);
void up_read(struct rw_semaphore *sem);
void down_write(struct rw_semaphore *sem);
int down_write_trylock(struct rw_semaphore *sem);
int down_write_killable(struct rw_semaphore *sem);
void up_write(struct rw_semaphore *sem);
void downgrade_write(struct rw_semaphore *sem);
void rcu_read_lock(void);
void rcu_read_unlock(void);
int pick(void);
struct mutex m0, m1;
struct rw_semaphore r0;
int g0;
"""
GUARDS = """\
static inline void drop_%(name)s(struct %(record)s **slot) { if (*slot) %(release)s(*slot); }
static inline struct %(record)s *take_%(name)s(struct %(record)s *lock) { %(acquire)s(lock); return lock; }
static inline struct %(record)s *try_%(name)s(struct %(record)s *lock) { return %(attempt)s(lock) ? lock : 0; }
"""

#: by sort of lock and mode: acquire, attempt, killable, release
CALLS = {
    ("mutex", "write"): ("mutex_lock", "mutex_trylock", "mutex_lock_killable", "mutex_unlock"),
    ("rw_semaphore", "read"): ("down_read", "down_read_trylock", "down_read_killable", "up_read"),
    ("rw_semaphore", "write"): ("down_write", "down_write_trylock", "down_write_killable", "up_write"),
    ("rcu", "read"): ("rcu_read_lock", "", "", "rcu_read_unlock"),
}
GUARD_NAMES = {("mutex", "write"): "mutex", ("rw_semaphore", "read"): "read", ("rw_semaphore", "write"): "write"}


@dataclass
class Printed:
    text: str = ""
    #: line of each call site, 1-based
    lines: dict[int, int] = field(default_factory=dict)


def points(statements: p.Block) -> Iterator[p.Point]:
    """Yield the points in statements, in order."""
    for statement in statements:
        match statement:
            case p.Point():
                yield statement
            case p.If(_, then, other):
                yield from points(then)
                yield from points(other)
            case p.Switch(_, cases, default):
                for _, block, _ in cases:
                    yield from points(block)
                yield from points(default or ())
            case p.For(body=body) | p.While(body=body) | p.Guard(body=body):
                yield from points(body)


def all_points(program: p.Program) -> list[p.Point]:
    """Return all points of a program."""
    return [
        point
        for function in program.functions
        for block in (function.body, *function.ladder)
        for point in points(block)
    ]


def print_program(program: p.Program) -> Printed:
    """Print `program` as one unit."""
    return _Printer().program(program)


class _Printer:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.sites: dict[int, int] = {}

    def program(self, program: p.Program) -> Printed:
        members = "".join(f"\tint p{point.number};\n" for point in all_points(program) if point.pointer)
        self.lines += (HEADER % members).splitlines()
        for key, name in GUARD_NAMES.items():
            acquire, attempt, _, release = CALLS[key]
            words = {"name": name, "record": key[0], "acquire": acquire, "attempt": attempt, "release": release}
            self.lines += (GUARDS % words).splitlines()
        self.lines += [f"int p{point.number};" for point in all_points(program) if not point.pointer]
        called = {call.function for call in _calls(program)}
        for function in program.functions:
            self.function(function, static=function.name in called)
        return Printed("\n".join(self.lines) + "\n", self.sites)

    def function(self, function: p.Function, *, static: bool) -> None:
        formals = [f"struct {'mutex' if name == 'l' else 'box'} *{name}" for name in function.pointers]
        formals += [f"int {name}" for name in function.numbers]
        self.lines += ["", f"{'static ' if static else ''}int {function.name}({', '.join(formals) or 'void'})", "{"]
        self.lines += [f"\tint {name} = 0;" for name in function.ints]
        self.lines += [f"\tbool {name} = 0;" for name in function.bools]
        self.lines += [f"\tstruct box *{name} = {function.pointers[0]};" for name in function.boxes]
        self.block(function.body, 1)
        for index, block in enumerate(function.ladder):
            self.lines.append(f"out{index}:;")
            self.block(block, 1)
        self.lines.append("}")

    def block(self, statements: p.Block, depth: int) -> None:
        for statement in statements:
            self.statement(statement, depth)

    def put(self, depth: int, text: str) -> None:
        self.lines.append("\t" * depth + text)

    def statement(self, statement: p.Statement, depth: int) -> None:
        match statement:
            case p.If(test, then, other):
                self.put(depth, f"if ({self.value(test)}) {{")
                self.block(then, depth + 1)
                if other:
                    self.put(depth, "} else {")
                    self.block(other, depth + 1)
                self.put(depth, "}")
            case p.Switch():
                self.switch(statement, depth)
            case p.For(counter, bound, body):
                self.put(depth, f"for ({counter} = 0; {counter} < {self.value(bound)}; {counter}++) {{")
                self.block(body, depth + 1)
                self.put(depth, "}")
            case p.While(test, body, late):
                self.put(depth, "do {" if late else f"while ({self.value(test)}) {{")
                self.block(body, depth + 1)
                self.put(depth, f"}} while ({self.value(test)});" if late else "}")
            case p.Guard(lock, mode, attempt, name, body):
                sort = GUARD_NAMES[(lock.sort, mode)]
                make = f"{'try' if attempt else 'take'}_{sort}({address(lock)})"
                cleanup = f"__attribute__((__cleanup__(drop_{sort})))"
                self.put(depth, f"{{ struct {lock.sort} *{name} {cleanup} = {make};")
                self.block(body, depth + 1)
                self.put(depth, "}")
            case _:
                self.put(depth, self.simple(statement))

    def switch(self, statement: p.Switch, depth: int) -> None:
        self.put(depth, f"switch ({self.value(statement.value)}) {{")
        for value, block, falls in statement.cases:
            self.put(depth, f"case {value}:")
            self.block(block, depth + 1)
            self.put(depth + 1, ";" if falls else "break;")
        if statement.default is not None:
            self.put(depth, "default:")
            self.block(statement.default, depth + 1)
            self.put(depth + 1, "break;")
        self.put(depth, "}")

    def simple(self, statement: p.Statement) -> str:
        match statement:
            case p.Acquire(lock, mode):
                return f"{CALLS[(lock.sort, mode)][0]}({address(lock)});"
            case p.Release(lock, mode):
                return f"{CALLS[(lock.sort, mode)][3]}({address(lock)});"
            case p.Downgrade(lock):
                return f"downgrade_write({address(lock)});"
            case p.Assign(target, value):
                return f"{self.value(target)} = {self.value(value)};"
            case p.Choose(pointer, test, one, other):
                return f"{pointer} = {self.value(test)} ? {one} : {other};"
            case p.Do(call):
                return f"{self.value(call)};"
            case p.Leave(word):
                return f"{word};"
            case p.Goto(label):
                return f"goto out{label};"
            case p.Return(value):
                return f"return {self.value(value)};"
            case p.Point(number, pointer):
                return f"{pointer}->p{number} = 1;" if pointer else f"p{number} = 1;"
        raise AssertionError(statement)

    def value(self, expression: p.Expression | p.Pointer | p.Taken) -> str:
        match expression:
            case p.Number(value):
                return str(value)
            case p.Variable(name) | p.Taken(name):
                return name
            case p.Member(pointer, name):
                return f"{pointer}->{name}"
            case p.Pick():
                return "pick()"
            case p.Arithmetic(operator, left, right) | p.Compare(operator, left, right):
                return f"({self.value(left)} {operator} {self.value(right)})"
            case p.Not(inner):
                return f"!{self.value(inner)}"
            case p.Both(left, right, either):
                return f"({self.value(left)} {'||' if either else '&&'} {self.value(right)})"
            case p.Attempt(lock, mode, killable):
                return f"{CALLS[(lock.sort, mode)][2 if killable else 1]}({address(lock)})"
            case p.Call(function, arguments, site):
                self.sites[site] = len(self.lines) + 1
                return f"{function}({', '.join(map(self.value, arguments))})"
            case p.Pointer(to):
                return to if isinstance(to, str) else address(to)
        raise AssertionError(expression)


def address(lock: p.Lock) -> str:
    """Spell a lock's address; nothing for one that no object stands for."""
    if lock.sort == "rcu":
        return ""
    if not lock.base:
        return f"&{lock.name}"
    return lock.base if lock.name == "*" else f"&{lock.base}->{lock.name}"


def _calls(node: object) -> Iterator[p.Call]:
    if isinstance(node, p.Call):
        yield node
    if isinstance(node, tuple):
        for item in node:
            yield from _calls(item)
    elif hasattr(node, "__dataclass_fields__"):
        for name in node.__dataclass_fields__:
            yield from _calls(getattr(node, name))
