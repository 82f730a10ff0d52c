# SPDX-License-Identifier: GPL-2.0-only
"""Declarations inside functions.

In: the syntax of `struct kvm *kvm = gmem->kvm;`. Out: the local's name and type, `Store(kvm, gmem->kvm)`.
"""

from __future__ import annotations

from typing import Any

from pycparser import c_ast

from analyzer.base.location import Location
from analyzer.facts.unit import GlobalVariable
from analyzer.frontend import nodes
from analyzer.frontend.types import Entry, attribute_names, is_noreturn
from analyzer.frontend.types_scalars import VOID
from analyzer.ir.function import Store
from analyzer.ir.types import Array, CType, Function, Pointer, Record, Unknown
from analyzer.ir.values import AccessPath, Global, Local
from analyzer.lower.context import Cleanup, Lowering
from analyzer.lower.initialise import initialise
from analyzer.lower.operators import converted
from analyzer.lower.tables import functions_in, is_discarded


def lower_declaration(low: Lowering, node: Any) -> None:
    """Lower one declarator with its initialiser."""
    types = low.types
    name = node.name
    if name is None:
        types.build(node.type)
        return
    storage = node.storage or ()
    ctype = types.declared(node, f"{low.name}.{name}")
    if isinstance(ctype, Function):
        entry = Entry("function", ctype)
        entry.noreturn = is_noreturn(node)
        entry.never = "error" in attribute_names(node)
        types.names.declare(name, entry)
    elif "static" in storage:
        _declare_static(low, node, ctype)
    elif "extern" in storage:
        types.names.declare(name, Entry("variable", ctype, Global(name)))
    else:
        _declare_local(low, node, ctype)


def _declare_static(low: Lowering, node: Any, ctype: CType) -> None:
    name = f"{low.name}.{node.name}"
    plain, n = name, 1
    while any(static.name == name for static in low.statics):
        n += 1
        name = f"{plain}#{n}"
    low.types.names.declare(node.name, Entry("variable", ctype, Global(name)))
    at = low.at(node)
    low.statics.append(GlobalVariable(name, Location("", max(at.line, 0), at.column), ctype, static=True, defined=True))
    _take_labels(low, node.init)
    if node.init is not None and not is_discarded(node):
        root = AccessPath(Global(name))
        low.initialisers += functions_in(low.types, root, ctype, node.init, "", low.first_line)


def _take_labels(low: Lowering, init: Any) -> None:
    """Note the labels whose addresses stand in a static initialiser, in tables for computed gotos."""
    pending = [init] if type(init) is c_ast.InitList else []
    while pending:
        node = pending.pop()
        if type(node) is nodes.LabelAddress:
            low.value(node)
        elif type(node) is c_ast.InitList:
            pending.extend(reversed(node.exprs or []))
        elif type(node) is c_ast.NamedInitializer or type(node) is c_ast.Cast:
            pending.append(node.expr)


def _declare_local(low: Lowering, node: Any, ctype: CType) -> None:
    local = Local(low.unique(node.name))
    low.local_types[local.name] = ctype
    entry = Entry("variable", ctype, local)
    entry.temporary = _is_temporary(low, node, ctype)
    inferred = type(node.type) is c_ast.TypeDecl and type(node.type.type) is c_ast.InferredType
    if not inferred:
        low.types.names.declare(node.name, entry)
    path = AccessPath(local)
    if node.init is not None and low.flow.current is not None:
        _initialise_local(low, node, entry, path)
    if inferred:
        low.types.names.declare(node.name, entry)
    cleanup = attribute_names(node).get("cleanup")
    if cleanup is not None:
        _clean_up(low, node, cleanup.strip(), path, ctype)


def _is_temporary(low: Lowering, node: Any, ctype: CType) -> bool:
    """Tell whether a value may stand for a local: a scalar that a macro declares for itself."""
    if low.macro_depth == 0 or isinstance(ctype, Record | Array | Unknown):
        return False
    return not attribute_names(node) and "volatile" not in (node.quals or ())


def _initialise_local(low: Lowering, node: Any, entry: Entry, path: AccessPath) -> None:
    ctype = entry.type
    if type(node.init) is c_ast.InitList or isinstance(ctype, Array):
        initialise(low, path, ctype, node.init)
        return
    value, from_type = low.value(node.init)
    value = converted(value, from_type, ctype)
    low.flow.emit(Store(path, value, low.at(node)))
    if entry.temporary:
        low.bind(entry, value)


def _clean_up(low: Lowering, node: Any, function: str, path: AccessPath, ctype: CType) -> None:
    """Let `function` run on the variable at the end of its scope."""
    declared = low.types.declaration(function)
    signature = Function(VOID, (Pointer(ctype),)) if declared is None else declared.type
    root = path.root
    assert isinstance(root, Local)
    low.escaped.add(root.name)
    low.cleanups = Cleanup(function, path, signature, low.at(node), low.cleanups)


def lower_typedef(low: Lowering, node: Any) -> None:
    """Lower a typedef inside a function."""
    ctype = low.types.build(node.type, f"{low.name}.{node.name}")
    low.types.names.declare(node.name, Entry("typedef", ctype))
