# SPDX-License-Identifier: GPL-2.0-only
"""One function definition: from its syntax to its facts.

In: the syntax of `static int f(struct kvm *kvm) { … }`. Out: its FunctionFacts.

**Invariant:** types, scopes and flow are this function's alone; what it asked outside is in the trace.
"""

from __future__ import annotations

from typing import Any

from pycparser import c_ast

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.facts.unit import FunctionFacts
from analyzer.frontend.types import Entry, Types
from analyzer.frontend.types_scalars import decay
from analyzer.ir.function import Block, Formal, FunctionIR
from analyzer.ir.types import UNKNOWN, Function
from analyzer.ir.values import Parameter
from analyzer.lower.annotations import claim_by_annotations
from analyzer.lower.context import Lowering
from analyzer.lower.handlers import install
from analyzer.lower.jumps import resolve, run_cleanups
from analyzer.lower.summarise import Uses, summarise, without_dead_stores

install()


def lower_function(types: Types, definition: Any, first_line: int) -> FunctionFacts:
    """Lower a parsed function definition whose text begins on line `first_line`."""
    decl = definition.decl
    low = Lowering(types, decl.name, first_line)
    types.function = decl.name
    types.names.push()
    try:
        ctype = types.build(decl.type)
        assert isinstance(ctype, Function)
        low.returns = ctype.returns
        parameters = _parameters(low, decl)
        claim_by_annotations(low, decl, parameters)
        low.statement(definition.body)
        run_cleanups(low, None)
        low.flow.finish("return", (None, low.at(decl)), [])
        resolve(low)
        blocks, uses = _finish(low)
    finally:
        types.names.pop()
        types.function = ""
        types.local_shapes.clear()
    locals_ = tuple(sorted((name, low.local_types[name]) for name in uses.locals if name in low.local_types))
    ir = FunctionIR(decl.name, parameters, ctype.returns, ctype.variadic, blocks, locals_)
    return summarise(ir, uses, _gaps(low), tuple(low.statics), tuple(low.initialisers))


def _parameters(low: Lowering, decl: Any) -> tuple[Formal, ...]:
    """Declare the parameters."""
    formals: list[Formal] = []
    for node in decl.type.args.params if decl.type.args is not None else ():
        if type(node) is c_ast.EllipsisParam:
            continue
        name = getattr(node, "name", None)
        ctype = UNKNOWN if type(node) is c_ast.ID else decay(low.types.build(node.type))
        if name is None and getattr(ctype, "name", "") == "void":
            continue
        if name is not None:
            low.unique(name)
            entry = Entry("variable", ctype, Parameter(len(formals), name))
            low.types.names.declare(name, entry)
        formals.append(Formal(name or "", ctype))
    return tuple(formals)


def _finish(low: Lowering) -> tuple[tuple[Block, ...], Uses]:
    """Close the flow graph and leave out the temporaries that values stand for everywhere."""
    return without_dead_stores(low.flow.blocks(), low.bound)


def _gaps(low: Lowering) -> tuple[Gap, ...]:
    """List the gaps, those of types too."""
    gaps = low.gaps
    for node, text in low.types.unknown:
        line = 0
        if getattr(node, "coord", None) is not None:
            line = max(node.coord.line - low.first_line, 0)
        gaps.append(Gap(GapKind.TYPE, Location("", line), text))
    low.types.unknown.clear()
    return tuple(sorted(set(gaps)))
