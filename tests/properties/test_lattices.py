# SPDX-License-Identifier: GPL-2.0-only
"""Laws of what the analysis joins: ranges, states, formulas.

What ranges are made of is their own affair: they are made here from tests (`< 3`, `!= 0`) and asked by tests.
"""

from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.analysis import ranges
from analyzer.analysis.formula import Formula, all_of, any_of, residue
from analyzer.analysis.ranges import FULL, Range
from analyzer.analysis.state import FRESH, PUBLISHED, Dropped, Hold, State, merge
from analyzer.analysis.terms import Term
from analyzer.ir.function import At

#: the same each time, and quick
LAWS = settings(derandomize=True, database=None, deadline=None, max_examples=60)

NUMBERS = st.integers(-4, 4)
ASKED = range(-6, 7)
#: a chain of widenings changes at most so often: both bounds, and what is left out between them
LONGEST_CHAIN = 8


@st.composite
def some_range(draw: st.DrawFn) -> Range:
    """Return what a few tests leave, joined with what a few others leave."""
    found: list[Range] = []
    for _ in range(draw(st.integers(1, 2))):
        part: Range | None = FULL
        for operator in draw(st.lists(st.sampled_from(("==", "!=", "<", "<=", ">", ">=")), max_size=2)):
            test = ranges.from_test(operator, draw(NUMBERS))
            part = part if test is None or part is None else ranges.meet(part, test)
        found.append(FULL if part is None else part)
    return reduce(ranges.hull, found)


def numbers(a: Range | None) -> frozenset[int]:
    """Return which of the numbers asked for are in `a`."""
    if a is None:
        return frozenset()
    exact = {n: ranges.from_test("==", n) for n in ASKED}
    return frozenset(n for n, one in exact.items() if one is not None and ranges.meet(a, one) is not None)


def least(a: Range, b: Range) -> bool:
    return ranges.hull(a, b) == b


@LAWS
@given(some_range(), some_range(), some_range())
def test_joins_and_meets_of_ranges_commute_and_associate(a: Range, b: Range, c: Range) -> None:
    assert ranges.hull(a, b) == ranges.hull(b, a)
    assert ranges.meet(a, b) == ranges.meet(b, a)
    assert ranges.hull(ranges.hull(a, b), c) == ranges.hull(a, ranges.hull(b, c))
    left, right = ranges.meet(a, b), ranges.meet(b, c)
    left = None if left is None else ranges.meet(left, c)
    right = None if right is None else ranges.meet(a, right)
    assert left == right


@LAWS
@given(some_range(), some_range())
def test_ranges_absorb_and_are_idempotent(a: Range, b: Range) -> None:
    assert ranges.hull(a, a) == a
    assert ranges.meet(a, a) == a
    assert ranges.meet(a, ranges.hull(a, b)) == a
    common = ranges.meet(a, b)
    assert common is None or ranges.hull(a, common) == a
    assert numbers(a) | numbers(b) <= numbers(ranges.hull(a, b))
    assert numbers(common) == numbers(a) & numbers(b)


@LAWS
@given(some_range(), some_range(), some_range())
def test_joins_and_meets_of_ranges_are_monotone(a: Range, b: Range, c: Range) -> None:
    more = ranges.hull(a, b)
    assert least(ranges.hull(a, c), ranges.hull(more, c))
    small, great = ranges.meet(a, c), ranges.meet(more, c)
    assert small is None or (great is not None and least(small, great))


@LAWS
@given(some_range(), st.lists(some_range(), min_size=LONGEST_CHAIN, max_size=3 * LONGEST_CHAIN))
def test_widening_is_above_both_and_ends(a: Range, others: list[Range]) -> None:
    n_changes, now = 0, a
    for other in others:
        wide = ranges.widen(now, other)
        assert numbers(now) | numbers(other) <= numbers(wide)
        assert least(now, wide)
        assert least(other, wide)
        n_changes, now = n_changes + (wide != now), wide
    assert n_changes <= LONGEST_CHAIN


@LAWS
@given(some_range(), st.sampled_from(("==", "!=", "<", "<=", ">", ">=")), NUMBERS)
def test_a_test_is_decided_where_all_numbers_agree(a: Range, operator: str, value: int) -> None:
    passing = ranges.from_test(operator, value)
    verdict = ranges.satisfies(a, operator, value)
    if passing is not None and verdict is not None:
        assert numbers(ranges.meet(a, passing)) == (numbers(a) if verdict else frozenset())
    for number in ASKED:
        one = ranges.from_test("==", number)
        assert one is not None
        assert ranges.satisfies(one, operator, value) is _passes(number, operator, value)


def _passes(number: int, operator: str, value: int) -> bool:
    return {
        "==": number == value,
        "!=": number != value,
        "<": number < value,
        "<=": number <= value,
        ">": number > value,
        ">=": number >= value,
    }[operator]


# -- states ----------------------------------------------------------------------------------------------------------

BOX: Term = ("O", ("P", 0))
OTHER: Term = ("O", ("P", 1))
LOCKS: tuple[Term, ...] = (("G", "m0"), ("F", BOX, "box", "lock"), ("F", OTHER, "box", "lock"), ("abstract", "rcu"))
VALUES: tuple[Term, ...] = (("P", 0), ("P", 1), ("k", 0), ("k", 1), ("r", 1, 0), ("ld", ("G", "g0"), 0))
OBJECTS: tuple[Term, ...] = (("r", 1, 0), ("P", 0), ("L", "local"))

places = st.builds(At, st.integers(1, 9))
dropped = st.builds(Dropped, st.sampled_from(("read", "write")), st.booleans(), places, places)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[State, State]:
    """Return two states that may meet: with the same locks."""
    keys = draw(st.lists(st.sampled_from(LOCKS), unique=True))
    holds = {key: Hold(draw(st.sampled_from((-1, 1, 2))), "write", False, At(1)) for key in keys}
    return draw(states(holds)), draw(states(holds))


def states(holds: dict[Term, Hold]) -> st.SearchStrategy[State]:
    return st.builds(
        State,
        env=st.fixed_dictionaries({name: st.sampled_from(VALUES) for name in ("v", "w")}),
        memory=st.dictionaries(st.sampled_from(LOCKS), st.sampled_from(VALUES), max_size=2),
        epochs=st.dictionaries(st.sampled_from((("box", "n"), ("", "g0"))), st.sampled_from((1, 2)), max_size=2),
        facts=st.dictionaries(st.sampled_from([v for v in VALUES if v[0] != "k"]), some_range(), max_size=3),
        locks=st.just(holds).map(dict),
        dropped=st.dictionaries(st.sampled_from(LOCKS), dropped, max_size=3),
        fresh=st.dictionaries(st.sampled_from(OBJECTS), st.integers(PUBLISHED, FRESH), max_size=3),
        inside=st.dictionaries(st.sampled_from(OBJECTS), st.just(frozenset({("P", 1)})), max_size=2),
    )


@LAWS
@given(pairs())
def test_a_state_merged_with_itself_stays(both: tuple[State, State]) -> None:
    state, _ = both
    before = state.fork()
    assert not merge(state, before.fork(), (5,), widening=False)
    assert state.fork() == before
    merge(state, both[1].fork(), (5,), widening=False)
    again = state.fork()
    assert not merge(state, both[1].fork(), (5,), widening=False)
    assert state == again


@LAWS
@given(pairs(), st.booleans())
def test_what_holds_after_a_merge_held_before_in_both(both: tuple[State, State], widening: bool) -> None:
    merged = both[0].fork()
    merge(merged, both[1].fork(), (5,), widening)
    for state in both:
        assert merged.locks.keys() == state.locks.keys()
        assert merged.dropped.keys() <= state.dropped.keys()
        assert merged.memory.items() <= state.memory.items()
        for name, value in merged.env.items():
            range_ = known(merged, value)
            assert value[0] == "phi" or value == state.env[name]
            assert least(known(state, state.env[name]), range_)
        for term in merged.facts:
            assert term[0] == "phi" or least(known(state, term), known(merged, term))
        for base, status in merged.fresh.items():
            assert status <= state.fresh.get(base, FRESH if base[0] in ("P", "L") else PUBLISHED)
        assert all(items <= merged.inside[holder] for holder, items in state.inside.items())


@LAWS
@given(pairs())
def test_the_order_of_merging_does_not_matter_for_locks(both: tuple[State, State]) -> None:
    one, other = both[0].fork(), both[1].fork()
    merge(one, both[1].fork(), (5,), widening=False)
    merge(other, both[0].fork(), (5,), widening=False)
    assert one.locks == other.locks
    assert one.dropped.keys() == other.dropped.keys()
    assert one.fresh == other.fresh
    assert one.inside == other.inside
    assert one.memory == other.memory


def known(state: State, term: Term) -> Range:
    """Return what a state knows of a value, or of a constant."""
    if term[0] == "k":
        one = ranges.from_test("==", term[1])
        assert one is not None
        return one
    return state.facts.get(term, FULL)


# -- formulas --------------------------------------------------------------------------------------------------------

ATOMS: tuple[Formula, ...] = (
    ("held", "m0", "write", None),
    ("held", "box.lock", "write", BOX),
    ("held", "box.lock", "read", OTHER),
    ("held", "rcu", "read", None),
)
formulas: st.SearchStrategy[Formula] = st.recursive(
    st.booleans() | st.sampled_from(ATOMS),
    lambda inner: st.tuples(st.sampled_from((any_of, all_of)), st.lists(inner, max_size=3)).map(lambda p: p[0](p[1])),
    max_leaves=6,
)
#: for each assignment of truth to the atoms
ASSIGNMENTS = [{atom: bool(bits >> i & 1) for i, atom in enumerate(ATOMS)} for bits in range(1 << len(ATOMS))]


def truth(formula: Formula, atoms: dict[Formula, bool]) -> bool:
    if isinstance(formula, bool):
        return formula
    if formula[0] in ("any", "all"):
        parts = [truth(part, atoms) for part in formula[1:]]
        return any(parts) if formula[0] == "any" else all(parts)
    return atoms[formula]


@LAWS
@given(st.lists(formulas, max_size=4))
def test_joined_formulas_mean_what_they_say(parts: list[Formula]) -> None:
    for atoms in ASSIGNMENTS:
        assert truth(any_of(parts), atoms) == any(truth(part, atoms) for part in parts)
        assert truth(all_of(parts), atoms) == all(truth(part, atoms) for part in parts)


@LAWS
@given(formulas, formulas, formulas)
def test_formulas_are_idempotent_and_associate(a: Formula, b: Formula, c: Formula) -> None:
    for join, neutral, absorbing in ((any_of, False, True), (all_of, True, False)):
        assert join([a, a]) == a
        assert join([a, neutral]) == a
        assert join([a, absorbing]) is absorbing
        assert join([join([a, b]), c]) == join([a, join([b, c])])


@LAWS
@given(formulas, pairs(), st.sampled_from(LOCKS))
def test_more_locks_never_leave_more_to_ask_for(formula: Formula, both: tuple[State, State], lock: Term) -> None:
    state = both[0]
    more = state.fork()
    if lock in more.locks:
        return
    more.locks[lock] = Hold(1, "write", False, At(1))
    less_left, left = residue(formula, more), residue(formula, state)
    for atoms in ASSIGNMENTS:
        assert truth(less_left, atoms) >= truth(left, atoms)
