# SPDX-License-Identifier: GPL-2.0-only
"""Record definitions and the types of their members.

In: `Record("struct", "kvm_memory_slot")`, `"gmem"`. Out: `Record("struct", "kvm_memory_slot.gmem")`.

**Invariant:** a definition is found by the record's name alone: the tag, the typedef's name, or the dotted path.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pycparser import c_ast

from analyzer.frontend.types_base import Shape, record_node
from analyzer.frontend.types_build import TypesOfDeclarations
from analyzer.ir.types import UNKNOWN, CType, Record


class TypesOfMembers(TypesOfDeclarations):
    """Finds definitions of records and types of members."""

    def shape(self, name: str) -> Shape | None:
        """Find the definition of the record named `name`; None where it has none in sight."""
        if self.local_shapes:
            local = self._local_shape(name)
            if local is not None:
                return local
        return self.outside.remembered(f"g:{name.partition('.')[0]}!{name}", lambda: self._shape(name))

    def _local_shape(self, name: str) -> Shape | None:
        shape = self.local_shapes.get(name)
        if shape is not None:
            return shape
        parent, _, member = name.rpartition(".")
        outer = self._local_shape(parent) if parent else None
        return None if outer is None else _nested(outer, member)

    def _shape(self, name: str) -> Shape | None:
        parent, _, member = name.rpartition(".")
        if parent:
            outer = self.shape(parent)
            return None if outer is None else _nested(outer, member)
        declaration = self.outside.tag(name)
        if declaration is not None:
            for node in self.outside.table.parse(declaration):
                for record in _records(node):
                    if record.name == name and record.decls is not None:
                        return Shape(record)
        for declaration in (self.outside.typedef(name), self.outside.ordinary(name)):
            if declaration is not None:
                for node in self.outside.table.parse(declaration):
                    found = record_node(node)
                    if getattr(node, "name", None) == name and found is not None and found.decls is not None:
                        return Shape(found)
        return None

    def member(self, record: Record, name: str) -> CType | None:
        """Find the type of the member `name` of `record`; None where `record` has none or no definition."""
        shape = self.shape(record.name)
        if shape is None or name not in shape.promoted:
            return None
        naming = f"{record.name}.{name}"
        if self.local_shapes and self._local_shape(record.name) is not None:
            return self.build(shape.promoted[name].type, naming)
        return self.outside.remembered(
            f"g:{record.name.partition('.')[0]}!{record.name}!{name}",
            lambda: self._member(record.name, name, naming),
        )

    def _member(self, record: str, name: str, naming: str) -> CType:
        with self.outermost():
            shape = self.shape(record)
            return UNKNOWN if shape is None else self.build(shape.promoted[name].type, naming)


def _nested(outer: Shape, member: str) -> Shape | None:
    """Find the untagged record that `member` of `outer` is made of."""
    decl = outer.promoted.get(member)
    node = None if decl is None else record_node(decl)
    return None if node is None or node.decls is None else Shape(node)


def _records(node: Any) -> Iterator[Any]:
    """Yield every struct and union specifier in a declaration, outermost first."""
    pending = [node]
    while pending:
        node = pending.pop()
        kind = type(node)
        if kind is c_ast.Struct or kind is c_ast.Union:
            yield node
            pending.extend(reversed(node.decls or ()))
        elif kind is c_ast.FuncDef:
            pending.append(node.decl)
        elif kind is c_ast.FuncDecl:
            pending.append(node.type)
            pending.extend(node.args.params if node.args is not None else ())
        elif kind in _WITH_TYPE:
            pending.append(node.type)


_WITH_TYPE = {c_ast.Decl, c_ast.Typedef, c_ast.Typename, c_ast.TypeDecl, c_ast.PtrDecl, c_ast.ArrayDecl}
