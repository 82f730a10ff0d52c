# SPDX-License-Identifier: GPL-2.0-only
"""Sizes, alignments and offsets.

In: `Record("struct", "list_head")`. Out: size 16, alignment 8, `prev` at 8.

**Invariant:** what cannot be computed is None, never a guess.
**Source:** System V ABI, AMD64 supplement, 3.1.2 (aggregates and unions, bit-fields).
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from pycparser import c_ast

from analyzer.frontend.extents import PARENS
from analyzer.frontend.types_base import Shape, record_node
from analyzer.frontend.types_records import TypesOfMembers
from analyzer.frontend.types_scalars import POINTER_SIZE, SIZES
from analyzer.ir.types import Array, CType, Enum, Function, Pointer, Record, Scalar

#: attributes that change a layout; the tree does not hold them, so what they stand near to is not computed
_PLACED = re.compile(r"\b(?:__)?(?:packed|aligned|ms_struct|scalar_storage_order|mode|vector_size)(?:__)?\b")
_ATTRIBUTE = re.compile(rf"\b__attribute(?:__)?\s*{PARENS}|\b_Alignas\b")


def _is_placed(text: str) -> bool:
    """Tell whether an attribute in `text` changes a layout; members may be called like attributes."""
    return any(found[0] == "_Alignas" or _PLACED.search(found[0]) for found in _ATTRIBUTE.finditer(text))


class Layout(NamedTuple):
    """How a record lies in memory, in bytes."""

    size: int
    alignment: int
    #: by name of every member that can be named directly; bit-fields at the byte they begin in
    offsets: dict[str, int]


class Layouts(TypesOfMembers):
    """Computes layouts."""

    def size(self, ctype: CType) -> int | None:
        """Compute `sizeof` in bytes; GNU C gives `void` and functions 1."""
        match ctype:
            case Scalar(name):
                return SIZES.get(name)
            case Pointer():
                return POINTER_SIZE
            case Enum():
                return 4
            case Array(of, length):
                element = self.size(of)
                return None if element is None or length is None else element * length
            case Record(_, name):
                layout = self.layout(name)
                return None if layout is None else layout.size
            case Function():
                return 1
            case _:
                return None

    def alignment(self, ctype: CType) -> int | None:
        """Compute `_Alignof` in bytes."""
        match ctype:
            case Array(of, _):
                return self.alignment(of)
            case Record(_, name):
                layout = self.layout(name)
                return None if layout is None else layout.alignment
            case Scalar("__builtin_va_list"):
                return 8
            case _:
                return self.size(ctype)

    def offset(self, record: Record, name: str) -> int | None:
        """Compute `offsetof` of the member `name`."""
        layout = self.layout(record.name)
        return None if layout is None else layout.offsets.get(name)

    def layout(self, name: str) -> Layout | None:
        """Compute the layout of the record named `name`."""
        if self.local_shapes and self._local_shape(name) is not None:
            return self._layout(name)
        return self.outside.remembered(f"g:{name.partition('.')[0]}!{name}!!", lambda: self._outer_layout(name))

    def _outer_layout(self, name: str) -> Layout | None:
        with self.outermost():
            return self._layout(name)

    def _layout(self, name: str) -> Layout | None:
        shape = self.shape(name)
        if shape is None or (shape.node.coord is not None and _is_placed(shape.node.coord.lines.text)):
            return None
        return self._lay_out(name, shape)

    def _lay_out(self, name: str, shape: Shape) -> Layout | None:
        union = type(shape.node) is c_ast.Union
        position = end = 0
        alignment = 1
        offsets: dict[str, int] = {}
        for decl in shape.members:
            if union:
                position = 0
            if decl.bitsize is not None:
                placed = self._bit_field(name, decl, position)
            else:
                placed = self._member_place(name, decl, position, offsets)
            if placed is None:
                return None
            begin, position, member_alignment = placed
            if decl.name is not None:
                offsets[decl.name] = begin // 8
            alignment = max(alignment, member_alignment)
            end = max(end, position)
        return Layout(_up(-(-end // 8), alignment), alignment, offsets)

    def _member_place(
        self, name: str, decl: Any, position: int, offsets: dict[str, int]
    ) -> tuple[int, int, int] | None:
        """Place a member after bit `position`; tell its first bit, the bit after it, and its alignment in bytes."""
        if decl.name is None:
            node = record_node(decl)
            inner = None if node is None or node.decls is None else self._lay_out(name, Shape(node))
            if inner is None:
                return None
            begin = _up(position, inner.alignment * 8)
            offsets.update((member, begin // 8 + at) for member, at in inner.offsets.items())
            return begin, begin + inner.size * 8, inner.alignment
        ctype = self.member(Record("struct", name), decl.name)
        if isinstance(ctype, Array) and ctype.length is None:
            ctype = Array(ctype.of, 0)
        size = None if ctype is None else self.size(ctype)
        alignment = None if ctype is None else self.alignment(ctype)
        if size is None or alignment is None:
            return None
        begin = _up(position, alignment * 8)
        return begin, begin + size * 8, alignment

    def _bit_field(self, name: str, decl: Any, position: int) -> tuple[int, int, int] | None:
        """Place a bit-field after bit `position`, within one unit of its type."""
        width = self.constant(decl.bitsize)
        size = self.size(self.build(decl.type, name))
        if width is None or size is None or width < 0:
            return None
        unit = size * 8
        if width == 0:
            return position, _up(position, unit), 1
        if position // unit != (position + width - 1) // unit:
            position = _up(position, unit)
        return position, position + width, size if decl.name is not None else 1


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple if multiple else value
