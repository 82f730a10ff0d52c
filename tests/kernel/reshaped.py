# SPDX-License-Identifier: GPL-2.0-only
"""Edits of generic KVM, of the vendors' modules and of other hypervisors' interfaces that give code another shape and keep all
locks: guards, functions of their own, flags, macros.

In: nothing. Out: `RESHAPED`.
"""

from tests.kernel.cases import AVIC, COALESCED, EVENTFD, HYPERV, MAIN, POSTED, SEV, SVM, VFIO, XEN, Case, keeps
from tests.kernel.edit import Insert, Replace

RESHAPED: tuple[Case, ...] = (
    keeps(
        "a scoped guard",
        MAIN,
        "kvm_device_release",
        (
            (
                "\t\tmutex_lock(&kvm->lock);\n\t\tlist_del_rcu(&dev->vm_node);\n\t\tsynchronize_rcu();\n"
                "\t\tdev->ops->release(dev);\n"
                "\t\tmutex_unlock(&kvm->lock);\n"
            ),
            (
                "\t\tscoped_guard(mutex, &kvm->lock) {\n\t\t\tlist_del_rcu(&dev->vm_node);\n"
                "\t\t\tsynchronize_rcu();\n"
                "\t\t\tdev->ops->release(dev);\n\t\t}\n"
            ),
        ),
    ),
    keeps(
        "the number is reserved by a function",
        MAIN,
        "kvm_vm_ioctl_create_vcpu",
        Insert(
            "kvm_vm_ioctl_create_vcpu",
            "static int kvm_reserve_vcpu(struct kvm *vm, unsigned int id)\n{\n\tint err = -EINVAL;\n\n"
            "\tmutex_lock(&vm->lock);\n"
            "\tif (vm->created_vcpus < vm->max_vcpus)\n\t\terr = kvm_arch_vcpu_precreate(vm, id);\n"
            "\tif (!err)\n"
            "\t\tvm->created_vcpus++;\n\tmutex_unlock(&vm->lock);\n\treturn err;\n}\n",
        ),
        Replace(
            "kvm_vm_ioctl_create_vcpu",
            r"^\tmutex_lock\(&kvm->lock\);\n\tif \(kvm->created_vcpus >= .*?created_vcpus\+\+;\n\tmutex_unlock\(&kvm->lock\);\n",
            "\tr = kvm_reserve_vcpu(kvm, id);\n\tif (r)\n\t\treturn r;\n",
        ),
    ),
    keeps(
        "the VM is unlinked by a function",
        MAIN,
        "kvm_destroy_vm",
        Insert(
            "kvm_destroy_vm",
            (
                "static inline void kvm_unlink_vm(struct kvm *vm)\n{\n\tguard(mutex)(&kvm_lock);\n\n"
                "\tlist_del(&vm->vm_list);\n}\n"
            ),
        ),
        (
            "\tmutex_lock(&kvm_lock);\n\tlist_del(&kvm->vm_list);\n\tmutex_unlock(&kvm_lock);\n",
            "\tkvm_unlink_vm(kvm);\n",
        ),
    ),
    keeps(
        "macros around the arch's mutex",
        MAIN,
        "kvm_set_memslot",
        Insert(
            "kvm_set_memslot",
            "#define slots_arch_enter(vm) mutex_lock(&(vm)->slots_arch_lock)\n"
            "#define slots_arch_leave(vm) do { mutex_unlock(&(vm)->slots_arch_lock); } while (0)\n",
        ),
        ("\tmutex_lock(&kvm->slots_arch_lock);\n", "\tslots_arch_enter(kvm);\n"),
        ("mutex_unlock(&kvm->slots_arch_lock);", "slots_arch_leave(kvm);", 2),
        (
            (
                "\tif (change == KVM_MR_DELETE || change == KVM_MR_MOVE) {\n"
                "\t\tkvm_activate_memslot(kvm, invalid_slot, old);\n"
                "\t\tkfree(invalid_slot);\n\t} else {\n\t\tslots_arch_leave(kvm);\n\t}\n"
            ),
            (
                "\tif (change != KVM_MR_DELETE && change != KVM_MR_MOVE) {\n\t\tslots_arch_leave(kvm);\n"
                "\t\treturn r;\n\t}\n"
                "\tkvm_activate_memslot(kvm, invalid_slot, old);\n\tkfree(invalid_slot);\n"
            ),
        ),
    ),
    keeps(
        "the bitmap is copied in a function that is called under a scoped guard",
        MAIN,
        "kvm_get_dirty_log_protect",
        Replace(
            "kvm_get_dirty_log_protect",
            r"^\t\tKVM_MMU_LOCK\(kvm\);\n(?=\t\tfor)",
            "\t\tscoped_guard(write_lock, &kvm->mmu_lock)\n",
        ),
        ("\t\tKVM_MMU_UNLOCK(kvm);\n", ""),
    ),
    keeps(
        "a scoped section",
        EVENTFD,
        "irqfd_resampler_ack",
        (
            (
                "\tidx = srcu_read_lock(&kvm->irq_srcu);\n\tirqfd_resampler_notify(resampler);\n"
                "\tsrcu_read_unlock(&kvm->irq_srcu, idx);\n"
            ),
            "\tscoped_guard(srcu, &kvm->irq_srcu)\n\t\tirqfd_resampler_notify(resampler);\n",
        ),
        ("\tint idx;\n", ""),
    ),
    keeps(
        "what the lock is for moves to a function that asserts it",
        EVENTFD,
        "kvm_irqfd_deassign",
        Insert(
            "kvm_irqfd_deassign",
            "static void irqfd_deactivate_all(struct kvm *vm, struct eventfd_ctx *ctx, int gsi)\n{\n"
            "\tstruct kvm_kernel_irqfd *pos, *next;\n\n\tlockdep_assert_held(&vm->irqfds.lock);\n\n"
            "\tlist_for_each_entry_safe(pos, next, &vm->irqfds.items, list)\n"
            "\t\tif (pos->eventfd == ctx && pos->gsi == gsi)\n"
            "\t\t\tirqfd_deactivate(pos);\n}\n",
        ),
        ("\tstruct kvm_kernel_irqfd *irqfd, *tmp;\n", ""),
        Replace(
            "kvm_irqfd_deassign",
            r"^\tlist_for_each_entry_safe.*?\n\t\}\n",
            "\tirqfd_deactivate_all(kvm, eventfd, args->gsi);\n",
        ),
    ),
    keeps(
        "a guard that disables interrupts around a walk",
        EVENTFD,
        "kvm_irq_routing_update",
        ("\tspin_lock_irq(&kvm->irqfds.lock);\n", "\tguard(spinlock_irq)(&kvm->irqfds.lock);\n"),
        ("\n\tspin_unlock_irq(&kvm->irqfds.lock);\n", ""),
    ),
    keeps(
        "a loop that ends with a break",
        SEV,
        "sev_asid_new",
        ("again:\n\tasid = find_next_zero_bit(", "\tfor (;;) {\n\tasid = find_next_zero_bit("),
        (
            (
                "\tif (asid > max_asid) {\n\t\tif (retry && __sev_recycle_asids(min_asid, max_asid)) {\n"
                "\t\t\tretry = false;\n\t\t\tgoto again;\n\t\t}\n"
            ),
            (
                "\tif (asid <= max_asid)\n\t\tbreak;\n"
                "\tif (retry && __sev_recycle_asids(min_asid, max_asid)) {\n\t\tretry = false;\n"
                "\t\tcontinue;\n\t}\n"
            ),
        ),
    ),
    keeps(
        "assertions where the lock is held",
        SEV,
        "sev_vm_destroy",
        (
            "\t\towner_kvm = sev->enc_context_owner;\n",
            "\t\tlockdep_assert_held(&sev_mirror_lock);\n\t\towner_kvm = sev->enc_context_owner;\n",
        ),
    ),
    keeps(
        "the update moves to a function that is told whether the lock is held",
        AVIC,
        "avic_vcpu_put",
        Insert(
            "avic_vcpu_put",
            "static void avic_stop_running(struct kvm_vcpu *vcpu, u64 entry, bool locked)\n{\n"
            "\tstruct vcpu_svm *svm = to_svm(vcpu);\n"
            "\tunsigned long flags;\n\n\tif (!locked)\n"
            "\t\tspin_lock_irqsave(&svm->ir_list_lock, flags);\n"
            "\tavic_update_iommu_vcpu_affinity(vcpu, -1, 0);\n"
            "\tentry &= ~AVIC_PHYSICAL_ID_ENTRY_IS_RUNNING_MASK;\n"
            "\tWRITE_ONCE(*(svm->avic_physical_id_cache), entry);\n"
            "\tif (!locked)\n\t\tspin_unlock_irqrestore(&svm->ir_list_lock, flags);\n}\n",
        ),
        Replace(
            "avic_vcpu_put",
            r"^\tspin_lock_irqsave.*?\tspin_unlock_irqrestore\(&svm->ir_list_lock, flags\);\n",
            "\tavic_stop_running(vcpu, entry, false);\n",
        ),
        ("\tunsigned long flags;\n", ""),
    ),
    keeps(
        "the loop is a while, and the array is filled by index",
        XEN,
        "kvm_xen_eventfd_reset",
        Replace(
            "kvm_xen_eventfd_reset",
            r"^\tall_evtchnfds = kmalloc_array.*?\n\t\}\n",
            (
                "\tall_evtchnfds = kmalloc_array(n, sizeof(struct evtchnfd *), GFP_KERNEL);\n"
                "\tif (!all_evtchnfds)\n\t\tgoto no_memory;\n"
            ),
        ),
        (
            "\tkfree(all_evtchnfds);\n\n\treturn 0;\n",
            (
                "\tkfree(all_evtchnfds);\n\n\treturn 0;\n\nno_memory:\n"
                "\tmutex_unlock(&kvm->arch.xen.xen_lock);\n\treturn -ENOMEM;\n"
            ),
        ),
    ),
    keeps(
        "the mode is set by a function with the lock in it",
        XEN,
        "kvm_xen_write_hypercall_page",
        Insert(
            "kvm_xen_write_hypercall_page",
            "static int kvm_xen_set_long_mode(struct kvm *vm, bool lm)\n{\n"
            "\tstruct kvm_xen *xen = &vm->arch.xen;\n\n\tguard(mutex)(&xen->xen_lock);\n"
            "\tif (xen->long_mode == lm)\n\t\treturn 0;\n\txen->long_mode = lm;\n"
            "\treturn xen->shinfo_cache.active && kvm_xen_shared_info_init(vm);\n}\n",
        ),
        Replace(
            "kvm_xen_write_hypercall_page",
            r"^\tmutex_lock\(&kvm->arch.xen.xen_lock\);\n.*?\tmutex_unlock\(&kvm->arch.xen.xen_lock\);\n",
            "\tr = kvm_xen_set_long_mode(kvm, lm);\n",
        ),
        ("\tint r = 0;\n", "\tint r;\n"),
    ),
    keeps(
        "the mutex is tried until it is held",
        HYPERV,
        "kvm_hv_eventfd_assign",
        ("\tmutex_lock(&hv->hv_lock);\n", "\twhile (!mutex_trylock(&hv->hv_lock))\n\t\tcond_resched();\n"),
    ),
    keeps(
        "nothing to do comes first",
        HYPERV,
        "kvm_hv_request_tsc_page_update",
        (
            (
                "\tif (hv->hv_tsc_page_status == HV_TSC_PAGE_SET &&\n\t    !tsc_page_update_unsafe(hv))\n"
                "\t\thv->hv_tsc_page_status = HV_TSC_PAGE_HOST_CHANGED;\n\n\tmutex_unlock(&hv->hv_lock);\n"
            ),
            (
                "\tswitch (hv->hv_tsc_page_status) {\n\tcase HV_TSC_PAGE_SET:\n"
                "\t\tif (!tsc_page_update_unsafe(hv))\n"
                "\t\t\thv->hv_tsc_page_status = HV_TSC_PAGE_HOST_CHANGED;\n\t\tbreak;\n\tdefault:\n"
                "\t\tbreak;\n\t}\n\tmutex_unlock(&hv->hv_lock);\n"
            ),
        ),
    ),
    keeps(
        "the lock of the other processor by a pointer",
        POSTED,
        "vmx_vcpu_pi_load",
        (
            (
                "\t\traw_spin_lock(&per_cpu(wakeup_vcpus_on_cpu_lock, vcpu->cpu));\n"
                "\t\tlist_del(&vmx->pi_wakeup_list);\n"
                "\t\traw_spin_unlock(&per_cpu(wakeup_vcpus_on_cpu_lock, vcpu->cpu));\n"
            ),
            (
                "\t\traw_spinlock_t *sleepers = &per_cpu(wakeup_vcpus_on_cpu_lock, vcpu->cpu);\n\n"
                "\t\traw_spin_lock(sleepers);\n"
                "\t\tlist_del(&vmx->pi_wakeup_list);\n\t\traw_spin_unlock(sleepers);\n"
            ),
        ),
    ),
    keeps(
        "one unlock behind a block that is left by break",
        COALESCED,
        "coalesced_mmio_write",
        ("\t__u32 insert;\n", "\t__u32 insert;\n\tint ret = -EOPNOTSUPP;\n"),
        ("\tspin_lock(&dev->kvm->ring_lock);\n", "\tspin_lock(&dev->kvm->ring_lock);\n\tdo {\n"),
        (
            (
                "\t    (insert + 1) % KVM_COALESCED_MMIO_MAX == READ_ONCE(ring->first)) {\n"
                "\t\tspin_unlock(&dev->kvm->ring_lock);\n\t\treturn -EOPNOTSUPP;\n\t}\n"
            ),
            "\t    (insert + 1) % KVM_COALESCED_MMIO_MAX == READ_ONCE(ring->first))\n\t\tbreak;\n",
        ),
        (
            (
                "\tring->last = (insert + 1) % KVM_COALESCED_MMIO_MAX;\n"
                "\tspin_unlock(&dev->kvm->ring_lock);\n\treturn 0;\n"
            ),
            (
                "\tring->last = (insert + 1) % KVM_COALESCED_MMIO_MAX;\n\tret = 0;\n\t} while (0);\n"
                "\tspin_unlock(&dev->kvm->ring_lock);\n\treturn ret;\n"
            ),
        ),
    ),
    keeps(
        "the file is found by a function that is called with the mutex held",
        VFIO,
        "kvm_vfio_file_add",
        Insert(
            "kvm_vfio_file_add",
            "static struct kvm_vfio_file *kvm_vfio_find(struct kvm_vfio *vfio, struct file *file)\n{\n"
            "\tstruct kvm_vfio_file *pos;\n\n"
            "\tlist_for_each_entry(pos, &vfio->file_list, node)\n\t\tif (pos->file == file)\n"
            "\t\t\treturn pos;\n\treturn NULL;\n}\n",
        ),
        Replace(
            "kvm_vfio_file_add",
            r"^\tlist_for_each_entry\(.*?\n\t\}\n",
            "\tif (kvm_vfio_find(kv, filp)) {\n\t\tret = -EEXIST;\n\t\tgoto out_unlock;\n\t}\n",
        ),
    ),
    keeps(
        "the guard becomes a lock with one way out",
        SVM,
        "svm_srso_vm_destroy",
        ("\tguard(spinlock)(&srso_lock);\n", "\tspin_lock(&srso_lock);\n"),
        (
            (
                "\tif (atomic_read(&srso_nr_vms))\n\t\treturn;\n\n"
                "\ton_each_cpu(svm_srso_clear_bp_spec_reduce, NULL, 1);\n"
            ),
            (
                "\tif (!atomic_read(&srso_nr_vms))\n"
                "\t\ton_each_cpu(svm_srso_clear_bp_spec_reduce, NULL, 1);\n\tspin_unlock(&srso_lock);\n"
            ),
        ),
    ),
)
