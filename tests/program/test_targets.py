# SPDX-License-Identifier: GPL-2.0-only
"""Where function pointers go: each way to carry one, alone."""

import pytest

from tests.program.conftest import Build

OPS = """
struct ops { int (*open)(int); int (*close)(int); };
static int open_a(int x) { return x; }
static int open_b(int x) { return x + 1; }
static int close_a(int x) { return x; }
"""


@pytest.mark.parametrize(
    ("tables", "call"),
    [
        ("static struct ops t = { .open = open_a, .close = close_a };", "t.open(1);"),
        ("static struct ops t = { open_a, close_a };", "t.open(1);"),
        ("static struct ops t[] = { { close_a }, { .close = close_a, .open = open_a } };", "t[x].close(1);"),
        ("struct dev { struct ops ops; }; static struct dev d = { .ops.open = open_a };", "d.ops.open(1);"),
        (
            "struct dev { const struct ops *ops; }; static struct ops t = { .open = open_a };",
            "static struct dev d = { &t }; d.ops->open(1);",
        ),
        ("static int (*const t[])(int) = { [3] = open_a };", "t[x](1);"),
        ("static struct ops t;", "t.open = open_a; t.open(1);"),
        ("static struct ops t, u = { open_a };", "t = u; t.open(1);"),
        ("static struct ops t, u = { open_a };", "__builtin_memcpy(&t, &u, sizeof(t)); t.open(1);"),
        (
            "struct raw { int (*f)(int); }; static struct ops t; static struct raw r = { open_a };",
            "t.open = r.f; t.open(1);",
        ),
        ("", "int (*f)(int) = open_a; f(1);"),
        ("", "int (*f)(int); int (*g)(int) = open_a; f = g; f(1);"),
        ("static int (*pick(int x))(int) { return open_a; }", "pick(x)(1);"),
        ("static int (*pick(int x))(int) { return open_a; }", "int (*f)(int) = pick(x); f(1);"),
        ("struct any { void *f; }; static struct any a = { (void *)open_a };", "((int (*)(int))a.f)(1);"),
        ("struct any { unsigned long f; };", "struct any a; a.f = (unsigned long)open_a; ((int (*)(int))a.f)(1);"),
        ("static void put(int (**p)(int)) { *p = open_a; }", "int (*f)(int) = 0; put(&f); f(1);"),
        (
            (
                "struct o { void (*set)(int (*)(int)); }; static int (*kept)(int); static void keep(int (*f)(int)) { kept = f; }\n"
                "static struct o o = { keep };"
            ),
            "o.set(open_a); kept(1);",
        ),
        (
            (
                "struct o { int (*(*get)(void))(int); }; static int (*give(void))(int) { return open_a; }\n"
                "static struct o o = { give };"
            ),
            "int (*f)(int) = o.get(); f(1);",
        ),
    ],
)
def test_reaches(build: Build, tables: str, call: str) -> None:
    small = build(f"{OPS}{tables}\nvoid run(int x) {{ {call} }}\nvoid use(void) {{ open_b(close_a(1)); }}")
    wanted = "close_a" if "close(1)" in call else "open_a"
    reached = small.calls("run", "indirect")
    assert wanted in reached
    assert "open_b" not in reached
    assert not small.graph.outside


def test_members_stay_apart(build: Build) -> None:
    small = build(f"{OPS}static struct ops t = {{ open_a, close_a }};\nvoid run(void) {{ t.open(1); }}")
    assert small.calls("run") == {"open_a"}


def test_two_implementations_of_one_table(build: Build) -> None:
    small = build(
        "struct ops { int (*f)(void); }; extern struct ops *chosen; int run(void) { return chosen->f(); }",
        "struct ops { int (*f)(void); }; static int f(void) { return 1; } struct ops one = { f };",
        "struct ops { int (*f)(void); }; static int f(void) { return 2; } struct ops two = { f };",
    )
    assert {edge.callee for edge in small.edges("run")} == {"u1.c:f", "u2.c:f"}
    assert {edge.via for edge in small.edges("run")} == {"ops.f"}


def test_what_is_lost_in_memory_comes_back_by_type(build: Build) -> None:
    small = build(
        "static int a(int x) { return x; } static int b(int x) { return x; } static void c(long x) { }\n"
        "static void hide(void) { int (**p)(int); void (**q)(long); p = __builtin_malloc(8); *p = a; q = (void *)p; *q = c; }\n"
        "int run(void) { int (**p)(int); p = __builtin_malloc(8); return (*p)(1) + b(2); }\n"
        "int go(void) { hide(); return run(); }"
    )
    assert small.calls("run", "indirect") == {"a"}
    assert [small.name(caller) for caller, _ in small.graph.widened] == ["run"]
    assert not small.graph.outside


def test_a_slot_that_nothing_fills_is_outside(build: Build) -> None:
    small = build("struct ops { int (*f)(void); }; int run(struct ops *ops) { return ops->f(); }")
    assert [(small.name(call.caller), call.origin) for call in small.graph.outside] == [("run", "ops.f")]
    assert small.graph.unresolved == []


def test_a_function_without_a_body_gives_what_is_outside(build: Build) -> None:
    small = build("extern void *find(void); int run(void) { int (*f)(void) = find(); return f(); }")
    assert [call.origin for call in small.graph.outside] == ["find"]


STATIC_CALL = """
struct static_call_key { void *func; };
extern void __static_call_update(struct static_call_key *key, void *tramp, void *func);
extern struct static_call_key __SCK__get;
extern int __SCT__get(int);
"""


def test_static_calls_go_where_their_key_says(build: Build) -> None:
    small = build(
        f"{STATIC_CALL}int run(void) {{ return __SCT__get(1); }}",
        f"{STATIC_CALL}static int first(int x) {{ return x; }} struct static_call_key __SCK__get = {{ .func = first }};",
        f"{STATIC_CALL}struct ops {{ int (*get)(int); }}; static int second(int x) {{ return x; }}\n"
        "static struct ops table = { second }, ops;\n"
        "void change(void) { ops = table; __static_call_update(&__SCK__get, &__SCT__get, (void *)ops.get); }",
    )
    assert small.calls("run", "static_call") == {"first", "second"}
    assert {edge.via for edge in small.edges("run")} == {"static_call(get)"}


def test_a_key_that_a_header_defines(build: Build) -> None:
    small = build(
        f"{STATIC_CALL}int run(void) {{ return __SCT__get(1); }}",
        f'{STATIC_CALL}#include "define.h"\n',
        headers={
            "define.h": "int first(int x) { return x; }\nstruct static_call_key __SCK__get = { .func = first };\n"
        },
    )
    assert small.calls("run", "static_call") == {"first"}


def test_a_key_without_a_function_is_outside(build: Build) -> None:
    small = build(f"{STATIC_CALL}int run(void) {{ return __SCT__get(1); }}")
    assert [call.origin for call in small.graph.outside] == ["static_call(get)"]
