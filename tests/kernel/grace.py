# SPDX-License-Identifier: GPL-2.0-only
"""Edits after which something is taken apart before its readers are waited for.

In: nothing. Out: `GRACE`.
"""

from tests.kernel.cases import MAIN, Case, within
from tests.kernel.edit import Replace

RULE = "kvm/gmem-unbind-grace"
WAIT = r"^\tsynchronize_srcu_expedited\(&kvm->srcu\);\n"
ENTER = r"^(?=\tspin_lock\(&kvm->mn_invalidate_lock\);\n\tprepare_to_rcuwait)"

GRACE = (
    Case(
        name="memslots: unbound before it is taken out of the active set",
        changes=within(
            MAIN,
            Replace("kvm_set_memslot", r"^(?=\t\tkvm_invalidate_memslot\()", "\t\tkvm_gmem_unbind(old);\n"),
        ),
        rule=RULE,
        origin="kvm_set_memslot",
        way=("kvm_vm_ioctl", "__kvm_set_memory_region", "kvm_set_memslot"),
    ),
    Case(
        name="memslots: nobody waits for the readers of the old set",
        changes=within(MAIN, Replace("kvm_swap_active_memslots", WAIT, "")),
        rule=RULE,
        origin="kvm_free_memslot",
        way=("kvm_set_memslot", "kvm_commit_memory_region", "kvm_free_memslot"),
    ),
    Case(
        name="memslots: readers are waited for before the new set is active",
        changes=within(
            MAIN,
            Replace("kvm_swap_active_memslots", WAIT, ""),
            Replace("kvm_swap_active_memslots", ENTER, "\tsynchronize_srcu_expedited(&kvm->srcu);\n"),
        ),
        rule=RULE,
        origin="kvm_free_memslot",
    ),
    Case(
        name="memslots: readers of another domain are waited for",
        changes=within(
            MAIN, Replace("kvm_swap_active_memslots", WAIT, "\tsynchronize_srcu_expedited(&kvm->irq_srcu);\n")
        ),
        rule=RULE,
        origin="kvm_free_memslot",
    ),
)
