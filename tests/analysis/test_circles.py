# SPDX-License-Identifier: GPL-2.0-only
"""Circles of nestings: which there are, which only look like one, and when the search gives up."""

from __future__ import annotations

from itertools import permutations

import pytest

from analyzer.analysis import circles
from analyzer.analysis.circles import Search
from analyzer.analysis.locksets import Setting
from analyzer.analysis.nestings import Beside, Nesting
from analyzer.analysis.terms import Term
from analyzer.ir.function import At


def key(name: str, parameter: int = 0) -> Term:
    return ("F", ("O", ("P", parameter)), "r", name)


def nesting(
    outer: str, inner: str, modes: str = "ww", *, waits: str = "sleep", doubt: str = "", **keys: object
) -> Nesting:
    held, wanted = ("write" if mode == "w" else "read" for mode in modes)
    beside = keys.get("beside", ())
    outer_key, inner_key = keys.get("keys", (key(outer), key(inner)))  # type: ignore[misc]
    return Nesting(
        f"{outer}{inner}", outer, held, outer_key, "lock", inner, wanted, False, waits, inner_key, At(1), None,
        Setting((), ()), doubt, beside,  # type: ignore[arg-type]
    )  # fmt: skip


def found(*nestings: Nesting) -> list[str]:
    return ["".join(one.outer for one in circle) for circle in Search(nestings, lambda _: ()).circles()]


def test_each_circle_once() -> None:
    assert found(nesting("a", "b"), nesting("b", "c"), nesting("c", "a"), nesting("c", "d")) == ["abc"]
    assert found(*(nesting(x, y) for x, y in permutations("abcd", 2))) == ["ab", "ac", "ad", "bc", "bd", "cd"]


def test_smaller_circles_stand_for_larger_ones() -> None:
    assert found(nesting("a", "b"), nesting("b", "a"), nesting("b", "c"), nesting("c", "a")) == ["ab"]


def test_readers_that_spin_let_each_other_in() -> None:
    back = nesting("b", "a", "rr", waits="spin")
    assert found(nesting("a", "b", "rr", waits="spin"), back) == []
    assert found(nesting("a", "b", "ww", waits="spin"), back) == ["ab"]
    assert found(nesting("a", "b", "rr"), nesting("b", "a", "rr")) == ["ab"]


def test_other_objects() -> None:
    two = nesting("b", "a", keys=(key("b", 0), key("a", 1)))
    assert found(nesting("a", "b"), two) == []
    assert found(nesting("a", "b", keys=(key("a", 0), key("b", 1))), two) == ["ab"]
    assert found(nesting("a", "b", keys=(("unknown", "a"), key("b"))), two) == ["ab"]


def test_a_gate_keeps_all_but_one_out() -> None:
    def gate(mode: str) -> Beside:
        return ((("G", "gate"), mode),)

    inside = nesting("a", "b", beside=gate("write"))
    assert found(inside, nesting("b", "a", beside=gate("read"))) == []
    assert found(inside, nesting("b", "a")) == ["ab"]
    assert found(nesting("a", "b", beside=gate("read")), nesting("b", "a", beside=gate("read"))) == ["ab"]


def test_certain_nestings_come_first() -> None:
    doubtful = nesting("a", "b", doubt="perhaps")
    (circle,) = Search((doubtful, nesting("a", "b"), nesting("b", "a")), lambda _: ()).circles()
    assert not any(one.doubt for one in circle)
    (circle,) = Search((doubtful, nesting("b", "a")), lambda _: ()).circles()
    assert any(one.doubt for one in circle)


def test_the_search_says_that_it_gave_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circles, "MAX_STEPS", 50)
    names = "abcdefgh"
    search = Search([nesting(x, y, "rr", waits="spin") for x, y in permutations(names, 2)], lambda _: ())
    assert search.circles() == []
    assert search.left is not None
