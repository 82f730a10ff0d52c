# SPDX-License-Identifier: GPL-2.0-only
"""Edits after which a function may sleep where it must not: under a spinning lock, in an RCU section, with interrupts or
preemption disabled.

In: nothing. Out: `SLEEPING`.
"""

from tests.kernel.cases import (
    ASYNC_PF,
    AVIC,
    DIRTY_RING,
    EVENTFD,
    HYPERV,
    IOAPIC,
    LAPIC,
    MAIN,
    MMU,
    NESTED,
    PFNCACHE,
    PIC,
    SVM,
    TDP,
    VMX,
    X86,
    XEN,
    Case,
    breaks,
)
from tests.kernel.edit import Replace

ATOMIC = "kernel/sleep-in-atomic"

SLEEPING: tuple[Case, ...] = (
    breaks(
        ATOMIC,
        "the item is allocated under the lock, and may wait",
        ASYNC_PF,
        "kvm_async_pf_wakeup_all",
        "async_pf.lock",
        ("\tspin_lock(&vcpu->async_pf.lock);\n", ""),
        (
            "\twork = kmem_cache_zalloc(async_pf_cache, GFP_ATOMIC);\n\tif (!work)\n\t\treturn -ENOMEM;\n",
            (
                "\tspin_lock(&vcpu->async_pf.lock);\n\twork = kmem_cache_zalloc(async_pf_cache, GFP_KERNEL);\n"
                "\tif (!work) {\n\t\tspin_unlock(&vcpu->async_pf.lock);\n\t\treturn -ENOMEM;\n\t}\n"
            ),
        ),
    ),
    breaks(
        ATOMIC,
        "the item is flushed before the unlock",
        ASYNC_PF,
        "kvm_check_async_pf_completion",
        "async_pf.lock",
        ("\t\tspin_unlock(&vcpu->async_pf.lock);\n", ""),
        (
            "\t\tkvm_flush_and_free_async_pf_work(work);\n",
            "\t\tkvm_flush_and_free_async_pf_work(work);\n\t\tspin_unlock(&vcpu->async_pf.lock);\n",
        ),
    ),
    breaks(
        ATOMIC,
        "an entry of the list is allocated with interrupts disabled",
        AVIC,
        "svm_ir_list_add",
        "ir_list_lock",
        ("\tspin_lock_irqsave(&svm->ir_list_lock, flags);\n", ""),
        (
            "\tir = kzalloc(sizeof(struct amd_svm_iommu_ir), GFP_ATOMIC | __GFP_ACCOUNT);\n\tif (!ir) {\n",
            (
                "\tspin_lock_irqsave(&svm->ir_list_lock, flags);\n"
                "\tir = kzalloc(sizeof(struct amd_svm_iommu_ir), GFP_KERNEL_ACCOUNT);\n"
                "\tif (!ir) {\n\t\tspin_unlock_irqrestore(&svm->ir_list_lock, flags);\n"
            ),
        ),
    ),
    breaks(
        ATOMIC,
        "the work queue is flushed before the unlock",
        EVENTFD,
        "kvm_irqfd_release",
        "irqfds.lock",
        ("\tspin_unlock_irq(&kvm->irqfds.lock);\n", ""),
        (
            "\tflush_workqueue(irqfd_cleanup_wq);\n",
            "\tflush_workqueue(irqfd_cleanup_wq);\n\tspin_unlock_irq(&kvm->irqfds.lock);\n",
        ),
    ),
    breaks(
        ATOMIC,
        "the user's bitmap is copied under the rwlock",
        MAIN,
        "kvm_clear_dirty_log_protect",
        "kvm.mmu_lock",
        (
            "\tif (copy_from_user(dirty_bitmap_buffer, log->dirty_bitmap, n))\n\t\treturn -EFAULT;\n\n\tKVM_MMU_LOCK(kvm);\n",
            (
                "\tKVM_MMU_LOCK(kvm);\n\tif (copy_from_user(dirty_bitmap_buffer, log->dirty_bitmap, n)) {\n"
                "\t\tKVM_MMU_UNLOCK(kvm);\n\t\treturn -EFAULT;\n\t}\n"
            ),
        ),
    ),
    breaks(
        ATOMIC,
        "invalidations are waited for under the spinlock",
        MAIN,
        "kvm_swap_active_memslots",
        "mn_invalidate_lock",
        (
            "\t\tspin_unlock(&kvm->mn_invalidate_lock);\n\t\tschedule();\n\t\tspin_lock(&kvm->mn_invalidate_lock);\n",
            "\t\tschedule();\n",
        ),
    ),
    breaks(
        ATOMIC,
        "a long walk gives way inside its RCU section",
        MAIN,
        "kvm_range_has_memory_attributes",
        "rcu",
        ("\t\tWARN_ON_ONCE(!xa_to_value(entry));\n", "\t\tWARN_ON_ONCE(!xa_to_value(entry));\n\t\tcond_resched();\n"),
    ),
    breaks(
        ATOMIC,
        "the vCPU waits with preemption disabled",
        MAIN,
        "kvm_vcpu_block",
        "preempt",
        ("\tprepare_to_rcuwait(wait);\n\tpreempt_enable();\n", "\tprepare_to_rcuwait(wait);\n"),
        ("\tpreempt_disable();\n\tfinish_rcuwait(wait);\n", "\tfinish_rcuwait(wait);\n"),
    ),
    breaks(
        ATOMIC,
        "the reset gives way under the lock",
        DIRTY_RING,
        "kvm_reset_dirty_gfn",
        "kvm.mmu_lock",
        ("\tKVM_MMU_UNLOCK(kvm);\n", "\tcond_resched();\n\tKVM_MMU_UNLOCK(kvm);\n"),
    ),
    breaks(
        ATOMIC,
        "the caches are filled under the rwlock",
        MMU,
        "direct_page_fault",
        "kvm.mmu_lock",
        (
            "\tr = make_mmu_pages_available(vcpu);\n",
            "\tr = mmu_topup_memory_caches(vcpu, false);\n\tif (r)\n\t\tgoto out_unlock;\n\n\tr = make_mmu_pages_available(vcpu);\n",
        ),
    ),
    breaks(
        ATOMIC,
        "the caches for splitting are filled under the caller's rwlock",
        MMU,
        "shadow_mmu_try_split_huge_page",
        "kvm.mmu_lock",
        ("\t\twrite_unlock(&kvm->mmu_lock);\n\t\tcond_resched();\n", ""),
        ("\t\twrite_lock(&kvm->mmu_lock);\n", ""),
    ),
    breaks(
        ATOMIC,
        "the lock is given up inside the RCU section",
        TDP,
        "tdp_mmu_iter_cond_resched",
        "rcu",
        ("\t\trcu_read_unlock();\n\n\t\tif (shared)", "\t\tif (shared)"),
        ("\t\trcu_read_lock();\n\n", ""),
    ),
    breaks(
        ATOMIC,
        "the cache is refreshed before the lock is dropped",
        XEN,
        "kvm_xen_inject_pending_events",
        "gfn_to_pfn_cache.lock",
        (
            (
                "\t\tread_unlock_irqrestore(&gpc->lock, flags);\n\n\t\tif (kvm_gpc_refresh(gpc, sizeof(struct vcpu_info)))\n"
                "\t\t\treturn;\n"
            ),
            (
                "\t\tint r = kvm_gpc_refresh(gpc, sizeof(struct vcpu_info));\n\n\t\tread_unlock_irqrestore(&gpc->lock, flags);\n"
                "\t\tif (r)\n\t\t\treturn;\n"
            ),
        ),
    ),
    breaks(
        ATOMIC,
        "an event is delivered in the section of the lookup",
        XEN,
        "kvm_xen_hcall_evtchn_send",
        "rcu",
        ("\trcu_read_lock();\n", "\tguard(rcu)();\n"),
        ("\trcu_read_unlock();\n", ""),
        origin="kvm_gpc_refresh",
    ),
    breaks(
        ATOMIC,
        "each cache is waited for under the lock of the list",
        PFNCACHE,
        "gfn_to_pfn_cache_invalidate_start",
        "gpc_lock",
        (
            "\t\tread_lock_irq(&gpc->lock);\n",
            "\t\tguard(mutex)(&gpc->refresh_lock);\n\t\tread_lock_irq(&gpc->lock);\n",
        ),
    ),
    breaks(
        ATOMIC,
        "the page is looked up with the lock held and interrupts disabled",
        PFNCACHE,
        "hva_to_pfn_retry",
        "gfn_to_pfn_cache.lock",
        ("\t\twrite_unlock_irq(&gpc->lock);\n", ""),
        ("\t\twrite_lock_irq(&gpc->lock);\n", ""),
        ("out_error:\n\twrite_lock_irq(&gpc->lock);\n", "out_error:\n"),
    ),
    breaks(
        ATOMIC,
        "the state is copied by way of an allocation",
        IOAPIC,
        "kvm_get_ioapic",
        "kvm_ioapic.lock",
        (
            "\tmemcpy(state, ioapic, sizeof(struct kvm_ioapic_state));\n",
            (
                "\tvoid *copy = kmemdup(ioapic, sizeof(struct kvm_ioapic_state), GFP_KERNEL);\n\n"
                "\tif (copy)\n\t\tmemcpy(state, copy, sizeof(struct kvm_ioapic_state));\n\tkfree(copy);\n"
            ),
        ),
    ),
    breaks(
        ATOMIC,
        "the device is removed from its bus under the spinlock",
        PIC,
        "kvm_pic_clear_all",
        "kvm_pic.lock",
        (
            "\tpic_lock(s);\n",
            "\tpic_lock(s);\n\tif (irq_source_id < 0)\n\t\tkvm_io_bus_unregister_dev(s->kvm, KVM_PIO_BUS, &s->dev_elcr);\n",
        ),
        origin="kvm_io_bus_unregister_dev",
    ),
    breaks(
        ATOMIC,
        "the map is recalculated in its own section, by way of a mutex",
        LAPIC,
        "kvm_intr_is_single_vcpu_fast",
        "rcu",
        (
            "\tmap = rcu_dereference(kvm->arch.apic_map);\n",
            "\tkvm_recalculate_apic_map(kvm);\n\tmap = rcu_dereference(kvm->arch.apic_map);\n",
        ),
        origin="kvm_recalculate_apic_map",
    ),
    breaks(
        ATOMIC,
        "the switch of timers gives way",
        LAPIC,
        "kvm_lapic_switch_to_sw_timer",
        "preempt",
        ("\t\tstart_sw_timer(apic);\n", "\t\tstart_sw_timer(apic);\n\tmight_sleep();\n"),
    ),
    breaks(
        ATOMIC,
        "an inhibition is cleared under the irq-safe lock, by way of a semaphore",
        X86,
        "kvm_arch_irq_bypass_add_producer",
        "irqfds.lock",
        (
            "\tirqfd->producer = prod;\n",
            "\tirqfd->producer = prod;\n\tkvm_clear_apicv_inhibit(kvm, APICV_INHIBIT_REASON_ABSENT);\n",
        ),
        origin="kvm_set_or_clear_apicv_inhibit",
    ),
    breaks(
        ATOMIC,
        "the user's offset is read under the raw lock",
        X86,
        "kvm_arch_tsc_set_attr",
        "tsc_write_lock",
        Replace(
            "kvm_arch_tsc_set_attr",
            r"^\t\tif \(get_user\(offset, uaddr\)\)\n\t\t\tbreak;\n\n\t\traw_spin_lock_irqsave\(&kvm->arch.tsc_write_lock, flags\);\n",
            "\t\traw_spin_lock_irqsave(&kvm->arch.tsc_write_lock, flags);\n"
            "\t\tif (get_user(offset, uaddr)) {\n"
            "\t\t\traw_spin_unlock_irqrestore(&kvm->arch.tsc_write_lock, flags);\n\t\t\tbreak;\n\t\t}\n",
        ),
    ),
    breaks(
        ATOMIC,
        "the flush waits for the mutex of the partition",
        HYPERV,
        "hv_tlb_flush_enqueue",
        "write_lock",
        (
            "\tif (count && entries &&",
            "\tif (!count)\n\t\tkvm_hv_request_tsc_page_update(vcpu->kvm);\n\n\tif (count && entries &&",
        ),
        origin="kvm_hv_request_tsc_page_update",
    ),
    breaks(
        ATOMIC,
        "a number is found in a bitmap that is allocated first",
        VMX,
        "allocate_vpid",
        "vmx_vpid_lock",
        (
            "\tvpid = find_first_zero_bit(vmx_vpid_bitmap, VMX_NR_VPIDS);\n",
            "\tkfree(bitmap_zalloc(VMX_NR_VPIDS, GFP_KERNEL));\n\tvpid = find_first_zero_bit(vmx_vpid_bitmap, VMX_NR_VPIDS);\n",
        ),
    ),
    breaks(
        ATOMIC,
        "memslots are waited for with preemption disabled",
        NESTED,
        "copy_shadow_to_vmcs12",
        "preempt",
        (
            "\tvmcs_load(shadow_vmcs);\n\n\tfor",
            "\tvmcs_load(shadow_vmcs);\n\tmutex_lock(&vmx->vcpu.kvm->slots_lock);\n\tmutex_unlock(&vmx->vcpu.kvm->slots_lock);\n\n\tfor",
        ),
    ),
    breaks(
        ATOMIC,
        "the fast path is entered whether the processor said what comes next or not",
        SVM,
        "svm_exit_handlers_fastpath",
        "irqs_off",
        ("\tif (!nrips || !control->next_rip)\n", "\tif (!nrips)\n"),
    ),
    breaks(
        ATOMIC,
        "the fast path skips after an exit of whose instruction the length is not told",
        VMX,
        "vmx_exit_handlers_fastpath",
        "preempt_off",
        ("\tcase EXIT_REASON_HLT:\n", "\tcase EXIT_REASON_EPT_MISCONFIG:\n\tcase EXIT_REASON_HLT:\n"),
    ),
)
