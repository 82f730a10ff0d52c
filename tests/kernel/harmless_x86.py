# SPDX-License-Identifier: GPL-2.0-only
"""Edits of x86 KVM that keep all locks right.

In: nothing. Out: `HARMLESS_X86`.
"""

from tests.kernel.cases import (
    HYPERV,
    IOAPIC,
    IRQ_COMM,
    LAPIC,
    MMU,
    PIC,
    PIT,
    PMU,
    REGS,
    TDP,
    X86,
    XEN,
    Case,
    keeps,
)
from tests.kernel.edit import Insert

HARMLESS_X86: tuple[Case, ...] = (
    keeps(
        "a guard in a block of its own",
        HYPERV,
        "kvm_hv_set_msr_common",
        ("\t\tint r;\n\n\t\tmutex_lock(&hv->hv_lock);\n", "\t\tguard(mutex)(&hv->hv_lock);\n"),
        (
            "\t\tr = kvm_hv_set_msr_pw(vcpu, msr, data, host);\n\t\tmutex_unlock(&hv->hv_lock);\n\t\treturn r;\n",
            "\t\treturn kvm_hv_set_msr_pw(vcpu, msr, data, host);\n",
        ),
    ),
    keeps(
        "a scoped section",
        HYPERV,
        "kvm_hvcall_signal_event",
        (
            "\trcu_read_lock();\n\teventfd = idr_find(&hv->conn_to_evt, hc->ingpa);\n\trcu_read_unlock();\n",
            "\tscoped_guard(rcu)\n\t\teventfd = idr_find(&hv->conn_to_evt, hc->ingpa);\n",
        ),
    ),
    keeps(
        "both branches unlock",
        HYPERV,
        "hv_tlb_flush_enqueue",
        ("\t\tgoto out_unlock;\n\t}\n", "\t\tspin_unlock(&tlb_flush_fifo->write_lock);\n\t\treturn;\n\t}\n"),
        ("out_unlock:\n", ""),
    ),
    keeps(
        "a guard of the section, with a return",
        HYPERV,
        "kvm_hv_notify_acked_sint",
        ("\tidx = srcu_read_lock(&kvm->irq_srcu);\n", "\tguard(srcu)(&kvm->irq_srcu);\n"),
        (
            "\tif (gsi != -1)\n\t\tkvm_notify_acked_gsi(kvm, gsi);\n\tsrcu_read_unlock(&kvm->irq_srcu, idx);\n",
            "\tif (gsi == -1)\n\t\treturn;\n\tkvm_notify_acked_gsi(kvm, gsi);\n",
        ),
    ),
    keeps(
        "failures unlock where they happen",
        PIT,
        "kvm_create_pit",
        (
            "\tif (ret < 0)\n\t\tgoto fail_register_pit;\n",
            "\tif (ret < 0) {\n\t\tmutex_unlock(&kvm->slots_lock);\n\t\tgoto fail_register_pit;\n\t}\n",
        ),
        (
            "\tkvm_io_bus_unregister_dev(kvm, KVM_PIO_BUS, &pit->dev);\nfail_register_pit:\n\tmutex_unlock(&kvm->slots_lock);\n",
            "\tkvm_io_bus_unregister_dev(kvm, KVM_PIO_BUS, &pit->dev);\n\tmutex_unlock(&kvm->slots_lock);\nfail_register_pit:\n",
        ),
    ),
    keeps(
        "a pointer to the mutex, a pointer to its record",
        PIT,
        "__kvm_migrate_pit_timer",
        ("\tstruct hrtimer *timer;\n", "\tstruct kvm_kpit_state *ps;\n\tstruct hrtimer *timer;\n"),
        ("\tmutex_lock(&pit->pit_state.lock);\n", "\tps = &pit->pit_state;\n\tmutex_lock(&ps->lock);\n"),
    ),
    keeps(
        "a guard",
        PIT,
        "speaker_ioport_write",
        ("\tmutex_lock(&pit_state->lock);\n", "\tguard(mutex)(&pit_state->lock);\n"),
        ("\tmutex_unlock(&pit_state->lock);\n", ""),
    ),
    keeps(
        "locked directly, unlocked by the wrapper",
        PIC,
        "kvm_pic_clear_all",
        ("\tpic_lock(s);\n", "\tspin_lock(&s->lock);\n"),
    ),
    keeps(
        "the lock is taken around the switch",
        PIC,
        "picdev_write",
        ("\tswitch (addr) {\n", "\tpic_lock(s);\n\tswitch (addr) {\n"),
        ("\t\tpic_lock(s);\n", "", 3),
        ("\t\tpic_unlock(s);\n", "", 3),
        ("\t\treturn -EOPNOTSUPP;\n\t}\n", "\t\tpic_unlock(s);\n\t\treturn -EOPNOTSUPP;\n\t}\n\tpic_unlock(s);\n"),
    ),
    keeps(
        "interrupts are disabled too",
        IOAPIC,
        "kvm_ioapic_clear_all",
        ("\tint i;\n", "\tunsigned long flags;\n\tint i;\n"),
        ("spin_lock(&ioapic->lock)", "spin_lock_irqsave(&ioapic->lock, flags)"),
        ("spin_unlock(&ioapic->lock)", "spin_unlock_irqrestore(&ioapic->lock, flags)"),
    ),
    keeps(
        "the notifiers are called by a function that drops its caller's lock",
        IOAPIC,
        "kvm_ioapic_update_eoi_one",
        Insert(
            "kvm_ioapic_update_eoi_one",
            "static void ioapic_ack(struct kvm_ioapic *ioapic, int pin)\n{\n\tspin_unlock(&ioapic->lock);\n"
            "\tkvm_notify_acked_irq(ioapic->kvm, KVM_IRQCHIP_IOAPIC, pin);\n\tspin_lock(&ioapic->lock);\n}\n",
        ),
        (
            "\tspin_unlock(&ioapic->lock);\n\tkvm_notify_acked_irq(ioapic->kvm, KVM_IRQCHIP_IOAPIC, pin);\n\tspin_lock(&ioapic->lock);\n",
            "\tioapic_ack(ioapic, pin);\n",
        ),
    ),
    keeps(
        "an unknown register unlocks and returns",
        IOAPIC,
        "ioapic_mmio_read",
        (
            "\tdefault:\n\t\tresult = 0;\n\t\tbreak;\n\t}\n\tspin_unlock",
            "\tdefault:\n\t\tspin_unlock(&ioapic->lock);\n\t\treturn -EOPNOTSUPP;\n\t}\n\tspin_unlock",
        ),
    ),
    keeps(
        "a guard with a return",
        IRQ_COMM,
        "kvm_request_irq_source_id",
        ("\tmutex_lock(&kvm->irq_lock);\n", "\tguard(mutex)(&kvm->irq_lock);\n"),
        ("\t\tirq_source_id = -EFAULT;\n\t\tgoto unlock;\n", "\t\treturn -EFAULT;\n"),
        ("unlock:\n\tmutex_unlock(&kvm->irq_lock);\n\n", ""),
    ),
    keeps(
        "the section is entered once more for each notifier",
        IRQ_COMM,
        "kvm_fire_mask_notifiers",
        ("\tint idx, gsi;\n", "\tint idx, inner, gsi;\n"),
        (
            "\t\t\tif (kimn->irq == gsi)\n\t\t\t\tkimn->func(kimn, mask);\n",
            (
                "\t\t\tif (kimn->irq == gsi) {\n\t\t\t\tinner = srcu_read_lock(&kvm->irq_srcu);\n"
                "\t\t\t\tkimn->func(kimn, mask);\n\t\t\t\tsrcu_read_unlock(&kvm->irq_srcu, inner);\n\t\t\t}\n"
            ),
        ),
    ),
    keeps(
        "what needs no lock is done before it is taken",
        IRQ_COMM,
        "kvm_register_irq_mask_notifier",
        ("\tmutex_lock(&kvm->irq_lock);\n\tkimn->irq = irq;\n", "\tkimn->irq = irq;\n\tmutex_lock(&kvm->irq_lock);\n"),
    ),
    keeps(
        "a guard of the section",
        LAPIC,
        "kvm_intr_is_single_vcpu_fast",
        ("\trcu_read_lock();\n", "\tguard(rcu)();\n"),
        ("\trcu_read_unlock();\n", ""),
    ),
    keeps(
        "a clean map goes to a label at the end",
        LAPIC,
        "kvm_recalculate_apic_map",
        ("\t\tmutex_unlock(&kvm->arch.apic_map_lock);\n\t\treturn;\n", "\t\tgoto clean;\n"),
        (
            "\tkvm_make_scan_ioapic_request(kvm);\n}",
            "\tkvm_make_scan_ioapic_request(kvm);\n\treturn;\n\nclean:\n\tmutex_unlock(&kvm->arch.apic_map_lock);\n}",
        ),
    ),
    keeps(
        "try until it is held",
        LAPIC,
        "kvm_alloc_apic_access_page",
        ("\tmutex_lock(&kvm->slots_lock);\n", "\twhile (!mutex_trylock(&kvm->slots_lock))\n\t\tcond_resched();\n"),
    ),
    keeps(
        "a guard of preemption",
        LAPIC,
        "restart_apic_timer",
        ("\tpreempt_disable();\n", "\tguard(preempt)();\n"),
        ("\t\tgoto out;\n", "\t\treturn;\n"),
        ("out:\n\tpreempt_enable();\n", ""),
    ),
    keeps(
        "the same flag by two names",
        MMU,
        "kvm_mmu_free_roots",
        (
            "\tif (is_tdp_mmu)\n\t\tread_lock(&kvm->mmu_lock);\n",
            "\tshared = is_tdp_mmu;\n\tif (shared)\n\t\tread_lock(&kvm->mmu_lock);\n",
        ),
        (
            "\tBUILD_BUG_ON(KVM_MMU_NUM_PREV_ROOTS >= BITS_PER_LONG);\n",
            "\tbool shared;\n\n\tBUILD_BUG_ON(KVM_MMU_NUM_PREV_ROOTS >= BITS_PER_LONG);\n",
        ),
    ),
    keeps(
        "the flag says the contrary",
        MMU,
        "mmu_try_to_unsync_pages",
        ("\tbool locked = false;\n", "\tbool unlocked = true;\n"),
        ("\t\tif (!locked) {\n\t\t\tlocked = true;\n", "\t\tif (unlocked) {\n\t\t\tunlocked = false;\n"),
        ("\tif (locked)\n", "\tif (!unlocked)\n"),
    ),
    keeps(
        "the answer is kept over the unlock",
        MMU,
        "set_nx_huge_pages",
        (
            (
                "\t\tif (!list_empty(&vm_list)) {\n\t\t\tmutex_unlock(&kvm_lock);\n\t\t\treturn -EBUSY;\n\t\t}\n"
                "\t\tnx_hugepage_mitigation_hard_disabled = true;\n\t\tmutex_unlock(&kvm_lock);\n"
            ),
            (
                "\t\tbool busy = !list_empty(&vm_list);\n\n\t\tif (!busy)\n\t\t\tnx_hugepage_mitigation_hard_disabled = true;\n"
                "\t\tmutex_unlock(&kvm_lock);\n\t\tif (busy)\n\t\t\treturn -EBUSY;\n"
            ),
        ),
    ),
    keeps(
        "the shrinker does not wait",
        MMU,
        "mmu_shrink_scan",
        ("\tmutex_lock(&kvm_lock);\n", "\tif (!mutex_trylock(&kvm_lock))\n\t\treturn SHRINK_STOP;\n"),
    ),
    keeps(
        "a guard for the writer",
        MMU,
        "kvm_mmu_change_mmu_pages",
        ("\twrite_lock(&kvm->mmu_lock);\n", "\tguard(write_lock)(&kvm->mmu_lock);\n"),
        ("\twrite_unlock(&kvm->mmu_lock);\n", ""),
    ),
    keeps(
        "a root that appeared meanwhile unlocks in the loop",
        TDP,
        "kvm_tdp_mmu_alloc_root",
        (
            "\t\t    !WARN_ON_ONCE(!kvm_tdp_mmu_get_root(root)))\n\t\t\tgoto out_spin_unlock;\n",
            (
                "\t\t    !WARN_ON_ONCE(!kvm_tdp_mmu_get_root(root))) {\n"
                "\t\t\tspin_unlock(&kvm->arch.tdp_mmu_pages_lock);\n\t\t\tgoto out_read_unlock;\n\t\t}\n"
            ),
        ),
        ("out_spin_unlock:\n", ""),
    ),
    keeps(
        "a guard of the list",
        TDP,
        "tdp_mmu_unlink_sp",
        ("\tspin_lock(&kvm->arch.tdp_mmu_pages_lock);\n", "\tguard(spinlock)(&kvm->arch.tdp_mmu_pages_lock);\n"),
        ("\tspin_unlock(&kvm->arch.tdp_mmu_pages_lock);\n", ""),
    ),
    keeps(
        "readers are waited for under the VM's mutex, which none of them takes",
        PMU,
        "kvm_vm_ioctl_set_pmu_event_filter",
        (
            "\tmutex_unlock(&kvm->lock);\n\tsynchronize_srcu_expedited(&kvm->srcu);\n",
            "\tsynchronize_srcu_expedited(&kvm->srcu);\n\tmutex_unlock(&kvm->lock);\n",
        ),
    ),
    keeps(
        "a guard of the section",
        REGS,
        "__set_sregs_common",
        ("\t\tidx = srcu_read_lock(&vcpu->kvm->srcu);\n", "\t\tguard(srcu)(&vcpu->kvm->srcu);\n"),
        ("\t\tsrcu_read_unlock(&vcpu->kvm->srcu, idx);\n", ""),
        ("\tint idx;\n", ""),
    ),
    keeps(
        "the loop of refreshes is written the other way round",
        X86,
        "kvm_setup_guest_pvclock",
        (
            "\tread_lock_irqsave(&gpc->lock, flags);\n\twhile (!kvm_gpc_check(gpc, offset + sizeof(*guest_hv_clock))) {\n",
            (
                "\tfor (;;) {\n\t\tread_lock_irqsave(&gpc->lock, flags);\n"
                "\t\tif (kvm_gpc_check(gpc, offset + sizeof(*guest_hv_clock)))\n\t\t\tbreak;\n"
            ),
        ),
        ("\t\t\treturn;\n\n\t\tread_lock_irqsave(&gpc->lock, flags);\n", "\t\t\treturn;\n"),
    ),
    keeps(
        "the stronger mode",
        X86,
        "__kvm_vcpu_update_apicv",
        ("down_read(", "down_write("),
        ("up_read(", "up_write("),
    ),
    keeps(
        "an assertion after the lock",
        X86,
        "kvm_arch_vcpu_postcreate",
        ("\tvcpu_load(vcpu);\n", "\tlockdep_assert_held(&vcpu->mutex);\n\tvcpu_load(vcpu);\n"),
    ),
    keeps(
        "a scoped guard of the raw lock",
        X86,
        "kvm_arch_tsc_set_attr",
        (
            "\t\traw_spin_lock_irqsave(&kvm->arch.tsc_write_lock, flags);\n",
            "\t\tguard(raw_spinlock_irqsave)(&kvm->arch.tsc_write_lock);\n",
        ),
        ("\t\traw_spin_unlock_irqrestore(&kvm->arch.tsc_write_lock, flags);\n", ""),
        ("\t\tunsigned long flags;\n", ""),
    ),
    keeps(
        "a guard around a switch",
        XEN,
        "kvm_xen_hvm_get_attr",
        ("\tmutex_lock(&kvm->arch.xen.xen_lock);\n", "\tguard(mutex)(&kvm->arch.xen.xen_lock);\n"),
        ("\tmutex_unlock(&kvm->arch.xen.xen_lock);\n", ""),
    ),
    keeps(
        "two independent locks change places",
        XEN,
        "wait_pending_event",
        (
            "\tidx = srcu_read_lock(&kvm->srcu);\n\tread_lock_irqsave(&gpc->lock, flags);\n",
            "\tread_lock_irqsave(&gpc->lock, flags);\n\tidx = srcu_read_lock(&kvm->srcu);\n",
        ),
        (
            "\tread_unlock_irqrestore(&gpc->lock, flags);\n\tsrcu_read_unlock(&kvm->srcu, idx);\n",
            "\tsrcu_read_unlock(&kvm->srcu, idx);\n\tread_unlock_irqrestore(&gpc->lock, flags);\n",
        ),
    ),
    keeps(
        "the branches change places",
        XEN,
        "kvm_xen_update_runstate_guest",
        (
            (
                "\tif (atomic) {\n\t\tlocal_irq_save(flags);\n\t\tif (!read_trylock(&gpc1->lock)) {\n"
                "\t\t\tlocal_irq_restore(flags);\n\t\t\treturn;\n\t\t}\n\t} else {\n\t\tread_lock_irqsave(&gpc1->lock, flags);\n\t}\n"
            ),
            (
                "\tif (!atomic) {\n\t\tread_lock_irqsave(&gpc1->lock, flags);\n\t} else {\n\t\tlocal_irq_save(flags);\n"
                "\t\tif (!read_trylock(&gpc1->lock)) {\n\t\t\tlocal_irq_restore(flags);\n\t\t\treturn;\n\t\t}\n\t}\n"
            ),
        ),
    ),
)
