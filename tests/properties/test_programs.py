# SPDX-License-Identifier: GPL-2.0-only
"""Generated programs: whatever lockspec says of locks is so in every run of the program.

`LOCKSPEC_PROGRAMS=20000 pytest tests/properties/test_programs.py` looks at so many, other ones each time.
"""

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, note, settings
from msgspec.structs import replace

from analyzer.spec.effect import ReturnTest
from analyzer.spec.model import SpecSet
from tests.properties import program as p
from tests.properties import verdicts
from tests.properties.generate import programs, seeded
from tests.properties.interpreter import observe
from tests.properties.judge import judge

N_PROGRAMS = int(os.environ.get("LOCKSPEC_PROGRAMS", "0"))
#: the same programs each time, unless more are asked for
PROGRAMS = settings(
    max_examples=N_PROGRAMS or 80,
    derandomize=not N_PROGRAMS,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
#: of the places that are reached, so many violations in a hundred may be none in any run
MAX_FALSE_PERCENT = 2
#: so many unknown verdicts in a hundred, and so many locks that are held each time and not known to be
MAX_UNKNOWN_PERCENT, MAX_MISSED_PERCENT = 3, 8


@PROGRAMS
@given(programs())
def test_what_is_said_of_locks_is_so_in_every_run(program: p.Program) -> None:
    judged = judge(program)
    note(judged.text)
    assert judged.wrong == []


@pytest.fixture(scope="module")
def counted() -> Counter[str]:
    """Count what is said of the same programs each time."""
    count: Counter[str] = Counter()
    for seed in range(120):
        judged = judge(seeded(seed))
        assert judged.wrong == [], judged.text
        count += judged.count
    return count


def test_the_programs_are_worth_running(counted: Counter[str]) -> None:
    assert counted["proven"] > 500
    assert counted["violation of a place that is reached"] > 500
    assert counted["lockset that must be held by some"] > 300
    assert counted["lockset that is open"] < counted["lockset"] / 20


def test_few_violations_never_happen(counted: Counter[str]) -> None:
    false, all_ = counted["violation that does not happen"], counted["violation of a place that is reached"]
    assert 100 * false <= MAX_FALSE_PERCENT * all_


def test_little_stays_unknown(counted: Counter[str]) -> None:
    verdicts = counted["proven"] + counted["violation"] + counted["unknown"]
    assert 100 * counted["unknown"] <= MAX_UNKNOWN_PERCENT * verdicts
    missed, held = counted["lock held each time and not known to be"], counted["lock held each time"]
    assert 100 * missed <= MAX_MISSED_PERCENT * held


# -- can all this fail? ----------------------------------------------------------------------------------------------


def misled(name: str) -> SpecSet:
    """Return the specification with a wrong row: what `name` does, it does when it fails."""
    spec = verdicts.specification()
    primitive = spec.primitives[name]
    effects = tuple(
        replace(effect, when=ReturnTest("==", 0) if effect.when is None or effect.when.operator == "!=" else None)
        for effect in primitive.effects
    )
    return replace(spec, primitives={**spec.primitives, name: replace(primitive, effects=effects)})


@pytest.mark.parametrize("name", ["mutex_trylock", "mutex_lock_killable", "down_read_trylock"])
def test_a_wrong_row_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = misled(name)
    monkeypatch.setattr(verdicts, "specification", lambda: spec)
    assert any(judge(seeded(seed)).wrong for seed in range(40))


MUTEX = p.Lock("a", "lock", "mutex")


def small(*body: p.Statement, numbers: tuple[str, ...] = ()) -> p.Program:
    return p.Program((p.Function("f", ("a",), numbers, (), (), (), (*body, p.Return(p.Number(0))), ()),))


def held_at(program: p.Program, number: int) -> set[tuple[str, ...]]:
    return {tuple(sorted(lock[1] for lock, _ in moment.held)) for moment in observe(program).points[number]}


def test_the_interpreter_takes_all_ways() -> None:
    attempt = p.If(p.Attempt(MUTEX, "write", killable=False), (p.Point(1, ""), p.Release(MUTEX, "write")), ())
    taken = p.If(p.Variable("n"), (p.Acquire(MUTEX, "write"),), ())
    assert held_at(small(attempt, p.Point(2, "")), 1) == {("lock",)}
    assert held_at(small(attempt, p.Point(2, "")), 2) == {()}
    assert held_at(small(taken, p.Point(2, ""), numbers=("n",)), 2) == {(), ("lock",)}


def test_the_interpreter_stops_where_a_thread_waits_for_itself_or_drops_what_it_lacks() -> None:
    take, drop = p.Acquire(MUTEX, "write"), p.Release(MUTEX, "write")
    assert held_at(small(take, take, p.Point(1, "")), 1) == set()
    assert held_at(small(drop, p.Point(1, "")), 1) == set()
    assert held_at(small(take, drop, p.Point(1, "")), 1) == {()}


def test_the_interpreter_leaves_guards_in_order() -> None:
    guard = p.Guard(MUTEX, "write", attempt=False, name="guard1", body=(p.Point(1, ""), p.Goto(0)))
    function = p.Function("f", ("a",), (), (), (), (), (guard,), ((p.Point(2, ""), p.Return(p.Number(0))),))
    program = p.Program((function,))
    assert held_at(program, 1) == {("lock",)}
    assert held_at(program, 2) == {()}
