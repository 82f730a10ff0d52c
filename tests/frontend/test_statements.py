# SPDX-License-Identifier: GPL-2.0-only
"""Statements of GNU C: the shape of their trees."""

from __future__ import annotations

from typing import Any

import pytest
from pycparser import c_ast

from analyzer.frontend.nodes import AsmStatement, ComputedGoto, LabelAddress, LocalLabels, Range
from analyzer.frontend.parser import GnuParser, ParseError

TYPES = frozenset({"u8", "T"})


def statements(text: str) -> list[Any]:
    """Parse `text` as the body of a function."""
    (function,) = GnuParser().parse_declaration(f"void f(void) {{ {text} }}", TYPES.__contains__)
    return function.body.block_items or []


def test_asm_goto_keeps_all_its_parts() -> None:
    (node,) = statements(
        'asm volatile goto ("one" "two %[o]" : [o] "=r" (x), "+m" (*p) : "i" (sizeof(T)), [q] "r" ((u8)y) '
        ': "memory", "cc" : fail, out);'
    )
    assert isinstance(node, AsmStatement)
    assert node.template == "onetwo %[o]"
    assert [(o.name, o.constraint, type(o.expr)) for o in node.outputs] == [
        ("o", "=r", c_ast.ID),
        (None, "+m", c_ast.UnaryOp),
    ]
    assert [(o.name, o.constraint, type(o.expr)) for o in node.inputs] == [
        (None, "i", c_ast.UnaryOp),
        ("q", "r", c_ast.Cast),
    ]
    assert node.clobbers == ["memory", "cc"]
    assert node.labels == ["fail", "out"]
    assert node.is_goto


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('asm("nop");', ("nop", 0, 0, [], False)),
        ('__asm__ __volatile__("" ::: "memory");', ("", 0, 0, ["memory"], False)),
        ('asm inline volatile("x" : "=r"(a));', ("x", 1, 0, [], False)),
        ('__asm("x" : : "r"(a), "r"(b) : "cc");', ("x", 0, 2, ["cc"], False)),
        ('asm goto("x" : : : : l);', ("x", 0, 0, [], True)),
    ],
)
def test_asm_may_leave_parts_out(text: str, parts: tuple[Any, ...]) -> None:
    (node,) = statements(text)
    assert (node.template, len(node.outputs), len(node.inputs), node.clobbers, node.is_goto) == parts


def test_case_ranges_and_fallthrough() -> None:
    (switch,) = statements(
        "switch (x) { case 1 ... 5: a(); __attribute__((__fallthrough__)); case 'a': case 8: b(); break; default: ; }"
    )
    ranged, plain, second, default = switch.stmt.block_items
    assert isinstance(ranged.expr, Range)
    assert (ranged.expr.low.value, ranged.expr.high.value) == ("1", "5")
    assert [type(s) for s in ranged.stmts] == [c_ast.FuncCall, c_ast.EmptyStatement]
    assert plain.stmts == []
    assert [type(s) for s in second.stmts] == [c_ast.FuncCall, c_ast.Break]
    assert isinstance(default, c_ast.Default)


def test_computed_goto_and_local_labels() -> None:
    labels, table, jump = statements("__label__ one, two; static void *t[] = { &&one, &&two }; goto *t[i];")
    assert isinstance(labels, LocalLabels)
    assert labels.names == ["one", "two"]
    assert all(isinstance(expr, LabelAddress) for expr in table.init.exprs)
    assert isinstance(jump, ComputedGoto)
    assert isinstance(jump.expr, c_ast.ArrayRef)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("out: x();", c_ast.FuncCall),
        ("out: ;", c_ast.EmptyStatement),
        ("out:", c_ast.EmptyStatement),
        ("out: __attribute__((unused));", c_ast.EmptyStatement),
        ("out: { }", c_ast.Compound),
        ("T: x();", c_ast.FuncCall),
    ],
)
def test_a_label_may_stand_before_anything_and_at_the_end(text: str, kind: type) -> None:
    (label,) = statements(text)
    assert isinstance(label, c_ast.Label)
    assert isinstance(label.stmt, kind)


def test_a_declaration_may_follow_a_label() -> None:
    label, declaration = statements("out: int x = 1;")
    assert isinstance(label.stmt, c_ast.EmptyStatement)
    assert isinstance(declaration, c_ast.Decl)


def test_declarations_and_statements_mix() -> None:
    kinds = [
        type(s) for s in statements("x(); int a; a = 1; extern int g(T); for (u8 i = 0; ; ) { } struct s { int m; } s;")
    ]
    assert kinds == [c_ast.FuncCall, c_ast.Decl, c_ast.Assignment, c_ast.Decl, c_ast.For, c_ast.Decl]


def test_the_parts_of_loops_and_conditions() -> None:
    loop, until, forever, condition = statements(
        "while (a) b(); do { c(); } while (0); for (;;) break; if (x) y(); else if (z) { } else w();"
    )
    assert isinstance(loop.stmt, c_ast.FuncCall)
    assert isinstance(until.stmt, c_ast.Compound)
    assert (forever.init, forever.cond, forever.next) == (None, None, None)
    assert isinstance(condition.iffalse, c_ast.If)
    assert isinstance(condition.iffalse.iffalse, c_ast.FuncCall)


def test_a_dangling_else_belongs_to_the_inner_if() -> None:
    (outer,) = statements("if (a) if (b) x(); else y();")
    assert outer.iffalse is None
    assert outer.iftrue.iffalse is not None


def test_the_type_of_auto_type_is_inferred() -> None:
    (declaration,) = statements("__auto_type x = f();")
    assert isinstance(declaration.type.type, c_ast.InferredType)
    assert isinstance(declaration.init, c_ast.FuncCall)


def test_cleanup_stays_with_its_variable() -> None:
    first, second = statements("T g __attribute__((__cleanup__(unlock), unused)) = lock(), h;")
    (specifier,) = first.attributes
    assert [(a.name, a.namespace, a.arguments) for a in specifier.attributes] == [("cleanup", "gnu", "unlock")]
    assert second.attributes == []


def test_a_cleanup_among_the_specifiers_holds_for_all_declarators() -> None:
    both = statements("__attribute__((cleanup(unlock))) T g, h;")
    assert [d.attributes[0].attributes[0].arguments for d in both] == ["unlock", "unlock"]


def test_a_cleanup_in_an_initialiser_is_not_the_outer_variables() -> None:
    (outer,) = statements("int x = ({ T g __attribute__((cleanup(unlock))) = lock(); 1; });")
    assert outer.attributes == []
    assert outer.init.block_items[0].attributes[0].attributes[0].name == "cleanup"


@pytest.mark.parametrize(
    "text", ["goto ;", "case :", "if x;", "do x(); while (1)", "asm(x);", "{", "x()", "int;;}", "else;"]
)
def test_what_is_no_statement_is_an_error(text: str) -> None:
    with pytest.raises(ParseError):
        statements(text)
