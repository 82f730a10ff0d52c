# SPDX-License-Identifier: GPL-2.0-only
"""Functions and other tables in static initialisers: the slots of ops tables.

In: the syntax of `{ .release = close_it, .more = &more_ops }` for `fops`. Out: `fops.release` holds `close_it`, `fops.more`
leads to `more_ops`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pycparser import c_ast

from analyzer.base.location import Location
from analyzer.facts.unit import Initialiser, TableAddress
from analyzer.frontend.types import Types, attribute_names
from analyzer.ir.types import CType
from analyzer.ir.values import AccessPath, Selector
from analyzer.lower.initialise import slots
from analyzer.lower.paths import DEREF


def is_discarded(decl: Any) -> bool:
    """Tell whether the linker throws a variable away: it only keeps what it points to from being optimised out."""
    return ".discard" in attribute_names(decl).get("section", "")


def functions_in(
    types: Types, root: AccessPath, ctype: CType, init: Any, file: str, first_line: int
) -> list[Initialiser]:
    """List the functions that the initialiser of the object at `root` names; lines count from `first_line`."""
    found: list[Initialiser] = []
    for selectors, node in _walk(types, ctype, init, "function"):
        line, column = node.coord.lines.place(node.coord.position) if node.coord is not None else (first_line, 0)
        path = AccessPath(root.root, root.selectors + selectors)
        found.append(Initialiser(path, node.name, Location(file, line - first_line, column)))
    return found


def variables_in(types: Types, root: AccessPath, ctype: CType, init: Any) -> list[TableAddress]:
    """List the variables whose address the initialiser of the object at `root` holds."""
    return [
        TableAddress(AccessPath(root.root, root.selectors + selectors), node.name)
        for selectors, node in _walk(types, ctype, init, "variable")
    ]


def _walk(types: Types, ctype: CType, init: Any, wanted: str) -> Iterator[tuple[tuple[Selector, ...], Any]]:
    for slot in slots(types, ctype, init):
        for selectors, node in _named(types, slot.node, wanted):
            yield slot.selectors + selectors, node


def _named(types: Types, node: Any, wanted: str) -> Iterator[tuple[tuple[Selector, ...], Any]]:
    """Yield the names of the `wanted` kind in an initialising expression, below which selectors."""
    kind = type(node)
    while kind is c_ast.Cast or (kind is c_ast.UnaryOp and node.op == "&") or kind is c_ast.ExprList:
        if kind is c_ast.UnaryOp and type(node.expr) is c_ast.CompoundLiteral:
            for selectors, inner in _walk(types, types.type_of(node.expr), node.expr.init, wanted):
                yield (DEREF, *selectors), inner
            return
        node = node.exprs[-1] if kind is c_ast.ExprList else node.expr
        kind = type(node)
    if kind is c_ast.ID:
        declared = types.declaration(node.name)
        if declared is not None and declared.kind == wanted:
            yield (), node
    elif kind is c_ast.TernaryOp:
        chosen = types.constant(node.cond)
        for arm in (node.iftrue, node.iffalse) if chosen is None else ((node.iftrue if chosen else node.iffalse),):
            if arm is not None:
                yield from _named(types, arm, wanted)
    elif kind is c_ast.CompoundLiteral:
        yield from _walk(types, types.type_of(node), node.init, wanted)
