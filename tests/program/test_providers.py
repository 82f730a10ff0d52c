# SPDX-License-Identifier: GPL-2.0-only
"""Handlers that callers hand down: the edge belongs to whoever chose."""

from tests.program.conftest import Build, Small

RANGE = """
struct range { int start; int (*handler)(int); void (*on_lock)(void); };
static int zap(int x) { return x; }
static int age(int x) { return x + 1; }
static void note(void) { }
static void nothing(void) { }
static int walk(const struct range *range) { range->on_lock(); return range->handler(range->start); }
"""


def without_indirect(small: Small) -> bool:
    return not any(edge.kind == "indirect" for edges in small.graph.callees.values() for edge in edges)


def test_two_callers_with_different_handlers(build: Build) -> None:
    small = build(
        f"{RANGE}"
        "int unmap(void) { struct range r = { .handler = zap, .on_lock = note }; return walk(&r); }\n"
        "int young(void) { const struct range r = { 1, age, nothing }; return walk(&r); }\n"
    )
    assert small.calls("unmap", "callback") == {"zap", "note"}
    assert small.calls("young", "callback") == {"age", "nothing"}
    assert without_indirect(small)
    assert {edge.via for edge in small.edges("young") if edge.kind == "callback"} == {
        "walk(): range.handler",
        "walk(): range.on_lock",
    }


def test_the_pointer_comes_down_two_steps(build: Build) -> None:
    small = build(
        f"{RANGE}"
        "static int with(int (*handler)(int)) { struct range r = { 0, handler, nothing }; return walk(&r); }\n"
        "int unmap(void) { return with(zap); }\n"
        "int young(void) { return with(age); }\n"
        "int other(void) { struct range r = { 1, age, note }; return walk(&r); }\n"
    )
    assert small.calls("unmap", "callback") == {"zap"}
    assert small.calls("young", "callback") == {"age"}
    assert small.calls("with", "callback") == {"nothing"}
    assert without_indirect(small)


def test_a_choice_between_two(build: Build) -> None:
    small = build(
        f"{RANGE}"
        "static int with(int (*handler)(int)) { return handler(1); }\n"
        "int either(int x) { return with(x ? zap : age); }\n"
        "int one(void) { int (*f)(int) = zap; return with(f); }\n"
    )
    assert small.calls("either", "callback") == {"zap", "age"}
    assert small.calls("one", "callback") == {"zap"}


def test_a_record_in_memory_leaves_the_edges_where_the_call_is(build: Build) -> None:
    small = build(
        f"{RANGE}"
        "struct range kept = { .handler = zap, .on_lock = note };\n"
        "int global(void) { return walk(&kept); }\n"
        "int local(void) { struct range r = { 1, age, nothing }; return walk(&r); }\n"
    )
    assert small.calls("walk", "indirect") == {"zap", "age", "note", "nothing"}
    assert not small.calls("local", "callback")


def test_another_function_may_fill_the_record(build: Build) -> None:
    small = build(
        f"{RANGE}"
        "static void fill(struct range *r) { r->handler = age; }\n"
        "int filled(void) { struct range r = { 1, zap, note }; fill(&r); return walk(&r); }\n"
    )
    assert "age" in small.calls("walk", "indirect")


def test_a_copied_record(build: Build) -> None:
    small = build(
        f"{RANGE}"
        "int copied(struct range *from) { struct range r = *from; return walk(&r); }\n"
        "int local(void) { struct range r = { 1, age, nothing }; return walk(&r); }\n"
        "struct range kept = { .handler = zap, .on_lock = note };\n"
    )
    assert small.calls("walk", "indirect") == {"zap", "age", "note", "nothing"}


def test_a_record_filled_by_a_function_without_a_body(build: Build) -> None:
    small = build(
        f"{RANGE}"
        "int copied(struct range *from) { struct range r = { 1, age, nothing };\n"
        "  __builtin_memcpy(&r, from, sizeof(r)); return walk(&r); }\n"
        "struct range kept = { .handler = zap, .on_lock = note };\n"
    )
    assert small.calls("walk", "indirect") == {"zap", "age", "note", "nothing"}


def test_a_function_that_others_can_enter_calls_itself(build: Build) -> None:
    small = build(
        "static int zap(int x) { return x; } static int age(int x) { return x; }\n"
        "static int with(int (*handler)(int)) { return handler(1); }\n"
        "struct ops { int (*with)(int (*)(int)); }; struct ops ops = { with };\n"
        "int a(void) { return with(zap); } int b(void) { return with(age); }\n"
    )
    assert small.calls("with", "indirect") == {"zap", "age"}


def test_handlers_come_before_whoever_chooses_and_whoever_calls(build: Build) -> None:
    small = build(
        f"{RANGE}"
        "int unmap(void) { struct range r = { .handler = zap, .on_lock = note }; return walk(&r); }\n"
        "int young(void) { const struct range r = { 1, age, nothing }; return walk(&r); }\n"
    )
    order = small.order()
    for handler in ("zap", "age", "note", "nothing"):
        for later in ("walk", "unmap"):
            assert order.index({handler}) < order.index({later})


def test_recursion_through_a_handler_is_one_component(build: Build) -> None:
    small = build(
        "static int with(int (*handler)(int), int x) { return handler(x); }\n"
        "static int again(int x); static int once(int x) { return x; }\n"
        "static int again(int x) { return x ? with(again, x - 1) : with(once, x); }\n"
        "int go(void) { return again(3); }\n"
    )
    assert {"with", "again"} in small.order()
