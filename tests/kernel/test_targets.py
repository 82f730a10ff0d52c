# SPDX-License-Identifier: GPL-2.0-only
"""Targets of indirect calls on the real tree, against what the source's own tables say."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from analyzer.facts.store import Store
from analyzer.ir.values import Field, Global
from analyzer.pipeline.analyse import Analysis
from analyzer.pipeline.check import examine
from analyzer.pipeline.options import CheckOptions, Silent

pytestmark = pytest.mark.kernel

_KEY = re.compile(r"static_call\(kvm_x86_(pmu_)?(\w+)\)")


@pytest.fixture(scope="module")
def analysis(tree: Path, cache: Path) -> Analysis:
    with Store(cache) as store:
        return examine(CheckOptions(tree=tree, cache=cache, jobs=2), store, Silent())[1]


def initialised(analysis: Analysis) -> tuple[dict[tuple[str, str], set[str]], dict[str, set[str]]]:
    """Return the functions in static initialisers, by (record, member) and by global variable."""
    members: dict[tuple[str, str], set[str]] = defaultdict(set)
    tables: dict[str, set[str]] = defaultdict(set)
    for unit in analysis.program.units.values():
        for item in unit.initialisers:
            ident = analysis.program.resolve(unit.name, item.function) or item.function
            fields = [selector for selector in item.path.selectors if isinstance(selector, Field)]
            if fields:
                members[(fields[-1].record, fields[-1].member)].add(ident)
            if isinstance(item.path.root, Global):
                tables[item.path.root.name].add(ident)
    return members, tables


def reached(analysis: Analysis) -> dict[str, set[str]]:
    """Return the callees of all call edges, by the slot that they go through."""
    found: dict[str, set[str]] = defaultdict(set)
    for edges in analysis.context.graph.callees.values():
        for edge in edges:
            found[edge.via].add(edge.callee)
    return found


def names(idents: set[str]) -> set[str]:
    return {ident.rsplit(":", 1)[1] for ident in idents}


def test_vendor_calls_reach_exactly_what_the_vendors_tables_hold(analysis: Analysis) -> None:
    members, _ = initialised(analysis)
    keys = {via: match for via in reached(analysis) if (match := _KEY.fullmatch(via))}
    assert len(keys) > 100
    for via, match in keys.items():
        record = "kvm_pmu_ops" if match[1] else "kvm_x86_ops"
        assert reached(analysis)[via] == members[(record, match[2])], via


def test_exit_handlers_are_exactly_those_of_the_tables(analysis: Analysis, tree: Path) -> None:
    _, tables = initialised(analysis)
    nested = (tree / "arch/x86/kvm/vmx/nested.c").read_text("utf-8")
    stored = set(re.findall(r"exit_handlers\[\w+\]\s*= (\w+);", nested))
    found = reached(analysis)
    assert found["svm_exit_handlers"] == tables["svm_exit_handlers"]
    assert names(found["kvm_vmx_exit_handlers"]) == names(tables["kvm_vmx_exit_handlers"]) | stored
    assert len(stored) > 5


def test_page_faults_go_exactly_to_the_assigned_functions(analysis: Analysis, tree: Path) -> None:
    assigned = set()
    for file in sorted((tree / "arch/x86/kvm/mmu").glob("*.[ch]")):
        assigned |= set(re.findall(r"->page_fault = (\w+);", file.read_text("utf-8")))
    assert len(assigned) > 3
    assert names(reached(analysis)["kvm_mmu.page_fault"]) == assigned


def test_a_caller_reaches_the_handler_that_it_hands_down_and_no_other(analysis: Analysis) -> None:
    handlers: dict[str, set[str]] = defaultdict(set)
    for caller, edges in analysis.context.graph.callees.items():
        for edge in edges:
            if edge.kind == "callback" and "kvm_mmu_notifier_range.handler" in edge.via:
                handlers[caller].add(edge.callee)
    by_name = {caller.rsplit(":", 1)[1]: names(callees) for caller, callees in handlers.items()}
    assert by_name["kvm_mmu_notifier_clear_young"] == {"kvm_age_gfn"}
    assert by_name["kvm_mmu_notifier_test_young"] == {"kvm_test_age_gfn"}
    assert by_name["kvm_mmu_notifier_invalidate_range_start"] == {"kvm_mmu_unmap_gfn_range"}
