# SPDX-License-Identifier: GPL-2.0-only
"""Functions handed to others, and how functions are entered."""

import pytest

from analyzer.base.errors import SpecError
from analyzer.program.entries import Entry
from tests.program.conftest import Build, Small

ROWS = """
callbacks:
  - {function: later, calls: arg 1, passes: [arg 0], runs: later, context: softirq, source: here}
  - {function: now, calls: arg 0, runs: now, source: here}
  - {function: elsewhere, calls: arg 0, passes: [arg 1], runs: now, waits: arg 2, remote: true, source: here}
  - {member: work.func, runs: later, source: here}
  - {member: walk.step, runs: now, source: here}
entries:
  - {member: ops.open, holds: [box.lock], context: process, source: there}
  - {members: [ops.both], holds: [box.lock, {lock: box.sem, mode: read}], source: there}
  - {members: [ops.again], holds: [box.lock], source: there}
  - {function: stated, holds: [box.lock], context: hardirq, source: there}
"""
HEAD = """
struct lock { int held; };
struct box { struct lock lock, sem; };
struct work { void (*func)(struct work *); };
struct walk { int (*step)(int); };
struct ops { int (*open)(int); int (*both)(int); int (*again)(int); int (*plain)(int); };
extern void later(void *head, void (*f)(void *));
extern void now(void (*f)(void *));
extern void elsewhere(void (*f)(void *), void *data, int wait);
extern void unknown(void (*f)(void *));
static void f(void *data) { }
static void g(struct work *w) { }
void use(struct box *b) { b->lock.held = b->sem.held; }
"""


def entry(small: Small, name: str) -> Entry:
    found = small.entry(name)
    assert isinstance(found, Entry)
    return found


def test_what_is_called_later_is_an_entry_that_holds_nothing(build: Build) -> None:
    small = build(HEAD + "void ask(void *p) { later(p, f); }", rows=ROWS)
    assert [(edge.kind, edge.via) for edge in small.edges("ask")] == [("deferred", "later()")]
    found = entry(small, "f")
    assert (found.kind, found.certain, found.holds, found.context) == ("deferred", True, (), "softirq")
    assert found.source == "here"


def test_what_is_called_now_is_no_entry(build: Build) -> None:
    small = build(HEAD + "void ask(void) { now(f); }", rows=ROWS)
    assert [(edge.kind, edge.via) for edge in small.edges("ask")] == [("callback", "now()")]
    assert small.entry("f") is None
    assert small.order().index({"f"}) < small.order().index({"ask"})


def test_the_one_who_provides_has_the_edge(build: Build) -> None:
    small = build(
        HEAD + "static inline void wrap(void (*f)(void *), void *p) { elsewhere(f, p, 1); }\n"
        "static void h(void *data) { } void one(void) { wrap(f, 0); } void two(void) { wrap(h, 0); }",
        rows=ROWS,
    )
    assert small.calls("one", "remote") == {"f"}
    assert small.calls("two", "remote") == {"h"}
    assert not small.calls("wrap")


def test_a_function_with_a_body_is_followed_instead(build: Build) -> None:
    small = build(
        HEAD + "void ask(void *p) { later(p, f); }", "void later(void *h, void (*f)(void *)) { f(h); }", rows=ROWS
    )
    assert not small.calls("ask", "deferred")
    assert small.calls("ask") | small.calls("later") == {"f", "later"}


def test_a_member(build: Build) -> None:
    small = build(
        HEAD + "static void set(struct work *w, void (*func)(struct work *)) { w->func = func; }\n"
        "void direct(struct work *w) { w->func = g; }\n"
        "static void h(struct work *w) { } void wrapped(struct work *w) { set(w, h); }\n"
        "static void s(struct work *w) { } struct work fixed = { s };",
        rows=ROWS,
    )
    assert small.calls("direct", "deferred") == {"g"}
    assert small.calls("wrapped", "deferred") == {"h"}
    assert {entry(small, name).kind for name in "ghs"} == {"deferred"}


def test_a_member_that_others_call_now_is_entered_under_unknown_locks(build: Build) -> None:
    small = build(HEAD + "static int t(int x) { return x; } void ask(struct walk *w) { w->step = t; }", rows=ROWS)
    found = entry(small, "t")
    assert (found.kind, found.certain) == ("passed", False)


def test_without_a_row_it_is_not_known(build: Build) -> None:
    small = build(HEAD + "void ask(void) { unknown(f); }", rows=ROWS)
    assert (entry(small, "f").kind, entry(small, "f").certain) == ("passed", False)


def test_locks_and_context_of_an_entry(build: Build) -> None:
    small = build(
        HEAD + "static int o(int x) { return x; } static int b(int x) { return x; } static int p(int x) { return x; }\n"
        "struct ops ops = { .open = o, .both = b, .again = b, .plain = p }; void stated(void) { }",
        rows=ROWS,
    )
    assert entry(small, "o").holds == (("box.lock", "write"),)
    assert (entry(small, "o").context, entry(small, "o").source) == ("process", "there")
    assert entry(small, "b").holds == (("box.lock", "write"),)
    assert entry(small, "p").holds == ()
    assert (entry(small, "stated").holds, entry(small, "stated").context) == ((("box.lock", "write"),), "hardirq")


def test_several_ways_in_hold_what_all_of_them_hold(build: Build) -> None:
    small = build(HEAD + "static int o(int x) { return x; } struct ops ops = { .open = o, .plain = o };", rows=ROWS)
    assert entry(small, "o").holds == ()


def test_a_lock_that_a_record_lacks(build: Build) -> None:
    with pytest.raises(SpecError, match=r"rows\.yaml:3:.*has no member 'lok'.*did you mean 'lock'"):
        build(HEAD, rows="entries:\n  - {member: ops.open, holds: [box.lok], source: there}")


TABLE = (
    HEAD + "int run(struct ops *ops) { return ops->plain(1); } int t(int x) { return x; } int u(int x) { return x; }\n"
)


def test_a_stated_target(build: Build) -> None:
    small = build(
        TABLE + "struct ops s = { .plain = u };",
        rows="targets:\n  - {call: ops.plain, in: run, reaches: [t], source: s}",
    )
    assert small.calls("run", "indirect") == {"t"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{call: ops.plain, reaches: [tt], source: s}", r"rows\.yaml:3:\d+: no function 'tt' in the analysed units"),
        ("{call: ops.open, reaches: [t], source: s}", r"rows\.yaml:3:\d+: no indirect call through ops\.open"),
        ("{call: ops.plain, in: use, reaches: [t], source: s}", r"through ops\.plain in use\(\): the row has no use"),
    ],
)
def test_a_wrong_target(build: Build, row: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        build(TABLE, rows=f"targets:\n  - {row}")
