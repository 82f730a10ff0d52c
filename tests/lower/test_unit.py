# SPDX-License-Identifier: GPL-2.0-only
"""Whole units: which functions are taken, and what stands around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from analyzer.base.gap import GapKind
from analyzer.facts.unit import AddressTaken
from analyzer.ir.dump import dump_path
from analyzer.ir.function import At
from analyzer.ir.types import INT, VOID, Array, Enum, Function, Pointer, Record, Scalar, spell

Extract = Callable[..., Any]


def slots(unit: Any) -> list[tuple[str, str]]:
    return [(dump_path(i.path, records=True), i.function) for i in unit.facts.initialisers]


def test_own_functions_and_the_inlines_they_reach_are_taken(extract: Extract) -> None:
    header = """
        static inline int twice(int x) { return x + x; }
        static inline int unused(int x) { return x; }
        static inline int four(int x) { return twice(twice(x)); }
        static inline void released(int *p) { }
        static inline int slot(int x) { return x; }
        static inline int constant_arm(int x) { return x; }
    """
    unit = extract(
        """
        static int (*table[])(int) = { slot };
        int own(int x) { int v __attribute__((cleanup(released))) = four(x); return sizeof(int) == 4 ? v : constant_arm(v); }
        static int nobody(void) { return 1; }
        """,
        header,
    )
    names = [ref.name for ref in unit.facts.functions]
    assert names == ["own", "nobody", "twice", "four", "released", "slot"]
    refs = {ref.name: ref for ref in unit.facts.functions}
    assert (refs["own"].static, refs["own"].inline) == (False, False)
    assert (refs["nobody"].static, refs["nobody"].inline) == (True, False)
    assert (refs["twice"].static, refs["twice"].inline) == (True, True)
    assert str(refs["own"].location) == "a.c:3:5"
    assert refs["twice"].location.file == "a.h"


def test_what_a_function_uses_is_listed(extract: Extract) -> None:
    unit = extract("""
        struct s { struct { int n; } in; void (*cb)(void); };
        extern struct s *all;
        void g(void); void reg(int, void (*)(void)); int h(struct s *);
        void *f(struct s *p)
        {
            reg(1, g);
            p->cb = g;
            all->in.n = h(p);
            return g;
        }
    """)
    facts = unit["f"]
    assert facts.calls == ("h", "reg")
    assert facts.fields == ("s.cb", "s.in", "s.in.n")
    assert facts.globals == ("all",)
    assert facts.address_taken == (
        AddressTaken("g", "argument", "reg", 1, At(2, 5)),
        AddressTaken("g", "store", "", 0, At(3, 5)),
        AddressTaken("g", "return", "", 0, At(5, 5)),
    )
    assert len(facts.digest) == 64


def test_ops_tables_list_their_functions(extract: Extract) -> None:
    unit = extract("""
        struct ops { int (*open)(void); struct { void (*off)(int); } power; int (*more[3])(void); const struct ops *next; };
        int a(void); int b(void); void off(int);
        static const struct ops fops = { .open = a, .power = { off }, .more = { [1] = b, [2] = (int (*)(void))&a } };
        struct ops many[] = { { a }, { .open = 0, .power.off = off }, { .next = &(struct ops){ .open = b } } };
        int (*lone)(void) = sizeof(int) == 4 ? b : a;
        void f(void) { static struct ops inner = { .open = b }; inner.open(); }
    """)
    assert sorted(slots(unit)) == [
        ("f.inner.ops::open", "b"),
        ("fops.ops::more[1]", "b"),
        ("fops.ops::more[2]", "a"),
        ("fops.ops::open", "a"),
        ("fops.ops::power.ops.power::off", "off"),
        ("lone", "b"),
        ("many[0].ops::open", "a"),
        ("many[1].ops::power.ops.power::off", "off"),
        ("many[2].ops::next->ops::open", "b"),
    ]
    place = {i.function + dump_path(i.path): str(i.location) for i in unit.facts.initialisers}
    assert place["bf.inner.open"] == "a.c:7:52"
    assert place["afops.open"] == "a.c:4:42"


def test_globals_are_described(extract: Extract) -> None:
    unit = extract(
        """
        static int counter;
        struct s here = { 1 };
        int f(void) { static long n; return counter + there.n + n; }
        """,
        "struct s { int n; }; extern struct s there; extern int unused; static const int table[3] = { 1 };",
    )
    described = [(g.name, spell(g.type), g.static, g.defined, g.location.file) for g in unit.facts.globals]
    assert described == [
        ("counter", "int", True, True, "a.c"),
        ("f.n", "long", True, True, "a.c"),
        ("here", "struct s", False, True, "a.c"),
        ("there", "struct s", False, False, "a.h"),
    ]


def test_functions_named_but_not_defined_are_declared(extract: Extract) -> None:
    unit = extract(
        "void f(void) { if (g(0, 1)) die(); reg(h); implicit(); }",
        """
        int g(char *, int, ...);
        void die(void) __attribute__((__noreturn__));
        void reg(void (*)(void)); void h(void); void unused(void);
        """,
    )
    declared = {d.name: d for d in unit.facts.declared}
    assert sorted(declared) == ["die", "g", "h", "implicit", "reg"]
    assert declared["g"].type == Function(INT, (Pointer(Scalar("char")), INT), True)
    assert declared["die"].noreturn
    assert not declared["g"].noreturn
    assert str(declared["h"].location) == "a.h:4"


def test_records_are_laid_out_with_their_promoted_members(extract: Extract) -> None:
    unit = extract("""
        typedef struct { int counter; } atomic_t;
        enum kind { ONE };
        struct other { int never; };
        struct s {
            int a;
            union { long b; struct { char c[4]; }; };
            struct { atomic_t users; } gmem;
            enum kind kind;
            const struct other *o;
            int (*cb)(struct s *);
        };
        int f(struct s *p) { return p->gmem.users.counter; }
    """)
    records = {record.name: record for record in unit.facts.records}
    assert sorted(records) == ["atomic_t", "s", "s.gmem"]
    assert [(m.name, spell(m.type)) for m in records["s"].members] == [
        ("a", "int"),
        ("b", "long"),
        ("c", "char[4]"),
        ("gmem", "struct s.gmem"),
        ("kind", "enum kind"),
        ("o", "const struct other *"),
        ("cb", "int (*)(struct s *)"),
    ]
    assert records["s"].members[4].type == Enum("kind")
    assert records["s.gmem"].members[0].type == Record("struct", "atomic_t")
    assert records["s"].members[2].type == Array(Scalar("char"), 4)
    assert (records["s"].location.line, records["s.gmem"].location.line) == (5, 8)


def test_a_member_may_have_any_name(extract: Extract) -> None:
    unit = extract("""
        struct list { int n; };
        struct club { struct list members; };
        int f(struct club *club) { return club->members.n; }
    """)
    records = {record.name: record for record in unit.facts.records}
    assert [(m.name, spell(m.type)) for m in records["club"].members] == [("members", "struct list")]


def test_exports_and_initcalls_are_read_from_assembly(extract: Extract) -> None:
    unit = extract(r"""
        int shared(void) { return 0; }
        static int start(void) { return 0; }
        static void stop(void) { }
        static void * __attribute__((__section__(".discard.addressable"))) keep_shared = (void *)&shared;
        asm(".section \".export_symbol\",\"a\" ; __export_symbol_shared: ; .asciz \"GPL\" ; .quad shared ; .previous");
        asm(".section	\"" ".initcall6" ".init" "\", \"a\"		\n" "__initcall__x6" ":			\n" ".long	" "start" " - .	\n");
        static void (*at_exit)(void) __attribute__((__section__(".exitcall.exit"))) = stop;
    """)
    assert unit.facts.exports == ("shared",)
    assert unit.facts.initcalls == ("start", "stop")
    assert unit.facts.initialisers == ()


def test_modules_name_their_initcalls_by_alias(extract: Extract) -> None:
    unit = extract("""
        static int start(void) { return 0; }
        int init_module(void) __attribute__((alias("start")));
    """)
    assert unit.facts.initcalls == ("start",)


def test_a_function_that_does_not_parse_is_a_gap(extract: Extract) -> None:
    unit = extract("int f(int x) { return x +; }\nint g(void) { return 1; }")
    assert [(ref.name, bool(ref.facts_key)) for ref in unit.facts.functions] == [("f", False), ("g", True)]
    (gap,) = unit.facts.gaps
    assert gap.kind is GapKind.BODY
    assert str(gap.location) == "a.c:1:5"
    assert gap.text.startswith("f() is skipped: ")


def test_deep_nesting_is_a_gap(extract: Extract) -> None:
    deep = "int f(int x) { return " + "(" * 10_000 + "x" + ")" * 10_000 + "; }"
    terms = "int g(int x) { return " + " + ".join(["x"] * 10_000) + "; }"
    unit = extract(f"{deep}\n{terms}\nint h(void) {{ return 1; }}")
    kinds = {gap.text.partition("(")[0]: gap.kind for gap in unit.facts.gaps}
    assert kinds == {"f": GapKind.BODY, "g": GapKind.LOWERING}
    assert "h" in unit


def test_unknown_members_are_gaps_of_their_function(extract: Extract) -> None:
    unit = extract("struct s; int f(struct s *p) { return p->n + q; }")
    assert [(gap.kind, gap.location.line) for gap in unit["f"].gaps] == [(GapKind.TYPE, 0), (GapKind.TYPE, 0)]
    assert unit.facts.gaps == ()


def test_a_known_function_is_not_lowered_again(extract: Extract, memo: Any) -> None:
    header = "struct s { int n; }; static inline int get(struct s *p) { return p->n; }"
    text = "int f(struct s *p) { return get(p); }"
    first = extract(text, header)
    n_lowered = memo.n_lowered
    second = extract(text, header)
    assert memo.n_lowered == n_lowered
    assert msgspec.msgpack.encode(first.facts) == msgspec.msgpack.encode(second.facts)


def test_an_edit_elsewhere_leaves_a_function_known(extract: Extract, memo: Any) -> None:
    header = "struct s {{ int n; }}; struct other {{ {} }}; static inline int get(struct s *p) {{ {} }}"
    text = "{}\nint f(struct s *p) {{ return get(p) + ({{ int __UNIQUE_ID_x{} = 1; __UNIQUE_ID_x{}; }}); }}"
    first = extract(text.format("int a;", 7, 7), header.format("int a;", "return p->n;"))
    # another line, another record, another body of an inline, another __COUNTER__
    second = extract(text.format("int a;\nint b;", 9, 9), header.format("long b;", "return p->n + 1;"))
    keys = [{ref.name: ref.facts_key for ref in unit.facts.functions} for unit in (first, second)]
    assert keys[0]["f"] == keys[1]["f"]
    assert keys[0]["get"] != keys[1]["get"]
    assert memo.n_lowered == 3


def test_an_edit_of_what_a_function_looks_up_makes_it_anew(extract: Extract, memo: Any) -> None:
    parts = {
        "typedef": ("typedef int num_t;", "typedef long num_t;"),
        "enum": ("enum { SIZE = 3 };", "enum { SIZE = 4 };"),
        "record": ("struct s { num_t n; };", "struct s { num_t m, n; };"),
        "prototype": ("num_t g(num_t);", "num_t g(num_t) __attribute__((noreturn));"),
        "variable": ("extern struct s all;", "extern struct s all[1];"),
    }
    text = "num_t f(void) { return g(SIZE) + sizeof(num_t) + (&all)->n; }"
    for n_lowered, changed in enumerate(["", *parts], 1):
        extract(text, "\n".join(parts[part][part == changed] for part in parts))
        assert memo.n_lowered == n_lowered, changed


def test_a_trace_names_what_was_looked_up_and_nothing_else(extract: Extract) -> None:
    unit = extract(
        "int f(struct s *p) { return p->t + p->next->t; }",
        "typedef int t_t; typedef long l_t; struct s { t_t t; l_t l; struct other *o; struct s *next; };",
    )
    assert sorted(unit.trace("f")) == ["a:f", "g:s", "t:t_t"]


def test_what_a_unit_says_of_itself_does_not_hang_on_the_memo(extract: Extract) -> None:
    header = "struct s { int n; }; static inline int get(struct s *p) { static int k; return p->n + k; }"
    units = ["int f(struct s *p) { return get(p); }", "int g(struct s *p) { return get(p) + get(p); }"]
    cold = [msgspec.msgpack.encode(extract(text, header).facts) for text in units]
    warm = [msgspec.msgpack.encode(extract(text, header).facts) for text in reversed(units)]
    assert cold == warm[::-1]


def test_types_of_a_signature(extract: Extract) -> None:
    unit = extract("void f(int a[3], int g(void), struct s *, unsigned char, ...) { }", "struct s;")
    ir = unit["f"].ir
    assert [spell(p.type) for p in ir.parameters] == ["int *", "int (*)(void)", "struct s *", "unsigned char"]
    assert [p.name for p in ir.parameters] == ["a", "g", "", ""]
    assert (ir.variadic, ir.returns) == (True, VOID)


def test_both_calls_are_told_where_the_compiler_chooses_between_equals(extract: Extract) -> None:
    unit = extract("""
        static int fast(int x) { return x; }
        static int slow(int x) { return x; }
        static int never(int x) { return x; }
        int f(int x, int (*g)(int)) { return __builtin_constant_p(x) ? fast(x) : slow(x); }
        int g(int x) { int (*fast)(int) = slow; return __builtin_constant_p(x) && fast(x); }
        int h(int x) { return __builtin_constant_p(1) ? fast(x) : never(x); }
    """)
    assert unit["f"].calls == ("fast", "slow")
    assert "fast" not in unit["g"].calls
    assert unit["h"].calls == ("fast",)


def test_what_a_header_defines_for_the_linker_is_taken(extract: Extract) -> None:
    header = """
        static int printed(int x) { return x; }
        static int unused(int x) { return x; }
        extern inline __attribute__((gnu_inline)) int inlined(int x) { return x; }
        int emitted(int x) { return x; }
        struct ops { int (*print)(int); };
        static struct ops reached = { .print = printed };
        static struct ops ignored = { .print = unused };
        static struct ops *kept __attribute__((used)) = &reached;
        extern struct ops elsewhere;
    """
    unit = extract("int own(void) { return 0; }", header)
    assert [ref.name for ref in unit.facts.functions] == ["own", "printed", "emitted"]
    assert slots(unit) == [("reached.ops::print", "printed")]
