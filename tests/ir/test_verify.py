# SPDX-License-Identifier: GPL-2.0-only
"""The verifier finds each way in which FunctionIR can be wrong."""

from __future__ import annotations

import pytest

from analyzer.ir.function import (
    At,
    Block,
    Branch,
    Call,
    Case,
    Event,
    Formal,
    FunctionIR,
    Goto,
    Jump,
    Read,
    Return,
    Store,
    Switch,
    Terminator,
    Unreachable,
)
from analyzer.ir.types import INT, VOID
from analyzer.ir.values import (
    AccessPath,
    AddressOf,
    Binary,
    Constant,
    Container,
    Deref,
    Field,
    FunctionAddress,
    Index,
    Load,
    Local,
    Parameter,
    Pointee,
    Unary,
    Value,
)
from analyzer.ir.verify import targets, verify

AT = At(0)
P = Parameter(0, "p")
ONE = Constant(1)
X = AccessPath(Local("x"))


def problems(*events: Event, terminator: Terminator | None = None, blocks: tuple[Block, ...] = ()) -> list[str]:
    first = Block(events, terminator or Return(None, AT))
    return verify(FunctionIR("f", (Formal("p", INT),), VOID, False, (first, *blocks), (("x", INT), ("%1", INT))))


def test_a_sound_function_has_no_problem() -> None:
    path = AccessPath(P, (Deref(), Field("s", "n"), Container("t", "m"), Field("t", "o"), Index(Load(X))))
    result = Call(FunctionAddress("g"), (AddressOf(path),), Local("%1"), AT, VOID, "cleanup")
    end = Switch(Unary("-", Load(X)), (Case(1, 2, 1),), 2, AT)
    rest = (Block((), Goto((2,), AT)), Block((), Unreachable()))
    assert problems(Read(path, AT), Store(X, Binary("+", Load(X), ONE), AT), result, terminator=end, blocks=rest) == []


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (AccessPath(Local("y"), (Deref(),)), "local y has no type"),
        (AccessPath(Parameter(1, "q"), (Deref(),)), "parameter 1 is not named q"),
        (AccessPath(Parameter(0, "q"), (Deref(),)), "parameter 0 is not named q"),
        (AccessPath(Pointee(Load(X))), "pointee of a value that an access path can hold"),
        (AccessPath(P, (Deref(), Container("s", "m"), Field("s", "m"))), "container and field s.m do not cancel"),
        (AccessPath(P, (Deref(), Index(Load(AccessPath(Local("y")))))), "local y has no type"),
    ],
)
def test_paths_are_checked(path: AccessPath, problem: str) -> None:
    assert problems(Read(path, AT)) == [f"b0: {problem}"]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (Unary("+", ONE), "unknown unary operator '+'"),
        (Binary("&&", ONE, ONE), "unknown binary operator '&&'"),
        (AddressOf(AccessPath(P, (Deref(),))), "address of a dereference"),
        (Binary("+", ONE, Unary("-", Load(AccessPath(Local("y"))))), "local y has no type"),
    ],
)
def test_values_are_checked_wherever_they_stand(value: Value, problem: str) -> None:
    wrong = [f"b0: {problem}"]
    assert problems(Store(X, value, AT)) == wrong
    assert problems(Call(value, (), None, AT, VOID)) == wrong
    assert problems(Call(FunctionAddress("g"), (ONE, value), None, AT, VOID)) == wrong
    assert problems(terminator=Return(value, AT)) == wrong
    assert problems(terminator=Branch(value, 1, 1, AT), blocks=(Block((), Unreachable()),)) == wrong
    assert problems(terminator=Switch(value, (), 1, AT), blocks=(Block((), Unreachable()),)) == wrong


def test_events_are_checked() -> None:
    assert problems(Read(X, AT)) == ["b0: reads the plain local Local(name='x')"]
    assert problems(Call(FunctionAddress("g"), (), Local("x"), AT, VOID)) == ["b0: result x is no temporary"]
    assert problems(Call(FunctionAddress("g"), (), None, AT, VOID, "x")) == ["b0: unknown origin 'x'"]
    assert problems(Store(X, ONE, At(-1))) == ["b0: line -1 lies before the function"]


def test_the_graph_is_checked() -> None:
    assert verify(FunctionIR("f", (), VOID, False, ())) == ["b0: no entry block"]
    assert problems(terminator=Jump(1)) == ["b0: leads to b1, which does not exist"]
    assert problems(blocks=(Block((), Unreachable()),)) == ["b1: is not reachable"]
    empty = Switch(ONE, (Case(2, 1, 0),), 0, AT)
    assert problems(terminator=empty) == ["b0: case 2 ... 1 is empty"]


def test_targets_of_terminators() -> None:
    assert targets(Jump(1)) == (1,)
    assert targets(Branch(ONE, 1, 2, AT)) == (1, 2)
    assert targets(Switch(ONE, (Case(1, 1, 3),), 4, AT)) == (3, 4)
    assert targets(Goto((5, 6), AT)) == (5, 6)
    assert targets(Return(None, AT)) == targets(Unreachable()) == ()
