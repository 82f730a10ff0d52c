# SPDX-License-Identifier: GPL-2.0-only
"""The index of a unit's declarations: extents, names, segments that interrupt, text that makes no sense."""

from __future__ import annotations

from hashlib import sha256

import pytest
from pycparser import c_ast

from analyzer.base.gap import GapKind
from analyzer.frontend.index import Declaration, DeclarationKind, DeclarationTable, ParseError
from analyzer.source.segment import Segment


def segment(text: str, file: str = "a.c", line: int = 1, depth: int = 0) -> Segment:
    return Segment(file, line, text, sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), depth)


def table(*texts: str | Segment) -> DeclarationTable:
    return DeclarationTable(tuple(text if isinstance(text, Segment) else segment(text) for text in texts))


def found(declaration: Declaration | None) -> Declaration:
    assert declaration is not None
    return declaration


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        ("int a;", "ordinary", ["a"]),
        ("int a = 1, *b, c[3] = { 1, 2 }, (*d)(int, int) = f;", "ordinary", ["a", "b", "c", "d"]),
        ("char *a = \",;{\", b = ';';", "ordinary", ["a", "b"]),
        ('extern struct s v __attribute__((section(".x")));', "ordinary", ["v"]),
        ("struct s *f(struct s *p, int (*g)(void));", "ordinary", ["f"]),
        ("struct s s(int);", "ordinary", ["s"]),
        ("void (*signal(int n, void (*h)(int)))(int);", "ordinary", ["signal"]),
        ("int (memcmp)(const void *, int);", "ordinary", ["memcmp"]),
        ("__typeof__(int (*)(void)) v;", "ordinary", ["v"]),
        ("typeof(({ int x; x; })) v = (struct s){ 1 }.a;", "ordinary", ["v"]),
        ("static struct s *v = &(struct s){ .a = 1 };", "ordinary", ["v"]),
        ("struct s { int a; } v, *w;", "ordinary", ["v", "w"]),
        ('int f(void) asm("g");', "ordinary", ["f"]),
        ("typedef int a, *b, (*c)(int), d[3];", "typedef", ["a", "b", "c", "d"]),
        ("__extension__ typedef struct { int x; } t;", "typedef", ["t"]),
        ("typedef struct s s;", "typedef", ["s"]),
        ("struct s { int a; };", "tag", []),
        ("struct s;", "tag", []),
        ("struct s { int a; } __attribute__((packed, aligned(8)));", "tag", []),
        ("struct __attribute__((packed)) s { int a; };", "tag", []),
        ("enum { A, B };", "tag", []),
        ('asm("x {" "}");', "asm", []),
        ('__asm__ __volatile__("x");', "asm", []),
        ('_Static_assert(1, "x");', "static assert", []),
        ("int f(void) { return 1; }", "function", ["f"]),
        ("static inline __attribute__((unused)) struct s *f(int a[({ 1; })])\n{\n}", "function", ["f"]),
        ("void (*signal(int n, void (*h)(int)))(int) { return 0; }", "function", ["signal"]),
        ("struct s f(void) __attribute__((x(1))) { }", "function", ["f"]),
        ("int (f)(void) { }", "function", ["f"]),
        ('void f(void) { char c = \'}\'; char *s = "}\\"}"; }', "function", ["f"]),
    ],
)
def test_one_declaration(text: str, kind: str, names: list[str]) -> None:
    unit = table(text + "\nint after;\n")
    first, after = unit.declarations()
    assert (first.text, first.kind, list(first.names)) == (text, kind, names)
    assert after.names == ("after",)
    assert unit.gaps == ()


def test_tags_and_enumerators_are_found_wherever_they_are_defined() -> None:
    text = "struct a { struct b { int x; } b; enum c { C1 = sizeof(int[2]), C2 = (1, 2), } c; union { enum { D } d; }; } v;"
    unit = table(text)
    assert all(found(unit.tag(tag)).text == text for tag in "abc")
    assert all(found(unit.enumerator(name)).text == text for name in ("C1", "C2", "D"))
    assert unit.tag("v") is None
    assert unit.enumerator("sizeof") is None


def test_a_function_may_define_the_record_it_returns() -> None:
    unit = table("struct s { int a; enum { A } e; } f(struct t { int b; } *p)\n{ }\nint after;")
    assert found(unit.ordinary("f")).kind == "function"
    assert all((unit.tag("s"), unit.tag("t"), unit.enumerator("A"), unit.ordinary("after")))


def test_enumerators_behind_deeply_nested_values() -> None:
    deep = "(" * 60 + "1, 2" + ")" * 60
    unit = table(f"enum e {{ A = {deep}, B = ({{ int c, d; c; }}), E }};")
    assert [name for name in ("A", "B", "E", "c", "d") if unit.enumerator(name)] == ["A", "B", "E"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_definition_wins_over_declarations(order: tuple[int, ...]) -> None:
    function = ["int f(int);", "int f(int a) { return a; }", "extern int f(int b);"]
    variable = ["extern int v;", "int v = 1;", "int v;"]
    unit = table(*[f"{function[i]}\n{variable[i]}" for i in order])
    assert found(unit.ordinary("f")).text == function[1]
    assert found(unit.ordinary("v")).text == variable[1]


def test_a_tentative_definition_wins_over_extern() -> None:
    assert found(table("int v;\nextern int v;").ordinary("v")).text == "int v;"


def test_kinds_of_names_do_not_mix() -> None:
    unit = table("struct x { int a; };\ntypedef int t;\nint x;\n")
    assert found(unit.tag("x")).text.startswith("struct")
    assert found(unit.ordinary("x")).text == "int x;"
    assert unit.typedef("x") is None
    assert unit.is_typedef("t")
    assert not unit.is_typedef("x")
    assert unit.ordinary("t") is None


def test_functions_come_in_order_with_their_places() -> None:
    unit = table(
        segment("int h(void) { }\n", "h.h", 7, 2),
        segment("\n#pragma once\n  int f(void)\n{\n}\nint v; int g(void) { }\n# -4\nint back(void) { }\n", "a.c", 10),
    )
    places = [(d.names[0], d.file, d.line, d.depth) for d in unit.functions()]
    assert places == [("h", "h.h", 7, 2), ("f", "a.c", 12, 0), ("g", "a.c", 15, 0), ("back", "a.c", 13, 0)]


def test_asms_come_in_order() -> None:
    assert [d.text for d in table('asm("a");\nint x;\nasm("b");').asms()] == ['asm("a");', 'asm("b");']


def test_a_function_that_only_moved_has_the_same_digest() -> None:
    text = "int f(void)\n{\n\treturn 1;\n}"
    here = found(table(text).ordinary("f"))
    moved = found(table(segment(f"\n\n#pragma x\n   {text}\n", "b.c", 99)).ordinary("f"))
    changed = found(table(text.replace("1", "2")).ordinary("f"))
    assert here.digest == moved.digest
    assert (here.file, here.line) != (moved.file, moved.line)
    assert here.digest != changed.digest


def test_equal_text_in_two_files_keeps_two_places() -> None:
    text = "static int f(void) { return 1; }\n"
    unit = table(segment(text, "a.h", 3, 1), segment(text, "b.h", 30, 1))
    assert [(d.file, d.line) for d in unit.functions()] == [("a.h", 3), ("b.h", 30)]


def test_a_declaration_that_an_include_interrupts_is_joined() -> None:
    unit = table(
        segment("int before;\nenum e {\n", "a.c", 10),
        segment("\tA,\n\tB,\n", "list.h", 5, 1),
        segment("\tC,\n};\nint after(void) { }\n", "a.c", 13),
    )
    assert [d.names or d.kind for d in unit.declarations()] == [("before",), "tag", ("after",)]
    assert all(unit.enumerator(name) for name in "ABC")
    assert found(unit.ordinary("after")).line == 15
    (node,) = unit.parse(found(unit.tag("e")))
    assert [(e.name, e.coord.file, e.coord.line) for e in node.type.values.enumerators] == [
        ("A", "a.c", 12),
        ("B", "a.c", 12),
        ("C", "a.c", 13),
    ]
    assert unit.gaps == ()


def test_a_function_body_that_includes_interrupt_twice_is_joined() -> None:
    unit = table(
        segment("void f(void)\n{\n", "a.c", 1),
        segment("x(1);\nx(2);\n", "ops.h", 9, 1),
        segment("\ty();\n", "a.c", 4),
        segment("x(3);\n", "ops.h", 9, 1),
        segment("}\nint g;\n", "a.c", 3),
    )
    (function,) = unit.parse(found(unit.ordinary("f")))
    assert [s.coord.line for s in function.body.block_items] == [3, 3, 4, 5]
    assert found(unit.ordinary("g")).line == 4
    assert unit.gaps == ()


def test_an_included_file_that_ends_the_declaration_keeps_its_rest() -> None:
    unit = table(
        segment("struct s {\n", "a.c", 1),
        segment("int a; };\nint rest;\n", "end.h", 1, 1),
        segment("int g;\n", "a.c", 3),
    )
    assert [d.names for d in unit.declarations()] == [(), ("rest",), ("g",)]
    assert unit.tag("s") is not None


def test_text_that_never_ends_costs_no_more_than_itself() -> None:
    unit = table(
        segment("int a;\nint f(void)\n{\n\tif (x) {\n\n}\nint b;\nint g(void)\n{\n}\n", "a.h", 1, 1),
        segment("int c;\nint h(void) { }\n", "b.c", 1),
    )
    assert [name for name in "abcgh" if unit.ordinary(name)] == ["a", "b", "c", "g", "h"]
    (gap,) = unit.gaps
    assert (gap.kind, gap.location.file, gap.location.line) == (GapKind.DECLARATION, "a.h", 2)


def test_a_truncated_file_leaves_what_came_before() -> None:
    unit = table("int a;\nint f(void)\n{\n\treturn a +")
    assert unit.ordinary("a")
    assert unit.ordinary("f") is None
    assert [gap.location.line for gap in unit.gaps] == [2]


@pytest.mark.parametrize("junk", ["}", "}}}\n}", "'", '"', '"abc', "int x = 'y;"])
def test_junk_between_declarations_is_a_gap(junk: str) -> None:
    unit = table(f"int a;\n{junk}\nint b;\nint f(void) {{ }}\n")
    assert all(unit.ordinary(name) for name in "abf")
    assert len(unit.gaps) == junk.count("}") or len(unit.gaps) == 1


@pytest.mark.parametrize("text", ["@ $ 1;", "+ x;", "= { 1 };", "({ x; });", "\0;"])
def test_what_declares_nothing_is_a_gap(text: str) -> None:
    unit = table(f"int a;\n{text}\nint b;\n")
    assert unit.ordinary("a")
    assert unit.ordinary("b")
    assert [(gap.location.line, gap.text) for gap in unit.gaps] == [(2, "not a declaration")]


@pytest.mark.parametrize("text", ["", "\n\n", ";;;", "#pragma x\n", " \t\n;"])
def test_nothing_declares_nothing(text: str) -> None:
    unit = table(text)
    assert (list(unit.declarations()), unit.gaps) == ([], ())


def test_braces_deeper_than_the_expression_matches_are_counted() -> None:
    text = "void f(void) " + "{" * 5000 + "'}'; \"}\";" + "}" * 5000
    unit = table(f"int a;\n{text}\nint b;\n")
    assert found(unit.ordinary("f")).text == text
    assert unit.ordinary("b")
    values = f"int v[] = {'{' * 5000}{'}' * 5000}, w;"
    assert table(values).ordinary("v")


def test_parse_remembers_and_asks_again_where_types_differ() -> None:
    text = "int x = (thing)-1;"
    plain = table("int thing;\n" + text)
    typed = table("typedef int thing;\n" + text)
    (difference,) = plain.parse(found(plain.ordinary("x")))
    (cast,) = typed.parse(found(typed.ordinary("x")))
    assert isinstance(difference.init, c_ast.BinaryOp)
    assert isinstance(cast.init, c_ast.Cast)
    again = table("int thing;\n" + text)
    assert again.parse(found(again.ordinary("x")))[0] is difference


def test_parse_does_not_mix_places() -> None:
    text = "int moved_value = 1;"
    first = table(segment(text, "a.c", 1))
    second = table(segment(text, "b.c", 9))
    assert first.parse(found(first.ordinary("moved_value")))[0].coord.line == 1
    node = second.parse(found(second.ordinary("moved_value")))[0]
    assert (node.coord.file, node.coord.line) == ("b.c", 9)


def test_a_signature_is_parsed_without_the_body() -> None:
    unit = table("static int f(int a)\n{ this is no C }\n")
    function = found(unit.ordinary("f"))
    (node,) = unit.parse_signature(function)
    assert isinstance(node, c_ast.Decl)
    assert node.name == "f"
    for _ in range(2):
        with pytest.raises(ParseError):
            unit.parse(function)


def test_an_error_is_remembered_with_its_place() -> None:
    unit = table("\n\nint bad = ;\n")
    declaration = found(unit.ordinary("bad"))
    for _ in range(2):
        with pytest.raises(ParseError, match=r"^a\.c:3:11: expected an expression before ';'"):
            unit.parse(declaration)


def test_kinds_compare_with_their_names() -> None:
    assert [kind.value for kind in DeclarationKind] == [
        "function",
        "ordinary",
        "typedef",
        "tag",
        "asm",
        "static assert",
    ]


def test_a_declaration_that_gives_a_name_its_own_type_hides_no_other() -> None:
    unit = table("extern struct s v;\nextern int f(int);\n", "extern typeof(v) v;\nextern __typeof__(f) f;\n")
    assert found(unit.ordinary("v")).text == "extern struct s v;"
    assert found(unit.ordinary("f")).text == "extern int f(int);"
