# SPDX-License-Identifier: GPL-2.0-only
"""The grammar of statements.

In: tokens. Out: pycparser's statement nodes and those of `nodes`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pycparser import c_ast
from pycparser.ast_transforms import fix_switch_cases

from analyzer.frontend.cursor import _DECLARATION_STARTS
from analyzer.frontend.expressions import Expressions
from analyzer.frontend.lexer import Token
from analyzer.frontend.nodes import AsmOperand, AsmStatement, ComputedGoto, LocalLabels

_LABELS = frozenset({"CASE", "DEFAULT"})
_ASM_QUALIFIERS = frozenset({"VOLATILE", "INLINE", "GOTO", "CONST"})


class Statements(Expressions):
    """Statements of GNU C."""

    # BNF: compound_statement : '{' (declaration | statement)* '}'
    def _parse_compound_statement(self, *, new_scope: bool = True) -> c_ast.Compound:
        brace = self._expect("LBRACE")
        if new_scope:
            self._push_scope()
        items: list[c_ast.Node] = []
        kinds = self._kinds
        while (kind := kinds[self._at]) != "RBRACE":
            if kind is None:
                self._parse_error("unexpected end", None)
            if self._at_declaration():
                items.extend(self._parse_declaration())
            else:
                items.append(self._parse_statement())
        self._at += 1
        if new_scope:
            self._pop_scope()
        return c_ast.Compound(items or None, brace)

    def _at_declaration(self) -> bool:
        kind = self._peek_type()
        if kind == "TYPEID":
            return self._kinds[self._at + 1] != "COLON"  # a label may have the name of a type
        return kind in _DECLARATION_STARTS or kind == "_STATIC_ASSERT"

    # BNF: statement : labeled_statement | compound_statement | selection_statement | iteration_statement
    #                | jump_statement | asm_statement | local_labels | expression_statement
    def _parse_statement(self) -> c_ast.Node:
        kind = self._kinds[self._at]
        if kind == "ID":
            if self._kinds[self._at + 1] == "COLON":
                return self._parse_labeled_statement()
        else:
            parse = _STATEMENTS.get(kind)
            if parse is not None:
                return parse(self)
        expr = self._parse_expression()
        self._expect("SEMI")
        return expr

    def _parse_pragmacomp_or_statement(self) -> c_ast.Node:
        return self._parse_statement()  # the lexer cut the pragmas out

    def _parse_empty(self) -> c_ast.Node:
        return c_ast.EmptyStatement(self._advance())

    # BNF: labeled_statement : (name | CASE constant_range | DEFAULT) ':' statement?
    def _parse_labeled_statement(self) -> c_ast.Node:
        """Parse the labels before a statement in a loop: a switch may have a thousand of them in a row."""
        heads: list[tuple[Token, c_ast.Node | None]] = []
        while self._kinds[self._at] in _LABELS or self._at_label():
            token = self._advance()
            heads.append((token, self._parse_constant_range() if token.type == "CASE" else None))
            self._expect("COLON")
        if self._kinds[self._at] == "RBRACE" or self._at_declaration():
            statement: c_ast.Node = c_ast.EmptyStatement(heads[-1][0])
        else:
            statement = self._parse_statement()
        for token, expr in reversed(heads):
            if token.type == "CASE":
                statement = c_ast.Case(expr, [statement], token)
            elif token.type == "DEFAULT":
                statement = c_ast.Default([statement], token)
            else:
                statement = c_ast.Label(token.value, statement, token)
        return statement

    def _at_label(self) -> bool:
        return self._kinds[self._at] == "ID" and self._kinds[self._at + 1] == "COLON"

    # BNF: selection_statement : IF '(' expression ')' statement (ELSE statement)? | SWITCH '(' expression ')' statement
    def _parse_if(self) -> c_ast.Node:
        """Parse a chain of `else if` in a loop, whatever its length."""
        chain: list[tuple[Token, c_ast.Node, c_ast.Node]] = []
        last: c_ast.Node | None = None
        while True:
            token = self._expect("IF")
            cond = self._parse_condition()
            chain.append((token, cond, self._parse_statement()))
            if self._kinds[self._at] != "ELSE":
                break
            self._at += 1
            if self._kinds[self._at] != "IF":
                last = self._parse_statement()
                break
        for token, cond, then in reversed(chain):
            last = c_ast.If(cond, then, last, token)
        assert last is not None
        return last

    def _parse_switch(self) -> c_ast.Node:
        token = self._advance()
        cond = self._parse_condition()
        return fix_switch_cases(c_ast.Switch(cond, self._parse_statement(), token))

    def _parse_condition(self) -> c_ast.Node:
        self._expect("LPAREN")
        cond = self._parse_expression()
        self._expect("RPAREN")
        return cond

    # BNF: jump_statement : GOTO (name | '*' expression) ';' | BREAK ';' | CONTINUE ';' | RETURN expression? ';'
    def _parse_goto(self) -> c_ast.Node:
        token = self._advance()
        node: c_ast.Node
        if self._kinds[self._at] == "TIMES":
            self._at += 1
            node = ComputedGoto(self._parse_expression(), token)
        else:
            node = c_ast.Goto(self._parse_identifier_or_typeid().name, token)
        self._expect("SEMI")
        return node

    # BNF: local_labels : LABEL name (',' name)* ';'
    def _parse_local_labels(self) -> c_ast.Node:
        token = self._advance()
        names = [self._parse_identifier_or_typeid().name]
        while self._accept("COMMA"):
            names.append(self._parse_identifier_or_typeid().name)
        self._expect("SEMI")
        return LocalLabels(names, token)

    # BNF: asm_statement : ASM qualifier* '(' string (':' operands (':' operands (':' clobbers (':' labels)?)?)?)? ')' ';'
    def _parse_asm(self) -> AsmStatement:
        token = self._expect("ASM")
        is_goto = False
        while (kind := self._kinds[self._at]) in _ASM_QUALIFIERS:
            is_goto = is_goto or kind == "GOTO"
            self._at += 1
        self._expect("LPAREN")
        node = AsmStatement(self._parse_text(), [], [], [], [], is_goto, token)
        if self._accept("COLON"):
            node.outputs = self._parse_section(self._parse_operand)
        if self._accept("COLON"):
            node.inputs = self._parse_section(self._parse_operand)
        if self._accept("COLON"):
            node.clobbers = self._parse_section(self._parse_text)
        if self._accept("COLON"):
            node.labels = self._parse_section(lambda: self._parse_identifier_or_typeid().name)
        self._expect("RPAREN")
        self._expect("SEMI")
        return node

    def _parse_section(self, parse: Callable[[], Any]) -> list[Any]:
        """Parse what stands between two colons of an asm statement."""
        items: list[Any] = []
        if self._kinds[self._at] in ("COLON", "RPAREN"):
            return items
        items.append(parse())
        while self._accept("COMMA"):
            items.append(parse())
        return items

    # BNF: operand : ('[' name ']')? string '(' expression ')'
    def _parse_operand(self) -> AsmOperand:
        first = self._peek()
        name = None
        if self._accept("LBRACKET"):
            name = self._parse_identifier_or_typeid().name
            self._expect("RBRACKET")
        constraint = self._parse_text()
        return AsmOperand(name, constraint, self._parse_condition(), first)

    def _parse_text(self) -> str:
        """Parse a string literal and return what stands between its quotes."""
        literal = self._parse_unified_string_literal()
        return str(literal.value).partition('"')[2][:-1].replace('" "', "")


_STATEMENTS: dict[str | None, Callable[[Any], c_ast.Node]] = {
    "LBRACE": Statements._parse_compound_statement,
    "SEMI": Statements._parse_empty,
    "CASE": Statements._parse_labeled_statement,
    "DEFAULT": Statements._parse_labeled_statement,
    "IF": Statements._parse_if,
    "SWITCH": Statements._parse_switch,
    "WHILE": Statements._parse_iteration_statement,
    "DO": Statements._parse_iteration_statement,
    "FOR": Statements._parse_iteration_statement,
    "GOTO": Statements._parse_goto,
    "BREAK": Statements._parse_jump_statement,
    "CONTINUE": Statements._parse_jump_statement,
    "RETURN": Statements._parse_jump_statement,
    "ASM": Statements._parse_asm,
    "LABEL": Statements._parse_local_labels,
}
