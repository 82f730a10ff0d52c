# SPDX-License-Identifier: GPL-2.0-only
"""The grammar of declarations.

In: tokens. Out: pycparser's declaration nodes, with the attributes that somebody reads in `attributes`.
"""

from __future__ import annotations

from typing import Any

from pycparser import c_ast, c_parser

from analyzer.frontend.lexer import MAX_NESTING, Token
from analyzer.frontend.statements import Statements

_QUALIFIERS = frozenset(c_parser._TYPE_QUALIFIER)
_STORAGE = frozenset(c_parser._STORAGE_CLASS)
_FUNCTION = frozenset(c_parser._FUNCTION_SPEC)
_SIMPLE = frozenset(c_parser._TYPE_SPEC_SIMPLE)
_TYPEOF = frozenset(c_parser._TYPEOF_SPEC)

_DERIVED = (c_ast.PtrDecl, c_ast.ArrayDecl, c_ast.FuncDecl)
_BEFORE_NAME = _QUALIFIERS | {"TIMES", "LPAREN"}

_Spec = dict[str, list[Any]]


class Declarations(Statements):
    """Declarations of GNU C."""

    # BNF: external_declaration : function_definition | declaration | static_assert | asm_statement | ';'
    def _parse_external_declaration(self) -> list[c_ast.Node]:
        kind = self._kinds[self._at]
        if kind == "ASM":
            return [self._parse_asm()]
        if kind == "_STATIC_ASSERT":
            return [self._parse_static_assert()]
        if self._accept("SEMI"):
            return []
        spec, saw_type, _ = self._parse_declaration_specifiers(allow_no_type=True)
        if not saw_type or not self._starts_declarator():
            nodes: list[c_ast.Node] = self._parse_decl_body_with_spec(spec, saw_type)
        else:
            first = self._parse_init_declarator()
            if self._kinds[self._at] == "LBRACE":
                spec["attributes"] = spec.get("attributes", []) + first.get("attributes", [])
                return [self._parse_function_definition(spec, first["decl"])]
            infos = self._parse_init_declarator_list(first=first)
            nodes = self._build_declarations(spec, infos, typedef_namespace=True)
        self._expect("SEMI")
        return nodes

    def _parse_pppragma_directive_list(self) -> list[c_ast.Node]:
        return []  # the lexer cut them out

    # BNF: specifiers : (storage | qualifier | function | alignment | type)+
    def _parse_specifiers(self, *, allow_storage_and_function: bool) -> tuple[_Spec | None, bool, Token | None]:
        begin = self._at
        spec: _Spec = {
            "qual": [],
            "storage": [],
            "type": [],
            "function": [],
            "alignment": [],
            "type_attributes": [],
        }
        types = spec["type"]
        while (kind := self._kinds[self._at]) is not None:
            if kind == "ID":
                token = self._list[self._at]
                if types or not self._names[token.value]:
                    break
                self._at += 1
                types.append(c_ast.IdentifierType([token.value], coord=token))
            elif kind in _SIMPLE:
                token = self._list[self._at]
                self._at += 1
                types.append(c_ast.IdentifierType([token.value], coord=token))
            elif kind in _QUALIFIERS and not (kind == "_ATOMIC" and self._kinds[self._at + 1] == "LPAREN"):
                spec["qual"].append(self._advance().value)
            elif kind in _STORAGE and allow_storage_and_function:
                spec["storage"].append(self._advance().value)
            elif kind in _FUNCTION and allow_storage_and_function:
                spec["function"].append(self._advance().value)
            elif kind == "_ALIGNAS":
                spec["alignment"].append(self._parse_alignment_specifier())
            elif kind in _SPECIFIERS:
                types.append(self._parse_type_specifier(kind))
            else:
                break
        if self._at == begin:
            return None, False, None
        if self._attributes:
            spec["attributes"] = self._take_attributes(begin)
        return spec, bool(types), self._list[begin]

    def _parse_type_specifier(self, kind: str) -> c_ast.Node:
        if kind == "ENUM":
            return self._parse_enum_specifier()
        if kind == "STRUCT" or kind == "UNION":
            return self._parse_struct_or_union_specifier()
        if kind == "AUTO_TYPE":
            return c_ast.InferredType(coord=self._advance())
        if kind == "_BITINT":
            return self._parse_bitint_specifier()
        if kind == "_ATOMIC":
            return self._parse_atomic_specifier()
        return self._parse_typeof_specifier()

    # BNF: init_declarator : declarator asm_name? ('=' initializer)?
    def _parse_init_declarator(self, id_only: bool = False) -> dict[str, Any]:
        begin = self._at + 1  # an attribute before the declarator was taken with the specifiers
        decl = self._parse_id_declarator() if id_only else self._parse_declarator()
        info: dict[str, Any] = {"decl": decl}
        if self._kinds[self._at] == "ASM":
            info["attributes"] = [self._parse_asm_name()]
        if self._attributes:
            info["attributes"] = info.get("attributes", []) + self._take_attributes(begin)
        if self._kinds[self._at] == "EQUALS":
            self._at += 1
            # a name is in scope in its own initialiser, where it may hide a type
            self._bind(_declared_name(decl), False)
            info["init"] = self._parse_initializer()
        return info

    def _parse_any_declarator(
        self,
        allow_abstract: bool = False,
        typeid_paren_as_abstract: bool = False,  # noqa: ARG002  # pycparser passes it; `_names_something` tells
    ) -> tuple[c_ast.Node | None, bool]:
        if not allow_abstract or self._names_something():
            return self._parse_declarator_kind("id", True), True
        return self._parse_abstract_declarator_opt(), False

    def _names_something(self) -> bool:
        """Tell a parameter's declarator with a name from an abstract one: `(T)` declares a function that takes a T."""
        at = self._at
        opened = False
        while (kind := self._kinds[at]) in _BEFORE_NAME:
            opened = kind == "LPAREN" or (opened and kind != "TIMES")
            at += 1
        return kind == "ID" and not (opened and self._names[self._list[at].value])

    # BNF: direct_declarator : (name | '(' declarator ')') ('[' … ']' | '(' … ')')*
    def _parse_direct_declarator(self, kind: str, allow_paren: bool = True) -> c_ast.Node:
        """Parse a declarator whose name may be that of a type, which it then hides."""
        at = self._at
        if self._kinds[at] == "LPAREN":
            self._at += 1
            decl = self._parse_declarator_kind(kind, allow_paren)
            self._expect("RPAREN")
        else:
            token = self._expect("ID")
            decl = c_ast.TypeDecl(token.value, None, None, None, token)
        return self._parse_decl_suffixes(decl)

    def _parse_decl_suffixes(self, decl: c_ast.Node) -> c_ast.Node:
        depth = 0
        while (kind := self._kinds[self._at]) in ("LBRACKET", "LPAREN"):
            array = kind == "LBRACKET"
            decl = self._type_modify_decl(
                decl, self._parse_array_decl(decl) if array else self._parse_function_decl(decl)
            )
            depth += 1
            if depth > MAX_NESTING:
                self._parse_error(f"more than {MAX_NESTING} dimensions", self._peek())
        return decl

    # BNF: asm_name : ASM '(' string ')'
    def _parse_asm_name(self) -> c_ast.Attribute:
        token = self._expect("ASM")
        self._expect("LPAREN")
        name = self._parse_text()
        self._expect("RPAREN")
        return c_ast.Attribute("asm", "gnu", name, token)

    def _build_declarations(
        self, spec: _Spec, decls: list[dict[str, Any]], typedef_namespace: bool = False
    ) -> list[c_ast.Node]:
        nodes: list[c_ast.Node] = super()._build_declarations(spec, decls, typedef_namespace)
        shared = spec.get("attributes", [])
        for node, info in zip(nodes, decls, strict=True):
            node.coord = _name_coord(node)
            attributes = shared + info.get("attributes", [])
            if attributes:
                node.attributes = [c_ast.AttributeSpecifier(attributes, attributes[0].coord)]
        return nodes

    # BNF: struct_declarator : declarator? ':' constant_expression | declarator
    def _parse_struct_declarator(self) -> dict[str, Any]:
        begin = self._at + 1
        info: dict[str, Any] = super()._parse_struct_declarator()
        if self._attributes:
            info["attributes"] = self._take_attributes(begin)
        return info

    def _parse_parameter_declaration(self) -> c_ast.Node:
        begin = self._at
        node = super()._parse_parameter_declaration()
        if self._attributes:
            self._take_attributes(begin)  # nobody reads those of parameters, and they are not the function's
        return node

    def _parse_type_name(self) -> c_ast.Typename:
        begin = self._at
        node = super()._parse_type_name()
        if self._attributes:
            self._take_attributes(begin)  # likewise
        return node

    def _take_attributes(self, begin: int) -> list[c_ast.Attribute]:
        """Take the attributes that stand between token `begin` and the next one."""
        taken: list[c_ast.Attribute] = []
        for i in [i for i in self._attributes if begin <= i <= self._at]:
            for kept in self._attributes.pop(i):
                token = Token("ATTRIBUTE", kept.name, kept.position, self._list[0].lines)
                taken.append(c_ast.Attribute(kept.name, "gnu", kept.arguments or None, token))
        return taken

    # BNF: initializer_item : designation? initializer
    def _parse_initializer_item(self) -> c_ast.Node:
        kind = self._kinds[self._at]
        if kind == "ID" and self._kinds[self._at + 1] == "COLON":
            designation: list[c_ast.Node] = [self._parse_identifier_or_typeid()]
            self._at += 1
        elif kind == "LBRACKET" or kind == "PERIOD":
            designation = self._parse_designator_list()
            self._accept("EQUALS")  # GCC lets it be left out after an array index
        else:
            return self._parse_initializer()
        return c_ast.NamedInitializer(designation, self._parse_initializer())

    # BNF: designator : '[' constant_range ']' | '.' name
    def _parse_designator(self) -> c_ast.Node:
        token = self._advance()
        if token.type == "PERIOD":
            return self._parse_identifier_or_typeid()
        index = self._parse_constant_range()
        self._expect("RBRACKET")
        return c_ast.ArrayDesignator(index, token)

    def _parse_enumerator_list(self) -> c_ast.Node:
        members = []
        while self._kinds[self._at] not in ("RBRACE", None):
            members.append(self._parse_enumerator())
            if not self._accept("COMMA"):
                break
        return c_ast.EnumeratorList(members, members[0].coord if members else self._peek())


_SPECIFIERS = _TYPEOF | {"STRUCT", "UNION", "ENUM", "AUTO_TYPE", "_BITINT", "_ATOMIC"}


def _name_coord(node: Any) -> Token | None:
    """Return the place of the name that `node` declares, or its own where there is none."""
    inner = node.type
    while isinstance(inner, _DERIVED):
        inner = inner.type
    found: Token | None = (inner.coord if isinstance(inner, c_ast.TypeDecl) else None) or node.coord
    return found


def _declared_name(decl: c_ast.Node) -> str | None:
    """Return the name that a declarator declares."""
    while not isinstance(decl, c_ast.TypeDecl):
        decl = decl.type
    name: str | None = decl.declname
    return name
