# SPDX-License-Identifier: GPL-2.0-only
"""Initialisers of objects, walked member by member.

In: the syntax of `{ .head = { a, b }, 3 }` for a record. Out: selectors, type and expression of each initialised part.

**Invariant:** what an initialiser of a record leaves out is zero: so is the whole, before its parts are stored.
**Source:** C11 6.7.9; GCC manual, "Designated Initializers".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from pycparser import c_ast

from analyzer.frontend.types import Types, record_node
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
    """Store what `init` gives to the parts of the new object at `path`; a record in braces is zero first."""
    if type(init) is c_ast.InitList and isinstance(ctype, Record):
        low.flow.emit(Store(path, Constant(0), low.at(init)))
    for slot in slots(low.types, ctype, init):
        value, from_type = low.value(slot.node)
        target = AccessPath(path.root, path.selectors + slot.selectors)
        low.flow.emit(Store(target, converted(value, from_type, slot.type), low.at(slot.node)))


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
    """An array or record that is initialised, or an anonymous record within one."""

    def __init__(self, types: Types, ctype: Array | Record, node: Any = None) -> None:
        self._types = types
        self._type = ctype
        self._members: list[Any] = []
        if isinstance(ctype, Record):
            shape = types.shape(ctype.name) if node is None else None
            node = shape.node if shape is not None else node
            self._members = _members(node) if node is not None else []

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
            before = items.at
            if self._is_past(at):
                if not braced:
                    return
                items.at += 1
                continue
            yield from self._positional(at, items)
            # an aggregate without parts takes nothing: its item is left out, lest the walk stand still
            items.at = max(items.at, before + (type(items.peek()) is not c_ast.NamedInitializer))
            at += 1

    def _is_past(self, at: int) -> bool:
        """Tell whether there is no part at position `at`."""
        if isinstance(self._type, Array):
            return self._type.length is not None and at >= self._type.length
        return at >= len(self._members)

    def _positional(self, at: int, items: _Items) -> Iterator[Slot]:
        """Initialise the part at `at` from the next item, or from several if it is an aggregate without braces."""
        item = items.peek()
        braced = type(item) is c_ast.InitList
        if isinstance(self._type, Record) and self._members[at].name is None:
            inner = _Aggregate(self._types, self._type, record_node(self._members[at]))
            selectors: tuple[Selector, ...] = ()
        else:
            part = self._part(at)
            selectors, ctype = part.selectors, part.type
            if braced or not isinstance(ctype, Array | Record) or _whole(self._types, ctype, item):
                items.at += 1
                yield from _below(selectors, slots(self._types, ctype, item))
                return
            inner = _Aggregate(self._types, ctype)
        if braced:
            items.at += 1
            items = _Items(item.exprs or [])
        yield from _below(selectors, inner.walk(items, braced=braced))

    def _designated(self, designators: list[Any], init: Any) -> Iterator[Slot]:
        for part in self._named(designators[0]):
            if len(designators) == 1:
                yield from _below(part.selectors, slots(self._types, part.type, init))
            elif isinstance(part.type, Array | Record):
                inner = _Aggregate(self._types, part.type)
                yield from _below(part.selectors, inner._designated(designators[1:], init))

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

    def _part(self, at: int) -> _Part:
        """Find the element or named member at position `at`."""
        ctype = self._type
        if isinstance(ctype, Array):
            return _Part((Index(Constant(at)),), ctype.of)
        name = self._members[at].name
        return _Part((Field(ctype.name, name),), self._types.member(ctype, name) or UNKNOWN)

    def _position(self, designator: Any) -> int:
        """Find the position of the part that `designator` names, the last of a range."""
        if type(designator) is c_ast.ArrayDesignator:
            index = self._types.constant(getattr(designator.expr, "high", designator.expr))
            return -1 if index is None else index
        for at, decl in enumerate(self._members):
            if decl.name == designator.name or (decl.name is None and _promotes(record_node(decl), designator.name)):
                return at
        return len(self._members)


def _below(selectors: tuple[Selector, ...], found: Iterator[Slot]) -> Iterator[Slot]:
    for slot in found:
        yield Slot(selectors + slot.selectors, slot.type, slot.node)


def _whole(types: Types, ctype: CType, item: Any) -> bool:
    """Tell whether the expression `item` initialises all of an aggregate at once."""
    if isinstance(ctype, Array):
        text = type(item) is c_ast.Constant and item.value.endswith('"')
        return text and isinstance(ctype.of, Scalar) and ctype.of.name in _CHARACTERS
    return type(item) not in {c_ast.Constant, c_ast.NamedInitializer} and types.type_of(item) == ctype


def _members(node: Any) -> list[Any]:
    """List the members that a list without designators initialises, in order: of a union the first."""
    decls = [decl for decl in node.decls or () if type(decl) is c_ast.Decl]
    members = [d for d in decls if d.name is not None or (d.bitsize is None and record_node(d) is not None)]
    return members[:1] if type(node) is c_ast.Union else members


def _promotes(node: Any, name: str) -> bool:
    """Tell whether the anonymous record `node` has a member that can be named `name` from outside."""
    decls = [decl for decl in node.decls or () if type(decl) is c_ast.Decl] if node is not None else []
    return any(d.name == name or (d.name is None and _promotes(record_node(d), name)) for d in decls)
