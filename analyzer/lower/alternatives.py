# SPDX-License-Identifier: GPL-2.0-only
"""Calls that stand in the source and are not lowered: the compiler chooses an equal computation for constants.

In: the syntax of `__builtin_constant_p(n) ? fast(n) : slow(n)`, of which `slow(n)` was lowered. Out: `{"fast", "slow"}`.

GCC decides `__builtin_constant_p` after inlining, for each copy of a function anew; both arms do the same. One is enough
to know what is done, but who is called is the one or the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pycparser import c_ast

#: a body without this word has no such calls
MARK = "__builtin_constant_p"


def alternative_calls(body: Any) -> set[str]:
    """Name what is called wherever `__builtin_constant_p` of something else than a literal decides; locals aside."""
    called: set[str] = set()
    locals_: set[str] = set()
    for node in _nodes(body):
        if type(node) is c_ast.Decl and node.name is not None and type(node.type) is not c_ast.FuncDecl:
            locals_.add(node.name)
        elif _is_decided_later(node):
            called.update(inner.name.name for inner in _nodes(node) if _is_call(inner))
    return called - locals_


def _is_decided_later(node: Any) -> bool:
    kind = type(node)
    if kind is c_ast.If or kind is c_ast.TernaryOp:
        return _asks(node.cond)
    return kind is c_ast.BinaryOp and node.op in {"&&", "||"} and _asks(node.left)


def _asks(condition: Any) -> bool:
    return any(
        _is_call(node) and node.name.name == MARK and type(node.args.exprs[0]) is not c_ast.Constant
        for node in _nodes(condition)
    )


def _is_call(node: Any) -> bool:
    return type(node) is c_ast.FuncCall and type(node.name) is c_ast.ID


def _nodes(node: Any) -> Iterator[Any]:
    """Yield `node` and all below it."""
    pending = [node]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(child for _, child in node.children())
