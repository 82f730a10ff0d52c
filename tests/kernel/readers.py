# SPDX-License-Identifier: GPL-2.0-only
"""Edits after which a grace period waits for other readers than there are, and edits that keep readers where they are.

In: nothing. Out: `READERS`, `READERS_HARMLESS`; `BEFORE_2024`, and the same with readers in a section.
"""

from tests.kernel.cases import GMEM, IRQ_COMM, IRQCHIP, LAPIC, MAIN, PMU, TDP, X86, Case, within
from tests.kernel.edit import Change, Replace, Text

RULE = "kernel/grace-period"
CLEAR = "\t\tWRITE_ONCE(slot->gmem.file, NULL);\n"
ZAP = "\tkvm_gmem_invalidate_begin(gmem, 0, -1ul);\n"
#: guest_memfd's updaters as they were before the review of 2024
UPDATERS: tuple[Change, ...] = (
    Text("kvm_gmem_bind", "WRITE_ONCE(slot->gmem.file, file);", "rcu_assign_pointer(slot->gmem.file, file);"),
    Text("__kvm_gmem_unbind", "WRITE_ONCE(slot->gmem.file, NULL);", "rcu_assign_pointer(slot->gmem.file, NULL);"),
    Replace("kvm_gmem_unbind", r"^(?=\tfilemap_invalidate_unlock)", "\tsynchronize_rcu();\n"),
    Text("kvm_gmem_release", CLEAR, "\t\trcu_assign_pointer(slot->gmem.file, NULL);\n\n\tsynchronize_rcu();\n"),
)
BEFORE_2024 = Case(
    name="guest_memfd: RCU as it was before 2024",
    changes=within(GMEM, *UPDATERS),
    rule=RULE,
    origin="__kvm_gmem_get_pfn",
    way=("kvm_gmem_get_pfn", "__kvm_gmem_get_pfn", "__kvm_gmem_unbind", "kvm_gmem_unbind"),
)
IN_SECTION = Case(
    name="guest_memfd: RCU as it was before 2024, and readers in a section",
    changes=within(
        GMEM,
        *UPDATERS,
        Text("__kvm_gmem_get_pfn", "struct file *gmem_file = READ_ONCE(slot->gmem.file);", "struct file *gmem_file;"),
        Replace(
            "__kvm_gmem_get_pfn",
            r"^(?=\tif \(file != gmem_file\))",
            "\trcu_read_lock();\n\tgmem_file = rcu_dereference(slot->gmem.file);\n\trcu_read_unlock();\n",
        ),
    ),
)

READERS = (
    BEFORE_2024,
    Case(
        name="guest_memfd: only the release waits, for readers of RCU",
        changes=within(GMEM, Text("kvm_gmem_release", CLEAR, f"{CLEAR}\n\tsynchronize_rcu();\n")),
        rule=RULE,
        origin="__kvm_gmem_get_pfn",
        way=("kvm_gmem_get_pfn", "__kvm_gmem_get_pfn", "kvm_gmem_release"),
    ),
    Case(
        name="filter of MSRs: another domain is waited for, in which nobody reads",
        changes=within(
            X86,
            Text("kvm_vm_ioctl_set_msr_filter", "synchronize_srcu(&kvm->srcu);", "synchronize_srcu(&kvm->irq_srcu);"),
        ),
        rule=RULE,
        origin="kvm_msr_allowed",
    ),
    Case(
        name="filter of events: RCU is waited for",
        changes=within(
            PMU,
            Text("kvm_vm_ioctl_set_pmu_event_filter", "synchronize_srcu_expedited(&kvm->srcu);", "synchronize_rcu();"),
        ),
        rule=RULE,
        origin="check_pmu_event_filter",
    ),
    Case(
        name="routing: the task's own section is not the one that is waited for",
        changes=within(
            IRQCHIP,
            Text(
                "kvm_set_irq_routing",
                "synchronize_srcu_expedited(&kvm->irq_srcu);",
                "synchronize_srcu_expedited(&kvm->srcu);",
            ),
        ),
        rule=RULE,
        origin="kvm_irq_map_gsi",
    ),
    Case(
        name="mask notifiers: walked outside the section",
        changes=within(
            IRQ_COMM,
            Replace("kvm_fire_mask_notifiers", r"^\tsrcu_read_unlock\(&kvm->irq_srcu, idx\);\n", ""),
            Replace(
                "kvm_fire_mask_notifiers", r"^(?=\tif \(gsi != -1\))", "\tsrcu_read_unlock(&kvm->irq_srcu, idx);\n"
            ),
        ),
        rule="kvm/mask-notifier-read",
        origin="kvm_fire_mask_notifiers",
    ),
    Case(
        name="delivery: the map of APICs is used after the section",
        changes=within(
            LAPIC,
            Replace("kvm_irq_delivery_to_apic_fast", r"^\trcu_read_unlock\(\);\n", ""),
            Replace(
                "kvm_irq_delivery_to_apic_fast",
                r"^(?=\n\tret = kvm_apic_map_get_dest_lapic)",
                "\trcu_read_unlock();\n",
            ),
        ),
        rule=RULE,
        origin="kvm_irq_delivery_to_apic_fast",
    ),
    Case(
        name="filter of MSRs: nobody waits",
        changes=within(X86, Replace("kvm_vm_ioctl_set_msr_filter", r"^\tsynchronize_srcu\(&kvm->srcu\);\n", "")),
        rule="kvm/filters-grace",
        origin="kvm_vm_ioctl_set_msr_filter",
    ),
    Case(
        name="routing: nobody waits",
        changes=within(
            IRQCHIP, Replace("kvm_set_irq_routing", r"^\tsynchronize_srcu_expedited\(&kvm->irq_srcu\);\n", "")
        ),
        rule="kvm/irq-routing-grace",
        origin="kvm_set_irq_routing",
    ),
    Case(
        name="map of APICs: freed at once",
        changes=within(
            LAPIC,
            Text("kvm_recalculate_apic_map", "call_rcu(&old->rcu, kvm_apic_map_free);", "kvfree(old);"),
        ),
        rule="kvm/apic-map-grace",
        origin="kvm_recalculate_apic_map",
    ),
    Case(
        name="buses: nobody waits for readers of the bus without the device",
        changes=within(
            MAIN, Replace("kvm_io_bus_unregister_dev", r"^\tsynchronize_srcu_expedited\(&kvm->srcu\);\n", "")
        ),
        rule="kvm/buses-grace",
        origin="kvm_io_bus_unregister_dev",
    ),
    Case(
        name="roots of the TDP MMU: unlinked without their lock",
        changes=within(
            TDP,
            Replace("kvm_tdp_mmu_put_root", r"^\tspin_(?:un)?lock\(&kvm->arch.tdp_mmu_pages_lock\);\n", "", 2),
        ),
        rule="kvm/tdp-root-unlink",
        origin="kvm_tdp_mmu_put_root",
    ),
)
READERS_HARMLESS = (
    IN_SECTION,
    Case(
        name="guest_memfd: published with rcu_assign_pointer(), and nobody waits",
        changes=within(
            GMEM,
            Text("kvm_gmem_bind", "WRITE_ONCE(slot->gmem.file, file);", "rcu_assign_pointer(slot->gmem.file, file);"),
        ),
    ),
    Case(
        name="filter of MSRs: NULL is waited for like a filter",
        changes=within(
            X86,
            Text("kvm_vm_ioctl_set_msr_filter", "synchronize_srcu(", "synchronize_srcu_expedited("),
        ),
    ),
)
