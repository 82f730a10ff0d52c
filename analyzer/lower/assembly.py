# SPDX-License-Identifier: GPL-2.0-only
"""Inline assembly as far as data and control flow go through it.

In: the syntax of `asm("" : "=r"(p) : "0"(q))`. Out: `Store(p, q)`.

**Invariant:** an empty template moves tied operands and does nothing else; any other gives values that are not known.
**Source:** GCC manual, "Extended Asm".
"""

from __future__ import annotations

import re
from typing import Any

from analyzer.base.gap import GapKind
from analyzer.ir.function import Assembly, Call
from analyzer.ir.types import VOID, Function
from analyzer.ir.values import AccessPath, FunctionAddress, Opaque, Value
from analyzer.lower.context import Lowering
from analyzer.lower.flow import Draft
from analyzer.lower.jumps import label_target
from analyzer.lower.operators import converted

_CALL = re.compile(r"\bcall[lq]?\b")
#: labels made of `__COUNTER__`, which changes with every edit
_LABEL = re.compile(r"\b\d{3,}(?=[bf:]?\b|:)")
#: the call of a function that takes and gives nothing by the usual rules
_ONLY_CALL = re.compile(r"\s*call\s+([A-Za-z_]\w*)\s*")
_OUTPUT = Opaque("asm output")
#: constraints that name a memory operand
_MEMORY = set("mopVQ")
_REGISTERS = set("rqQabcdSDAfxyIinNKLegRlX0123456789")


def lower_asm(low: Lowering, node: Any) -> None:
    """Lower an assembly statement."""
    outputs: list[AccessPath] = []
    held: dict[str, Value] = {}
    for index, operand in enumerate(node.outputs):
        path, _ = low.place(operand.expr)
        outputs.append(path)
        if "+" in operand.constraint:
            held[str(index)] = low.load(path, operand.expr)
    template = node.template
    for index, operand in enumerate(node.inputs, len(outputs)):
        value = _input(low, operand, held)
        if isinstance(value, FunctionAddress):
            template = _named(template, index, operand.name, value.name)
    at = low.at(node)
    empty = not node.template.strip()
    called = _ONLY_CALL.fullmatch(node.template)
    if called is not None:
        low.call(Call(FunctionAddress(called[1]), (), None, at, Function(VOID, ())))
    elif not empty:
        low.flow.emit(Assembly(_LABEL.sub("#", template), at))
        if _CALL.search(node.template):
            low.gap(GapKind.ASSEMBLY, node, "inline assembly that calls a function")
    if "memory" in node.clobbers or not empty:
        low.times[2] += 1
    for index, path in enumerate(outputs):
        value = held.get(str(index)) if empty else None
        if not (empty and "+" in node.outputs[index].constraint):
            low.store(path, _OUTPUT if value is None else value, at)
            if value is not None:
                low.rebind(node.outputs[index].expr, value)
    if node.is_goto:
        _go(low, node)


def _named(template: str, index: int, name: str | None, function: str) -> str:
    """Write the name of a function for the operand that is its address: `call %c[old]` calls it."""
    return re.sub(rf"%[a-zA-Z]?(?:{index}(?!\d)|\[{re.escape(name or '')}\])", function, template)


def _input(low: Lowering, operand: Any, held: dict[str, Value]) -> Value | None:
    """Evaluate an input; one tied to an output is kept as the value that the output begins with."""
    constraint = operand.constraint
    if _MEMORY.intersection(constraint) and not _REGISTERS.intersection(constraint):
        path, _ = low.place(operand.expr)
        low.load(path, operand.expr)
        return None
    value, ctype = low.value(operand.expr)
    if constraint.isdigit():
        held[constraint] = converted(value, ctype, ctype)
    return value


def _go(low: Lowering, node: Any) -> None:
    """End the block of an `asm goto`: on to the next statement or to a label."""
    after = Draft()
    targets = [after] + [label_target(low, name) for name in node.labels]
    low.flow.finish("goto", (low.at(node),), targets)
    low.flow.enter(after)
