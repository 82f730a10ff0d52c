# SPDX-License-Identifier: GPL-2.0-only
"""The embedded tree as a branch changes it: one bug deep in a call path among lines that move, its fix, and a swap."""

from __future__ import annotations

from tests.diff.conftest import Tree, told

GMEM = "virt/kvm/guest_memfd.c"
#: deep below the vCPU's ioctl, where SRCU is held at most
RIGHT = "\tr = __kvm_gmem_get_pfn(file, slot, index, pfn);\n"
WRONG = f"\tWRITE_ONCE(slot->gmem.file, NULL);\n{RIGHT}"
PLACE = ("kvm/gmem-file-write", GMEM, "kvm_gmem_get_pfn")


def bodies(text: str, first: str, last: str) -> tuple[int, int]:
    """Return where the definitions from `first` to `last` begin and end."""
    start = text.rindex("\n\n", 0, text.index(f"{first}(")) + 2
    return start, text.index("\n}\n", text.index(f"{last}(")) + 3


def test_one_bug_among_moved_lines_its_fix_and_nothing_else(embedded: Tree) -> None:
    text = (embedded.path / GMEM).read_text("utf-8")
    start, end = bodies(text, "static long kvm_gmem_punch_hole", "int kvm_gmem_create")
    assert text[start:end].count("\n") > 190
    assert "Seeded" in text[start:end], "known findings are among the lines that move"
    operations = "static const struct file_operations kvm_gmem_fops;\n\n"
    embedded.write({GMEM: f"{text[:start]}{operations}{text[end:]}\n{text[start:end]}"})
    embedded.edit(GMEM, (RIGHT, WRONG))
    embedded.commit("move, and clear the file while others use it")
    brought = embedded.diff("HEAD~")
    assert told(brought) == {("introduced", *PLACE)}
    assert all(len(finding.chain) > 5 for finding in brought.report.findings)
    embedded.edit(GMEM, (WRONG, RIGHT))
    mended = embedded.diff()
    assert told(mended) == {("fixed", *PLACE)}
    assert len(mended.comparison.pre_existing) == len(brought.comparison.pre_existing) == 9


def test_a_swap_of_seeds(embedded: Tree) -> None:
    """The lock that was the wrong one is the right one; the release takes the wrong one instead."""
    wrong = "\tmutex_lock(&kvm->lock);\n\tfilemap_invalidate_lock(file->f_mapping);\n"
    right = "\tmutex_lock(&kvm->slots_lock);\n\tfilemap_invalidate_lock(file->f_mapping);\n"
    embedded.edit(
        GMEM,
        (wrong, right),
        ("\tfilemap_invalidate_unlock(file->f_mapping);\n\tmutex_unlock(&kvm->lock);\n",
         "\tfilemap_invalidate_unlock(file->f_mapping);\n\tmutex_unlock(&kvm->slots_lock);\n"),
        ("\tmutex_lock(&kvm->slots_lock);\n\tfilemap_invalidate_lock(inode->i_mapping);\n",
         "\tmutex_lock(&kvm->lock);\n\tfilemap_invalidate_lock(inode->i_mapping);\n"),
        ("\tfilemap_invalidate_unlock(inode->i_mapping);\n\tmutex_unlock(&kvm->slots_lock);\n",
         "\tfilemap_invalidate_unlock(inode->i_mapping);\n\tmutex_unlock(&kvm->lock);\n"),
    )  # fmt: skip
    assert told(embedded.diff()) == {
        ("fixed", "kvm/gmem-file-write", GMEM, "kvm_gmem_revoke"),
        ("introduced", "kvm/gmem-file-write", GMEM, "kvm_gmem_release"),
    }
