# SPDX-License-Identifier: GPL-2.0-only
"""Facts of a small function and unit."""

from collections.abc import Callable
from hashlib import blake2b

import pytest

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.facts.codec import encode_unit
from analyzer.facts.memo import FunctionMemo
from analyzer.facts.store import StoredUnit, unit_key
from analyzer.facts.unit import AddressTaken, FunctionFacts, FunctionRef, UnitFacts
from analyzer.ir.function import At, Block, FunctionIR, Return
from analyzer.ir.types import INT
from analyzer.ir.values import Constant


def facts_of(name: str) -> FunctionFacts:
    ir = FunctionIR(name, (), INT, False, (Block((), Return(Constant(0), At(3, 2))),))
    taken = (AddressTaken("cb", "argument", "queue", 1, At(2)),)
    gaps = (Gap(GapKind.EXPRESSION, Location("", 1), "unknown builtin"),)
    return FunctionFacts(ir, ("queue",), ("box.lid",), ("boxes",), taken, gaps, "d1")


def unit_of(name: str, *functions: str) -> StoredUnit:
    memo = FunctionMemo(None)
    refs = []
    for line, function in enumerate(functions, 1):
        key = memo.keep(f"text of {function}", (("box", "77"),), facts_of(function))
        refs.append(FunctionRef(function, Location(name, line, 5), line, True, False, key))
    facts = UnitFacts(name, tuple(refs), (), (), (), (), (), (), ())
    return StoredUnit(unit_key(name, blake2b(name.encode()).digest()), encode_unit(facts), memo.take_new())


@pytest.fixture
def function() -> Callable[[str], FunctionFacts]:
    """Make the facts of a function by name."""
    return facts_of


@pytest.fixture
def unit() -> Callable[..., StoredUnit]:
    """Make a unit as a worker sends it, by its name and those of its functions."""
    return unit_of
