# SPDX-License-Identifier: GPL-2.0-only
"""Texts that are not C, or are made to hurt: an error or a gap, never a crash, never a long wait."""

from __future__ import annotations

import time
from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.frontend.index import DeclarationTable
from analyzer.frontend.lexer import MAX_NESTING
from analyzer.frontend.parser import GnuParser, ParseError
from analyzer.source.segment import Segment

N = 10_000

SAMPLE = """\
typedef struct list { struct list *next; int n:3; } list_t;
enum e { A = 1, B = A << 2, };
static inline __attribute__((unused)) int first(list_t *l, int (*cb)(struct list *))
{
	int r __attribute__((cleanup(done))) = ({ typeof(l) _l = l; _l ? cb(_l) : -1; });
	switch (r) { case 1 ... 5: goto out; default: asm volatile("nop" : "=r"(r) : : "memory"); }
	for (int i = 0; i < 3; i++) { if (i == (int)sizeof(list_t)) continue; else break; }
out:
	return r ?: l->next->n;
}
static const struct list all[] = { [A ... B] = { .n = 1 }, };
"""

WORDS = [
    *["int", "x", "(", ")", "{", "}", "[", "]", ";", ",", "=", "*", "&", "&&", ":", "?", "...", "#", "+", "->", "."],
    *["asm", "goto", "case", "list_t", "struct", "enum", "typedef", "1", "__attribute__", "typeof", "sizeof"],
    *["__label__", "_Generic", "if", "else", "for", "static", "return", "__auto_type", '"s"', "'c'", "\n"],
]


def parse(text: str) -> None:
    with suppress(ParseError):
        GnuParser().parse_declaration(text, {"list_t"}.__contains__, "a.c", 1)


def index(text: str) -> DeclarationTable:
    table = DeclarationTable((Segment("a.c", 1, text, sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), 0),))
    for declaration in table.declarations():
        with suppress(ParseError):
            table.parse(declaration)
    return table


@pytest.mark.parametrize(
    "text",
    [
        "int x = " + "(" * N + "1" + ")" * N + ";",
        "int x = " + "({" * N + "1;" + "})" * N + ";",
        "int x = " + "[" * N + ";",
        "int x = " + "{" * N + "1" + "}" * N + ";",
        "void f(void) " + "{" * N + "}" * N,
        "void f(void) { " + "if (x) { " * N + "}" * N + " }",
        "struct s { " * N + "int x;" + "};" * N,
        "int " + "(" * N + "x" + ")" * N + ";",
        "int x __attribute__(" + "(" * N + ")" * N + ");",
    ],
)
def test_deep_brackets_are_an_error_with_a_place(text: str) -> None:
    with pytest.raises(ParseError, match=rf"^a\.c:1:\d+: brackets nested more than {MAX_NESTING} deep"):
        GnuParser().parse_declaration(text, frozenset().__contains__, "a.c", 1)


@pytest.mark.parametrize(
    "text",
    [
        "int x = " + "!" * 10 * N + "1;",
        "int x = " + "a = " * 10 * N + "1;",
        "int x = " + "a ? b : " * 10 * N + "1;",
        "int x = " + "(int)" * 10 * N + "1;",
        "void f(void) { " + "if (x) " * 10 * N + "y(); }",
        "void f(void) { " + "while (x) " * 10 * N + "y(); }",
        "void f(void) { " + "do " * 10 * N + "; }",
        "int " + "*" * 10 * N + "x;",
        "int x" + "[1]" * 10 * N + ";",
        "int x = sizeof " + "sizeof " * 10 * N + "1;",
    ],
)
def test_nesting_without_brackets_ends_in_a_tree_or_an_error(text: str) -> None:
    parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "void f(void) { " + "if (x) y(); else " * N + ";}",
        "void f(void) { switch (x) { " + "case 1: " * N + "; } }",
        "void f(void) { " + "l: " * N + "; }",
        "int x = 1" + " + 1" * N + ";",
        "int x = a" + ".b" * N + ";",
        "int x = f" + "(1)" * N + ";",
    ],
)
def test_long_chains_are_no_nesting(text: str) -> None:
    assert GnuParser().parse_declaration(text, frozenset().__contains__, "a.c", 1)


def test_the_parser_can_be_used_after_an_error() -> None:
    parser = GnuParser()
    for text in ("int x = ((;", "int x = " + "!" * 10 * N + "1;", "{", 'int x = "'):
        with pytest.raises(ParseError):
            parser.parse_declaration(text, frozenset().__contains__, "a.c", 1)
    (node,) = parser.parse_declaration("int x;", frozenset().__contains__, "a.c", 1)
    assert node.name == "x"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 20 * N,
        "{" * 20 * N,
        "}" * 2 * N,
        "typeof(" * 2 * N,
        "__attribute__((" * 2 * N,
        "enum {" * 2 * N,
        '"' * 20 * N,
        "'" * 20 * N,
        "\\" * 20 * N,
        "int a" + ",(" * 2 * N + ";",
        "struct " * 2 * N + "{",
        "= {" * 2 * N,
        "{\n}\n" * N,
        "{\n" * N + "}\n" * N,
        "int f(void) {\n}\n{\n" * 300,
        "#" * 20 * N,
        "# -1\n" * 2 * N,
        "\0" * 20 * N,
        "\ufffd\udcff\u2028 x;" * N,
        "a " * 20 * N,
        "*" * 20 * N + ";",
    ],
)
def test_hostile_text_is_indexed_in_no_time(text: str) -> None:
    begin = time.process_time()
    index(text + "\nint after;\n")
    assert time.process_time() - begin < 5


@given(st.text(max_size=200))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    parse(text)
    index(text)


@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_any_words_of_c_are_parsed_or_refused(words: list[str]) -> None:
    parse(" ".join(words))
    index(" ".join(words))


@given(st.integers(0, len(SAMPLE)), st.integers(0, 30), st.text("(){}[];,\"'#x*=\n\0", max_size=4))
def test_real_code_with_a_wound_is_parsed_or_refused(at: int, length: int, junk: str) -> None:
    index(SAMPLE[:at] + junk + SAMPLE[at + length :])


def test_the_sample_is_sound() -> None:
    table = index(SAMPLE)
    assert table.gaps == ()
    assert [d.names for d in table.declarations()] == [("list_t",), (), ("first",), ("all",)]
    for declaration in table.declarations():
        table.parse(declaration)
