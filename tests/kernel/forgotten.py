# SPDX-License-Identifier: GPL-2.0-only
"""Edits of generic KVM and of the vendors' modules after which something is read or changed without its lock: forgotten, dropped too
early, or held in another mode.

In: nothing. Out: `FORGOTTEN`.
"""

from tests.kernel.cases import ASYNC_PF, AVIC, COALESCED, DEBUGFS, EVENTFD, MAIN, SEV, TDP, VFIO, VMX, Case, breaks
from tests.kernel.edit import Replace

FORGOTTEN: tuple[Case, ...] = (
    breaks(
        "kvm/devices",
        "the device leaves the list before the lock",
        MAIN,
        "kvm_device_release",
        "kvm.lock",
        ("\t\tmutex_lock(&kvm->lock);\n\t\tlist_del_rcu(&dev->vm_node);\n", "\t\tlist_del_rcu(&dev->vm_node);\n"),
        ("\t\tdev->ops->release(dev);\n", "\t\tmutex_lock(&kvm->lock);\n\t\tdev->ops->release(dev);\n"),
    ),
    breaks(
        "kvm/created-vcpus",
        "a failed creation is taken back without the lock",
        MAIN,
        "kvm_vm_ioctl_create_vcpu",
        "kvm.lock",
        (
            "\tmutex_lock(&kvm->lock);\n\tkvm->created_vcpus--;\n\tmutex_unlock(&kvm->lock);\n",
            "\tkvm->created_vcpus--;\n",
        ),
    ),
    breaks(
        "kvm/vm-list",
        "the VM is listed before the lock",
        MAIN,
        "kvm_create_vm",
        "kvm_lock",
        (
            "\tmutex_lock(&kvm_lock);\n\tlist_add(&kvm->vm_list, &vm_list);\n",
            "\tlist_add(&kvm->vm_list, &vm_list);\n\tmutex_lock(&kvm_lock);\n",
        ),
    ),
    breaks(
        "kvm/vm-counts",
        "VMs are counted without the lock",
        MAIN,
        "kvm_uevent_notify_change",
        "kvm_lock",
        ("\tmutex_lock(&kvm_lock);\n", ""),
        ("\tmutex_unlock(&kvm_lock);\n", ""),
    ),
    breaks(
        "kvm/vfio-files",
        "the file is listed after the unlock",
        VFIO,
        "kvm_vfio_file_add",
        "kvm_vfio.lock",
        (
            "\tlist_add_tail(&kvf->node, &kv->file_list);\n",
            "\tmutex_unlock(&kv->lock);\n\tlist_add_tail(&kvf->node, &kv->file_list);\n",
        ),
        (
            "\tkvm_vfio_update_coherency(dev);\n\nout_unlock:\n",
            "\tmutex_lock(&kv->lock);\n\tkvm_vfio_update_coherency(dev);\n\nout_unlock:\n",
        ),
    ),
    breaks(
        "kvm/ioeventfds",
        "the eventfd is listed after the unlock",
        EVENTFD,
        "kvm_assign_ioeventfd_idx",
        "kvm.slots_lock",
        (
            "\tlist_add_tail(&p->list, &kvm->ioeventfds);\n\n\tmutex_unlock(&kvm->slots_lock);\n",
            "\tmutex_unlock(&kvm->slots_lock);\n\tlist_add_tail(&p->list, &kvm->ioeventfds);\n",
        ),
    ),
    breaks(
        "kvm/irqfd-list",
        "the irqfd is listed after the unlock",
        EVENTFD,
        "kvm_irqfd_assign",
        "irqfds.lock",
        (
            ("\tlist_add_tail(&irqfd->list, &kvm->irqfds.items);\n\n\tspin_unlock_irq(&kvm->irqfds.lock);\n"),
            "\tspin_unlock_irq(&kvm->irqfds.lock);\n\tlist_add_tail(&irqfd->list, &kvm->irqfds.items);\n",
        ),
    ),
    breaks(
        "kvm/async-pf-first",
        "whether the list is empty is asked before the lock",
        ASYNC_PF,
        "async_pf_execute",
        "async_pf.lock",
        (
            "\tspin_lock(&vcpu->async_pf.lock);\n\tfirst = list_empty(&vcpu->async_pf.done);\n",
            "\tfirst = list_empty(&vcpu->async_pf.done);\n\tspin_lock(&vcpu->async_pf.lock);\n",
        ),
    ),
    breaks(
        "kvm/coalesced-ring",
        "the entry is filled before the lock",
        COALESCED,
        "coalesced_mmio_write",
        "ring_lock",
        (
            ("\tring->last = (insert + 1) % KVM_COALESCED_MMIO_MAX;\n\tspin_unlock(&dev->kvm->ring_lock);\n"),
            ("\tspin_unlock(&dev->kvm->ring_lock);\n\tring->last = (insert + 1) % KVM_COALESCED_MMIO_MAX;\n"),
        ),
    ),
    breaks(
        "kvm/sev-mirror",
        "the mirror's owner is cleared after the unlock",
        SEV,
        "sev_vm_destroy",
        "sev_mirror_lock",
        (
            "\t\tlist_del(&sev->mirror_entry);\n\t\tsev->enc_context_owner = NULL;\n",
            "\t\tlist_del(&sev->mirror_entry);\n",
        ),
        (
            "\t\tmutex_unlock(&sev_mirror_lock);\n\t\tkvm_put_kvm(owner_kvm);\n",
            ("\t\tmutex_unlock(&sev_mirror_lock);\n\t\tsev->enc_context_owner = NULL;\n\t\tkvm_put_kvm(owner_kvm);\n"),
        ),
    ),
    breaks(
        "kvm/sev-asid",
        "the bit is set after the unlock",
        SEV,
        "sev_asid_new",
        "sev_bitmap_lock",
        (
            "\t__set_bit(asid, sev_asid_bitmap);\n\n\tmutex_unlock(&sev_bitmap_lock);\n",
            "\tmutex_unlock(&sev_bitmap_lock);\n\n\t__set_bit(asid, sev_asid_bitmap);\n",
        ),
    ),
    breaks(
        "kvm/sev-df-flush",
        "the fabric is flushed beside deactivations",
        SEV,
        "sev_flush_asids",
        "sev_deactivate_lock",
        ("\tdown_write(&sev_deactivate_lock);\n", "\tdown_read(&sev_deactivate_lock);\n"),
        ("\tup_write(&sev_deactivate_lock);\n", "\tup_read(&sev_deactivate_lock);\n"),
    ),
    breaks(
        "kvm/sev-regions",
        "the region is looked up before the lock",
        SEV,
        "sev_mem_enc_unregister_region",
        "kvm.lock",
        (
            "\tregion = find_enc_region(kvm, range);\n",
            ("\tmutex_unlock(&kvm->lock);\n\tregion = find_enc_region(kvm, range);\n\tmutex_lock(&kvm->lock);\n"),
        ),
    ),
    breaks(
        "kvm/ept-identity",
        "the flag is looked at before the lock only",
        VMX,
        "init_rmode_identity_map",
        "kvm.slots_lock",
        (
            ("\tmutex_lock(&kvm->slots_lock);\n\n\tif (likely(kvm_vmx->ept_identity_pagetable_done))\n\t\tgoto out;\n"),
            ("\tif (likely(kvm_vmx->ept_identity_pagetable_done))\n\t\treturn 0;\n\n\tmutex_lock(&kvm->slots_lock);\n"),
        ),
    ),
    breaks(
        "kvm/avic-vm-id",
        "two VMs get one identifier",
        AVIC,
        "avic_vm_init",
        "svm_vm_data_hash_lock",
        Replace("avic_vm_init", r"^\tspin_(un)?lock_irq\w+\(&svm_vm_data_hash_lock, flags\);\n", "", 2),
    ),
    breaks(
        "kvm/nx-list",
        "a fault adds to the list beside others",
        TDP,
        "kvm_tdp_mmu_map",
        "tdp_mmu_pages_lock",
        Replace("kvm_tdp_mmu_map", r"^\t+spin_(un)?lock\(&kvm->arch.tdp_mmu_pages_lock\);\n", "", 2),
    ),
    breaks(
        "kvm/nx-list",
        "a page leaves the list beside others",
        TDP,
        "tdp_mmu_unlink_sp",
        "tdp_mmu_pages_lock",
        Replace("tdp_mmu_unlink_sp", r"^\tspin_(un)?lock\(&kvm->arch.tdp_mmu_pages_lock\);\n", "", 2),
    ),
    breaks(
        "kvm/rmap-count",
        "reverse maps are counted without the lock",
        DEBUGFS,
        "kvm_mmu_rmaps_stat_show",
        "kvm.mmu_lock",
        Replace("kvm_mmu_rmaps_stat_show", r"^\t+write_(un)?lock\(&kvm->mmu_lock\);\n", "", 2),
    ),
)
