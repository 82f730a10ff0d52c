# SPDX-License-Identifier: GPL-2.0-only
"""Expressions of GNU C: the shape of their trees."""

from __future__ import annotations

from typing import Any

import pytest
from pycparser import c_ast

from analyzer.frontend.nodes import BuiltinTypesCompatible, ChooseExpr, LabelAddress, Range
from analyzer.frontend.parser import GnuParser, ParseError

TYPES = frozenset({"u8", "T", "size_t"})


def expression(text: str) -> Any:
    """Parse `text` as the value that a function returns."""
    (function,) = GnuParser().parse_declaration(f"int f(void) {{ return {text}; }}", TYPES.__contains__)
    return function.body.block_items[0].expr


def show(node: Any) -> Any:
    """Write a tree as nested tuples, brackets where C would need none left out."""
    match node:
        case c_ast.ID():
            return node.name
        case c_ast.Constant():
            return node.value
        case c_ast.BinaryOp() | c_ast.Assignment():
            left, right = (node.left, node.right) if isinstance(node, c_ast.BinaryOp) else (node.lvalue, node.rvalue)
            return (show(left), node.op, show(right))
        case c_ast.UnaryOp():
            return (node.op, show(node.expr))
        case c_ast.StructRef():
            return (show(node.name), node.type, show(node.field))
        case c_ast.ArrayRef():
            return (show(node.name), "[]", show(node.subscript))
        case c_ast.FuncCall():
            return (show(node.name), "()", *([show(arg) for arg in node.args.exprs] if node.args else []))
        case c_ast.TernaryOp():
            return (show(node.cond), "?", node.iftrue and show(node.iftrue), ":", show(node.iffalse))
        case c_ast.Cast():
            return ("cast", type_words(node.to_type), show(node.expr))
        case c_ast.CompoundLiteral():
            return ("literal", type_words(node.type), len(node.init.exprs))
        case c_ast.Typename():
            return ("type", type_words(node))
        case c_ast.Compound():
            return ("statement expression", len(node.block_items))
        case c_ast.ExprList():
            return tuple(show(expr) for expr in node.exprs)
        case LabelAddress():
            return ("&&", node.name)
        case BuiltinTypesCompatible():
            return ("compatible", show(node.left), show(node.right))
        case ChooseExpr():
            return ("choose", show(node.cond), show(node.iftrue), show(node.iffalse))
    raise AssertionError(f"no way to show {node!r}")


def type_words(node: Any) -> str:
    """Spell a type roughly: its words, then a star for each pointer."""
    stars = ""
    while not isinstance(node, (c_ast.TypeDecl, c_ast.TypeOf)):
        stars += "*" if isinstance(node, c_ast.PtrDecl) else ""
        node = node.type
    inner = node.type
    if isinstance(inner, c_ast.TypeOf):
        return f"typeof({show(inner.expr)}){stars}"
    words = inner.names if isinstance(inner, c_ast.IdentifierType) else [inner.name]
    return " ".join([*node.quals, *words]) + stars


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b * c", ("a", "+", ("b", "*", "c"))),
        ("a * b + c", (("a", "*", "b"), "+", "c")),
        ("a - b - c", (("a", "-", "b"), "-", "c")),
        ("a || b && c | d ^ e & f", ("a", "||", ("b", "&&", ("c", "|", ("d", "^", ("e", "&", "f")))))),
        ("a == b < c << d + e % f", ("a", "==", ("b", "<", ("c", "<<", ("d", "+", ("e", "%", "f")))))),
        ("a = b += c", ("a", "=", ("b", "+=", "c"))),
        ("*p = x", (("*", "p"), "=", "x")),
        ("-x[1]++", ("-", ("p++", ("x", "[]", "1")))),
        ("!--*p", ("!", ("--", ("*", "p")))),
        ("a->b.c[i](x, y)->d", ((((((("a", "->", "b"), ".", "c"), "[]", "i")), "()", "x", "y"), "->", "d"))),
        ("f()", ("f", "()")),
        ("a ? b : c ? d : e", ("a", "?", "b", ":", ("c", "?", "d", ":", "e"))),
        ("a ?: b", ("a", "?", None, ":", "b")),
        ("(a, b)", ("a", "b")),
        ("(u8)x + 1", (("cast", "u8", "x"), "+", "1")),
        ("(u8)-x", ("cast", "u8", ("-", "x"))),
        ("(x)-1", ("x", "-", "1")),
        ("(struct s *)p->q", ("cast", "s*", ("p", "->", "q"))),
        ("(const volatile T *)p", ("cast", "const volatile T*", "p")),
        ("(typeof(x) *)p", ("cast", "typeof(x)*", "p")),
        ("(__typeof__(T) *)p", ("cast", "typeof(('type', 'T'))*", "p")),
        ("(typeof_unqual(x))p", ("cast", "typeof(x)", "p")),
        ("(T){1, 2}.a", (("literal", "T", 2), ".", "a")),
        ("&(T){ }", ("&", ("literal", "T", 0))),
        ("sizeof(T)", ("sizeof", ("type", "T"))),
        ("sizeof(T *) + 1", (("sizeof", ("type", "T*")), "+", "1")),
        ("sizeof x->y", ("sizeof", ("x", "->", "y"))),
        ("sizeof(x)", ("sizeof", "x")),
        ("sizeof (T){1}.a", ("sizeof", (("literal", "T", 1), ".", "a"))),
        ("__alignof__(T)", ("_Alignof", ("type", "T"))),
        ("__alignof(x->y)", ("_Alignof", ("x", "->", "y"))),
        ("({ int y = x; y; })", ("statement expression", 2)),
        ("({ p; })->q", (("statement expression", 1), "->", "q")),
        ("&&out", ("&&", "out")),
        ("a && b", ("a", "&&", "b")),
        ("__extension__ (a)", "a"),
        ("__builtin_types_compatible_p(typeof(x), u8 *)", ("compatible", ("type", "typeof(x)"), ("type", "u8*"))),
        ("__builtin_choose_expr(1, a, b)", ("choose", "1", "a", "b")),
        (
            "__builtin_offsetof(struct s, a.b[3].c)",
            (
                "__builtin_offsetof",
                "()",
                ("type", "s"),
                (((("a", ".", "b"), "[]", "3")), ".", "c"),
            ),
        ),
        ("__builtin_va_arg(ap, T *)", ("__builtin_va_arg", "()", "ap", ("type", "T*"))),
        ("__builtin_convertvector(v, T)", ("__builtin_convertvector", "()", "v", ("type", "T"))),
        ("__builtin_expect(!!(x), 0)", ("__builtin_expect", "()", ("!", ("!", "x")), "0")),
        ("x.T", ("x", ".", "T")),
        ("x->size_t", ("x", "->", "size_t")),
        ('"a" "b"', '"ab"'),
        ('L"a" u8"b"', 'L"ab"'),
        ("*(volatile T __seg_gs *)&x", ("*", ("cast", "volatile __seg_gs T*", ("&", "x")))),
        ("(unsigned __int128)x", ("cast", "unsigned __int128", "x")),
        ("(_Float16)x", ("cast", "_Float16", "x")),
        ("(T (*)(int))p", ("cast", "T*", "p")),
        ("__func__", "__func__"),
    ],
)
def test_an_expression_has_the_tree_that_c_gives_it(text: str, tree: Any) -> None:
    assert show(expression(text)) == tree


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1", "int"),
        ("0x1fUL", "unsigned long int"),
        ("017", "int"),
        ("1ull", "unsigned long long int"),
        ("0b11u", "unsigned int"),
        ("0xbadf", "int"),
        ("1.5", "double"),
        ("1e3f", "float"),
        ("0x1p3", "double"),
        ("1.0L", "long double"),
        ("'a'", "char"),
        (r"'\''", "char"),
    ],
)
def test_a_constant_knows_its_type(text: str, name: str) -> None:
    assert expression(text).type == name


def test_a_generic_selection_keeps_its_associations() -> None:
    node = expression("_Generic(x, int: 1, struct s *: 2, default: 3)")
    assert isinstance(node, c_ast.GenericSelection)
    assert [a.type and type_words(a.type) for a in node.associations] == ["int", "s*", None]


def test_a_range_in_an_array_designator_keeps_both_ends() -> None:
    (array,) = GnuParser().parse_declaration(
        "int a[] = { [1 ... 5] = 2, [7] 3, x: 4, .y.z[2] = 5, { }, 6, };", TYPES.__contains__
    )
    ranged, old, colon, nested, empty, plain = array.init.exprs
    index = ranged.name[0].expr
    assert isinstance(index, Range)
    assert (show(index.low), show(index.high), show(ranged.expr)) == ("1", "5", "2")
    assert (show(old.name[0].expr), show(old.expr)) == ("7", "3")
    assert (colon.name[0].name, show(colon.expr)) == ("x", "4")
    assert [type(part) for part in nested.name] == [c_ast.ID, c_ast.ID, c_ast.ArrayDesignator]
    assert empty.exprs == []
    assert show(plain) == "6"


@pytest.mark.parametrize(
    "text", ["", "a +", "(a", "a b", "T", "a ? : ", "f(", "x[", "1x", "08u8", "sizeof", "a..b", "&&1"]
)
def test_what_is_no_expression_is_an_error(text: str) -> None:
    with pytest.raises(ParseError):
        expression(f"0 + {text}")


def test_names_hide_types_in_the_scope_that_declares_them() -> None:
    source = "int f(int T) { { int u8 = u8 + T; u8 * T; } u8 * p; return (T)-1; }"
    (function,) = GnuParser().parse_declaration(source, TYPES.__contains__)
    block, pointer, result = function.body.block_items
    assert show(block.block_items[1]) == ("u8", "*", "T")
    assert isinstance(pointer, c_ast.Decl)
    assert show(result.expr) == ("T", "-", "1")
