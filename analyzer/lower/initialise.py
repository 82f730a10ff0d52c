# SPDX-License-Identifier: GPL-2.0-only
"""Initialisers of objects, walked member by member.

In: the syntax of `{ .head = { a, b }, 3 }` for a record. Out: selectors, type and expression of each initialised part.

**Invariant:** what an initialiser leaves out, and so is zero, is not mentioned.
**Source:** C11 6.7.9; GCC manual, "Designated Initializers".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from pycparser import c_ast

from analyzer.frontend.types import Types
from analyzer.ir.function import Store
from analyzer.ir.types import UNKNOWN, Array, CType, Record, Scalar
from analyzer.ir.values import AccessPath, Constant, Field, Index, Opaque, Selector
from analyzer.lower.context import Lowering
from analyzer.lower.operators import converted

#: elements of a designated range that are spelled out; a wider one stands for all its elements at once
_MAX_RANGE = 64
_CHARACTERS = {"char", "signed char", "unsigned char", "unsigned short", "int", "unsigned int"}


class Slot(Struct, frozen=True):
    """One part of an object with the expression that initialises it."""

    selectors: tuple[Selector, ...]
    type: CType
    #: an expression; a string literal for an array of characters, an expression of record type for a record
    node: Any


class _Part(Struct, frozen=True):
    """A direct part of an aggregate."""

    selectors: tuple[Selector, ...]
    type: CType


class _Items:
    """The items of a brace-enclosed list, from the first not yet used on."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.at = 0

    def peek(self) -> Any:
        """Return the next item; None after the last."""
        return self.items[self.at] if self.at < len(self.items) else None


def initialise(low: Lowering, path: AccessPath, ctype: CType, init: Any) -> None:
    """Store what `init` gives to the parts of the new object at `path`."""
    for slot in slots(low.types, ctype, init):
        value, value_type = low.value(slot.node)
        target = AccessPath(path.root, path.selectors + slot.selectors)
        low.flow.emit(Store(target, converted(value, value_type, slot.type), low.at(slot.node)))


def slots(types: Types, ctype: CType, init: Any) -> Iterator[Slot]:
    """Walk the initialiser `init` of an object of type `ctype`."""
    if type(init) is not c_ast.InitList:
        yield Slot((), ctype, init)
        return
    items = _Items(init.exprs or [])
    if isinstance(ctype, Array | Record):
        first = items.peek()
        if len(items.items) == 1 and isinstance(ctype, Array) and _whole(types, ctype, first):
            yield Slot((), ctype, first)
        else:
            yield from _Aggregate(types, ctype).walk(items, braced=True)
    elif items.items:
        yield from slots(types, ctype, items.items[0])


class _Aggregate:
    """An array or record that is initialised."""

    def __init__(self, types: Types, ctype: Array | Record) -> None:
        self._types = types
        self._type = ctype
        self._members = _members(types, ctype) if isinstance(ctype, Record) else None

    def walk(self, items: _Items, *, braced: bool) -> Iterator[Slot]:
        """Use up `items`; without braces of its own an aggregate takes only as many as it has parts."""
        at = 0
        while (item := items.peek()) is not None:
            if type(item) is c_ast.NamedInitializer:
                if not braced:
                    return
                items.at += 1
                yield from self._designated(item.name, item.expr)
                at = self._position(item.name[0]) + 1
                continue
            part = self._part(at)
            if part is None:
                if braced:
                    items.at += 1
                    continue
                return
            yield from self._positional(part, items)
            at += 1

    def _positional(self, part: _Part, items: _Items) -> Iterator[Slot]:
        """Initialise one part from the next item, or from several if it is an aggregate without braces."""
        ctype, item = part.type, items.peek()
        if isinstance(ctype, Array | Record) and type(item) is not c_ast.InitList:
            if not _whole(self._types, ctype, item):
                before = items.at
                for slot in _Aggregate(self._types, ctype).walk(items, braced=False):
                    yield Slot(part.selectors + slot.selectors, slot.type, slot.node)
                items.at = max(items.at, before + (0 if items.at > before else 1))
                return
        items.at += 1
        for slot in slots(self._types, ctype, item):
            yield Slot(part.selectors + slot.selectors, slot.type, slot.node)

    def _designated(self, designators: list[Any], init: Any) -> Iterator[Slot]:
        for part in self._named(designators[0]):
            if len(designators) == 1:
                inner = slots(self._types, part.type, init)
            elif isinstance(part.type, Array | Record):
                inner = _Aggregate(self._types, part.type)._designated(designators[1:], init)
            else:
                continue
            for slot in inner:
                yield Slot(part.selectors + slot.selectors, slot.type, slot.node)

    def _named(self, designator: Any) -> Iterator[_Part]:
        """Find the parts that a designator names: several for a range."""
        ctype = self._type
        if type(designator) is not c_ast.ArrayDesignator:
            member = self._types.member(ctype, designator.name) if isinstance(ctype, Record) else None
            yield _Part((Field(getattr(ctype, "name", "?"), designator.name),), member or UNKNOWN)
            return
        of = ctype.of if isinstance(ctype, Array) else UNKNOWN
        bounds = designator.expr
        low = self._types.constant(getattr(bounds, "low", bounds))
        high = self._types.constant(getattr(bounds, "high", bounds))
        if low is None or high is None or high - low >= _MAX_RANGE:
            yield _Part((Index(Opaque("range")),), of)
            return
        for i in range(low, high + 1):
            yield _Part((Index(Constant(i)),), of)

    def _part(self, at: int) -> _Part | None:
        """Find the part at position `at`."""
        ctype = self._type
        if isinstance(ctype, Array):
            inside = ctype.length is None or at < ctype.length
            return _Part((Index(Constant(at)),), ctype.of) if inside else None
        assert self._members is not None
        if at >= len(self._members):
            return None
        name = self._members[at]
        return _Part((Field(ctype.name, name),), self._types.member(ctype, name) or UNKNOWN)

    def _position(self, designator: Any) -> int:
        """Find the position of the part that `designator` names, the last of a range."""
        if type(designator) is c_ast.ArrayDesignator:
            index = self._types.constant(getattr(designator.expr, "high", designator.expr))
            return -1 if index is None else index
        members = self._members or []
        return members.index(designator.name) if designator.name in members else len(members)


def _whole(types: Types, ctype: CType, item: Any) -> bool:
    """Tell whether the expression `item` initialises all of an aggregate at once."""
    if isinstance(ctype, Array):
        text = type(item) is c_ast.Constant and item.value.endswith('"')
        return text and isinstance(ctype.of, Scalar) and ctype.of.name in _CHARACTERS
    return type(item) not in {c_ast.Constant, c_ast.NamedInitializer} and types.type_of(item) == ctype


def _members(types: Types, ctype: Record) -> list[str]:
    """List the members that a list without designators initialises, in order: of a union the first."""
    shape = types.shape(ctype.name)
    return [] if shape is None else list(_named_members(shape.node))


def _named_members(node: Any) -> Iterator[str]:
    for decl in node.decls or ():
        if type(decl) is not c_ast.Decl:
            continue
        if decl.name is not None:
            yield decl.name
        elif decl.bitsize is None:
            inner = decl.type
            while inner is not None and type(inner) not in {c_ast.Struct, c_ast.Union}:
                inner = getattr(inner, "type", None)
            if inner is not None:
                yield from _named_members(inner)
        else:
            continue
        if type(node) is c_ast.Union:
            return
