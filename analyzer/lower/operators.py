# SPDX-License-Identifier: GPL-2.0-only
"""Operators over values.

In: `+`, a pointer and an index. Out: the address of the element.

**Invariant:** an operator over constants is a constant.
"""

from __future__ import annotations

from analyzer.frontend.types_scalars import BOOL, INT, fold, is_arithmetic, is_floating, promote, result_type, wrap
from analyzer.ir.types import Array, CType, Pointer
from analyzer.ir.values import AddressOf, Binary, Constant, Field, Opaque, Pointee, Unary, Value
from analyzer.lower.context import Lowering, Typed
from analyzer.lower.paths import ZERO, address_of, container, deref, element, negated, offset

#: what a null pointer points to
_NOTHING = Pointee(ZERO)


def unary(operator: str, value: Value, ctype: CType) -> Typed:
    """Apply `-`, `~` or `!`, to a constant at once."""
    result = INT if operator == "!" else promote(ctype)
    if type(value) is Constant:
        number = value.value
        return Constant(wrap({"-": -number, "~": ~number, "!": int(not number)}[operator], result)), result
    if is_floating(ctype):
        return Opaque("floating"), result
    if operator == "!" and type(value) is Unary and value.operator == "!" and is_truth(value.operand):
        return value.operand, result
    return Unary(operator if operator in "-~!" else "~", value), result


def is_truth(value: Value) -> bool:
    """Tell whether `value` is 0 or 1 whatever it reads."""
    if type(value) is Unary:
        return value.operator == "!"
    return type(value) is Binary and value.operator in {"==", "!=", "<", ">", "<=", ">="}


def binary(low: Lowering, operator: str, left: Value, left_type: CType, right: Value, right_type: CType) -> Typed:
    """Apply a binary operator to two values."""
    if operator in {"+", "-"}:
        if type(left_type) is Pointer and type(right_type) is not Pointer:
            return _pointer_sum(low, operator, left, left_type, right), left_type
        if type(right_type) is Pointer and type(left_type) is not Pointer and operator == "+":
            return _pointer_sum(low, operator, right, right_type, left), right_type
    result = result_type(operator, left_type, right_type)
    if type(left) is Opaque or type(right) is Opaque:
        if is_floating(result):
            return Opaque("floating"), result
        quotient = _quotient(low, operator, left, right)
        if quotient is not None:
            return Constant(quotient), result
        if _is_number(low, left) and _is_number(low, right):
            left, right = low.known(left), low.known(right)
    if type(left) is Constant and type(right) is Constant:
        number = fold(operator, left.value, left_type, right.value, right_type)
        if number is not None:
            return Constant(number), result
    return Binary(operator, left, right), result


def _is_number(low: Lowering, value: Value) -> bool:
    """Tell whether `value` is a constant or a symbolic one."""
    return type(value) is Constant or (type(value) is Opaque and value.text in low.symbolic)


def _quotient(low: Lowering, operator: str, left: Value, right: Value) -> int | None:
    """Count the elements in `sizeof array / sizeof array[0]` without computing either."""
    if operator != "/" or type(left) is not Opaque or type(right) is not Opaque:
        return None
    whole, part = low.sized.get(left.text), low.sized.get(right.text)
    return whole.length if type(whole) is Array and whole.of == part else None


def _pointer_sum(low: Lowering, operator: str, pointer: Value, ctype: Pointer, index: Value) -> Value:
    """Add to a pointer, or subtract; subtracting a member's offset leads to the record around it."""
    if operator == "-":
        chain = _offset_chain(low, index)
        if chain is not None:
            path = deref(pointer)
            for record, member in reversed(chain):
                path = container(path, record, member)
            return address_of(path)
        index = negated(index)
    if type(pointer) is Constant and type(index) is Constant:
        size = low.types.size(ctype.to)
        if size is not None:
            return Constant(wrap(pointer.value + index.value * size, ctype))
    return offset(pointer, index)


def _offset_chain(low: Lowering, value: Value) -> tuple[tuple[str, str], ...] | None:
    """List records and members of an offset, written as `offsetof` or as the address of a member of nothing."""
    if type(value) is Opaque:
        return low.offsets.get(value.text)
    if type(value) is AddressOf and value.path.root == _NOTHING:
        selectors = value.path.selectors
        fields = [selector for selector in selectors if isinstance(selector, Field)]
        return tuple((field.record, field.member) for field in fields) if len(fields) == len(selectors) else None
    return None


def pointer_of_sum(value: Binary) -> Value:
    """Make a pointer again of an address that was added to as an integer, as for a variable of one CPU."""
    for address, distance in ((value.left, value.right), (value.right, value.left)):
        if type(address) is AddressOf:
            return AddressOf(element(address.path, distance))
    return value


def converted(value: Value, from_type: CType, to_type: CType) -> Value:
    """Convert a value as an assignment or cast does: a constant is wrapped, a truth value made, all else stays."""
    if to_type == BOOL and from_type != BOOL and type(value) not in (Constant, Opaque) and not is_truth(value):
        return Binary("!=", value, ZERO)
    if type(value) is Constant and (is_arithmetic(to_type) or type(to_type) is Pointer):
        return value if is_floating(to_type) else Constant(wrap(value.value, to_type))
    return value
