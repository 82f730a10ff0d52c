# SPDX-License-Identifier: GPL-2.0-only
"""The parser's view of a token list and of the names in scope.

In: `Tokens`, and a function that tells whether a name is a typedef at file scope. Out: pycparser's private token and
scope methods (`_peek`, `_accept`, `_push_scope`, …), answered from lists instead of from a lexer.

**Invariant:** every file-scope name whose kind was asked for is in `asked` with the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from pycparser import c_ast, c_parser

from analyzer.base.location import Location
from analyzer.frontend.lexer import Token, Tokens

_DECLARATION_STARTS = frozenset(c_parser._DECL_START | {"AUTO_TYPE"})
_EXPRESSION_STARTS = frozenset(
    c_parser._STARTS_EXPRESSION | {"LAND", "CHOOSE_EXPR", "CONVERT_VECTOR", "TYPES_COMPATIBLE"}
)


class ParseError(Exception):
    """A declaration does not parse."""

    def __init__(self, text: str, location: Location) -> None:
        super().__init__(f"{location}: {text}")
        #: what is wrong, without the place
        self.text = text
        self.location = location


class Names(dict[str, bool]):
    """Whether a name is a typedef in the current scope; asks for what it does not know."""

    def __init__(self, is_typedef: Callable[[str], bool]) -> None:
        self.is_typedef = is_typedef
        #: answers that were given, by name
        self.asked: dict[str, bool] = {}

    def __missing__(self, name: str) -> bool:
        answer = self[name] = self.asked[name] = self.is_typedef(name)
        return answer


class Cursor(c_parser.CParser):  # type: ignore[misc]  # pycparser has no types
    """The lowest layer of `GnuParser`: tokens, scopes, errors."""

    _kinds: list[str | None]
    _list: list[Token]
    _at: int
    _names: Names
    #: per open scope, what its names meant outside
    _undo: list[list[tuple[str, bool | None]]]

    def _start(self, tokens: Tokens, is_typedef: Callable[[str], bool]) -> None:
        self._kinds = tokens.kinds
        self._list = tokens.tokens
        self._attributes = tokens.attributes
        self._at = 0
        self._names = Names(is_typedef)
        self._undo = [[]]

    # -- tokens; where a name is expected, `_accept("ID")` and `_expect("ID")` take one that is also a typedef

    def _peek(self, k: int = 1) -> Token | None:
        i = self._at + k - 1
        kind = self._kinds[i]
        if kind is None:
            return None
        token = self._list[i]
        if kind == "ID":
            token.type = "TYPEID" if self._names[token.value] else "ID"
        return token

    def _peek_type(self, k: int = 1) -> str | None:
        i = self._at + k - 1
        kind = self._kinds[i]
        if kind == "ID" and self._names[self._list[i].value]:
            return "TYPEID"
        return kind

    def _advance(self) -> Token:
        token = self._peek()
        if token is None:
            self._parse_error("unexpected end", None)
        self._at += 1
        return token

    def _accept(self, token_type: str) -> Token | None:
        at = self._at
        if self._kinds[at] != token_type:
            return None
        self._at = at + 1
        return self._list[at]

    def _expect(self, token_type: str) -> Token:
        at = self._at
        if self._kinds[at] != token_type:
            self._reject(_SPELLED.get(token_type, token_type.lower()))
        self._at = at + 1
        return self._list[at]

    def _reject(self, expected: str) -> NoReturn:
        found = self._peek()
        self._parse_error(f"expected {expected} before {found.value!r}" if found else "unexpected end", found)

    def _mark(self) -> int:
        return self._at

    def _reset(self, mark: int) -> None:
        self._at = mark

    def _tok_coord(self, tok: Token) -> Token:
        return tok

    def _starts_declaration(self, tok: Token | None = None) -> bool:
        return (tok.type if tok else self._peek_type()) in _DECLARATION_STARTS

    def _starts_expression(self, tok: Token | None = None) -> bool:
        return (tok.type if tok else self._peek_type()) in _EXPRESSION_STARTS

    def _parse_attribute_specifier_sequence(self) -> list[c_ast.AttributeSpecifier]:
        return []  # the lexer cut them out

    # -- scopes

    def _push_scope(self) -> None:
        self._undo.append([])

    def _pop_scope(self) -> None:
        for name, before in reversed(self._undo.pop()):
            if before is None:
                del self._names[name]
            else:
                self._names[name] = before

    def _bind(self, name: str | None, is_type: bool) -> None:
        if name is None:
            return
        self._undo[-1].append((name, self._names.get(name)))
        self._names[name] = is_type

    def _add_typedef_name(self, name: str, coord: object) -> None:  # noqa: ARG002  # no error for clashes: GCC's task
        self._bind(name, True)

    def _add_identifier(self, name: str, coord: object) -> None:  # noqa: ARG002  # likewise
        self._bind(name, False)

    def _is_type_in_scope(self, name: str) -> bool:
        return self._names[name]

    # -- errors

    def _parse_error(self, msg: str, coord: object) -> NoReturn:
        if not isinstance(coord, Token):
            last = len(self._list) - 1
            coord = self._list[min(self._at, last)] if last >= 0 else None
        raise ParseError(msg, coord.location() if coord else Location("", 0))


_SPELLED = {
    "LPAREN": "'('",
    "RPAREN": "')'",
    "LBRACE": "'{'",
    "RBRACE": "'}'",
    "RBRACKET": "']'",
    "SEMI": "';'",
    "COLON": "':'",
    "COMMA": "','",
    "ID": "a name",
}
