# SPDX-License-Identifier: GPL-2.0-only
"""Which of several tables of operations functions run under."""

from analyzer.program.implementations import Operations, Usage, find_implementations
from tests.program.conftest import Build, Small

COMMON = """
struct key { void *func; };
struct more { void (*show)(void); };
struct ops { void (*run)(void); void (*skip)(void); const struct more *more; };
struct key __SCK__run, __SCK__skip;
extern void __SCT__run(void);
extern void __SCT__skip(void);
void __static_call_update(struct key *key, void *tramp, void *func);
struct ops in_use;
void use(const struct ops *ops)
{
	in_use = *ops;
	__static_call_update(&__SCK__run, __SCT__run, in_use.run);
	__static_call_update(&__SCK__skip, __SCT__skip, in_use.skip);
}
static void both(void) { }
static void below_a(void) { both(); __SCT__skip(); }
static void run_a(void) { below_a(); }
static void run_b(void) { both(); }
static void skip_a(void) { }
static void skip_b(void) { }
void enter(void) { __SCT__run(); __SCT__skip(); }
"""
TWO = COMMON + "const struct ops a = { run_a, skip_a }; const struct ops b = { run_b, skip_b };\n"


def found(small: Small) -> tuple[dict[str, Operations], dict[str, Usage]]:
    linked = small.linked
    return find_implementations(linked.program, linked.graph, linked.flows, linked.entries)


def under(small: Small, name: str) -> set[str]:
    """Return the tables that the function runs under, by name; none if that is not told."""
    records, usage = found(small)
    tables = set()
    for ident, some in usage.items():
        if small.name(ident) == name:
            tables |= {records[record].tables[number][1] for record, numbers in some.items() for number in numbers}
    return tables


def test_functions_of_one_table_and_below(build: Build) -> None:
    small = build(TWO)
    assert under(small, "run_a") == under(small, "below_a") == under(small, "skip_a") == {"a"}
    assert under(small, "run_b") == under(small, "skip_b") == {"b"}
    assert not under(small, "both")
    assert not under(small, "enter")


def test_one_table_is_no_choice(build: Build) -> None:
    assert not found(build(COMMON + "const struct ops a = { run_a, skip_a }; void (*p)(void) = run_b;"))[0]


def test_function_that_others_call_too(build: Build) -> None:
    small = build(TWO + "void call(void) { run_a(); }")
    assert not under(small, "run_a")
    assert under(small, "skip_a") == {"a"}


def test_function_that_a_statement_puts_into_the_table(build: Build) -> None:
    small = build(TWO + "struct ops c = { run_b, skip_b }; void change(void) { c.skip = skip_a; }")
    assert not under(small, "skip_a")
    assert under(small, "run_a") == {"a"}


def test_table_that_a_table_leads_to(build: Build) -> None:
    more = "static void show_a(void) { } const struct more m = { show_a };\n"
    tables = "const struct ops a = { run_a, skip_a, &m }; const struct ops b = { run_b, skip_b };\n"
    small = build(COMMON + more + tables + "void show(void) { in_use.more->show(); }")
    assert under(small, "show_a") == {"a"}


def test_table_that_others_name_too(build: Build) -> None:
    more = "static void show_a(void) { } const struct more m = { show_a };\n"
    tables = "const struct ops a = { run_a, skip_a, &m }; const struct ops b = { run_b, skip_b };\n"
    small = build(COMMON + more + tables + "void show(void) { in_use.more->show(); m.show(); }")
    assert not under(small, "show_a")


def test_address_that_one_implementation_hands_out(build: Build) -> None:
    handed = "void (*later)(void); static void late(void) { } static void lend(void) { later = late; }\n"
    text = TWO.replace("static void skip_a(void) { }", handed + "static void skip_a(void) { lend(); }")
    small = build(text + "void run_later(void) { later(); }")
    assert under(small, "late") == {"a"}


def test_tables_of_one_name_in_two_units(build: Build) -> None:
    other = """
    struct more { void (*show)(void); };
    struct ops { void (*run)(void); void (*skip)(void); const struct more *more; };
    static void run_c(void) { } static void skip_c(void) { }
    static const struct ops a = { run_c, skip_c };
    void use(const struct ops *ops);
    void use_c(void) { use(&a); }
    """
    small = build(TWO, other)
    assert found(small)[0]["ops"].tables == (("u0.c", "a"), ("u0.c", "b"), ("u1.c", "a"))
