# SPDX-License-Identifier: GPL-2.0-only
"""Structures of the real tree as their rules see them."""

from pathlib import Path

import pytest

from analyzer.findings.doc import MemberDoc, StructDoc
from analyzer.pipeline.doc import from_tree
from analyzer.pipeline.options import CheckOptions, Silent

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def docs(tree: Path, cache: Path) -> dict[str, StructDoc]:
    names = ("kvm_memory_slot", "kvm", "kvm_arch")
    return {doc.name: doc for doc in from_tree(CheckOptions(tree=tree, cache=cache, jobs=2), names, Silent())}


def member(doc: StructDoc, name: str) -> MemberDoc:
    (found,) = [member for member in doc.members if member.name == name]
    return found


def test_the_memslots_file_has_the_accessors_that_the_source_has(docs: dict[str, StructDoc]) -> None:
    file = member(docs["kvm_memory_slot"], "gmem.file")
    assert file.locks == ("kvm->slots_lock", "kvm->srcu")
    assert file.measured is not None
    assert [(one.function, one.n_places) for one in file.measured.writers] == [
        ("kvm_gmem_bind", 2),
        ("__kvm_gmem_unbind", 1),
        ("kvm_gmem_release", 1),
    ]
    assert {one.function for one in file.measured.readers} >= {"kvm_gmem_get_file", "kvm_gmem_unbind"}
    assert docs["kvm_memory_slot"].location is not None
    assert docs["kvm_memory_slot"].location.file == "include/linux/kvm_host.h"


def test_members_of_kvm_arch_are_told_at_both_structures(docs: dict[str, StructDoc]) -> None:
    inner, outer = member(docs["kvm_arch"], "apic_map"), member(docs["kvm"], "arch.apic_map")
    assert "Writes need @apic_map_lock" in inner.sentences[0]
    assert "Writes need @arch.apic_map_lock" in outer.sentences[0]
    assert inner.measured == outer.measured
    assert inner.measured is not None
    assert [one.function for one in inner.measured.writers] == ["kvm_recalculate_apic_map"]


def test_locks_tell_their_order(docs: dict[str, StructDoc]) -> None:
    (lock,) = [lock for lock in docs["kvm"].locks if lock.name == "slots_lock"]
    assert "Taken inside @lock." in lock.orders
    assert lock.takers is not None
    assert len(lock.takers) > 20
