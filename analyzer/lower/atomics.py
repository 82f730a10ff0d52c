# SPDX-License-Identifier: GPL-2.0-only
"""GCC's atomic builtins as reads and stores of what they point to.

In: the syntax of `__atomic_exchange_n(&p->n, 1, order)`. Out: `Read(p->n)`, `Store(p->n, 1)`, the old value.

**Source:** GCC manual, "Built-in Functions for Memory Model Aware Atomic Operations" and "Legacy __sync Built-ins".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from analyzer.frontend.types_scalars import BOOL, INT, VOID
from analyzer.ir.types import UNKNOWN, CType, Pointer
from analyzer.ir.values import AccessPath, Load, Opaque, Value
from analyzer.lower.context import NO_VALUE, Lowering, Typed
from analyzer.lower.operators import binary
from analyzer.lower.paths import ONE, ZERO, deref

Handler = Callable[[Lowering, Any, list[Any]], Typed]

_UPDATE = re.compile(r"__(?:atomic|sync)_(?:fetch_(?:and_)?(\w+)|(\w+?)_(?:and_)?fetch)$")
_OPERATORS = {"add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^", "nand": "&"}


def atomic(name: str) -> Handler | None:
    """Find what lowers the builtin `name`; None if it is no atomic one."""
    if not name.startswith(("__atomic_", "__sync_")):
        return None
    return _HANDLERS.get(name) or (_update if _UPDATE.match(name) else None)


def _target(low: Lowering, node: Any) -> tuple[AccessPath, CType]:
    value, ctype = low.value(node)
    return deref(value), ctype.to if isinstance(ctype, Pointer) else UNKNOWN


def _others(low: Lowering, arguments: list[Any]) -> list[Value]:
    return [low.value(argument)[0] for argument in arguments]


def _load(low: Lowering, node: Any, arguments: list[Any]) -> Typed:
    path, ctype = _target(low, arguments[0])
    return Load(AccessPath(low.hold(low.load(path, node), ctype, node))), ctype


def _load_into(low: Lowering, node: Any, arguments: list[Any]) -> Typed:
    path, _ = _target(low, arguments[0])
    result, _ = _target(low, arguments[1])
    low.store(result, low.load(path, node), low.at(node))
    return NO_VALUE, VOID


def _store(low: Lowering, node: Any, arguments: list[Any]) -> Typed:
    path, _ = _target(low, arguments[0])
    value = _others(low, arguments[1:])[0]
    low.store(path, value, low.at(node))
    return NO_VALUE, VOID


def _store_from(low: Lowering, node: Any, arguments: list[Any]) -> Typed:
    path, _ = _target(low, arguments[0])
    source, _ = _target(low, arguments[1])
    low.store(path, low.load(source, node), low.at(node))
    return NO_VALUE, VOID


def _clear(low: Lowering, node: Any, arguments: list[Any]) -> Typed:
    path, _ = _target(low, arguments[0])
    low.store(path, ZERO, low.at(node))
    return NO_VALUE, VOID


def _exchange(low: Lowering, node: Any, arguments: list[Any]) -> Typed:
    path, ctype = _target(low, arguments[0])
    value = _others(low, arguments[1:])[0] if len(arguments) > 1 else ONE
    old = AccessPath(low.hold(low.load(path, node), ctype, node))
    low.store(path, value, low.at(node))
    return Load(old), ctype


def _test_and_set(low: Lowering, node: Any, arguments: list[Any]) -> Typed:
    old, _ = _exchange(low, node, arguments[:1])
    return old, BOOL


def _compare_exchange(low: Lowering, node: Any, arguments: list[Any]) -> Typed:
    """Evaluate `__atomic_compare_exchange_n(p, &expected, desired, …)`: it may store either way."""
    path, _ = _target(low, arguments[0])
    expected, _ = _target(low, arguments[1])
    value = _others(low, arguments[2:])[0]
    old = low.load(path, node)
    low.store(expected, old, low.at(node), update=True)
    low.store(path, value, low.at(node), update=True)
    return Opaque("compare and exchange"), BOOL


def _compare_and_swap(low: Lowering, node: Any, arguments: list[Any]) -> Typed:
    """Evaluate `__sync_val_compare_and_swap(p, old, new)` or its `bool` sibling."""
    path, ctype = _target(low, arguments[0])
    value = _others(low, arguments[1:])[1]
    old = AccessPath(low.hold(low.load(path, node), ctype, node))
    low.store(path, value, low.at(node), update=True)
    if node.name.name == "__sync_bool_compare_and_swap":
        return Opaque("compare and exchange"), BOOL
    return Load(old), ctype


def _update(low: Lowering, node: Any, arguments: list[Any]) -> Typed:
    """Evaluate `__atomic_fetch_add` and its like."""
    match = _UPDATE.match(node.name.name)
    assert match is not None
    path, ctype = _target(low, arguments[0])
    operand = _others(low, arguments[1:])[0]
    old = Load(AccessPath(low.hold(low.load(path, node), ctype, node)))
    word = match[1] or match[2]
    new, _ = binary(low, _OPERATORS.get(word, "+"), old, ctype, operand, INT)
    low.store(path, Opaque("nand") if word == "nand" else new, low.at(node), update=True)
    return (old if match[1] else Load(path)), ctype


def _fence(low: Lowering, _: Any, arguments: list[Any]) -> Typed:
    _others(low, arguments)
    low.times[2] += 1
    return NO_VALUE, VOID


_HANDLERS: dict[str, Handler] = {
    "__atomic_load_n": _load,
    "__atomic_load": _load_into,
    "__atomic_store_n": _store,
    "__atomic_store": _store_from,
    "__atomic_clear": _clear,
    "__atomic_exchange_n": _exchange,
    "__atomic_test_and_set": _test_and_set,
    "__atomic_compare_exchange_n": _compare_exchange,
    "__atomic_thread_fence": _fence,
    "__atomic_signal_fence": _fence,
    "__sync_synchronize": _fence,
    "__sync_lock_test_and_set": _exchange,
    "__sync_lock_release": _clear,
    "__sync_val_compare_and_swap": _compare_and_swap,
    "__sync_bool_compare_and_swap": _compare_and_swap,
}
