# SPDX-License-Identifier: GPL-2.0-only
"""Edits of generic KVM that keep all locks right.

In: nothing. Out: `HARMLESS_VIRT`.
"""

from tests.kernel.cases import ASYNC_PF, COALESCED, DIRTY_RING, EVENTFD, IRQCHIP, MAIN, PFNCACHE, VFIO, Case, keeps
from tests.kernel.edit import Insert, Replace

HARMLESS_VIRT: tuple[Case, ...] = (
    keeps(
        "the loop takes the lock for each item",
        ASYNC_PF,
        "kvm_clear_async_pf_completion_queue",
        (
            "\tspin_lock(&vcpu->async_pf.lock);\n\twhile (!list_empty(&vcpu->async_pf.done)) {\n",
            "\tfor (;;) {\n",
        ),
        (
            "\t\tstruct kvm_async_pf *work =\n\t\t\tlist_first_entry(&vcpu->async_pf.done,\n\t\t\t\t\t typeof(*work), link);\n",
            (
                "\t\tstruct kvm_async_pf *work;\n\n\t\tspin_lock(&vcpu->async_pf.lock);\n"
                "\t\tif (list_empty(&vcpu->async_pf.done)) {\n\t\t\tspin_unlock(&vcpu->async_pf.lock);\n\t\t\tbreak;\n\t\t}\n"
                "\t\twork = list_first_entry(&vcpu->async_pf.done, typeof(*work), link);\n"
            ),
        ),
        ("\t\tspin_lock(&vcpu->async_pf.lock);\n\t}\n\tspin_unlock(&vcpu->async_pf.lock);\n", "\t}\n"),
    ),
    keeps(
        "the item is allocated under the lock, and does not wait",
        ASYNC_PF,
        "kvm_async_pf_wakeup_all",
        ("\tspin_lock(&vcpu->async_pf.lock);\n", ""),
        (
            "\twork = kmem_cache_zalloc(async_pf_cache, GFP_ATOMIC);\n\tif (!work)\n\t\treturn -ENOMEM;\n",
            (
                "\tspin_lock(&vcpu->async_pf.lock);\n\twork = kmem_cache_zalloc(async_pf_cache, GFP_ATOMIC);\n"
                "\tif (!work) {\n\t\tspin_unlock(&vcpu->async_pf.lock);\n\t\treturn -ENOMEM;\n\t}\n"
            ),
        ),
    ),
    keeps(
        "one way out",
        COALESCED,
        "coalesced_mmio_write",
        ("\t__u32 insert;\n", "\t__u32 insert;\n\tint ret = -EOPNOTSUPP;\n"),
        ("\t\tspin_unlock(&dev->kvm->ring_lock);\n\t\treturn -EOPNOTSUPP;\n", "\t\tgoto out;\n"),
        (
            "\tspin_unlock(&dev->kvm->ring_lock);\n\treturn 0;\n",
            "\tret = 0;\nout:\n\tspin_unlock(&dev->kvm->ring_lock);\n\treturn ret;\n",
        ),
    ),
    keeps(
        "a guard of the slots, and a return from the walk",
        COALESCED,
        "kvm_vm_ioctl_unregister_coalesced_mmio",
        ("\tmutex_lock(&kvm->slots_lock);\n", "\tguard(mutex)(&kvm->slots_lock);\n"),
        ("\t\t\tif (r)\n\t\t\t\tbreak;\n", "\t\t\tif (r)\n\t\t\t\treturn 0;\n"),
        ("\tmutex_unlock(&kvm->slots_lock);\n\n", ""),
    ),
    keeps(
        "the locked part moves to a function",
        DIRTY_RING,
        "kvm_reset_dirty_gfn",
        Insert(
            "kvm_reset_dirty_gfn",
            "static void kvm_protect_gfns(struct kvm *kvm, struct kvm_memory_slot *slot, u64 offset, u64 mask)\n{\n"
            "\tlockdep_assert_held_write(&kvm->mmu_lock);\n"
            "\tkvm_arch_mmu_enable_log_dirty_pt_masked(kvm, slot, offset, mask);\n}\n",
        ),
        ("kvm_arch_mmu_enable_log_dirty_pt_masked(", "kvm_protect_gfns("),
    ),
    keeps(
        "interrupts are saved where they were known to be enabled",
        EVENTFD,
        "kvm_irqfd_deassign",
        ("\tstruct eventfd_ctx *eventfd;\n", "\tstruct eventfd_ctx *eventfd;\n\tunsigned long flags;\n"),
        ("\tspin_lock_irq(&kvm->irqfds.lock);\n", "\tspin_lock_irqsave(&kvm->irqfds.lock, flags);\n"),
        ("\tspin_unlock_irq(&kvm->irqfds.lock);\n", "\tspin_unlock_irqrestore(&kvm->irqfds.lock, flags);\n"),
    ),
    keeps(
        "a flag, a break and one end of the section",
        EVENTFD,
        "kvm_irq_has_notifier",
        ("\tint gsi, idx;\n", "\tbool found = false;\n\tint gsi, idx;\n"),
        (
            "\t\t\t\tsrcu_read_unlock(&kvm->irq_srcu, idx);\n\t\t\t\treturn true;\n",
            "\t\t\t\tfound = true;\n\t\t\t\tbreak;\n",
        ),
        ("\treturn false;\n", "\treturn found;\n"),
    ),
    keeps(
        "the VM is locked around its slots",
        EVENTFD,
        "kvm_deassign_ioeventfd_idx",
        ("\tmutex_lock(&kvm->slots_lock);\n", "\tmutex_lock(&kvm->lock);\n\tmutex_lock(&kvm->slots_lock);\n"),
        ("\tmutex_unlock(&kvm->slots_lock);\n", "\tmutex_unlock(&kvm->slots_lock);\n\tmutex_unlock(&kvm->lock);\n"),
    ),
    keeps(
        "a guard that disables interrupts",
        EVENTFD,
        "kvm_irqfd_release",
        (
            "\tspin_lock_irq(&kvm->irqfds.lock);\n\n\tlist_for_each_entry_safe(",
            "\tscoped_guard(spinlock_irq, &kvm->irqfds.lock)\n\tlist_for_each_entry_safe(",
        ),
        ("\n\tspin_unlock_irq(&kvm->irqfds.lock);\n", ""),
    ),
    keeps(
        "the section is entered twice",
        EVENTFD,
        "kvm_notify_acked_irq",
        (
            "\tif (gsi != -1)\n\t\tkvm_notify_acked_gsi(kvm, gsi);\n",
            "\tif (gsi != -1) {\n\t\tguard(srcu)(&kvm->irq_srcu);\n\t\tkvm_notify_acked_gsi(kvm, gsi);\n\t}\n",
        ),
    ),
    keeps(
        "a scoped section",
        IRQCHIP,
        "kvm_set_irq",
        ("\tidx = srcu_read_lock(&kvm->irq_srcu);\n", "\tscoped_guard(srcu, &kvm->irq_srcu)\n\t"),
        ("\tsrcu_read_unlock(&kvm->irq_srcu, idx);\n", ""),
        ("\tint ret = -1, i, idx;\n", "\tint ret = -1, i;\n"),
    ),
    keeps(
        "the guard becomes a lock and an unlock",
        PFNCACHE,
        "kvm_gpc_deactivate",
        ("\tguard(mutex)(&gpc->refresh_lock);\n", "\tmutex_lock(&gpc->refresh_lock);\n"),
        (
            "\t\tgpc_unmap(old_pfn, old_khva);\n\t}\n",
            "\t\tgpc_unmap(old_pfn, old_khva);\n\t}\n\tmutex_unlock(&gpc->refresh_lock);\n",
        ),
    ),
    keeps(
        "an inactive cache unlocks and returns",
        PFNCACHE,
        "__kvm_gpc_refresh",
        (
            "\tif (!gpc->active) {\n\t\tret = -EINVAL;\n\t\tgoto out_unlock;\n\t}\n",
            "\tif (!gpc->active) {\n\t\twrite_unlock_irq(&gpc->lock);\n\t\treturn -EINVAL;\n\t}\n",
        ),
    ),
    keeps(
        "the lock is taken for writing at once",
        PFNCACHE,
        "gfn_to_pfn_cache_invalidate_start",
        ("\t\tread_lock_irq(&gpc->lock);\n", "\t\twrite_lock_irq(&gpc->lock);\n"),
        ("\t\tread_unlock_irq(&gpc->lock);\n\t}\n", "\t\twrite_unlock_irq(&gpc->lock);\n\t}\n"),
        ("\t\t\tread_unlock_irq(&gpc->lock);\n", ""),
        ("\t\t\twrite_lock_irq(&gpc->lock);\n", ""),
    ),
    keeps(
        "the caller's lock is dropped and taken again by a function",
        PFNCACHE,
        "hva_to_pfn_retry",
        Insert(
            "hva_to_pfn_retry",
            "static void gpc_relock(struct gfn_to_pfn_cache *gpc)\n{\n\twrite_lock_irq(&gpc->lock);\n}\n",
        ),
        ("\t\twrite_lock_irq(&gpc->lock);\n", "\t\tgpc_relock(gpc);\n"),
        ("out_error:\n\twrite_lock_irq(&gpc->lock);\n", "out_error:\n\tgpc_relock(gpc);\n"),
    ),
    keeps(
        "a signal may end the wait",
        VFIO,
        "kvm_vfio_file_add",
        (
            "\tmutex_lock(&kv->lock);\n",
            "\tif (mutex_lock_killable(&kv->lock)) {\n\t\tret = -EINTR;\n\t\tgoto out_fput;\n\t}\n",
        ),
    ),
    keeps(
        "a pointer to the mutex",
        VFIO,
        "kvm_vfio_file_del",
        ("\tstruct kvm_vfio_file *kvf;\n", "\tstruct kvm_vfio_file *kvf;\n\tstruct mutex *lock = &kv->lock;\n"),
        ("mutex_lock(&kv->lock)", "mutex_lock(lock)"),
    ),
    keeps(
        "a long bitmap gives way, and has the lock again",
        MAIN,
        "kvm_clear_dirty_log_protect",
        ("\t\tif (mask) {\n", "\t\tcond_resched_rwlock_write(&kvm->mmu_lock);\n\t\tif (mask) {\n"),
    ),
    keeps(
        "a guard of the list of VMs",
        MAIN,
        "vm_stat_get",
        ("\tmutex_lock(&kvm_lock);\n", "\tguard(mutex)(&kvm_lock);\n"),
        ("\tmutex_unlock(&kvm_lock);\n", ""),
    ),
    keeps(
        "each way out ends the section",
        MAIN,
        "kvm_vcpu_check_block",
        (
            "\tif (kvm_arch_vcpu_runnable(vcpu))\n\t\tgoto out;\n",
            "\tif (kvm_arch_vcpu_runnable(vcpu)) {\n\t\tsrcu_read_unlock(&vcpu->kvm->srcu, idx);\n\t\treturn -EINTR;\n\t}\n",
        ),
    ),
    keeps(
        "the guard becomes a lock and three unlocks",
        MAIN,
        "kvm_enable_virtualization",
        ("\tguard(mutex)(&kvm_usage_lock);\n", "\tmutex_lock(&kvm_usage_lock);\n"),
        (
            "\tif (kvm_usage_count++)\n\t\treturn 0;\n",
            "\tif (kvm_usage_count++) {\n\t\tmutex_unlock(&kvm_usage_lock);\n\t\treturn 0;\n\t}\n",
        ),
        ("\treturn 0;\n\nerr_rebooting:\n", "\tmutex_unlock(&kvm_usage_lock);\n\treturn 0;\n\nerr_rebooting:\n"),
        (
            "\t--kvm_usage_count;\n\treturn r;\n",
            "\t--kvm_usage_count;\n\tmutex_unlock(&kvm_usage_lock);\n\treturn r;\n",
        ),
    ),
    keeps(
        "the failed creation goes to a label",
        MAIN,
        "kvm_ioctl_create_device",
        (
            "\tif (ret < 0) {\n\t\tmutex_unlock(&kvm->lock);\n\t\tkfree(dev);\n\t\treturn ret;\n\t}\n",
            "\tif (ret < 0)\n\t\tgoto fail;\n",
        ),
        (
            "\tcd->fd = ret;\n\treturn 0;\n",
            "\tcd->fd = ret;\n\treturn 0;\n\nfail:\n\tmutex_unlock(&kvm->lock);\n\tkfree(dev);\n\treturn ret;\n",
        ),
    ),
    keeps(
        "a guard of preemption",
        MAIN,
        "vcpu_put",
        ("\tpreempt_disable();\n", "\tguard(preempt)();\n"),
        ("\tpreempt_enable();\n", ""),
    ),
    keeps(
        "the lock is dropped and taken again by a function",
        MAIN,
        "kvm_swap_active_memslots",
        (
            "\t\tspin_unlock(&kvm->mn_invalidate_lock);\n\t\tschedule();\n\t\tspin_lock(&kvm->mn_invalidate_lock);\n",
            "\t\tkvm_wait_for_notifiers(kvm);\n",
        ),
        Insert(
            "kvm_swap_active_memslots",
            "static void kvm_wait_for_notifiers(struct kvm *kvm)\n{\n\tspin_unlock(&kvm->mn_invalidate_lock);\n\tschedule();\n"
            "\tspin_lock(&kvm->mn_invalidate_lock);\n}\n",
        ),
    ),
    keeps(
        "the flag says what was locked",
        MAIN,
        "kvm_device_release",
        (
            "\tif (dev->ops->release) {\n\t\tmutex_lock(&kvm->lock);\n",
            "\tbool locked = dev->ops->release;\n\n\tif (locked)\n\t\tmutex_lock(&kvm->lock);\n\tif (locked) {\n",
        ),
        ("\t\tmutex_unlock(&kvm->lock);\n\t}\n", "\t}\n\tif (locked)\n\t\tmutex_unlock(&kvm->lock);\n"),
    ),
    keeps(
        "try first, spin if that fails",
        MAIN,
        "kvm_mmu_notifier_invalidate_range_end",
        Replace(
            "kvm_mmu_notifier_invalidate_range_end",
            r"^\tspin_lock\(&kvm->mn_invalidate_lock\);\n",
            "\tif (!spin_trylock(&kvm->mn_invalidate_lock))\n\t\tspin_lock(&kvm->mn_invalidate_lock);\n",
        ),
    ),
    keeps(
        "two sections, one in the other",
        MAIN,
        "kvm_vcpu_yield_to",
        ("\trcu_read_lock();\n", "\trcu_read_lock();\n\trcu_read_lock();\n"),
        ("\trcu_read_unlock();\n\tif (!task)\n", "\trcu_read_unlock();\n\trcu_read_unlock();\n\tif (!task)\n"),
    ),
)
