# SPDX-License-Identifier: GPL-2.0-only
"""Types of expressions, without evaluating them: for `typeof`, `sizeof`, `_Generic` and `__auto_type`.

In: the syntax of `kvm->slots_lock`. Out: `Record("struct", "mutex")`.

**Invariant:** declares names only in scopes of its own (those of statement expressions).
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct
from pycparser import c_ast

from analyzer.frontend import nodes
from analyzer.frontend.attributes import ANNOTATIONS
from analyzer.frontend.types_constant import Constants, literal
from analyzer.frontend.types_names import Entry, Outside
from analyzer.frontend.types_scalars import (
    BOOL,
    CHAR,
    DOUBLE,
    INT,
    UNSIGNED,
    UNSIGNED_LONG,
    UNSIGNED_LONG_LONG,
    VOID,
    decay,
    promote,
    result_type,
)
from analyzer.ir.types import UNKNOWN, Array, CType, Enum, Function, Pointer, Record, Scalar, Unknown

_VOID_POINTER = Pointer(VOID)
_CHAR_POINTER = Pointer(CHAR)

#: name after `__builtin_` → what the call gives; the rest is declared or gives int
_BUILTINS: dict[str, Scalar | Pointer] = (
    dict.fromkeys(("unreachable", "trap", "prefetch", "va_start", "va_end", "va_copy", "ia32_pause"), VOID)
    | dict.fromkeys(
        ("return_address", "frame_address", "extract_return_addr", "alloca", "assume_aligned"), _VOID_POINTER
    )
    | dict.fromkeys(("memcpy", "memmove", "memset", "memchr"), _VOID_POINTER)
    | dict.fromkeys(("strcpy", "strncpy", "strcat", "strchr", "strrchr", "strstr"), _CHAR_POINTER)
    | dict.fromkeys(("add_overflow", "sub_overflow", "mul_overflow"), BOOL)
    | dict.fromkeys(("offsetof", "object_size", "dynamic_object_size", "strlen"), UNSIGNED_LONG)
    | {"bswap16": Scalar("unsigned short"), "bswap32": UNSIGNED, "bswap64": UNSIGNED_LONG_LONG}
    | {"expect": Scalar("long"), "expect_with_probability": Scalar("long")}
)


class Declared(Struct, frozen=True):
    """What a name stands for outside functions."""

    #: `variable` or `function`
    kind: str
    type: CType
    noreturn: bool = False


class Types(Constants):
    """Types of one unit as seen from one place: the whole of it."""

    def __init__(self, outside: Outside) -> None:
        super().__init__(outside)
        #: names whose declaration is being read: `extern typeof(f) f;` says nothing about f
        self._declaring: set[str] = set()

    def type_of(self, node: Any) -> CType:
        """Find the type of an expression, arrays and functions not decayed."""
        handler = _HANDLERS.get(type(node))
        if handler is None:
            return self._unknown(node, f"expression written as {type(node).__name__}")
        found: CType = handler(self, node)
        return found

    def _unknown(self, node: Any, text: str) -> CType:
        self.unknown.append((node, text))
        return UNKNOWN

    def _type_of_literal(self, node: Any) -> CType:
        text = node.value
        if text.endswith('"'):
            return Array(CHAR, _length(text))
        found = literal(text)
        if found is not None:
            return found[1]
        return Scalar("float") if text[-1] in "fF" else DOUBLE

    def _type_of_name(self, node: Any) -> CType:
        entry = self.names.ordinary.get(node.name)
        if entry is not None:
            return entry.type if entry.kind != "enumerator" else INT
        declared = self.declaration(node.name)
        if declared is not None:
            return declared.type
        if self.enumerator(node.name) is not None:
            found = self.typed_constant(node)
            return INT if found is None else found[1]
        if node.name in {"__func__", "__FUNCTION__", "__PRETTY_FUNCTION__"}:
            return Array(CHAR)
        return self._unknown(node, f"name {node.name}")

    def declaration(self, name: str) -> Declared | None:
        """Find what `name` stands for outside functions, unless it is an enumerator."""
        return self.outside.remembered("o:" + name, lambda: self._declaration(name))

    def _declaration(self, name: str) -> Declared | None:
        declaration = self.outside.ordinary(name)
        if declaration is None or name in self._declaring:
            return None
        self._declaring.add(name)
        try:
            return self._read_declaration(name, declaration)
        finally:
            self._declaring.discard(name)

    def _read_declaration(self, name: str, declaration: Any) -> Declared | None:
        with self.outermost():
            for node in self.outside.table.parse_signature(declaration):
                decl = node.decl if type(node) is c_ast.FuncDef else node
                if type(decl) is c_ast.Decl and decl.name == name:
                    ctype = self.declared(decl, name)
                    kind = "function" if isinstance(ctype, Function) else "variable"
                    return Declared(kind, ctype, is_noreturn(decl))
        return None

    def _type_of_unary(self, node: Any) -> CType:
        operator = node.op
        if operator == "&":
            return Pointer(self.type_of(node.expr))
        if operator == "*":
            return self.pointee(self.type_of(node.expr), node)
        if operator == "sizeof" or operator == "_Alignof":
            return UNSIGNED_LONG
        if operator == "!":
            return INT
        operand = decay(self.type_of(node.expr))
        return operand if operator in _STEPS else promote(operand)

    def pointee(self, ctype: CType, node: Any) -> CType:
        """Find what `*` makes of a value of type `ctype`."""
        if isinstance(ctype, Pointer):
            return ctype.to
        if isinstance(ctype, Array):
            return ctype.of
        if isinstance(ctype, Function | Unknown):
            return ctype
        return self._unknown(node, "pointer of unknown type")

    def _type_of_binary(self, node: Any) -> CType:
        operator = node.op
        if operator in _TRUTHS:
            return INT
        return result_type(operator, decay(self.type_of(node.left)), decay(self.type_of(node.right)))

    def _type_of_ternary(self, node: Any) -> CType:
        iftrue = node.cond if node.iftrue is None else node.iftrue
        left, right = decay(self.type_of(iftrue)), decay(self.type_of(node.iffalse))
        if isinstance(left, Pointer) or isinstance(right, Pointer):
            return self.pointer_of_two(left, iftrue, right, node.iffalse)
        return self.of_two(left, right)

    def pointer_of_two(self, left: CType, left_node: Any, right: CType, right_node: Any) -> CType:
        """Type `c ? left : right` where one is a pointer (C11 6.5.15)."""
        if self._is_null(left, left_node):
            return right if isinstance(right, Pointer) else left
        if self._is_null(right, right_node):
            return left if isinstance(left, Pointer) else right
        if isinstance(left, Pointer) and isinstance(right, Pointer):
            return right if right.to == VOID else left
        return left if isinstance(left, Pointer) else right

    def _is_null(self, ctype: CType, node: Any) -> bool:
        """Tell whether `node` is a null pointer constant: 0, or 0 cast to `void *`."""
        if isinstance(ctype, Pointer) and ctype.to != VOID:
            return False
        return self.constant(node) == 0

    def of_two(self, left: CType, right: CType) -> CType:
        """Type `c ? left : right` where none is a pointer."""
        for ctype in (left, right):
            if ctype == VOID or isinstance(ctype, Record | Unknown):
                return ctype
        return result_type("+", left, right)

    def _type_of_assignment(self, node: Any) -> CType:
        return self.type_of(node.lvalue)

    def _type_of_list(self, node: Any) -> CType:
        return self.type_of(node.exprs[-1])

    def _type_of_cast(self, node: Any) -> CType:
        return self.build(node.to_type.type)

    def _type_of_literal_object(self, node: Any) -> CType:
        ctype = self.build(node.type.type)
        if isinstance(ctype, Array) and ctype.length is None:
            return Array(ctype.of, self.initialised_length(node.init))
        return ctype

    def _type_of_member(self, node: Any) -> CType:
        ctype = self.type_of(node.name)
        if node.type == "->":
            ctype = self.pointee(ctype, node)
        return self.member_of(ctype, node.field.name, node)

    def member_of(self, ctype: CType, name: str, node: Any) -> CType:
        """Find the type of the member `name` of an object of type `ctype`."""
        found = self.member(ctype, name) if isinstance(ctype, Record) else None
        if found is None:
            return self._unknown(node, f"member {name} of {getattr(ctype, 'name', '?')}")
        return found

    def _type_of_element(self, node: Any) -> CType:
        ctype = self.type_of(node.name)
        if not isinstance(ctype, Array | Pointer):
            ctype = self.type_of(node.subscript)
        return self.pointee(ctype, node)

    def _type_of_call(self, node: Any) -> CType:
        if type(node.name) is c_ast.ID:
            name = node.name.name
            if name.startswith("__builtin_"):
                return self.builtin(name, node)
            if name not in self.names.ordinary and self.declaration(name) is None:
                return self._atomic(name, node)
        return self.returned(self.type_of(node.name), node)

    def _atomic(self, name: str, node: Any) -> CType:
        """Find what a call of a function that nothing declares gives: an atomic builtin, or int."""
        if not name.startswith(("__atomic_", "__sync_")) or node.args is None:
            return INT
        if name.endswith(("test_and_set", "compare_exchange_n", "bool_compare_and_swap")) and "lock" not in name:
            return BOOL
        ctype = decay(self.type_of(node.args.exprs[0]))
        return ctype.to if isinstance(ctype, Pointer) else INT

    def returned(self, ctype: CType, node: Any) -> CType:
        """Find what a call of a value of type `ctype` gives."""
        if isinstance(ctype, Pointer):
            ctype = ctype.to
        if isinstance(ctype, Function):
            return ctype.returns
        return self._unknown(node, "called value of unknown type")

    def builtin(self, name: str, node: Any) -> CType:
        """Find what a call of the builtin `name` gives."""
        if name == "__builtin_va_arg":
            return self.build(node.args.exprs[1].type)
        found = _BUILTINS.get(name[len("__builtin_") :])
        return INT if found is None else found

    def _type_of_block(self, node: Any) -> CType:
        self.names.push()
        try:
            ctype: CType = VOID
            for item in node.block_items or ():
                if type(item) is c_ast.Decl:
                    if item.name is not None:
                        self.names.declare(item.name, Entry("variable", self.declared(item, item.name)))
                    else:
                        self.build(item.type)
                elif type(item) is c_ast.Typedef:
                    self.names.declare(item.name, Entry("typedef", self.build(item.type, item.name)))
            last = node.block_items[-1] if node.block_items else None
            if type(last) in _HANDLERS:
                ctype = decay(self.type_of(last))
            return ctype
        finally:
            self.names.pop()

    def _type_of_chosen(self, node: Any) -> CType:
        chosen = self.chosen(node)
        return self._unknown(node, "choice that is not constant") if chosen is None else self.type_of(chosen)

    def chosen(self, node: Any) -> Any:
        """Find the operand that `__builtin_choose_expr` or `_Generic` chooses; None where that is not known."""
        if type(node) is nodes.ChooseExpr:
            condition = self.constant(node.cond)
            if condition is None:
                return None
            return node.iftrue if condition else node.iffalse
        ctype = decay(self.type_of(node.expr))
        default = None
        for association in node.associations:
            if association.type is None:
                default = association.expr
            elif self.compatible(self.build(association.type.type), ctype):
                return association.expr
        return default

    def _type_of_int(self, _: Any) -> CType:
        return INT

    def _type_of_label(self, _: Any) -> CType:
        return _VOID_POINTER


def is_noreturn(decl: Any) -> bool:
    """Tell whether a declaration says that the function does not return."""
    if "_Noreturn" in (decl.funcspec or ()):
        return True
    return "noreturn" in attribute_names(decl)


def attribute_names(decl: Any) -> dict[str, str]:
    """Collect the attributes of a declaration: name → spelling of the arguments."""
    return {a.name: a.arguments or "" for group in decl.attributes or () for a in group.attributes}


def annotations_of(decl: Any) -> tuple[tuple[str, str], ...]:
    """List the annotations of a function's declaration, in order: name and spelling of the arguments."""
    attributes = (a for group in decl.attributes or () for a in group.attributes)
    return tuple((a.name, a.arguments or "") for a in attributes if a.name in ANNOTATIONS)


def text_of(spelling: str) -> str:
    """Join the pieces of a string literal as written, without prefixes and quotes; escapes stay as they are."""
    return "".join(_PIECE.findall(spelling))


def _length(spelling: str) -> int:
    """Count the characters of a string literal, the final NUL too."""
    return 1 + sum(len(_ESCAPE.sub("x", piece)) for piece in _PIECE.findall(spelling))


_PIECE = re.compile(r'"((?:[^"\\]|\\.)*+)"')
#: one character as a literal spells it
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]+|[0-7]{1,3}|.)")
_STEPS = {"++", "--", "p++", "p--"}
_TRUTHS = {"==", "!=", "<", ">", "<=", ">=", "&&", "||"}
_HANDLERS: dict[type, Any] = {
    c_ast.Constant: Types._type_of_literal,
    c_ast.ID: Types._type_of_name,
    c_ast.UnaryOp: Types._type_of_unary,
    c_ast.BinaryOp: Types._type_of_binary,
    c_ast.TernaryOp: Types._type_of_ternary,
    c_ast.Assignment: Types._type_of_assignment,
    c_ast.ExprList: Types._type_of_list,
    c_ast.Cast: Types._type_of_cast,
    c_ast.CompoundLiteral: Types._type_of_literal_object,
    c_ast.StructRef: Types._type_of_member,
    c_ast.ArrayRef: Types._type_of_element,
    c_ast.FuncCall: Types._type_of_call,
    c_ast.Compound: Types._type_of_block,
    c_ast.GenericSelection: Types._type_of_chosen,
    nodes.ChooseExpr: Types._type_of_chosen,
    nodes.BuiltinTypesCompatible: Types._type_of_int,
    nodes.LabelAddress: Types._type_of_label,
}

__all__ = ["Declared", "Enum", "Types", "annotations_of", "attribute_names", "is_noreturn", "text_of"]
