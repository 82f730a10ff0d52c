# SPDX-License-Identifier: GPL-2.0-only
"""Locals that are set once: what macros put their arguments into.

In: a function. Out: values and paths with such locals replaced by what they hold: `*local = v`, after
`local = &kvm->irq_routing`, stores to `kvm->irq_routing`.
"""

from __future__ import annotations

from collections import Counter

from analyzer.ir.function import Call, FunctionIR, Store
from analyzer.ir.values import AccessPath, AddressOf, Deref, Field, FunctionAddress, Load, Local, Opaque, Pointee, Value

#: locals in locals in locals …
MAX_STEPS = 8
UNTOLD = Opaque("no argument")


class Once:
    """The locals of one function that are set once."""

    def __init__(self, ir: FunctionIR) -> None:
        stores = [
            (event.path.root.name, event.value)
            for block in ir.blocks
            for event in block.events
            if isinstance(event, Store) and isinstance(event.path.root, Local) and not event.path.selectors
        ]
        calls = [
            event.result.name
            for block in ir.blocks
            for event in block.events
            if isinstance(event, Call) and event.result is not None
        ]
        times = Counter([*(name for name, _ in stores), *calls])
        self._values = {name: value for name, value in stores if times[name] == 1}
        self._results = {
            event.result.name: event.callee.name
            for block in ir.blocks
            for event in block.events
            if isinstance(event, Call) and event.result is not None and isinstance(event.callee, FunctionAddress)
        }
        self._loaded = [(name, value.path) for name, value in stores if isinstance(value, Load)]

    def value(self, value: Value) -> Value:
        """Return what `value` is, local for local."""
        for _ in range(MAX_STEPS):
            if not isinstance(value, Load):
                break
            path = self.path(value.path)
            if path.selectors or not isinstance(path.root, Local) or path.root.name not in self._values:
                return Load(path)
            value = self._values[path.root.name]
        return value

    def path(self, path: AccessPath) -> AccessPath:
        """Return the path that `path` is, with pointers that are known followed."""
        for _ in range(MAX_STEPS):
            root, selectors = path.root, path.selectors
            if isinstance(root, Pointee):
                pointer = self.value(root.value)
            elif isinstance(root, Local) and selectors[:1] == (Deref(),) and root.name in self._values:
                pointer, selectors = self.value(self._values[root.name]), selectors[1:]
            else:
                return path
            if isinstance(pointer, AddressOf):
                path = AccessPath(pointer.path.root, (*pointer.path.selectors, *selectors))
            elif isinstance(pointer, Load):
                return AccessPath(pointer.path.root, (*pointer.path.selectors, Deref(), *selectors))
            else:
                return path
        return path

    def made_by(self, path: AccessPath) -> str:
        """Return the function that returned the pointer by which `path` begins; empty if it is not known."""
        if path.selectors[:1] != (Deref(),) or not isinstance(path.root, Local):
            return ""
        value = self.value(Load(AccessPath(path.root)))
        if isinstance(value, Load) and isinstance(value.path.root, Local) and not value.path.selectors:
            return self._results.get(value.path.root.name, "")
        return ""

    def holding(self, cell: tuple[str, str]) -> frozenset[str]:
        """Return the locals that hold, directly or by another one, what was read of a member."""
        found: set[str] = set()
        for _ in range(MAX_STEPS):
            size = len(found)
            for name, path in self._loaded:
                path = self.path(path)
                if isinstance(path.root, Local) and not path.selectors:
                    found.update({name} if path.root.name in found else ())
                elif _last(path) == cell:
                    found.add(name)
            if len(found) == size:
                break
        return frozenset(found)


def _last(path: AccessPath) -> tuple[str, str] | None:
    for selector in reversed(path.selectors):
        if isinstance(selector, Field):
            return (selector.record, selector.member)
        if isinstance(selector, Deref):
            return None
    return None


def argument_of(event: Call, index: int) -> Value:
    """Return an argument of a call; a value that says nothing if there is none."""
    return event.arguments[index] if index < len(event.arguments) else UNTOLD
