# SPDX-License-Identifier: GPL-2.0-only
"""Functions without a body that the real tree calls: each was looked up, and either may sleep or is known not to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.facts.store import Store
from analyzer.ir.function import Call, FunctionIR
from analyzer.ir.values import FunctionAddress
from analyzer.pipeline.check import examine
from analyzer.pipeline.options import CheckOptions, Silent
from analyzer.spec.load import load

pytestmark = pytest.mark.kernel

#: functions that the tree calls, that have no body there, and that were found not to sleep
AWAKE = Path(__file__).with_name("awake.txt")
#: static calls are patched into the call: what they reach is known, but for these two
TRAMPOLINE, KNOWN = "__SCT__", {"__SCT__cond_resched", "__SCT__might_resched"}


@pytest.fixture(scope="module")
def called(tree: Path, cache: Path) -> frozenset[str]:
    """Return the functions without a body that are called by name."""
    with Store(cache) as store:
        extraction, analysis = examine(CheckOptions(tree=tree, cache=cache, jobs=2), store, Silent())
        found = set()
        for function in analysis.program.functions.values():
            for name in _named(extraction.functions[function.ref.facts_key].ir):
                if analysis.program.resolve(function.unit, name) is None:
                    found.add(name)
    return frozenset(found)


def _named(ir: FunctionIR) -> Iterator[str]:
    """Yield the functions that are called by name."""
    for block in ir.blocks:
        for event in block.events:
            if isinstance(event, Call) and isinstance(event.callee, FunctionAddress):
                yield event.callee.name


def awake() -> set[str]:
    return {line for line in AWAKE.read_text("utf-8").splitlines() if line and not line.startswith("#")}


def test_every_function_without_a_body_was_looked_up(called: frozenset[str]) -> None:
    trampolines = {name for name in called if name.startswith(TRAMPOLINE) and name not in KNOWN}
    unknown = called - set(load().primitives) - awake() - trampolines
    assert sorted(unknown) == []


def test_none_is_said_to_sleep_and_not_to(called: frozenset[str]) -> None:
    primitives = load().primitives
    sleeping = {name for name, row in primitives.items() if any(e.kind in ("sleep", "wait") for e in row.effects)}
    assert sorted(awake() & sleeping) == []
    assert len(called & sleeping) > 100


def test_the_list_names_no_function_that_nobody_calls(called: frozenset[str]) -> None:
    assert sorted(awake() - called) == []
