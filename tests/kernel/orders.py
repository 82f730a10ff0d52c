# SPDX-License-Identifier: GPL-2.0-only
"""Edits after which locks are taken in two orders, a grace period is waited for where readers wait for a lock, or a lock that
interrupts take is taken with interrupts enabled.

In: nothing. Out: `ORDERS`, `INTERRUPTS`.
"""

from tests.kernel.cases import HYPERV, IRQ_COMM, MAIN, MMU, PFNCACHE, PIT, POSTED, SEV, X86, XEN, Case, breaks

ORDER = "kernel/lock-order"
IRQ = "kernel/irq-safety"

ORDERS: tuple[Case, ...] = (
    breaks(
        ORDER,
        "the VM's mutex is taken inside that of its slots",
        MAIN,
        "kvm_vm_ioctl_get_dirty_log",
        "kvm.lock",
        (
            "\tr = kvm_get_dirty_log_protect(kvm, log);\n",
            "\tmutex_lock(&kvm->lock);\n\tr = kvm_get_dirty_log_protect(kvm, log);\n\tmutex_unlock(&kvm->lock);\n",
        ),
    ),
    breaks(
        ORDER,
        "slots are locked inside the mutex of interrupts",
        IRQ_COMM,
        "kvm_register_irq_mask_notifier",
        "kvm.slots_lock",
        (
            "\tkimn->irq = irq;\n",
            "\tmutex_lock(&kvm->slots_lock);\n\tkimn->irq = irq;\n\tmutex_unlock(&kvm->slots_lock);\n",
        ),
    ),
    breaks(
        ORDER,
        "the VM is locked inside its vCPU",
        X86,
        "kvm_arch_vcpu_postcreate",
        "kvm.lock",
        (
            "\tkvm_synchronize_tsc(vcpu, NULL);\n",
            "\tmutex_lock(&kvm->lock);\n\tkvm_synchronize_tsc(vcpu, NULL);\n\tmutex_unlock(&kvm->lock);\n",
        ),
    ),
    breaks(
        ORDER,
        "slots are locked inside a section of their readers",
        MAIN,
        "kvm_vcpu_pre_fault_memory",
        "kvm.slots_lock",
        (
            "\t\tr = kvm_arch_vcpu_pre_fault_memory(vcpu, range);\n",
            "\t\tscoped_guard(mutex, &vcpu->kvm->slots_lock)\n\t\t\tr = kvm_arch_vcpu_pre_fault_memory(vcpu, range);\n",
        ),
    ),
    breaks(
        ORDER,
        "a notifier locks the slots",
        MAIN,
        "kvm_mmu_notifier_release",
        "kvm.slots_lock",
        (
            "\tkvm_flush_shadow_all(kvm);\n",
            "\tmutex_lock(&kvm->slots_lock);\n\tkvm_flush_shadow_all(kvm);\n\tmutex_unlock(&kvm->slots_lock);\n",
        ),
    ),
    breaks(
        ORDER,
        "readers are waited for under the mutex that they take",
        HYPERV,
        "kvm_hv_eventfd_deassign",
        "hv_lock",
        (
            "\tmutex_unlock(&hv->hv_lock);\n\n\tif (!eventfd)\n\t\treturn -ENOENT;\n\n\tsynchronize_srcu(&kvm->srcu);\n",
            "\tif (eventfd)\n\t\tsynchronize_srcu(&kvm->srcu);\n\tmutex_unlock(&hv->hv_lock);\n\n\tif (!eventfd)\n\t\treturn -ENOENT;\n\n",
        ),
    ),
    breaks(
        ORDER,
        "readers are waited for under the mutex that they take, by a guard",
        XEN,
        "kvm_xen_eventfd_deassign",
        "xen_lock",
        ("\tmutex_lock(&kvm->arch.xen.xen_lock);\n", "\tguard(mutex)(&kvm->arch.xen.xen_lock);\n"),
        ("\tmutex_unlock(&kvm->arch.xen.xen_lock);\n", ""),
    ),
    breaks(
        ORDER,
        "readers are waited for before the arch's mutex is dropped",
        MAIN,
        "kvm_swap_active_memslots",
        "slots_arch_lock",
        (
            "\tmutex_unlock(&kvm->slots_arch_lock);\n\n\tsynchronize_srcu_expedited(&kvm->srcu);\n",
            "\tsynchronize_srcu_expedited(&kvm->srcu);\n\n\tmutex_unlock(&kvm->slots_arch_lock);\n",
        ),
    ),
    breaks(
        ORDER,
        "a reader waits for itself",
        IRQ_COMM,
        "kvm_fire_mask_notifiers",
        "irq_srcu",
        (
            "\tsrcu_read_unlock(&kvm->irq_srcu, idx);\n",
            "\tif (mask)\n\t\tsynchronize_srcu(&kvm->irq_srcu);\n\tsrcu_read_unlock(&kvm->irq_srcu, idx);\n",
        ),
    ),
    breaks(
        ORDER,
        "the inner lock of shadow pages is taken around the rwlock",
        MMU,
        "__kvm_mmu_unprotect_gfn_and_retry",
        "mmu_unsync_pages_lock",
        (
            "\twrite_lock(&kvm->mmu_lock);\n",
            "\tspin_lock(&kvm->arch.mmu_unsync_pages_lock);\n\twrite_lock(&kvm->mmu_lock);\n",
        ),
        (
            "\twrite_unlock(&kvm->mmu_lock);\n",
            "\twrite_unlock(&kvm->mmu_lock);\n\tspin_unlock(&kvm->arch.mmu_unsync_pages_lock);\n",
        ),
    ),
    breaks(
        ORDER,
        "the bitmap is locked inside the semaphore that is taken under it",
        SEV,
        "sev_unbind_asid",
        "sev_bitmap_lock",
        (
            "\tsev_guest_deactivate(&deactivate, NULL);\n",
            "\tmutex_lock(&sev_bitmap_lock);\n\tsev_guest_deactivate(&deactivate, NULL);\n\tmutex_unlock(&sev_bitmap_lock);\n",
        ),
    ),
    breaks(
        ORDER,
        "the list is locked inside the lock of its entry",
        PFNCACHE,
        "kvm_gpc_deactivate",
        "gpc_lock",
        ("\t\twrite_unlock_irq(&gpc->lock);\n", ""),
        (
            "\t\tspin_unlock(&kvm->gpc_lock);\n",
            "\t\tspin_unlock(&kvm->gpc_lock);\n\t\twrite_unlock_irq(&gpc->lock);\n",
        ),
    ),
    breaks(
        ORDER,
        "resamplers are locked inside the mutex of interrupts",
        IRQ_COMM,
        "kvm_unregister_irq_mask_notifier",
        "irqfds.resampler_lock",
        (
            "\thlist_del_rcu(&kimn->link);\n",
            (
                "\tmutex_lock(&kvm->irqfds.resampler_lock);\n\thlist_del_rcu(&kimn->link);\n"
                "\tmutex_unlock(&kvm->irqfds.resampler_lock);\n"
            ),
        ),
    ),
    breaks(
        ORDER,
        "the list of VMs is locked inside a VM",
        MAIN,
        "kvm_vm_ioctl_clear_dirty_log",
        "kvm_lock",
        (
            "\tr = kvm_clear_dirty_log_protect(kvm, log);\n",
            "\tmutex_lock(&kvm_lock);\n\tr = kvm_clear_dirty_log_protect(kvm, log);\n\tmutex_unlock(&kvm_lock);\n",
        ),
    ),
    breaks(
        ORDER,
        "the VM is locked inside the timer that it protects",
        X86,
        "kvm_vm_ioctl_reinject",
        "kvm.lock",
        (
            "\tkvm_pit_set_reinject(pit, control->pit_reinject);\n",
            "\tmutex_lock(&kvm->lock);\n\tkvm_pit_set_reinject(pit, control->pit_reinject);\n\tmutex_unlock(&kvm->lock);\n",
        ),
    ),
    breaks(
        ORDER,
        "the VM is locked inside the configuration of its guest",
        XEN,
        "kvm_xen_hvm_config",
        "kvm_vcpu.mutex",
        ("\tu32 old_flags;\n", "\tstruct kvm_vcpu *vcpu;\n\tunsigned long i;\n\tu32 old_flags;\n"),
        (
            "\told_flags = kvm->arch.xen_hvm_config.flags;\n",
            (
                "\tkvm_for_each_vcpu(i, vcpu, kvm) {\n\t\tmutex_lock(&vcpu->mutex);\n\t\tvcpu->arch.xen.poll_evtchn = 0;\n"
                "\t\tmutex_unlock(&vcpu->mutex);\n\t}\n\told_flags = kvm->arch.xen_hvm_config.flags;\n"
            ),
        ),
    ),
    breaks(
        ORDER,
        "the bus is changed under the lock that its devices take",
        PIT,
        "kvm_free_pit",
        "kvm_kpit_state.lock",
        (
            "\t\tmutex_lock(&kvm->slots_lock);\n",
            "\t\tmutex_lock(&pit->pit_state.lock);\n\t\tmutex_lock(&kvm->slots_lock);\n",
        ),
        (
            "\t\tmutex_unlock(&kvm->slots_lock);\n",
            "\t\tmutex_unlock(&kvm->slots_lock);\n\t\tmutex_unlock(&pit->pit_state.lock);\n",
        ),
    ),
)

INTERRUPTS: tuple[Case, ...] = (
    breaks(
        IRQ,
        "the list of sleepers is changed before interrupts are disabled",
        POSTED,
        "pi_enable_wakeup_handler",
        "wakeup_vcpus_on_cpu_lock",
        ("\tlocal_irq_save(flags);\n\n", ""),
        ("\tWARN(pi_test_sn", "\tlocal_irq_save(flags);\n\tWARN(pi_test_sn"),
    ),
    breaks(
        IRQ,
        "a vCPU leaves the list of sleepers with interrupts enabled",
        POSTED,
        "vmx_vcpu_pi_load",
        "wakeup_vcpus_on_cpu_lock",
        ("\tlocal_irq_save(flags);\n\n", ""),
        ("\tdest = cpu_physical_id(cpu);\n", "\tlocal_irq_save(flags);\n\tdest = cpu_physical_id(cpu);\n"),
    ),
    breaks(
        IRQ,
        "a cache that timers read is changed with interrupts enabled",
        PFNCACHE,
        "kvm_gpc_deactivate",
        "gfn_to_pfn_cache.lock",
        ("write_lock_irq(", "write_lock("),
        ("write_unlock_irq(", "write_unlock("),
    ),
    breaks(
        IRQ,
        "a cache that timers read is activated under a plain guard",
        PFNCACHE,
        "__kvm_gpc_activate",
        "gfn_to_pfn_cache.lock",
        (
            "\t\twrite_lock_irq(&gpc->lock);\n\t\tgpc->active = true;\n\t\twrite_unlock_irq(&gpc->lock);\n",
            "\t\tscoped_guard(write_lock, &gpc->lock)\n\t\t\tgpc->active = true;\n",
        ),
    ),
)
