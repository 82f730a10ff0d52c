# SPDX-License-Identifier: GPL-2.0-only
"""Declarations of GNU C: the shape of their trees."""

from __future__ import annotations

from typing import Any

import pytest
from pycparser import c_ast

from analyzer.frontend.nodes import AsmStatement
from analyzer.frontend.parser import GnuParser, ParseError

TYPES = frozenset({"u8", "T", "size_t"})


def parse(text: str) -> list[Any]:
    return GnuParser().parse_declaration(text, TYPES.__contains__, "a.c", 1)


def layers(node: Any) -> str:
    """Name the declarator's layers from the outside in: `*` pointer, `[]` array, `()` function."""
    shown = ""
    while not isinstance(node, c_ast.TypeDecl):
        shown += {c_ast.PtrDecl: "*", c_ast.ArrayDecl: "[]", c_ast.FuncDecl: "()"}.get(type(node), "")
        node = node.type
    return shown


def kept(node: Any) -> list[tuple[str, str | None]]:
    return [(a.name, a.arguments) for specifier in node.attributes for a in specifier.attributes]


@pytest.mark.parametrize(
    ("text", "names", "shape"),
    [
        ("int a;", ["a"], [""]),
        ("int *a, b[3], (*c)(T), *(*d[2])(void);", ["a", "b", "c", "d"], ["*", "[]", "*()", "[]*()*"]),
        ("extern T T;", ["T"], [""]),
        ("struct { T a; } T;", ["T"], [""]),
        ("void (*signal(int n, void (*f)(int)))(int);", ["signal"], ["()*()"]),
        ("int (memcmp)(const void *, const void *, size_t);", ["memcmp"], ["()"]),
        ("int f(int (*cb)(T), T (*)(T), u8 u8, T *T);", ["f"], ["()"]),
        ("int * const __restrict p, * __attribute__((x)) volatile q;", ["p", "q"], ["*", "*"]),
        ("typedef T *U, V[2];", ["U", "V"], ["*", "[]"]),
        ("__extension__ typedef unsigned long long U;", ["U"], [""]),
        ('extern struct s __attribute__((weak)) *a __attribute__((section("x")));', ["a"], ["*"]),
    ],
)
def test_declarators_name_what_they_declare(text: str, names: list[str], shape: list[str]) -> None:
    nodes = parse(text)
    assert [node.name for node in nodes] == names
    assert [layers(node.type) for node in nodes] == shape


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("__signed__ char", ["signed", "char"]),
        ("unsigned long long int", ["unsigned", "long", "long", "int"]),
        ("__int128", ["__int128"]),
        ("_Float16", ["_Float16"]),
        ("__float128", ["__float128"]),
        ("__builtin_va_list", ["__builtin_va_list"]),
        ("_Bool", ["_Bool"]),
        ("_Complex double", ["_Complex", "double"]),
    ],
)
def test_basic_types_keep_their_words(words: str, expected: list[str]) -> None:
    (node,) = parse(f"static {words} x;")
    assert node.type.type.names == expected
    assert node.storage == ["static"]


def test_other_spellings_become_the_plain_word() -> None:
    (node,) = parse("static __inline__ __const int * __volatile__ f(void);")
    assert node.funcspec == ["inline"]
    assert node.quals == ["const"]
    assert node.type.type.quals == ["volatile"]


def test_thread_storage_noreturn_and_address_space() -> None:
    (node,) = parse("_Noreturn static __thread __seg_gs _Bool b;")
    assert (node.storage, node.funcspec, node.quals) == (["static", "_Thread_local"], ["_Noreturn"], ["__seg_gs"])


def test_members_of_all_sorts() -> None:
    (node,) = parse(
        "struct s { int a:3 __attribute__((packed)), :2; struct { int u; union { T T; }; }; int z[0]; struct { } e;"
        ' _Static_assert(1, "x"); enum { A, } en; int (*op)(struct s *); T; int y[]; }'
        " __attribute__((packed)) __attribute__((aligned(8)));"
    )
    record = node.type
    shown = [
        (type(d).__name__, getattr(d, "name", None), getattr(d, "bitsize", None) is not None) for d in record.decls
    ]
    assert shown == [
        ("Decl", "a", True),
        ("Decl", None, True),
        ("Decl", None, False),
        ("Decl", "z", False),
        ("Decl", "e", False),
        ("StaticAssert", None, False),
        ("Decl", "en", False),
        ("Decl", "op", False),
        ("Decl", None, False),
        ("Decl", "y", False),
    ]
    anonymous = record.decls[2].type
    assert [d.name for d in anonymous.decls] == ["u", None]
    assert [d.name for d in anonymous.decls[1].type.decls] == ["T"]


@pytest.mark.parametrize("text", ["struct s { };", "union u { } __attribute__((x));", "struct { } x;"])
def test_records_may_be_empty(text: str) -> None:
    (node,) = parse(text)
    record = node.type.type if isinstance(node.type, c_ast.TypeDecl) else node.type
    assert record.decls == []


def test_an_enumeration_may_end_in_a_comma_and_bear_attributes() -> None:
    (node,) = parse("enum __attribute__((packed)) e { A = 1, B __attribute__((deprecated)) = A << 2, C, };")
    assert node.type.name == "e"
    assert [e.name for e in node.type.values.enumerators] == ["A", "B", "C"]


@pytest.mark.parametrize(
    "text",
    [
        "void die(void) __attribute__((noreturn)) __attribute__((cold));",
        "void die(void) __attribute__((__cold__, __noreturn__));",
        "__attribute__((noreturn)) void die(void);",
        "void __attribute__((noreturn)) die(void);",
        "extern void die(void) __attribute__((noreturn)), live(void);",
        "static void __attribute__((noreturn)) die(void) { for (;;) ; }",
        "__attribute__((noreturn)) static __attribute__((cold)) void die(void) { for (;;) ; }",
    ],
)
def test_noreturn_is_kept_wherever_it_stands(text: str) -> None:
    first, *rest = parse(text)
    assert kept(first.decl if isinstance(first, c_ast.FuncDef) else first) == [("noreturn", None)]
    assert all(kept(node) == [] for node in rest)


def test_assembler_names_sections_and_aliases_are_kept() -> None:
    first, second = parse('extern int foo(int) asm("bar") __attribute__((alias("a" "b"))), q __asm__("z");')
    assert kept(first) == [("asm", "bar"), ("alias", '"a" "b"')]
    assert kept(second) == [("asm", "z")]
    (third,) = parse('static void *p __attribute__((__used__)) __attribute__((__section__(".init"))) = &x;')
    assert kept(third) == [("section", '".init"')]


def test_a_members_attribute_is_not_the_records() -> None:
    (node,) = parse("struct s { void (*die)(void) __attribute__((noreturn)); int a; } v;")
    assert kept(node) == []
    assert [kept(member) for member in node.type.type.decls] == [[("noreturn", None)], []]


@pytest.mark.parametrize(
    "text",
    [
        "void f(void (*die)(void) __attribute__((noreturn)), int);",
        "void *p = (void (*)(void) __attribute__((noreturn)))q;",
        'int n = sizeof(struct { int a __attribute__((section("x"))); });',
    ],
)
def test_an_attribute_inside_a_declaration_is_not_the_declarations(text: str) -> None:
    (node,) = parse(text)
    assert kept(node) == []


def test_top_level_assembly_and_assertions() -> None:
    (assembly,) = parse('asm(".section x\\n" "\\ty");')
    assert isinstance(assembly, AsmStatement)
    assert assembly.template == ".section x\\n\\ty"
    (assertion,) = parse('_Static_assert(sizeof(T) == 4, "four");')
    assert isinstance(assertion, c_ast.StaticAssert)
    assert parse(";") == []


def test_typeof_over_a_statement_expression() -> None:
    (node,) = parse("typedef typeof(({ int x; x; })) t;")
    assert isinstance(node.type.type, c_ast.TypeOf)
    assert isinstance(node.type.type.expr, c_ast.Compound)


def test_alignment_and_atomic_specifiers() -> None:
    (node,) = parse("static _Alignas(8) _Alignas(T) _Atomic int x;")
    assert len(node.align) == 2
    assert node.quals == ["_Atomic"]


def test_every_place_is_the_one_in_the_source() -> None:
    text = "static int f(void)\n{\n#pragma GCC diagnostic push\n\treturn a +\n# -3\n  b;\n}\n"
    (function,) = GnuParser().parse_declaration(text, TYPES.__contains__, "dir/a.c", 10)
    place = function.decl.coord
    assert (place.file, place.line, place.column) == ("dir/a.c", 10, 12)
    result = function.body.block_items[0]
    assert (result.coord.line, result.coord.column) == (13, 2)
    assert (result.expr.right.coord.line, result.expr.right.coord.column) == (12, 3)
    assert str(result.coord) == "dir/a.c:13:2"


def test_columns_count_bytes() -> None:
    (node, second) = parse('char *a = "é", b;')
    assert second.coord.column == len('char *a = "é", '.encode()) + 1
    assert node.coord.column == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("int a", "a.c:1:5: unexpected end"),
        ("int a b;", "a.c:1:7: expected ';' before 'b'"),
        ("int f(void) { return 1 }", "a.c:1:24: expected ';' before '}'"),
        ("int f(void) {\n  x = ;\n}", "a.c:2:7: expected an expression before ';'"),
        ("int @ a;", "a.c:1:5: stray character '@'"),
        ('int a = "x;', "a.c:1:9: unterminated literal"),
    ],
)
def test_an_error_says_what_is_wrong_and_where(text: str, message: str) -> None:
    with pytest.raises(ParseError) as raised:
        parse(text)
    assert str(raised.value) == message
