# SPDX-License-Identifier: GPL-2.0-only
"""Edits of x86 after which something is read or changed without its lock: forgotten, dropped too early, or held in another mode.

In: nothing. Out: `FORGOTTEN_X86`.
"""

from tests.kernel.cases import HYPERV, IOAPIC, IRQ_COMM, LAPIC, PIC, PIT, X86, Case, breaks
from tests.kernel.edit import Replace

FORGOTTEN_X86: tuple[Case, ...] = (
    breaks(
        "kvm/vm-list",
        "clocks are updated after the unlock",
        X86,
        "kvm_hyperv_tsc_notifier",
        "kvm_lock",
        (
            "\tkvm_caps.max_guest_tsc_khz = tsc_khz;\n",
            "\tkvm_caps.max_guest_tsc_khz = tsc_khz;\n\tmutex_unlock(&kvm_lock);\n",
        ),
        ("\t}\n\n\tmutex_unlock(&kvm_lock);\n}", "\t}\n}"),
    ),
    breaks(
        "kvm/pic-state",
        "the slave's state is set without the lock",
        X86,
        "kvm_vm_ioctl_set_irqchip",
        "kvm_pic.lock",
        (
            (
                "\t\tspin_lock(&pic->lock);\n\t\tmemcpy(&pic->pics[1], &chip->chip.pic,\n"
                "\t\t\tsizeof(struct kvm_pic_state));\n"
                "\t\tspin_unlock(&pic->lock);\n"
            ),
            "\t\tmemcpy(&pic->pics[1], &chip->chip.pic,\n\t\t\tsizeof(struct kvm_pic_state));\n",
        ),
    ),
    breaks(
        "kvm/pit-state",
        "the counts are loaded after the unlock",
        X86,
        "kvm_vm_ioctl_set_pit2",
        "kvm_kpit_state.lock",
        (
            "\tpit->pit_state.flags = ps->flags;\n",
            "\tpit->pit_state.flags = ps->flags;\n\tmutex_unlock(&pit->pit_state.lock);\n",
        ),
        ("\t\t\t\t   start && i == 0);\n\tmutex_unlock(&pit->pit_state.lock);\n", "\t\t\t\t   start && i == 0);\n"),
    ),
    breaks(
        "kvm/pit-state",
        "the channels are copied without the lock",
        X86,
        "kvm_vm_ioctl_get_pit",
        "kvm_kpit_state.lock",
        ("\tmutex_lock(&kps->lock);\n", ""),
        ("\tmutex_unlock(&kps->lock);\n", ""),
    ),
    breaks(
        "kvm/pit-reinject",
        "two callers change how ticks are made up for",
        X86,
        "kvm_vm_ioctl_reinject",
        "kvm_kpit_state.lock",
        ("\tmutex_lock(&pit->pit_state.lock);\n", ""),
        ("\tmutex_unlock(&pit->pit_state.lock);\n", ""),
    ),
    breaks(
        "kvm/pit-state",
        "the latched count is read after the unlock",
        PIT,
        "speaker_ioport_read",
        "kvm_kpit_state.lock",
        Replace("speaker_ioport_read", r"^\tmutex_unlock\(&pit_state->lock\);\n", ""),
        ("\tret = (!!(", "\tmutex_unlock(&pit_state->lock);\n\tret = (!!("),
    ),
    breaks(
        "kvm/ioapic-state",
        "entries are looked at without the lock",
        IOAPIC,
        "kvm_ioapic_scan_entry",
        "kvm_ioapic.lock",
        ("\tspin_lock(&ioapic->lock);\n", ""),
        ("\tspin_unlock(&ioapic->lock);\n", ""),
    ),
    breaks(
        "kvm/ioapic-state",
        "the lines of a source are cleared before the lock",
        IOAPIC,
        "kvm_ioapic_clear_all",
        "kvm_ioapic.lock",
        ("\tspin_lock(&ioapic->lock);\n", ""),
        ("\tspin_unlock(&ioapic->lock);\n", ""),
    ),
    breaks(
        "kvm/ioapic-call",
        "interrupts are injected after the unlock",
        IOAPIC,
        "kvm_set_ioapic",
        "kvm_ioapic.lock",
        (
            "\tkvm_ioapic_inject_all(ioapic, state->irr);\n\tspin_unlock(&ioapic->lock);\n",
            "\tspin_unlock(&ioapic->lock);\n\tkvm_ioapic_inject_all(ioapic, state->irr);\n",
        ),
    ),
    breaks(
        "kvm/irq-sources",
        "the number is marked after the unlock",
        IRQ_COMM,
        "kvm_request_irq_source_id",
        "kvm.irq_lock",
        (
            "\tset_bit(irq_source_id, bitmap);\nunlock:\n\tmutex_unlock(&kvm->irq_lock);\n",
            (
                "unlock:\n\tmutex_unlock(&kvm->irq_lock);\n\tif (irq_source_id >= 0)\n"
                "\t\t__set_bit(irq_source_id, bitmap);\n"
            ),
        ),
    ),
    breaks(
        "kernel/contract-dereference",
        "the map is replaced after the unlock",
        LAPIC,
        "kvm_recalculate_apic_map",
        "kvm_arch.apic_map_lock",
        (
            "\told = rcu_dereference_protected(kvm->arch.apic_map,\n",
            ("\tmutex_unlock(&kvm->arch.apic_map_lock);\n\told = rcu_dereference_protected(kvm->arch.apic_map,\n"),
        ),
        (
            "\t\t\t       UPDATE_IN_PROGRESS, CLEAN);\n\tmutex_unlock(&kvm->arch.apic_map_lock);\n",
            "\t\t\t       UPDATE_IN_PROGRESS, CLEAN);\n",
        ),
    ),
    breaks(
        "kvm/hv-write",
        "the status is changed after the unlock",
        HYPERV,
        "kvm_hv_request_tsc_page_update",
        "kvm_hv.hv_lock",
        (
            "\tif (hv->hv_tsc_page_status == HV_TSC_PAGE_SET &&\n",
            "\tmutex_unlock(&hv->hv_lock);\n\n\tif (hv->hv_tsc_page_status == HV_TSC_PAGE_SET &&\n",
        ),
        ("HV_TSC_PAGE_HOST_CHANGED;\n\n\tmutex_unlock(&hv->hv_lock);\n", "HV_TSC_PAGE_HOST_CHANGED;\n"),
    ),
    breaks(
        "kvm/hv-flush-fifo",
        "two vCPUs put addresses into one queue",
        HYPERV,
        "hv_tlb_flush_enqueue",
        "write_lock",
        ("\tspin_lock(&tlb_flush_fifo->write_lock);\n", ""),
        ("out_unlock:\n\tspin_unlock(&tlb_flush_fifo->write_lock);\n", "out_unlock:\n\treturn;\n"),
    ),
    breaks(
        "kernel/contract-held",
        "who debugs one vCPU reads what others change",
        X86,
        "kvm_arch_vcpu_guestdbg_update_apicv_inhibit",
        "apicv_update_lock",
        ("\tdown_write(&kvm->arch.apicv_update_lock);\n", "\tdown_read(&kvm->arch.apicv_update_lock);\n"),
        ("\tup_write(&kvm->arch.apicv_update_lock);\n", "\tup_read(&kvm->arch.apicv_update_lock);\n"),
        origin="__kvm_set_or_clear_apicv_inhibit",
    ),
    breaks(
        "kvm/set-memory-region",
        "a vCPU that is made puts a page into its VM",
        LAPIC,
        "kvm_alloc_apic_access_page",
        "kvm.slots_lock",
        Replace("kvm_alloc_apic_access_page", r"^\tmutex_(un)?lock\(&kvm->slots_lock\);\n", "", 2),
    ),
    breaks(
        "kvm/hv-timer",
        "the timer is cancelled on a processor that the vCPU may leave",
        LAPIC,
        "cancel_apic_timer",
        "preempt_off",
        Replace("cancel_apic_timer", r"^\tpreempt_(dis|en)able\(\);\n", "", 2),
    ),
    breaks(
        "kvm/pic-state",
        "lines are cleared without the lock",
        PIC,
        "kvm_pic_clear_all",
        "kvm_pic.lock",
        Replace("kvm_pic_clear_all", r"^\tpic_(un)?lock\(s\);\n", "", 2),
    ),
    breaks(
        "kvm/hv-write",
        "two vCPUs warn",
        HYPERV,
        "kvm_hv_xsaves_xsavec_maybe_warn",
        "kvm_hv.hv_lock",
        Replace("kvm_hv_xsaves_xsavec_maybe_warn", r"^\tmutex_(un)?lock\(&hv->hv_lock\);\n", "", 2),
    ),
    breaks(
        "kvm/apicv-active",
        "a vCPU follows reasons that change",
        X86,
        "__kvm_vcpu_update_apicv",
        "apicv_update_lock",
        Replace("__kvm_vcpu_update_apicv", r"^\t(down|up)_read\(&vcpu->kvm->arch.apicv_update_lock\);\n", "", 2),
    ),
)
