# SPDX-License-Identifier: GPL-2.0-only
"""Edits of all that findings rest on, in all units: after each, the program in memory says what `check` says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from analyzer.findings.model import Report
from analyzer.pipeline.live.program import LiveProgram
from analyzer.pipeline.options import CheckOptions, Silent
from tests.live.conftest import TREE, CheckWith

MEMFD, MEMSLOTS = "virt/kvm/guest_memfd.c", "virt/kvm/memslots.c"
NOTIFIER, MMU, VCPU = "virt/kvm/mmu_notifier.c", "arch/mini/kvm/mmu.c", "arch/mini/kvm/vcpu.c"
UNITS = (MEMFD, MEMSLOTS, NOTIFIER, MMU, VCPU)


class Edit(NamedTuple):
    unit: str
    old: str
    new: str


EDITS = {
    # locks held where something is asked for, or called
    "a caller's lock is gone": Edit(MEMSLOTS, "\tmutex_lock(&kvm->slots_lock);\n\tr = __kvm", "\tr = __kvm"),
    "a caller's lock is another": Edit(
        MEMSLOTS,
        "\tmutex_lock(&kvm->slots_lock);\n\tr = __kvm_set_memory_region(kvm, region);\n\tmutex_unlock(&kvm->slots_lock);",
        "\tmutex_lock(&kvm_lock);\n\tr = __kvm_set_memory_region(kvm, region);\n\tmutex_unlock(&kvm_lock);",
    ),
    "a lock is forgotten": Edit(
        MEMSLOTS, "region);\n\tmutex_unlock(&kvm->slots_lock);\n\treturn r;", "region);\n\treturn r;"
    ),
    "a lock is not there on one way": Edit(
        MEMSLOTS, "\tmutex_lock(&kvm->slots_lock);\n\tr = __kvm", "\tif (region->flags)\n\t\tmutex_lock(&kvm->slots_lock);\n\tr = __kvm"
    ),
    "a lock around a call": Edit(
        MEMSLOTS,
        "\tr = kvm_move_slots(kvm, fd);",
        "\tmutex_lock(&kvm->slots_lock);\n\tr = kvm_move_slots(kvm, fd);\n\tmutex_unlock(&kvm->slots_lock);",
    ),
    "a lock that is spun for around one that is slept for": Edit(
        NOTIFIER,
        "\tidx = srcu_read_lock(&kvm->srcu);\n\tslots =",
        "\tKVM_MMU_LOCK(kvm);\n\tmutex_lock(&kvm->slots_lock);\n\tmutex_unlock(&kvm->slots_lock);\n\tKVM_MMU_UNLOCK(kvm);\n\tidx = srcu_read_lock(&kvm->srcu);\n\tslots =",
    ),
    "two locks in another order": Edit(
        MEMFD,
        "\tmutex_lock(&kvm->slots_lock);\n\tfilemap_invalidate_lock(inode->i_mapping);\n",
        "\tfilemap_invalidate_lock(inode->i_mapping);\n\tmutex_lock(&kvm->slots_lock);\n",
    ),
    "a lock for reading": Edit(
        MMU,
        "\tr = -EAGAIN;\n\tKVM_MMU_LOCK(kvm);",
        "\tr = -EAGAIN;\n\tread_lock(&kvm->mmu_lock);",
    ),
    "a lock is taken twice": Edit(MMU, "\tr = -EAGAIN;\n", "\tr = -EAGAIN;\n\tKVM_MMU_LOCK(kvm);\n"),
    "a lock is dropped early": Edit(
        MEMFD, "\tfilemap_invalidate_lock(file->f_mapping);\n\n\tfor (i = 0; i < npages", "\tfilemap_invalidate_lock(file->f_mapping);\n\tmutex_unlock(&kvm->slots_lock);\n\n\tfor (i = 0; i < npages"
    ),
    # pointers that readers share
    "a shared pointer is read bare": Edit(
        MEMSLOTS, "\told = kvm_memslots(kvm)->slots[region->slot];", "\told = kvm->memslots[0]->slots[region->slot];"
    ),
    "an accessor asks for another lock": Edit(
        MEMSLOTS, "\told = kvm_memslots(kvm)->slots[region->slot];", "\told = rcu_dereference_protected(kvm->memslots[0], lockdep_is_held(&kvm->lock))->slots[region->slot];"
    ),
    # what the source claims of locks
    "a claim is gone": Edit(MEMSLOTS, "\tlockdep_assert_held(&kvm->slots_lock);\n", ""),
    "a claim of another lock": Edit(
        MEMSLOTS, "\tlockdep_assert_held(&kvm->slots_lock);\n", "\tlockdep_assert_held(&kvm_lock);\n"
    ),
    "a claim that a lock is not held": Edit(
        MEMSLOTS, "\tlockdep_assert_held(&kvm->slots_lock);\n", "\tlockdep_assert_not_held(&kvm->slots_lock);\n"
    ),
    "a new claim in a callee": Edit(
        MEMSLOTS, "\tstruct kvm_memslots *old = kvm_memslots(kvm);\n", "\tstruct kvm_memslots *old = kvm_memslots(kvm);\n\n\tlockdep_assert_held(&kvm_lock);\n"
    ),
    "a new claim far below": Edit(
        MEMSLOTS, "\tkvm->nr_memslot_pages -= old->npages;\n", "\tlockdep_assert_held_write(&kvm->mmu_lock);\n\tkvm->nr_memslot_pages -= old->npages;\n"
    ),
    "a claim beside another": Edit(
        MMU, "\tlockdep_assert_held(&kvm->mmu_lock);\n\treturn kvm->mmu_inv", "\tlockdep_assert_held(&kvm->mmu_lock);\n\tlockdep_assert_held(&kvm_lock);\n\treturn kvm->mmu_inv"
    ),
    "a claim where readers come": Edit(
        MMU, "\tread_lock(&vcpu->kvm->mmu_lock);\n\tfault.seq", "\tread_lock(&vcpu->kvm->mmu_lock);\n\tlockdep_assert_held_write(&vcpu->kvm->mmu_lock);\n\tfault.seq"
    ),
    # readers of what updaters wait for readers of, and those who wait
    "a reader outside": Edit(
        MEMSLOTS, "\tidx = srcu_read_lock(&kvm->srcu);\n\tr = kvm_move_slots(kvm, fd);\n\tsrcu_read_unlock(&kvm->srcu, idx);", "\tr = kvm_move_slots(kvm, fd);"
    ),
    "a reader in a section of another sort": Edit(
        NOTIFIER,
        "\tidx = srcu_read_lock(&kvm->srcu);\n\tslots = kvm_memslots(kvm);",
        "\trcu_read_lock();\n\tslots = kvm_memslots(kvm);\n\trcu_read_unlock();\n\tidx = srcu_read_lock(&kvm->srcu);",
    ),
    "a reader that leaves its section": Edit(
        VCPU, "\tvcpu->exit_reason = reason;", "\tkvm_vcpu_srcu_read_unlock(vcpu);\n\tvcpu->exit_reason = reason;"
    ),
    "a section around a fault": Edit(
        VCPU, "\tkvm_vcpu_srcu_read_unlock(vcpu);\n\twait_for_event(vcpu);", "\twait_for_event(vcpu);"
    ),
    "nobody waits": Edit(MEMSLOTS, "\tsynchronize_srcu(&kvm->srcu);\n", ""),
    "others are waited for": Edit(MEMSLOTS, "\tsynchronize_srcu(&kvm->srcu);\n", "\tsynchronize_rcu();\n"),
    "readers are waited for before": Edit(
        MEMSLOTS,
        "\trcu_assign_pointer(kvm->memslots[0], new);\n\tsynchronize_srcu(&kvm->srcu);\n",
        "\tsynchronize_srcu(&kvm->srcu);\n\trcu_assign_pointer(kvm->memslots[0], new);\n",
    ),
    "a new writer": Edit(
        MEMSLOTS, "\tkvm->nr_memslot_pages -= old->npages;\n", "\trcu_assign_pointer(kvm->memslots[0], NULL);\n\tkvm->nr_memslot_pages -= old->npages;\n"
    ),
    "a reader that waits inside": Edit(
        MEMSLOTS, "\tr = kvm_move_slots(kvm, fd);", "\tsynchronize_srcu(&kvm->srcu);\n\tr = kvm_move_slots(kvm, fd);"
    ),
    "a member that was not waited for": Edit(
        MEMFD,
        "\tfilemap_invalidate_lock(file->f_mapping);\n\n\tfor (i = 0; i < npages",
        "\tfilemap_invalidate_lock(file->f_mapping);\n\tWRITE_ONCE(slot->gmem.file, NULL);\n\tsynchronize_srcu(&kvm->srcu);\n\n\tfor (i = 0; i < npages",
    ),
    # who calls whom
    "a call is gone": Edit(MEMSLOTS, "\t\tr = kvm_move_slot(kvm, slots->slots[i], fd);\n", "\t\tr = 0;\n"),
    "a call of one more": Edit(
        MEMSLOTS, "\tr = kvm_move_slots(kvm, fd);", "\tr = kvm_gmem_rebind(kvm, NULL, fd) ?: kvm_move_slots(kvm, fd);"
    ),
    "a call of a function behind": Edit(MMU, "\tr = -EAGAIN;\n", "\tr = -EAGAIN;\n\tkvm_mmu_invalidate_begin(kvm);\n"),
    "the only call of a function is gone": Edit(VCPU, "vcpu->halted ? vcpu_block(vcpu) : vcpu_enter_guest(vcpu)", "vcpu_enter_guest(vcpu)"),
    "a recursion": Edit(MMU, "\tr = faultin_pfn_private(vcpu, fault);", "\tr = fault->seq ? faultin_pfn_private(vcpu, fault) : kvm_mmu_page_fault(vcpu, 0);"),
    # nothing that matters
    # pointers that readers share
    "a pointer is read bare": Edit(
        MEMSLOTS, "\tstruct kvm_memslots *slots = kvm_memslots(kvm);\n\tint i, r;", "\tstruct kvm_memslots *slots = kvm->memslots[0];\n\tint i, r;"
    ),
    "an accessor names another lock": Edit(
        MEMSLOTS,
        "\tstruct kvm_memslots *slots = kvm_memslots(kvm);\n\tint i, r;",
        "\tstruct kvm_memslots *slots = rcu_dereference_protected(kvm->memslots[0], lockdep_is_held(&kvm_lock));\n\tint i, r;",
    ),
    "lines before a change that is waited for": Edit(
        MEMSLOTS, "\trcu_assign_pointer(kvm->memslots[0], new);", "\n\n\trcu_assign_pointer(kvm->memslots[0], new);"
    ),
    "nothing but lines": Edit(MEMSLOTS, "\tsynchronize_srcu(&kvm->srcu);\n", "\n\n\tsynchronize_srcu(&kvm->srcu);\n"),
}  # fmt: skip


#: after these, rules watch other members, wait for others, or more is read of headers
ELSEWHERE = {
    "a lock that is spun for around one that is slept for",
    "a reader in a section of another sort",
    "an accessor asks for another lock",
    "a member that was not waited for",
    "nobody waits",
    "others are waited for",
    "readers are waited for before",
}


class Editor:
    """Texts that are changed one at a time, and what `check` says of them."""

    def __init__(self, live: LiveProgram, check_with: CheckWith) -> None:
        self.live = live
        self.texts = {unit: (TREE / unit).read_text() for unit in UNITS}
        self.done: list[str] = []
        self._check_with = check_with
        for unit, text in self.texts.items():
            assert live.prepare(unit, text, {})

    def toggle(self, name: str) -> str:
        """Make an edit, or take it back; return how it was answered, or nothing where it does not fit others."""
        unit = EDITS[name].unit
        done = [*self.done, name] if name not in self.done else [one for one in self.done if one != name]
        text = self._text(unit, done)
        if text is None:
            return ""
        answer = self.live.change(unit, text, Silent())
        assert answer is not None
        assert not answer.broken
        self.done, self.texts[unit] = done, text
        return answer.how

    def _text(self, unit: str, done: list[str]) -> str | None:
        """Return a unit's text with edits; None where they do not fit each other."""
        text = (TREE / unit).read_text()
        for edit in (EDITS[name] for name in done if EDITS[name].unit == unit):
            if text.count(edit.old) != 1:
                return None
            text = text.replace(edit.old, edit.new)
        return text

    def wanted(self) -> Report:
        """Return what `check` says of the texts."""
        return self._check_with(self.texts)

    def report(self) -> Report:
        """Return what is said now."""
        assert self.live.generation is not None
        return self.live.generation.report


@pytest.fixture(scope="module")
def shared(options: CheckOptions) -> Iterator[LiveProgram]:
    live = LiveProgram(options)
    yield live
    live.close()


@pytest.fixture
def program(shared: LiveProgram) -> LiveProgram:
    """Return a program that remembers what came before, of the texts on disk."""
    shared.whole({}, Silent())
    return shared


@pytest.mark.parametrize("name", EDITS)
def test_after_one_edit_and_back(program: LiveProgram, check_with: CheckWith, name: str) -> None:
    editor = Editor(program, check_with)
    before = editor.report()
    assert editor.toggle(name) == ("unit" if name in ELSEWHERE else "function")
    found, wanted = editor.report(), editor.wanted()
    assert found.findings == wanted.findings
    assert found == wanted
    if "lines" not in name:
        assert (found.findings, found.rules) != (before.findings, before.rules), "an edit that shows"
    assert editor.toggle(name)
    assert editor.report() == before


@pytest.mark.parametrize("seed", range(3))
def test_after_many_edits(program: LiveProgram, check_with: CheckWith, seed: int) -> None:
    editor = Editor(program, check_with)
    before = editor.report()
    rng = random.Random(seed)  # noqa: S311
    n_made = 0
    while n_made < 12:
        how = editor.toggle(rng.choice(list(EDITS)))
        n_made += bool(how)
        if how and n_made % 2 == 0:
            found, wanted = editor.report(), editor.wanted()
            assert found.findings == wanted.findings, editor.done
            assert found == wanted, editor.done
    for name in reversed(editor.done):
        assert editor.toggle(name), name
    assert editor.report() == before
