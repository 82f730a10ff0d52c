# SPDX-License-Identifier: GPL-2.0-only
"""Arithmetic types: their names, sizes, conversions and the folding of operators over constants.

In: `("unsigned", "long")`. Out: `Scalar("unsigned long")`.

**Invariant:** sizes are those of the x86-64 System V ABI (LP64), which every 64-bit Linux kernel shares.
**Source:** C11 6.2.5, 6.3.1 (conversions); System V ABI, AMD64 supplement, figure 3.1.
"""

from __future__ import annotations

from analyzer.ir.types import INT, VOID, Array, CType, Enum, Function, Pointer, Scalar

BOOL = Scalar("bool")
CHAR = Scalar("char")
UNSIGNED = Scalar("unsigned int")
LONG = Scalar("long")
UNSIGNED_LONG = Scalar("unsigned long")
LONG_LONG = Scalar("long long")
UNSIGNED_LONG_LONG = Scalar("unsigned long long")
DOUBLE = Scalar("double")
#: what `va_list` names; no memory that a lock guards lies behind it
VA_LIST = Scalar("__builtin_va_list")

#: name → size in bytes
SIZES = {
    "void": 1,
    "bool": 1,
    "char": 1,
    "signed char": 1,
    "unsigned char": 1,
    "short": 2,
    "unsigned short": 2,
    "int": 4,
    "unsigned int": 4,
    "long": 8,
    "unsigned long": 8,
    "long long": 8,
    "unsigned long long": 8,
    "__int128": 16,
    "unsigned __int128": 16,
    "_Float16": 2,
    "float": 4,
    "double": 8,
    "long double": 16,
    "__builtin_va_list": 24,
}
POINTER_SIZE = 8

_FLOATING = {"_Float16", "float", "double", "long double"}
_UNSIGNED = {name for name in SIZES if name.startswith("unsigned")} | {"bool"}
#: conversion rank of what is not narrower than int (C11 6.3.1.1)
_RANKS = {
    "int": 1,
    "unsigned int": 2,
    "long": 3,
    "unsigned long": 4,
    "long long": 5,
    "unsigned long long": 6,
    "__int128": 7,
    "unsigned __int128": 8,
    "_Float16": 9,
    "float": 10,
    "double": 11,
    "long double": 12,
}
_SPELLINGS = {
    "_Bool": "bool",
    "__signed__": "signed",
    "__signed": "signed",
    "__int128_t": "__int128",
    "__builtin_va_list": "__builtin_va_list",
}
_ORDER = ("signed", "unsigned", "short", "long", "char", "int", "__int128")

_cache: dict[tuple[str, ...], Scalar | None] = {}


def scalar(names: tuple[str, ...]) -> Scalar | None:
    """Find the type that the specifiers `names` give in any order; None where they give none."""
    if names not in _cache:
        _cache[names] = _scalar(names)
    return _cache[names]


def _scalar(names: tuple[str, ...]) -> Scalar | None:
    words = sorted(_SPELLINGS.get(name, name) for name in names if name != "_Complex")
    if "double" in words and "long" in words:
        return Scalar("long double")
    if len(words) == 1 and words[0] in SIZES:
        return Scalar(words[0])
    if not words or any(word not in _ORDER for word in words):
        return None
    sign = "unsigned " if "unsigned" in words else ""
    if "char" in words:
        return Scalar("signed char" if "signed" in words else sign + "char")
    if "__int128" in words:
        return Scalar(sign + "__int128")
    if "short" in words:
        return Scalar(sign + "short")
    longs = words.count("long")
    return Scalar(sign + ("int", "long", "long long")[min(longs, 2)])


def is_arithmetic(ctype: CType) -> bool:
    """Tell whether `ctype` is a number."""
    return isinstance(ctype, Enum) or (isinstance(ctype, Scalar) and ctype.name != "void")


def is_integer(ctype: CType) -> bool:
    """Tell whether `ctype` is an integer type, an enumeration included."""
    return isinstance(ctype, Enum) or (isinstance(ctype, Scalar) and ctype.name != "void" and not is_floating(ctype))


def is_floating(ctype: CType) -> bool:
    """Tell whether `ctype` is a floating type."""
    return isinstance(ctype, Scalar) and ctype.name in _FLOATING


def is_signed(ctype: CType) -> bool:
    """Tell whether values of `ctype` can be negative; GCC's enumerations without negative members are unsigned."""
    return isinstance(ctype, Scalar) and ctype.name not in _UNSIGNED


def promote(ctype: CType) -> CType:
    """Apply the integer promotions."""
    if isinstance(ctype, Enum):
        return UNSIGNED
    if isinstance(ctype, Scalar) and ctype.name not in _RANKS:
        return INT
    return ctype


def common(left: CType, right: CType) -> CType:
    """Apply the usual arithmetic conversions."""
    left, right = promote(left), promote(right)
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        return left if _RANKS.get(left.name, 0) >= _RANKS.get(right.name, 0) else right
    return left if isinstance(left, Scalar) else right


def decay(ctype: CType) -> CType:
    """Turn arrays and functions into the pointers that their names become in an expression."""
    if isinstance(ctype, Array):
        return Pointer(ctype.of)
    if isinstance(ctype, Function):
        return Pointer(ctype)
    return ctype


def wrap(value: int, ctype: CType) -> int:
    """Convert the integer `value` to `ctype`."""
    if isinstance(ctype, Scalar):
        if ctype.name == "bool":
            return int(value != 0)
        size = SIZES.get(ctype.name, 8)
    else:
        size = 4 if isinstance(ctype, Enum) else POINTER_SIZE
    bits = size * 8
    value &= (1 << bits) - 1
    if is_signed(ctype) and value >> (bits - 1):
        value -= 1 << bits
    return value


def result_type(operator: str, left: CType, right: CType) -> CType:
    """Type the arithmetic operator `operator` over decayed operands."""
    if operator in _COMPARISONS or operator in {"&&", "||"}:
        return INT
    if isinstance(left, Pointer):
        return LONG if isinstance(right, Pointer) else left
    if isinstance(right, Pointer):
        return right
    if operator in {"<<", ">>"}:
        return promote(left)
    return common(left, right)


_COMPARISONS = {"==", "!=", "<", ">", "<=", ">="}


def fold(operator: str, left: int, left_type: CType, right: int, right_type: CType) -> int | None:
    """Compute `left operator right` as C does; None where it is undefined."""
    if operator in {"&&", "||"}:
        return int(bool(left and right) if operator == "&&" else bool(left or right))
    if operator in {"<<", ">>"}:
        kind = promote(left_type)
        if not 0 <= right < 128:
            return None
        return wrap(left << right if operator == "<<" else left >> right, kind)
    pointers = isinstance(left_type, Pointer) or isinstance(right_type, Pointer)
    kind = UNSIGNED_LONG if pointers else common(left_type, right_type)
    if is_floating(kind):
        return None
    left, right = wrap(left, kind), wrap(right, kind)
    if operator in _COMPARISONS:
        return int(_compare(operator, left, right))
    value = _compute(operator, left, right)
    return None if value is None else wrap(value, kind)


def _compare(operator: str, left: int, right: int) -> bool:
    match operator:
        case "==":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case ">":
            return left > right
        case "<=":
            return left <= right
        case _:
            return left >= right


def _compute(operator: str, left: int, right: int) -> int | None:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "&":
            return left & right
        case "|":
            return left | right
        case "^":
            return left ^ right
        case "/" | "%" if right != 0:
            quotient = abs(left) // abs(right)
            if (left < 0) != (right < 0):
                quotient = -quotient
            return quotient if operator == "/" else left - quotient * right
        case _:
            return None


__all__ = [
    "BOOL",
    "CHAR",
    "DOUBLE",
    "INT",
    "LONG",
    "LONG_LONG",
    "POINTER_SIZE",
    "SIZES",
    "UNSIGNED",
    "UNSIGNED_LONG",
    "UNSIGNED_LONG_LONG",
    "VA_LIST",
    "VOID",
    "common",
    "decay",
    "fold",
    "is_arithmetic",
    "is_floating",
    "is_integer",
    "is_signed",
    "promote",
    "result_type",
    "scalar",
    "wrap",
]
