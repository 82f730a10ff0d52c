# SPDX-License-Identifier: GPL-2.0-only
"""Must- and may-locksets: opposite joins, and what both say where situations are too many to be told apart."""

from hypothesis import given
from hypothesis import strategies as st

from analyzer.analysis.locksets import DroppedAt, HeldAt, MayLocks, MustLocks, Setting, at_places, may_of, must_of
from analyzer.ir.function import At
from tests.properties import program as p
from tests.properties.judge import judge
from tests.properties.test_lattices import LAWS

NAMES = ("m0", "box.lock", "")
places = st.builds(At, st.integers(1, 4))
held = st.builds(HeldAt, st.sampled_from(NAMES), st.sampled_from(("read", "write")), places, st.sampled_from("ab"))
dropped = st.builds(DroppedAt, st.sampled_from(NAMES), places, st.none() | places)


@st.composite
def settings_at_places(draw: st.DrawFn) -> Setting:
    """Return what one state says: each lock is held in one mode."""
    locks = draw(st.lists(held, max_size=4, unique_by=lambda lock: (lock.name, lock.text)))
    return Setting(tuple(locks), tuple(draw(st.lists(dropped, max_size=2))))


musts = settings_at_places().map(must_of)
mays = st.builds(lambda setting, is_open: may_of(setting, is_open=is_open), settings_at_places(), st.booleans())


def classes(locks: tuple[HeldAt, ...]) -> set[tuple[str, str]]:
    return {(lock.name, lock.text) for lock in locks}


@LAWS
@given(musts, musts, musts)
def test_must_locksets_are_joined_by_intersection(a: MustLocks, b: MustLocks, c: MustLocks) -> None:
    assert a.join(b) == b.join(a)
    assert a.join(a) == a
    assert a.join(b).join(c) == a.join(b.join(c))
    assert classes(a.join(b).held) == classes(a.held) & classes(b.held)
    modes = {(lock.name, lock.text): lock.mode for lock in a.join(b).held}
    for lock in (*a.held, *b.held):
        assert modes.get((lock.name, lock.text), "read") in (lock.mode, "read")
    assert set(a.join(b).gone) == set(a.gone) | set(b.gone)


@LAWS
@given(mays, mays, mays)
def test_may_locksets_are_joined_by_union(a: MayLocks, b: MayLocks, c: MayLocks) -> None:
    assert a.join(b) == b.join(a)
    assert a.join(a) == a
    assert a.join(b).join(c) == a.join(b.join(c))
    assert classes(a.join(b).held) == classes(a.held) | classes(b.held)
    assert a.join(b).open == (a.open or b.open)


@LAWS
@given(st.lists(settings_at_places(), min_size=1, max_size=4), musts, mays)
def test_a_place_must_hold_no_more_than_it_may(settings: list[Setting], above: MustLocks, around: MayLocks) -> None:
    (site,) = at_places([(At(1), "m0 write", setting) for setting in settings], is_open=False)
    (turned,) = at_places([(At(1), "m0 write", setting) for setting in reversed(settings)], is_open=False)
    assert (site.must, site.may) == (turned.must, turned.may)
    for setting in settings:
        assert classes(site.must.held) <= classes(setting.held) <= classes(site.may.held)
    for lock in above.held:
        kept = lock.name not in site.must.gone and "" not in site.must.gone
        assert (lock in site.must.under(above).held) or not kept or lock.name in {one.name for one in site.must.held}
    assert classes(site.must.held) <= classes(site.must.under(above).held)
    assert classes(around.held) <= classes(site.may.under(around).held)


# -- more situations than are told apart -----------------------------------------------------------------------------

LOCKS = tuple(p.Lock(base, name, sort) for base in "ab" for name, sort in p.MEMBER_LOCKS.items())
HELD = p.Lock("", "m0", "mutex")
REST = (p.Lock("", "m1", "mutex"), p.Lock("", "r0", "rw_semaphore"))


def sometimes(lock: p.Lock) -> p.Statement:
    return p.If(p.Compare("<", p.Pick(), p.Number(0)), (p.Acquire(lock, "write"),), ())


def test_what_is_dropped_on_some_of_many_ways_is_not_held() -> None:
    """The callee returns in 32 ways, on half of which it has dropped its caller's lock."""
    drop = p.If(p.Compare("<", p.Pick(), p.Number(0)), (p.Release(HELD, "write"),), ())
    body = (drop, *map(sometimes, LOCKS), p.Point(1, ""), p.Return(p.Number(0)))
    callee = p.Function("f", ("a", "b"), (), (), (), (), body, ())
    call = p.Do(p.Call("f", (p.Pointer("a"), p.Pointer("b")), 1))
    above = (p.Acquire(HELD, "write"), call, p.Point(2, ""), p.Return(p.Number(0)))
    judged = judge(p.Program((callee, p.Function("g", ("a", "b"), (), (), (), (), above, ()))), 4000)
    assert judged.wrong == []
    assert judged.count["lockset that is open"] > 0


def test_what_is_held_on_some_of_many_ways_may_be_held() -> None:
    """The place is reached in 64 situations."""
    body = (*map(sometimes, (*LOCKS, *REST)), p.Acquire(HELD, "write"), p.Point(1, ""), p.Return(p.Number(0)))
    judged = judge(p.Program((p.Function("f", ("a", "b"), (), (), (), (), body, ()),)), 4000)
    assert judged.wrong == []
    assert judged.count["lockset that is open"] == 1
    assert judged.count["lock held each time and not known to be"] == 0
