# SPDX-License-Identifier: GPL-2.0-only
"""The real tree: every function of the sources is lowered, soundly, and the paths that rules match come out clean."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from analyzer.base.gap import Gap, GapKind
from analyzer.facts.unit import FunctionFacts, UnitFacts
from analyzer.ir.dump import dump, dump_path
from analyzer.ir.function import Call, Store
from analyzer.ir.values import FunctionAddress
from analyzer.ir.verify import verify
from analyzer.lower.unit import extract_unit
from analyzer.source.commands import read_units
from analyzer.source.preprocess import preprocess
from analyzer.source.split import split

pytestmark = pytest.mark.kernel

ROOT = Path(__file__).parents[2]


class Memo:
    """Functions by key, as the store keeps them."""

    def __init__(self) -> None:
        self.facts: dict[str, FunctionFacts] = {}
        self._known: dict[str, list[tuple[str, tuple[tuple[str, str], ...]]]] = {}

    def find(self, text_digest: str, resolve: Callable[[str], str]) -> str | None:
        for key, trace in self._known.get(text_digest, []):
            if all(resolve(name) == digest for name, digest in trace):
                return key
        return None

    def outline(self, key: str) -> FunctionFacts:
        return self.facts[key]

    def keep(self, text_digest: str, trace: tuple[tuple[str, str], ...], facts: FunctionFacts) -> str:
        key = str(len(self.facts))
        self.facts[key] = facts
        self._known.setdefault(text_digest, []).append((key, trace))
        return key


class Tree:
    """All units of the real tree."""

    def __init__(self, tree: Path) -> None:
        self.memo = Memo()
        self.units: dict[str, UnitFacts] = {}
        units = read_units(tree=tree)
        for command in units.commands:
            unit = preprocess(command)
            assert not isinstance(unit, Gap), unit
            segments = split(unit.text, partial(_name, units.names.name, command.directory))
            self.units[command.name] = extract_unit(command.name, segments, self.memo)

    def functions(self, name: str) -> Iterator[FunctionFacts]:
        for unit in self.units.values():
            for ref in unit.functions:
                if ref.name == name and ref.facts_key:
                    yield self.memo.facts[ref.facts_key]

    def __getitem__(self, name: str) -> FunctionFacts:
        return next(self.functions(name))


def _name(name: Any, directory: str, path: str) -> str:
    return str(name(path, directory))


@pytest.fixture(scope="module")
def tree() -> Tree:
    paths = [Path(os.environ["LOCKSPEC_KERNEL"])] if "LOCKSPEC_KERNEL" in os.environ else []
    for path in (*paths, ROOT / ".kernel/linux"):
        if (path / "compile_commands.json").is_file():
            return Tree(path)
    pytest.skip("no kernel tree: run `make kernel`, or set LOCKSPEC_KERNEL")


def test_no_function_is_skipped(tree: Tree) -> None:
    assert len(tree.units) >= 45
    assert [(name, gap) for name, unit in tree.units.items() for gap in unit.gaps] == []
    assert [ref for unit in tree.units.values() for ref in unit.functions if not ref.facts_key] == []
    own = [ref for name, unit in tree.units.items() for ref in unit.functions if ref.location.file == name]
    assert len(own) > 2500


def test_every_function_is_sound(tree: Tree) -> None:
    wrong = {facts.ir.name: verify(facts.ir) for facts in tree.memo.facts.values()}
    assert {name: problems for name, problems in wrong.items() if problems} == {}


def test_hardly_anything_is_not_understood(tree: Tree) -> None:
    gaps = Counter(gap.kind for facts in tree.memo.facts.values() for gap in facts.gaps)
    assert set(gaps) <= {GapKind.ASSEMBLY}
    assert gaps[GapKind.ASSEMBLY] < 20


def test_stores_to_one_field_have_one_path(tree: Tree) -> None:
    found = {
        f"{facts.ir.name}: {dump_path(event.path)}"
        for facts in tree.memo.facts.values()
        for block in facts.ir.blocks
        for event in block.events
        if isinstance(event, Store) and dump_path(event.path, records=True).endswith("kvm_memory_slot.gmem::file")
    }
    assert found == {
        "kvm_gmem_release: slot->gmem.file",
        "kvm_gmem_bind: slot->gmem.file",
        "__kvm_gmem_unbind: slot->gmem.file",
    }


def test_container_of_leads_to_the_record_around(tree: Tree) -> None:
    assert "return &container(*mn, kvm.mmu_notifier)" in dump(tree["mmu_notifier_to_kvm"].ir)


def test_static_calls_are_calls_of_their_trampolines(tree: Tree) -> None:
    assert "__SCT__kvm_x86_vcpu_load" in tree["kvm_arch_vcpu_load"].calls
    assert all(
        isinstance(event.callee, FunctionAddress)
        for facts in tree.functions("kvm_arch_vcpu_load")
        for block in facts.ir.blocks
        for event in block.events
        if isinstance(event, Call)
    )


def test_guards_unlock_at_every_way_out(tree: Tree) -> None:
    text = dump(tree["kvm_enable_virtualization"].ir)
    assert text.count("class_mutex_constructor(&kvm_usage_lock)") == 1
    assert text.count("class_mutex_destructor(") == text.count("return ") == 3


def test_ops_tables_name_their_slots(tree: Tree) -> None:
    slots = {
        (dump_path(initialiser.path, records=True), initialiser.function)
        for unit in tree.units.values()
        for initialiser in unit.initialisers
    }
    assert ("kvm_gmem_fops.file_operations::release", "kvm_gmem_release") in slots
    assert ("kvm_mmu_notifier_ops.mmu_notifier_ops::release", "kvm_mmu_notifier_release") in slots
    assert len(slots) > 800
