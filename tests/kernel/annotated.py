# SPDX-License-Identifier: GPL-2.0-only
"""Edits that annotate functions with locks, rightly and wrongly, or read a shared pointer without its accessor.

In: nothing. Out: `ANNOTATED`, `ANNOTATED_HARMLESS`.
"""

from tests.kernel.cases import LAPIC, MAIN, Case, within
from tests.kernel.edit import Insert, Text

SECTION = "\trcu_read_lock();\n\tmap = rcu_dereference(kvm->arch.apic_map);\n"
CREATE = "static int kvm_ioctl_create_device(struct kvm *vm, struct kvm_create_device *device)"
SWAP = "static void kvm_swap_active_memslots(struct kvm *vm, int id)"

ANNOTATED = (
    Case(
        name="annotated: a prototype asks for a lock that callers do not hold",
        changes=within(
            MAIN,
            Insert("kvm_ioctl_create_device", f"{CREATE} __must_hold(&vm->slots_lock);\n"),
        ),
        rule="kernel/contract-held",
        origin="kvm_ioctl_create_device",
        lock="kvm.slots_lock",
    ),
    Case(
        name="annotated: a function is said to drop more than it drops",
        changes=within(
            MAIN,
            Insert(
                "kvm_swap_active_memslots", f"{SWAP} __releases(&vm->slots_arch_lock) __releases(&vm->slots_lock);\n"
            ),
        ),
        rule="kernel/contract-kept",
        origin="kvm_swap_active_memslots",
        lock="kvm.slots_lock",
    ),
    Case(
        name="annotated: the map of APICs is read bare, outside of a section",
        changes=within(
            LAPIC,
            Text("kvm_pv_send_ipi", SECTION, "\tmap = kvm->arch.apic_map;\n"),
            Text("kvm_pv_send_ipi", "\trcu_read_unlock();\n", ""),
        ),
        rule="kernel/contract-pointer",
        origin="kvm_pv_send_ipi",
        lock="kvm_arch.apic_map",
    ),
)
ANNOTATED_HARMLESS = (
    Case(
        name="annotated: a function drops what it is said to drop",
        changes=within(MAIN, Insert("kvm_swap_active_memslots", f"{SWAP} __releases(&vm->slots_arch_lock);\n")),
    ),
    Case(
        name="annotated: the map of APICs is read bare, inside of a section",
        changes=within(
            LAPIC, Text("kvm_pv_send_ipi", "map = rcu_dereference(kvm->arch.apic_map);", "map = kvm->arch.apic_map;")
        ),
    ),
)
