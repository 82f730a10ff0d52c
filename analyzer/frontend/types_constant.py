# SPDX-License-Identifier: GPL-2.0-only
"""Integer constant expressions.

In: the syntax of `sizeof(u64) * 8 - 1`. Out: 63.
"""

from __future__ import annotations

import re
from typing import Any

from pycparser import c_ast

from analyzer.frontend import nodes
from analyzer.frontend.types_base import TypesBase
from analyzer.frontend.types_layout import Layouts
from analyzer.frontend.types_scalars import (
    INT,
    LONG,
    LONG_LONG,
    UNSIGNED,
    UNSIGNED_LONG,
    UNSIGNED_LONG_LONG,
    fold,
    is_floating,
    promote,
    result_type,
    wrap,
)
from analyzer.ir.types import Array, CType, Enum, Pointer, Record

#: a constant and its type
Typed = tuple[int, CType]

_SUFFIXES: dict[str, tuple[CType, ...]] = {
    "": (INT, LONG),
    "u": (UNSIGNED, UNSIGNED_LONG),
    "l": (LONG,),
    "ul": (UNSIGNED_LONG,),
    "lu": (UNSIGNED_LONG,),
    "ll": (LONG_LONG,),
    "ull": (UNSIGNED_LONG_LONG,),
    "llu": (UNSIGNED_LONG_LONG,),
}
_WIDER: dict[str, tuple[CType, ...]] = {
    "": (INT, UNSIGNED, LONG, UNSIGNED_LONG),
    "l": (LONG, UNSIGNED_LONG),
    "ll": (LONG_LONG, UNSIGNED_LONG_LONG),
}
_ESCAPES = {"n": 10, "t": 9, "r": 13, "0": 0, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27}
_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)([uUlL]*)$")

_literals: dict[str, Typed | None] = {}


def literal(text: str) -> Typed | None:
    """Read an integer or character constant; None if `text` is another literal."""
    if text not in _literals:
        _literals[text] = _literal(text)
    return _literals[text]


def _literal(text: str) -> Typed | None:
    if text.endswith("'"):
        return _character(text[text.index("'") + 1 : -1]), INT
    match = _NUMBER.match(text)
    if match is None:
        return None
    digits, suffix = match.groups()
    octal = digits[0] == "0" and digits.isdigit()
    value = int(digits, 8 if octal else 0)
    suffix = suffix.lower()
    # C11 6.4.4.1: octal and hexadecimal constants may be unsigned without a suffix
    kinds = ((not digits.isdigit() or octal) and _WIDER.get(suffix)) or _SUFFIXES[suffix]
    for kind in kinds:
        if wrap(value, kind) == value:
            return value, kind
    return wrap(value, UNSIGNED_LONG), UNSIGNED_LONG


def _character(body: str) -> int:
    if not body.startswith("\\"):
        return ord(body[0]) if body else 0
    if body[1] == "x":
        return wrap(int("0" + body[1:], 0), LONG)
    if body[1].isdigit():
        return int(body[1:], 8)
    return _ESCAPES.get(body[1], ord(body[1]))


class Constants(Layouts):
    """Evaluates constant expressions."""

    def constant(self, node: Any) -> int | None:
        """Compute the value of `node`; None where it is no integer constant."""
        found = self.typed_constant(node)
        return None if found is None else found[0]

    def typed_constant(self, node: Any) -> Typed | None:
        """Compute value and type of `node`; None where it is no integer constant."""
        handler = _HANDLERS.get(type(node))
        return None if handler is None else handler(self, node)

    def _constant_literal(self, node: Any) -> Typed | None:
        return literal(node.value)

    def _constant_name(self, node: Any) -> Typed | None:
        entry = self.names.ordinary.get(node.name)
        if entry is not None:
            return None if entry.value is None else (entry.value, _enumerator_type(entry.value))
        value = self.enumerator(node.name)
        return None if value is None else (value, _enumerator_type(value))

    def enumerator(self, name: str) -> int | None:
        """Find the value of the enumerator `name` outside functions."""
        return self.outside.remembered("e:" + name, lambda: self._enumerator(name))

    def _enumerator(self, name: str) -> int | None:
        declaration = self.outside.enumerator(name)
        if declaration is None:
            return None
        with self.outermost():
            for node in self.outside.table.parse(declaration):
                for enum in _enums(node):
                    values = self.declare_enumerators(enum, Enum(enum.name or ""))
                    if name in values:
                        return values[name]
        return None

    def _constant_unary(self, node: Any) -> Typed | None:
        operator = node.op
        if operator == "sizeof" or operator == "_Alignof":
            operand = node.expr
            ctype = self.build(operand.type) if type(operand) is c_ast.Typename else self.type_of(operand)
            size = self.size(ctype) if operator == "sizeof" else self.alignment(ctype)
            return None if size is None else (size, UNSIGNED_LONG)
        if operator == "&":
            address = self._address(node.expr)
            return None if address is None else (address, Pointer(self.type_of(node.expr)))
        operand = self.typed_constant(node.expr)
        if operand is None or operator not in "-+~!":
            return None
        value, ctype = operand
        if operator == "!":
            return int(not value), INT
        ctype = promote(ctype)
        if operator == "-":
            value = -value
        elif operator == "~":
            value = ~value
        return wrap(value, ctype), ctype

    def _address(self, node: Any) -> int | None:
        """Compute the address of an lvalue below a constant pointer: `((struct x *)0)->member`."""
        kind = type(node)
        if kind is c_ast.StructRef:
            if node.type == "->":
                base, record = self.constant(node.name), self.type_of(node.name)
                record = record.to if isinstance(record, Pointer) else record
            else:
                base, record = self._address(node.name), self.type_of(node.name)
            if base is None or not isinstance(record, Record):
                return None
            offset = self.offset(record, node.field.name)
            return None if offset is None else base + offset
        if kind is c_ast.UnaryOp and node.op == "*":
            return self.constant(node.expr)
        if kind is c_ast.ArrayRef:
            return self._element_address(node)
        return None

    def _element_address(self, node: Any) -> int | None:
        ctype = self.type_of(node.name)
        index = self.constant(node.subscript)
        base = self._address(node.name) if isinstance(ctype, Array) else self.constant(node.name)
        element = self.size(ctype.of if isinstance(ctype, Array) else getattr(ctype, "to", ctype))
        return None if base is None or index is None or element is None else base + index * element

    def _constant_binary(self, node: Any) -> Typed | None:
        left = self.typed_constant(node.left)
        if left is None:
            return None
        operator = node.op
        if (operator == "&&" and not left[0]) or (operator == "||" and left[0]):
            return int(operator == "||"), INT
        right = self.typed_constant(node.right)
        if right is None:
            return None
        if isinstance(left[1], Pointer) and operator in {"+", "-"} and not isinstance(right[1], Pointer):
            return None
        value = fold(operator, *left, *right)
        return None if value is None else (value, result_type(operator, left[1], right[1]))

    def _constant_ternary(self, node: Any) -> Typed | None:
        condition = self.typed_constant(node.cond)
        if condition is None:
            return None
        if condition[0]:
            chosen = condition if node.iftrue is None else self.typed_constant(node.iftrue)
        else:
            chosen = self.typed_constant(node.iffalse)
        if chosen is None:
            return None
        ctype = self.type_of(node)
        return wrap(chosen[0], ctype), ctype

    def _constant_cast(self, node: Any) -> Typed | None:
        operand = self.typed_constant(node.expr)
        if operand is None:
            return None
        ctype = self.build(node.to_type.type)
        return None if is_floating(ctype) else (wrap(operand[0], ctype), ctype)

    def _constant_list(self, node: Any) -> Typed | None:
        return self.typed_constant(node.exprs[0]) if len(node.exprs) == 1 else None

    def _constant_choose(self, node: Any) -> Typed | None:
        chosen = self.chosen(node)
        return None if chosen is None else self.typed_constant(chosen)

    def chosen(self, node: Any) -> Any:
        """Find the operand that `__builtin_choose_expr` or `_Generic` chooses; None where that is not known."""
        raise NotImplementedError

    def _constant_compatible(self, node: Any) -> Typed | None:
        return int(self.compatible(self.build(node.left.type), self.build(node.right.type))), INT

    def compatible(self, left: CType, right: CType) -> bool:
        """Tell whether two types are compatible, as far as their IR names tell."""
        if isinstance(left, Pointer) and isinstance(right, Pointer):
            return self.compatible(left.to, right.to)
        if isinstance(left, Array) and isinstance(right, Array):
            lengths = left.length is None or right.length is None or left.length == right.length
            return lengths and self.compatible(left.of, right.of)
        return left == right

    def _constant_call(self, node: Any) -> Typed | None:
        if type(node.name) is not c_ast.ID or node.args is None:
            return None
        name, arguments = node.name.name, node.args.exprs
        if name == "__builtin_constant_p":
            return int(self.constant(arguments[0]) is not None or _is_text(arguments[0])), INT
        if name == "__builtin_expect" or name == "__builtin_expect_with_probability":
            return self.typed_constant(arguments[0])
        if name == "__builtin_offsetof":
            offset = self.offset_of(self.build(arguments[0].type), arguments[1])
            return None if offset is None else (offset, UNSIGNED_LONG)
        return None

    def offset_of(self, ctype: CType, designator: Any) -> int | None:
        """Compute `__builtin_offsetof`."""
        place = self._designated(ctype, designator)
        return None if place is None else place[0]

    def _designated(self, ctype: CType, designator: Any) -> tuple[int, CType] | None:
        kind = type(designator)
        if kind is c_ast.ArrayRef:
            outer = self._designated(ctype, designator.name)
            index = self.constant(designator.subscript)
            if outer is None or index is None or not isinstance(outer[1], Array):
                return None
            size = self.size(outer[1].of)
            return None if size is None else (outer[0] + index * size, outer[1].of)
        if kind is c_ast.StructRef:
            outer = self._designated(ctype, designator.name)
            name = designator.field.name
        else:
            outer, name = (0, ctype), designator.name
        if outer is None or not isinstance(outer[1], Record):
            return None
        offset, member = self.offset(outer[1], name), self.member(outer[1], name)
        return None if offset is None or member is None else (outer[0] + offset, member)


def _enumerator_type(value: int) -> CType:
    """Type an enumerator: int where it fits (C11 6.7.2.2), else as GCC widens it."""
    return next((kind for kind in (INT, UNSIGNED, LONG) if wrap(value, kind) == value), UNSIGNED_LONG)


def _is_text(node: Any) -> bool:
    return type(node) is c_ast.Constant and node.value.endswith('"')


def _enums(node: Any) -> list[Any]:
    """List the enumerations that a declaration defines, those inside records too."""
    found: list[Any] = []
    pending = [node]
    while pending:
        node = pending.pop()
        kind = type(node)
        if kind is c_ast.Enum:
            if node.values is not None:
                found.append(node)
        elif kind is c_ast.Struct or kind is c_ast.Union:
            pending.extend(reversed(node.decls or ()))
        elif kind is c_ast.FuncDef:
            pending.append(node.decl)
        else:
            inner = getattr(node, "type", None)
            if inner is not None and not isinstance(inner, str):
                pending.append(inner)
    return found


_HANDLERS: dict[type, Any] = {
    c_ast.Constant: Constants._constant_literal,
    c_ast.ID: Constants._constant_name,
    c_ast.UnaryOp: Constants._constant_unary,
    c_ast.BinaryOp: Constants._constant_binary,
    c_ast.TernaryOp: Constants._constant_ternary,
    c_ast.Cast: Constants._constant_cast,
    c_ast.ExprList: Constants._constant_list,
    c_ast.FuncCall: Constants._constant_call,
    c_ast.GenericSelection: Constants._constant_choose,
    nodes.ChooseExpr: Constants._constant_choose,
    nodes.BuiltinTypesCompatible: Constants._constant_compatible,
}

__all__ = ["Constants", "Typed", "TypesBase", "literal"]
