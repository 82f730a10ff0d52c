# SPDX-License-Identifier: GPL-2.0-only
"""Calls made conditional: the graph is sound, in order, and says what the text would say."""

from __future__ import annotations

from analyzer.ir.function import At, Block, Branch, Call, Case, Event, FunctionIR, Jump, Return, Store, Switch
from analyzer.ir.guarded import Comparison, Guard, GuardsOf, guarded
from analyzer.ir.types import Unknown
from analyzer.ir.values import AccessPath, Constant, FunctionAddress, Load, Local, Opaque, Value
from analyzer.ir.verify import targets, verify

AT = At(1, 1)
X, Y = (Load(AccessPath(Local(name))) for name in "xy")
NOT_ZERO = Guard((Comparison(X, "!=", 0),), 7)


def call(name: str, result: str = "") -> Call:
    return Call(FunctionAddress(name), (), Local(result) if result else None, AT, Unknown())


def function(*blocks: Block) -> FunctionIR:
    names = ("x", "y", "%1")
    return FunctionIR("f", (), Unknown(), False, blocks, tuple((name, Unknown()) for name in names))


def of_f(*guards: Guard) -> GuardsOf:
    return lambda event: guards if event.callee == FunctionAddress("f") else ()


def returning(*events: Event) -> Block:
    return Block(events, Return(None, AT))


def spelt(event: Event) -> str:
    if isinstance(event, Call):
        assert isinstance(event.callee, FunctionAddress)
        return event.callee.name
    assert isinstance(event, Store)
    return f"= {event.value!r}"


def ways(ir: FunctionIR, known: dict[Value, int], limit: int = 20) -> list[str]:
    """Return what is called on the way on which `known` is so; `=` where a value is stored instead."""
    done, block = [], ir.blocks[0]
    while limit:
        limit -= 1
        done += [spelt(event) for event in block.events]
        match block.terminator:
            case Jump(target):
                block = ir.blocks[target]
            case Branch(condition, true, false):
                block = ir.blocks[true if known[condition] else false]
            case Switch(value, cases, default):
                found = [case.target for case in cases if case.low <= known[value] <= case.high]
                block = ir.blocks[found[0] if found else default]
            case _:
                return done
    return done


def sound(ir: FunctionIR) -> FunctionIR:
    assert verify(ir) == []
    return ir


def test_without_such_a_call_it_is_the_same_value() -> None:
    ir = function(returning(call("g")))
    assert guarded(ir, of_f(NOT_ZERO)) is ir


def test_the_call_comes_where_the_condition_does_not_hold_and_its_value_where_it_does() -> None:
    ir = function(returning(call("a"), call("f", "%1"), call("b")))
    found = sound(guarded(ir, of_f(NOT_ZERO)))
    assert ways(found, {X: 0}) == ["a", "f", "b"]
    assert ways(found, {X: 1}) == ["a", f"= {Constant(7)!r}", "b"]


def test_a_value_that_nobody_states_is_not_known() -> None:
    found = guarded(function(returning(call("f", "%1"))), of_f(Guard((Comparison(X, "==", 0),))))
    stored = [event.value for block in found.blocks for event in block.events if isinstance(event, Store)]
    assert [type(value) for value in stored] == [Opaque]
    assert ways(found, {X: 1}) == ["f"]


def test_all_conditions_of_a_guard_and_one_guard_of_several() -> None:
    both = Guard((Comparison(X, "!=", 0), Comparison(Y, "!=", 0)))
    found = sound(guarded(function(returning(call("f"))), of_f(both)))
    assert [ways(found, {X: x, Y: y}) for x in (0, 1) for y in (0, 1)] == [["f"], ["f"], ["f"], []]
    either = (Guard((Comparison(X, "!=", 0),)), Guard((Comparison(Y, "!=", 0),)))
    found = sound(guarded(function(returning(call("f"))), of_f(*either)))
    assert [ways(found, {X: x, Y: y}) for x in (0, 1) for y in (0, 1)] == [["f"], [], [], []]


def test_several_calls_in_one_block() -> None:
    found = sound(guarded(function(returning(call("f"), call("f"), call("g"))), of_f(NOT_ZERO)))
    assert ways(found, {X: 0}) == ["f", "f", "g"]
    assert ways(found, {X: 1}) == ["g"]


def test_other_blocks_lead_where_they_led_and_only_loops_lead_back() -> None:
    ir = function(
        Block((call("f"),), Branch(Y, 1, 3, AT)),
        Block((call("f"),), Switch(Y, (Case(1, 1, 2),), 3, AT)),
        Block((call("g"),), Jump(0)),
        returning(call("end")),
    )
    found = sound(guarded(ir, of_f(NOT_ZERO)))
    assert ways(found, {X: 0, Y: 0}) == ["f", "end"]
    assert ways(found, {X: 0, Y: 2}) == ["f", "f", "end"]
    assert ways(found, {X: 1, Y: 1}, limit=14) == ["g", "g"]
    back = [
        (number, to) for number, block in enumerate(found.blocks) for to in targets(block.terminator) if to <= number
    ]
    assert [to for _, to in back] == [0]
