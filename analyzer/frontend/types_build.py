# SPDX-License-Identifier: GPL-2.0-only
"""Types of declarators, type names and specifiers.

In: the syntax of `struct kvm *x`. Out: `Pointer(Record("struct", "kvm"))`.

**Invariant:** a record is named without looking at its definition, so that a function hangs on the records whose
members it names and on no others.
"""

from __future__ import annotations

from typing import Any

from pycparser import c_ast

from analyzer.frontend.types_base import Shape, TypesBase
from analyzer.frontend.types_names import Entry
from analyzer.frontend.types_scalars import VA_LIST, decay, scalar
from analyzer.ir.types import INT, UNKNOWN, Array, CType, Enum, Function, Pointer, Record


class TypesOfDeclarations(TypesBase):
    """Builds types from the syntax of declarations."""

    def build(self, node: Any, naming: str = "") -> CType:
        """Build the type of `node`; an untagged record in it is named `naming`."""
        kind = type(node)
        if kind is c_ast.TypeDecl or kind is c_ast.Decl or kind is c_ast.Typename or kind is c_ast.Typedef:
            return self.build(node.type, naming)
        if kind is c_ast.IdentifierType:
            return self._named(node)
        if kind is c_ast.PtrDecl:
            return Pointer(self.build(node.type, naming), "const" in _qualifiers(node.type))
        if kind is c_ast.ArrayDecl:
            length = None if node.dim is None else self.constant(node.dim)
            return Array(self.build(node.type, naming), length)
        if kind is c_ast.FuncDecl:
            return self._function(node)
        if kind is c_ast.Struct or kind is c_ast.Union:
            return self._record(node, naming)
        if kind is c_ast.Enum:
            return self._enum(node)
        if kind is c_ast.TypeOf:
            return self._typeof(node)
        if kind is c_ast.AttributedType:
            return self.build(node.type, naming)
        self.unknown.append((node, f"type written as {kind.__name__}"))
        return UNKNOWN

    def _named(self, node: Any) -> CType:
        names = tuple(node.names)
        found = scalar(names)
        if found is not None:
            return found
        name = names[-1]
        entry = self.names.ordinary.get(name)
        if entry is not None and entry.kind == "typedef":
            return entry.type
        return self.typedef(name, node)

    def typedef(self, name: str, node: Any = None) -> CType:
        """Find the type that the typedef `name` outside functions stands for."""
        found = self.outside.remembered("t:" + name, lambda: self._typedef(name))
        if found is None:
            self.unknown.append((node, f"type {name}"))
            return UNKNOWN
        return found

    def _typedef(self, name: str) -> CType | None:
        declaration = self.outside.typedef(name)
        if declaration is None:
            return VA_LIST if name == "__builtin_va_list" else None
        with self.outermost():
            for node in self.outside.table.parse(declaration):
                if type(node) is c_ast.Typedef and node.name == name:
                    return self.build(node.type, name)
        return None

    def _function(self, node: Any) -> CType:
        parameters: list[CType] = []
        variadic = False
        for parameter in node.args.params if node.args is not None else ():
            kind = type(parameter)
            if kind is c_ast.EllipsisParam:
                variadic = True
            elif kind is c_ast.Decl or kind is c_ast.Typename:
                parameters.append(decay(self.build(parameter.type)))
            else:
                parameters.append(INT)
        if len(parameters) == 1 and getattr(parameters[0], "name", "") == "void":
            parameters = []
        return Function(self.build(node.type), tuple(parameters), variadic)

    def _record(self, node: Any, naming: str) -> CType:
        kind = "struct" if type(node) is c_ast.Struct else "union"
        name = node.name
        if name is not None and node.decls is None:
            local = self.names.tags.get(name)
            return Record(kind, name) if local is None else local
        if name is None:
            name = naming or f"{self.function}.<record {len(self.local_shapes)}>"
        if self.function or not (naming or node.name):
            name = self._define_here(name, node)
        record = Record(kind, name)
        if self.function and node.name is not None:
            self.names.declare_tag(node.name, record)
        return record

    def _define_here(self, name: str, node: Any) -> str:
        """Remember the definition of a record inside a function; tell its name, no other record's."""
        plain, n = name, 1
        while name in self.local_shapes and self.local_shapes[name].node is not node:
            n += 1
            name = f"{plain}#{n}"
        if name not in self.local_shapes:
            self.local_shapes[name] = Shape(node)
        return name

    def _enum(self, node: Any) -> CType:
        ctype = Enum(node.name or "")
        if node.values is not None and self.function:
            self.declare_enumerators(node, ctype)
        return ctype

    def declare_enumerators(self, node: Any, ctype: CType) -> dict[str, int | None]:
        """Declare the enumerators of `node` in the innermost scope and tell their values."""
        values: dict[str, int | None] = {}
        value: int | None = -1
        for enumerator in node.values.enumerators:
            if type(enumerator) is not c_ast.Enumerator:
                continue
            if enumerator.value is not None:
                value = self.constant(enumerator.value)
            elif value is not None:
                value += 1
            values[enumerator.name] = value
            self.names.declare(enumerator.name, Entry("enumerator", ctype, value=value))
        return values

    def _typeof(self, node: Any) -> CType:
        operand = node.expr
        if type(operand) is c_ast.Typename:
            return self.build(operand.type)
        return self.type_of(operand)

    def declared(self, decl: Any, naming: str) -> CType:
        """Build the type of the variable that `decl` declares, its array's length taken from the initialiser."""
        if type(decl.type) is c_ast.TypeDecl and type(decl.type.type) is c_ast.InferredType:
            return decay(self.type_of(decl.init)) if decl.init is not None else UNKNOWN
        ctype = self.build(decl.type, naming)
        if isinstance(ctype, Array) and ctype.length is None and decl.init is not None:
            return Array(ctype.of, self.initialised_length(decl.init))
        return ctype

    def initialised_length(self, init: Any) -> int | None:
        """Count the elements that an array gets from its initialiser."""
        if type(init) is c_ast.Constant:
            ctype = self.type_of(init)
            return ctype.length if isinstance(ctype, Array) else None
        if type(init) is not c_ast.InitList:
            return None
        length = position = 0
        for item in init.exprs:
            if type(item) is c_ast.NamedInitializer:
                designator = item.name[0]
                if type(designator) is not c_ast.ArrayDesignator:
                    return None
                index = self.constant(getattr(designator.expr, "high", designator.expr))
                if index is None:
                    return None
                position = index
            position += 1
            length = max(length, position)
        return length


def _qualifiers(node: Any) -> list[str]:
    """Tell the qualifiers of what a pointer declarator points to."""
    return getattr(node, "quals", None) or []
