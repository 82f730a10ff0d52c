# SPDX-License-Identifier: GPL-2.0-only
"""Two requirements compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.analysis.agreement import agreement
from analyzer.spec.model import AllOf, AnyOf, Held, Name, Requirement, When

A, B = Held(Name(("a",))), Held(Name(("b",)))
A_WRITE = Held(Name(("a",)), "write")
GONE = When("users == 0", "", Name(("vm", "users")), "==", 0)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (A, A, "same"),
        (AnyOf((A, B)), AnyOf((B, A)), "same"),
        (AllOf((A, A)), A, "same"),
        (A, B, "other"),
        (A, A_WRITE, "mode"),
        (A_WRITE, A, "modes"),
        (AnyOf((A, B)), A, "weaker"),
        (AllOf((A, B)), A, "stronger"),
        (AnyOf((A_WRITE, B)), AnyOf((A, AllOf((A_WRITE, B)))), "apart"),
        (AnyOf((A, GONE)), A, "excused"),
        (AnyOf((A, GONE)), AnyOf((A, GONE)), "same"),
    ],
)
def test_how_one_stands_to_another(first: Requirement, second: Requirement, expected: str) -> None:
    assert agreement(first, second) == expected


LEAVES: st.SearchStrategy[Requirement] = st.sampled_from([A, B, A_WRITE, GONE])
REQUIREMENTS: st.SearchStrategy[Requirement] = st.recursive(
    LEAVES,
    lambda parts: st.builds(
        lambda kind, of: kind(tuple(of)), st.sampled_from([AnyOf, AllOf]), st.lists(parts, min_size=1, max_size=3)
    ),
    max_leaves=6,
)
MIRROR = {"mode": "modes", "modes": "mode", "weaker": "stronger", "stronger": "weaker", "excused": "stronger"}


@given(REQUIREMENTS, REQUIREMENTS)
def test_the_other_way_round_it_is_the_opposite(first: Requirement, second: Requirement) -> None:
    found, back = agreement(first, second), agreement(second, first)
    assert found is not None
    assert back is not None
    assert back == MIRROR.get(found, found) or found == MIRROR.get(back, back)


def test_too_many_locks_are_not_looked_through() -> None:
    many = AllOf(tuple(Held(Name((f"lock{n}",))) for n in range(9)))
    assert agreement(many, many) is None
