# SPDX-License-Identifier: GPL-2.0-only
"""The grammar of expressions.

In: tokens. Out: pycparser's expression nodes and those of `nodes`.

These methods replace pycparser's: one look at the kind of the next token decides, which halves the time to parse.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pycparser import c_ast, c_parser

from analyzer.frontend.cursor import _DECLARATION_STARTS, Cursor
from analyzer.frontend.lexer import Token
from analyzer.frontend.nodes import BuiltinTypesCompatible, ChooseExpr, LabelAddress, Range

_ASSIGNMENTS = frozenset(c_parser._ASSIGNMENT_OPS)
_PRECEDENCE: dict[str | None, int] = dict(c_parser._BINARY_PRECEDENCE)
_CONSTANTS = frozenset(c_parser._INT_CONST | c_parser._FLOAT_CONST | c_parser._CHAR_CONST)
_STRINGS = frozenset(c_parser._STRING_LITERAL)
_POSTFIX = frozenset({"LBRACKET", "LPAREN", "PERIOD", "ARROW", "PLUSPLUS", "MINUSMINUS"})
_INTEGER_SUFFIXES = frozenset({"", "u", "l", "ul", "lu", "ll", "ull", "llu"})
#: what may follow an operand that is the whole expression
_ENDS = frozenset({"COMMA", "RPAREN", "SEMI", "RBRACKET", "RBRACE", "COLON"})


class Expressions(Cursor):
    """Expressions of GNU C."""

    # BNF: expression : assignment_expression (',' assignment_expression)*
    def _parse_expression(self) -> c_ast.Node:
        expr = self._parse_assignment_expression()
        if self._kinds[self._at] != "COMMA":
            return expr
        exprs = [expr]
        while self._kinds[self._at] == "COMMA":
            self._at += 1
            exprs.append(self._parse_assignment_expression())
        return c_ast.ExprList(exprs, expr.coord)

    # BNF: assignment_expression : conditional_expression
    #                            | unary_expression assignment_op assignment_expression
    def _parse_assignment_expression(self) -> c_ast.Node:
        at = self._at
        if self._kinds[at + 1] in _ENDS and self._kinds[at] == "ID":
            return self._parse_name()
        expr = self._parse_binary_expression()
        kind = self._kinds[self._at]
        if kind == "CONDOP":
            return self._parse_choice(expr)
        if kind in _ASSIGNMENTS:
            op = self._list[self._at].value
            self._at += 1
            return c_ast.Assignment(op, expr, self._parse_assignment_expression(), expr.coord)
        return expr

    # BNF: conditional_expression : binary_expression ('?' expression? ':' conditional_expression)?
    def _parse_conditional_expression(self) -> c_ast.Node:
        expr = self._parse_binary_expression()
        return self._parse_choice(expr) if self._kinds[self._at] == "CONDOP" else expr

    def _parse_choice(self, expr: c_ast.Node) -> c_ast.Node:
        self._at += 1
        chosen = None if self._kinds[self._at] == "COLON" else self._parse_expression()
        self._expect("COLON")
        return c_ast.TernaryOp(expr, chosen, self._parse_conditional_expression(), expr.coord)

    # BNF: constant_expression : conditional_expression ('...' conditional_expression)?
    def _parse_constant_range(self) -> c_ast.Node:
        low = self._parse_conditional_expression()
        if self._kinds[self._at] != "ELLIPSIS":
            return low
        self._at += 1
        return Range(low, self._parse_conditional_expression(), low.coord)

    # BNF: binary_expression : cast_expression (binary_op cast_expression)*
    def _parse_binary_expression(self, min_prec: int = 0, lhs: c_ast.Node | None = None) -> c_ast.Node:
        if lhs is None:
            lhs = self._parse_cast_expression()
        while True:
            at = self._at
            prec = _PRECEDENCE.get(self._kinds[at], -1)
            if prec < min_prec:
                return lhs
            op = self._list[at].value
            self._at = at + 1
            rhs = self._parse_cast_expression()
            while (next_prec := _PRECEDENCE.get(self._kinds[self._at], -1)) > prec:
                rhs = self._parse_binary_expression(next_prec, rhs)
            lhs = c_ast.BinaryOp(op, lhs, rhs, lhs.coord)

    # BNF: cast_expression : '(' type_name ')' cast_expression | unary_expression
    # BNF: unary_expression : postfix_expression | unary_op cast_expression | …
    def _parse_cast_expression(self) -> c_ast.Node:
        kind = self._kinds[self._at]
        if kind == "ID":
            expr = self._parse_name()
        elif kind in _CONSTANTS:
            expr = self._parse_constant()
        elif kind in _STRINGS:
            expr = self._parse_unified_string_literal()
        else:
            prefix = _PREFIXES.get(kind)
            if prefix is not None:
                return prefix(self, self._list[self._at])
            expr = self._parse_primary_expression()
        return self._parse_suffixes(expr) if self._kinds[self._at] in _POSTFIX else expr

    def _parse_unary_expression(self) -> c_ast.Node:
        if self._kinds[self._at] == "LPAREN" and self._peek_type(2) in _DECLARATION_STARTS:
            return self._parse_postfix_expression()
        return self._parse_cast_expression()

    def _parse_postfix_expression(self) -> c_ast.Node:
        return self._parse_suffixes(self._parse_primary_expression())

    def _parse_unary_operator(self, token: Token) -> c_ast.Node:
        self._at += 1
        return c_ast.UnaryOp(token.value, self._parse_cast_expression(), token)

    def _parse_address(self, token: Token) -> c_ast.Node:
        """`&&label`."""
        self._at += 1
        return LabelAddress(self._parse_identifier_or_typeid().name, token)

    def _parse_size(self, token: Token) -> c_ast.Node:
        """`sizeof` or `_Alignof`, of a type or of an expression."""
        self._at += 1
        if self._kinds[self._at] == "LPAREN" and self._peek_type(2) in _DECLARATION_STARTS:
            begin = self._at
            typ = self._parse_parenthesized_type()
            if self._kinds[self._at] != "LBRACE":
                return c_ast.UnaryOp(token.value, typ, token)
            self._at = begin  # of a compound literal and what follows it
        return c_ast.UnaryOp(token.value, self._parse_unary_expression(), token)

    def _parse_parenthesis(self, token: Token) -> c_ast.Node:
        """A cast, compound literal, statement expression or parenthesized expression."""
        if self._peek_type(2) in _DECLARATION_STARTS:
            typ = self._parse_parenthesized_type()
            if self._kinds[self._at] != "LBRACE":
                return c_ast.Cast(typ, self._parse_cast_expression(), token)
            expr: c_ast.Node = c_ast.CompoundLiteral(typ, self._parse_initializer(), [], token)
        else:
            expr = self._parse_group()
        return self._parse_suffixes(expr) if self._kinds[self._at] in _POSTFIX else expr

    def _parse_group(self) -> c_ast.Node:
        """Parse a statement expression or a parenthesized one."""
        self._at += 1
        braced = self._kinds[self._at] == "LBRACE"
        expr = self._parse_compound_statement() if braced else self._parse_expression()
        self._expect("RPAREN")
        return expr

    def _parse_parenthesized_type(self) -> c_ast.Typename:
        self._expect("LPAREN")
        typ = self._parse_type_name()
        self._expect("RPAREN")
        return typ

    # BNF: postfix_suffix : '[' expression ']' | '(' arguments? ')' | ('.' | '->') name | '++' | '--'
    def _parse_suffixes(self, expr: c_ast.Node) -> c_ast.Node:
        kinds, tokens = self._kinds, self._list
        while (kind := kinds[self._at]) in _POSTFIX:
            token = tokens[self._at]
            self._at += 1
            if kind == "LPAREN":
                args = None if kinds[self._at] == "RPAREN" else self._parse_argument_expression_list()
                self._expect("RPAREN")
                expr = c_ast.FuncCall(expr, args, expr.coord)
            elif kind == "LBRACKET":
                subscript = self._parse_expression()
                self._expect("RBRACKET")
                expr = c_ast.ArrayRef(expr, subscript, expr.coord)
            elif kind == "PLUSPLUS" or kind == "MINUSMINUS":
                expr = c_ast.UnaryOp("p" + token.value, expr, expr.coord)
            else:
                expr = c_ast.StructRef(expr, token.value, self._parse_identifier_or_typeid(), expr.coord)
        return expr

    # BNF: primary_expression : name | constant | string_literal | '(' … ')' | generic_selection | builtin
    def _parse_primary_expression(self) -> c_ast.Node:
        kind = self._kinds[self._at]
        if kind == "ID":
            return self._parse_name()
        if kind in _CONSTANTS:
            return self._parse_constant()
        if kind in _STRINGS:
            return self._parse_unified_string_literal()
        if kind == "LPAREN":
            if self._peek_type(2) in _DECLARATION_STARTS:
                token = self._list[self._at]
                typ = self._parse_parenthesized_type()
                return c_ast.CompoundLiteral(typ, self._parse_initializer(), [], token)
            return self._parse_group()
        if kind == "_GENERIC":
            return self._parse_generic_selection()
        builtin = _BUILTINS.get(kind)
        if builtin is None:
            self._reject("an expression")
        return builtin(self, self._advance())

    def _parse_constant(self) -> c_ast.Constant:
        token = self._list[self._at]
        self._at += 1
        return c_ast.Constant(_constant_type(token.value, token.type), token.value, token)

    def _parse_name(self) -> c_ast.ID:
        token = self._list[self._at]
        if self._names[token.value]:
            self._parse_error(f"expected an expression before type name {token.value!r}", token)
        self._at += 1
        return c_ast.ID(token.value, token)

    def _parse_identifier_or_typeid(self) -> c_ast.ID:
        at = self._at
        if self._kinds[at] != "ID":
            self._expect("ID")
        token = self._list[at]
        self._at = at + 1
        return c_ast.ID(token.value, token)

    # BNF: builtin_call : builtin '(' (type_name | assignment_expression) (',' …)* ')'
    def _parse_builtin_call(self, token: Token) -> c_ast.Node:
        """A builtin function with a type among its arguments."""
        self._expect("LPAREN")
        arguments = [self._parse_type_or_expression()]
        self._expect("COMMA")
        if token.type == "OFFSETOF":
            arguments.append(self._parse_offsetof_member_designator())
        else:
            arguments.append(self._parse_type_or_expression())
        self._expect("RPAREN")
        return c_ast.FuncCall(c_ast.ID(token.value, token), c_ast.ExprList(arguments, token), token)

    def _parse_type_or_expression(self) -> c_ast.Node:
        if self._peek_type() in _DECLARATION_STARTS:
            return self._parse_type_name()
        return self._parse_assignment_expression()

    def _parse_types_compatible(self, token: Token) -> c_ast.Node:
        self._expect("LPAREN")
        left = self._parse_type_name()
        self._expect("COMMA")
        right = self._parse_type_name()
        self._expect("RPAREN")
        return BuiltinTypesCompatible(left, right, token)

    def _parse_choose(self, token: Token) -> c_ast.Node:
        self._expect("LPAREN")
        cond = self._parse_assignment_expression()
        self._expect("COMMA")
        chosen = self._parse_assignment_expression()
        self._expect("COMMA")
        other = self._parse_assignment_expression()
        self._expect("RPAREN")
        return ChooseExpr(cond, chosen, other, token)


@lru_cache(maxsize=4096)
def _constant_type(spelling: str, kind: str) -> str:
    """Tell the type of a constant from its suffix, as pycparser spells it (`unsigned long int`)."""
    if kind in c_parser._CHAR_CONST:
        return "char"
    lower = spelling.lower()
    if kind in c_parser._FLOAT_CONST:
        suffix = lower[-1] if kind == "HEX_FLOAT_CONST" or not lower.startswith("0x") else ""
        return {"f": "float", "l": "long double"}.get(suffix, "double")
    suffix = lower.lstrip("0123456789") if not lower.startswith(("0x", "0b")) else lower[2:].lstrip("0123456789abcdef")
    if suffix not in _INTEGER_SUFFIXES:
        raise ValueError(f"invalid constant {spelling}")
    return "unsigned " * suffix.count("u") + "long " * suffix.count("l") + "int"


_Prefix = Callable[[Any, Token], c_ast.Node]

_PREFIXES: dict[str | None, _Prefix] = {
    "LPAREN": Expressions._parse_parenthesis,
    "LAND": Expressions._parse_address,
    "SIZEOF": Expressions._parse_size,
    "_ALIGNOF": Expressions._parse_size,
    "PLUSPLUS": Expressions._parse_unary_operator,
    "MINUSMINUS": Expressions._parse_unary_operator,
    "AND": Expressions._parse_unary_operator,
    "TIMES": Expressions._parse_unary_operator,
    "PLUS": Expressions._parse_unary_operator,
    "MINUS": Expressions._parse_unary_operator,
    "NOT": Expressions._parse_unary_operator,
    "LNOT": Expressions._parse_unary_operator,
}

_BUILTINS: dict[str | None, _Prefix] = {
    "__BUILTIN_VA_ARG": Expressions._parse_builtin_call,
    "CONVERT_VECTOR": Expressions._parse_builtin_call,
    "OFFSETOF": Expressions._parse_builtin_call,
    "TYPES_COMPATIBLE": Expressions._parse_types_compatible,
    "CHOOSE_EXPR": Expressions._parse_choose,
}
