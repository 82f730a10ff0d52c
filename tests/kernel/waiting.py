# SPDX-License-Identifier: GPL-2.0-only
"""Edits after which somebody waits for good or sleeps where it must not: orders, locks taken twice, contexts.

In: nothing. Out: `WAITING`.
"""

from tests.kernel.cases import (
    AVIC,
    EVENTFD,
    HYPERV,
    IRQ_COMM,
    LAPIC,
    MAIN,
    MMU,
    PFNCACHE,
    SEV,
    SVM,
    TDP,
    VMX,
    X86,
    XEN,
    Case,
    breaks,
)

ORDER = "kernel/lock-order"
ATOMIC = "kernel/sleep-in-atomic"
BALANCE = "kernel/balance"
IRQ = "kernel/irq-safety"

WAITING: tuple[Case, ...] = (
    breaks(
        "kvm/order-srcu",
        "the slots are changed inside the vCPU's own section",
        LAPIC,
        "kvm_inhibit_apic_access_page",
        "kvm.srcu",
        ("\tkvm_vcpu_srcu_read_unlock(vcpu);\n", ""),
        ("\tkvm_vcpu_srcu_read_lock(vcpu);\n", ""),
    ),
    breaks(
        "kvm/order-vcpu",
        "a capability of a vCPU locks its VM",
        X86,
        "kvm_vcpu_ioctl_enable_cap",
        "kvm.lock",
        (
            "\tif (cap->flags)\n\t\treturn -EINVAL;\n",
            "\tif (cap->flags)\n\t\treturn -EINVAL;\n\n\tguard(mutex)(&vcpu->kvm->lock);\n",
        ),
    ),
    breaks(
        "kvm/order-cpus",
        "processors are counted under the lock of the list of VMs",
        MAIN,
        "kvm_enable_virtualization",
        "kvm_lock",
        ("\tguard(mutex)(&kvm_usage_lock);\n", "\tguard(mutex)(&kvm_lock);\n"),
    ),
    breaks(
        "kvm/order-slots",
        "the VM is locked inside its slots",
        MAIN,
        "kvm_vm_set_mem_attributes",
        "kvm.lock",
        (
            "\tkvm_handle_gfn_range(kvm, &pre_set_range);\n",
            ("\tmutex_lock(&kvm->lock);\n\tkvm_handle_gfn_range(kvm, &pre_set_range);\n\tmutex_unlock(&kvm->lock);\n"),
        ),
    ),
    breaks(
        BALANCE,
        "the owner is released inside the mirrors' lock",
        SEV,
        "sev_vm_destroy",
        "sev_mirror_lock",
        (
            "\t\tmutex_unlock(&sev_mirror_lock);\n\t\tkvm_put_kvm(owner_kvm);\n",
            "\t\tkvm_put_kvm(owner_kvm);\n\t\tmutex_unlock(&sev_mirror_lock);\n",
        ),
        missed="dropping a reference counts for the last one where the caller knows of the counter alone",
    ),
    breaks(
        BALANCE,
        "the map of APICs is made under the lock that it takes",
        X86,
        "kvm_arch_vcpu_guestdbg_update_apicv_inhibit",
        "apicv_update_lock",
        (
            "\tup_write(&kvm->arch.apicv_update_lock);\n",
            "\tkvm_recalculate_apic_map(kvm);\n\tup_write(&kvm->arch.apicv_update_lock);\n",
        ),
    ),
    breaks(
        "kvm/order-tdp",
        "the lock of pages is taken around the rwlock",
        TDP,
        "kvm_tdp_mmu_alloc_root",
        "tdp_mmu_pages_lock",
        (
            "\tread_lock(&kvm->mmu_lock);\n",
            "\tspin_lock(&kvm->arch.tdp_mmu_pages_lock);\n\tread_lock(&kvm->mmu_lock);\n",
        ),
        ("\tspin_lock(&kvm->arch.tdp_mmu_pages_lock);\n\n\t/*\n\t * Recheck", "\t/*\n\t * Recheck"),
        (
            (
                "out_spin_unlock:\n\tspin_unlock(&kvm->arch.tdp_mmu_pages_lock);\nout_read_unlock:\n"
                "\tread_unlock(&kvm->mmu_lock);\n"
            ),
            (
                "out_spin_unlock:\nout_read_unlock:\n\tread_unlock(&kvm->mmu_lock);\n"
                "\tspin_unlock(&kvm->arch.tdp_mmu_pages_lock);\n"
            ),
        ),
    ),
    breaks(
        "kvm/order-pvclock",
        "the clock's sequence begins before the lock",
        X86,
        "__kvm_start_pvclock_update",
        "tsc_write_lock",
        (
            ("\traw_spin_lock_irq(&kvm->arch.tsc_write_lock);\n\twrite_seqcount_begin(&kvm->arch.pvclock_sc);\n"),
            ("\twrite_seqcount_begin(&kvm->arch.pvclock_sc);\n\traw_spin_lock_irq(&kvm->arch.tsc_write_lock);\n"),
        ),
        missed="no rule can say that a sequence count is written under its lock",
    ),
    breaks(
        "kernel/contract-not-held",
        "roots are zapped before the rwlock is dropped",
        MMU,
        "kvm_arch_flush_shadow_memslot",
        "kvm.mmu_lock",
        (
            ("\twrite_unlock(&kvm->mmu_lock);\n\n\tif (zap_all)\n\t\t__kvm_mmu_zap_all_fast_back_half(kvm);\n"),
            ("\tif (zap_all)\n\t\t__kvm_mmu_zap_all_fast_back_half(kvm);\n\n\twrite_unlock(&kvm->mmu_lock);\n"),
        ),
        origin="__kvm_mmu_zap_all_fast_back_half",
    ),
    breaks(
        ATOMIC,
        "a page table is allocated under the rwlock",
        TDP,
        "tdp_mmu_split_huge_pages_root",
        "kvm.mmu_lock",
        (
            (
                "\t\t\tif (shared)\n\t\t\t\tread_unlock(&kvm->mmu_lock);\n\t\t\telse\n"
                "\t\t\t\twrite_unlock(&kvm->mmu_lock);\n\n"
            ),
            "",
        ),
        (
            (
                "\t\t\tif (shared)\n\t\t\t\tread_lock(&kvm->mmu_lock);\n\t\t\telse\n"
                "\t\t\t\twrite_lock(&kvm->mmu_lock);\n\n"
            ),
            "",
        ),
    ),
    breaks(
        ATOMIC,
        "the old page is unmapped before the unlock",
        PFNCACHE,
        "__kvm_gpc_refresh",
        "gfn_to_pfn_cache.lock",
        (
            "\twrite_unlock_irq(&gpc->lock);\n\n\tif (unmap_old)\n\t\tgpc_unmap(old_pfn, old_khva);\n",
            "\tif (unmap_old)\n\t\tgpc_unmap(old_pfn, old_khva);\n\n\twrite_unlock_irq(&gpc->lock);\n",
        ),
    ),
    breaks(
        ATOMIC,
        "a page is allocated under the irq-safe lock",
        AVIC,
        "avic_vm_init",
        "svm_vm_data_hash_lock",
        ("\tspin_lock_irqsave(&svm_vm_data_hash_lock, flags);\n", ""),
        (
            (
                "\t/* Allocating logical APIC ID table (4KB) */\n"
                "\tl_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);\n\tif (!l_page)\n"
                "\t\tgoto free_avic;\n"
            ),
            (
                "\tspin_lock_irqsave(&svm_vm_data_hash_lock, flags);\n"
                "\tl_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);\n\tif (!l_page) {\n"
                "\t\tspin_unlock_irqrestore(&svm_vm_data_hash_lock, flags);\n\t\tgoto free_avic;\n\t}\n"
            ),
        ),
    ),
    breaks(
        ATOMIC,
        "a preempted vCPU writes to its guest, and may fault",
        X86,
        "kvm_steal_time_set_preempted",
        "",
        ("copy_to_user_nofault(&st->preempted", "copy_to_user(&st->preempted"),
        origin="kvm_sched_out",
    ),
    breaks(
        ATOMIC,
        "the guest's clock is written with interrupts disabled",
        X86,
        "kvm_guest_time_update",
        "irqs_off",
        ("\tlocal_irq_restore(flags);\n\n\t/* With all the info we got, fill in the values */\n", ""),
        (
            "\tkvm_hv_setup_tsc_page(v->kvm, &vcpu->hv_clock);\n",
            "\tlocal_irq_restore(flags);\n\tkvm_hv_setup_tsc_page(v->kvm, &vcpu->hv_clock);\n",
        ),
    ),
    breaks(
        "kernel/remote-call",
        "another processor is called with interrupts disabled",
        VMX,
        "vmx_vcpu_load_vmcs",
        "irqs_off",
        (
            "\t\tloaded_vmcs_clear(vmx->loaded_vmcs);\n\t\tlocal_irq_disable();\n",
            "\t\tlocal_irq_disable();\n\t\tloaded_vmcs_clear(vmx->loaded_vmcs);\n",
        ),
        missed="that a call waits for another processor is not known",
    ),
    breaks(
        "kernel/remote-call",
        "all processors are called under an irq-safe lock",
        SVM,
        "svm_srso_vm_destroy",
        "irqs_off",
        ("\tguard(spinlock)(&srso_lock);\n", "\tguard(spinlock_irqsave)(&srso_lock);\n"),
        missed="that a call waits for another processor is not known",
    ),
    breaks(
        ATOMIC,
        "pages are written back under a spinlock",
        SVM,
        "svm_srso_vm_init",
        "srso_lock",
        ("\tatomic_inc(&srso_nr_vms);\n", "\tcond_resched();\n\tatomic_inc(&srso_nr_vms);\n"),
    ),
    breaks(
        ATOMIC,
        "the thread gives way inside its section",
        MAIN,
        "kvm_vcpu_yield_to",
        "rcu",
        (
            (
                "\trcu_read_unlock();\n\tif (!task)\n\t\treturn ret;\n\tret = yield_to(task, 1);\n"
                "\tput_task_struct(task);\n"
            ),
            (
                "\tif (task) {\n\t\tcond_resched();\n\t\tret = yield_to(task, 1);\n"
                "\t\tput_task_struct(task);\n\t}\n\trcu_read_unlock();\n"
            ),
        ),
    ),
    breaks(
        BALANCE,
        "the flags are not restored",
        X86,
        "kvm_setup_guest_pvclock",
        "irqs_off",
        (
            "\tkvm_gpc_mark_dirty_in_slot(gpc);\n\tread_unlock_irqrestore(&gpc->lock, flags);\n",
            "\tkvm_gpc_mark_dirty_in_slot(gpc);\n\tread_unlock(&gpc->lock);\n",
        ),
    ),
    breaks(
        IRQ,
        "items are locked with interrupts enabled",
        EVENTFD,
        "kvm_irq_routing_update",
        "irqfds.lock",
        ("spin_lock_irq(", "spin_lock("),
        ("spin_unlock_irq(", "spin_unlock("),
        missed="that an eventfd is signalled from interrupts is not known",
    ),
    breaks(
        BALANCE,
        "the arch's mutex is not taken again",
        MAIN,
        "kvm_invalidate_memslot",
        "slots_arch_lock",
        ("\tmutex_lock(&kvm->slots_arch_lock);\n", ""),
        origin="kvm_set_memslot",
    ),
    breaks(
        BALANCE,
        "a slot that cannot be prepared keeps the arch's mutex",
        MAIN,
        "kvm_set_memslot",
        "slots_arch_lock",
        ("\t} else {\n\t\tmutex_unlock(&kvm->slots_arch_lock);\n\t}\n\treturn r;\n", "\t}\n\treturn r;\n"),
    ),
    breaks(
        BALANCE,
        "vCPUs of the destination stay locked where those of the source are not to be had",
        SEV,
        "sev_vm_move_enc_context_from",
        "kvm_vcpu.mutex",
        (
            (
                "\tret = sev_lock_vcpus_for_migration(source_kvm, SEV_MIGRATION_TARGET);\n\tif (ret)\n"
                "\t\tgoto out_dst_vcpu;\n"
            ),
            (
                "\tret = sev_lock_vcpus_for_migration(source_kvm, SEV_MIGRATION_TARGET);\n\tif (ret)\n"
                "\t\tgoto out_dst_cgroup;\n"
            ),
        ),
        ("out_dst_vcpu:\n", ""),
        missed="locks that a loop takes are not told from those that another one drops",
    ),
    breaks(
        BALANCE,
        "a clock that is out of range returns from the update",
        X86,
        "kvm_vm_ioctl_set_clock",
        "tsc_write_lock",
        (
            "\tif (ka->use_master_clock)\n",
            "\tif (data.clock > S64_MAX)\n\t\treturn -EINVAL;\n\n\tif (ka->use_master_clock)\n",
        ),
    ),
    breaks(
        BALANCE,
        "the wrong mutex is dropped",
        HYPERV,
        "kvm_hv_eventfd_assign",
        "hv_lock",
        ("\tmutex_unlock(&hv->hv_lock);\n", "\tmutex_unlock(&kvm->lock);\n"),
    ),
    breaks(
        BALANCE,
        "the domains change places where the section ends",
        IRQ_COMM,
        "kvm_scan_ioapic_routes",
        "kvm.srcu",
        ("\tsrcu_read_unlock(&kvm->irq_srcu, idx);\n", "\tsrcu_read_unlock(&kvm->srcu, idx);\n"),
    ),
    breaks(
        BALANCE,
        "ports that cannot be collected keep the mutex",
        XEN,
        "kvm_xen_eventfd_reset",
        "xen_lock",
        ("\t\tmutex_unlock(&kvm->arch.xen.xen_lock);\n\t\treturn -ENOMEM;\n", "\t\treturn -ENOMEM;\n"),
    ),
    breaks(
        BALANCE,
        "who waits for a blocked vCPU comes back without the section",
        X86,
        "vcpu_block",
        "kvm.srcu",
        (
            "\t\tkvm_vcpu_srcu_read_lock(vcpu);\n\n\t\tif (hv_timer)\n",
            (
                "\t\tif (vcpu->arch.mp_state != KVM_MP_STATE_HALTED)\n\t\t\treturn 1;\n"
                "\t\tkvm_vcpu_srcu_read_lock(vcpu);\n\n\t\tif (hv_timer)\n"
            ),
        ),
    ),
    breaks(
        BALANCE,
        "the mask notifier's list is locked by its callback again",
        IRQ_COMM,
        "kvm_register_irq_mask_notifier",
        "irq_lock",
        (
            "\tmutex_unlock(&kvm->irq_lock);\n",
            ("\tif (kvm_request_irq_source_id(kvm) < 0)\n\t\tkimn->irq = -1;\n\tmutex_unlock(&kvm->irq_lock);\n"),
        ),
    ),
)
