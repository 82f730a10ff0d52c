# SPDX-License-Identifier: GPL-2.0-only
"""Access paths and pointer values, kept in their one normal form.

In: `AddressOf(path)`, dereferenced. Out: `path`.

**Invariant:** `Deref` of an address, the address of a `Deref`, and `Container` with its `Field` cancel.
"""

from __future__ import annotations

from analyzer.ir.types import CType, Pointer
from analyzer.ir.values import (
    AccessPath,
    AddressOf,
    Binary,
    Constant,
    Container,
    Deref,
    Field,
    Index,
    Load,
    Local,
    Parameter,
    Pointee,
    Unary,
    Value,
)

DEREF = Deref()
ZERO = Constant(0)
ONE = Constant(1)
_FIRST = Index(ZERO)


def deref(value: Value) -> AccessPath:
    """Name the object that `value` points to."""
    kind = type(value)
    if kind is Load:
        path = value.path  # type: ignore[union-attr]
        return AccessPath(path.root, (*path.selectors, DEREF))
    if kind is AddressOf:
        return value.path  # type: ignore[union-attr]
    return AccessPath(Pointee(value))


def address_of(path: AccessPath) -> Value:
    """Take the address of `path`."""
    selectors = path.selectors
    if not selectors:
        return path.root.value if type(path.root) is Pointee else AddressOf(path)
    if selectors[-1] == DEREF:
        return Load(AccessPath(path.root, selectors[:-1]))
    return AddressOf(path)


def field(path: AccessPath, record: str, member: str) -> AccessPath:
    """Select the member `member` of the record at `path`."""
    selectors = path.selectors
    if selectors:
        last = selectors[-1]
        if type(last) is Container and last.member == member and last.record == record:
            return AccessPath(path.root, selectors[:-1])
    return AccessPath(path.root, (*selectors, Field(record, member)))


def container(path: AccessPath, record: str, member: str) -> AccessPath:
    """Select the record that holds the object at `path` as its member `member`."""
    selectors = path.selectors
    if selectors:
        last = selectors[-1]
        if type(last) is Field and last.member == member and last.record == record:
            return AccessPath(path.root, selectors[:-1])
    return AccessPath(path.root, (*selectors, Container(record, member)))


def element(path: AccessPath, index: Value) -> AccessPath:
    """Select an element of the array at `path`."""
    return AccessPath(path.root, (*path.selectors, Index(index)))


def offset(pointer: Value, index: Value) -> Value:
    """Add `index` elements to `pointer`."""
    if index == ZERO:
        return pointer
    return AddressOf(pointed_element(pointer, index))


def pointed_element(pointer: Value, index: Value) -> AccessPath:
    """Name the object `index` elements after the one that `pointer` points to."""
    if index == ZERO:
        return deref(pointer)
    if type(pointer) is AddressOf and pointer.path.selectors:
        path = pointer.path
        last = path.selectors[-1]
        if type(last) is Index:
            total = _sum(last.value, index)
            if total is not None:
                return AccessPath(path.root, (*path.selectors[:-1], Index(total)))
    return element(deref(pointer), index)


def _sum(left: Value, right: Value) -> Value | None:
    if type(left) is Constant and type(right) is Constant:
        return Constant(left.value + right.value)
    return right if left == ZERO else None


def negated(value: Value) -> Value:
    """Negate an index."""
    return Constant(-value.value) if type(value) is Constant else Unary("-", value)


def in_memory(path: AccessPath) -> bool:
    """Tell whether an access to `path` is one to memory that others may see, not to a plain local or parameter."""
    if type(path.root) is Local or type(path.root) is Parameter:
        return DEREF in path.selectors
    return True


def weight(value: Value, escaped: set[str]) -> int:
    """Tell what `value` depends on: 0 nothing that changes, 1 locals, 2 memory (locals in `escaped` too)."""
    match value:
        case Load(path):
            return _path_weight(path, escaped, loaded=True)
        case AddressOf(path):
            return _path_weight(path, escaped, loaded=False)
        case Binary(_, left, right):
            return max(weight(left, escaped), weight(right, escaped))
        case Unary(_, operand):
            return weight(operand, escaped)
        case _:
            return 0


def _path_weight(path: AccessPath, escaped: set[str], *, loaded: bool) -> int:
    root = path.root
    n_derefs = path.selectors.count(DEREF)
    found = 0
    if type(root) is Pointee:
        found = 2 if loaded or n_derefs else weight(root.value, escaped)
    elif loaded or n_derefs:
        local = (type(root) is Local or type(root) is Parameter) and root.name not in escaped
        found = 1 if local and n_derefs <= (0 if loaded else 1) else 2
    for selector in path.selectors:
        if type(selector) is Index:
            found = max(found, weight(selector.value, escaped))
    return found


def pointee_type(ctype: CType) -> CType | None:
    """Tell what a pointer type points to."""
    return ctype.to if type(ctype) is Pointer else None


__all__ = [
    "DEREF",
    "ONE",
    "ZERO",
    "address_of",
    "container",
    "deref",
    "element",
    "field",
    "in_memory",
    "negated",
    "offset",
    "pointed_element",
    "pointee_type",
    "weight",
]
