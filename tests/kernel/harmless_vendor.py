# SPDX-License-Identifier: GPL-2.0-only
"""Edits of the vendors' modules that keep all locks right.

In: nothing. Out: `HARMLESS_VENDOR`.
"""

from tests.kernel.cases import AVIC, NESTED, PMU_INTEL, POSTED, SEV, VMX, Case, keeps
from tests.kernel.edit import Insert

HARMLESS_VENDOR: tuple[Case, ...] = (
    keeps(
        "a guard that saves interrupts",
        AVIC,
        "avic_vm_destroy",
        (
            "\tspin_lock_irqsave(&svm_vm_data_hash_lock, flags);\n",
            "\tguard(spinlock_irqsave)(&svm_vm_data_hash_lock);\n",
        ),
        ("\tspin_unlock_irqrestore(&svm_vm_data_hash_lock, flags);\n", ""),
        ("\tunsigned long flags;\n", ""),
    ),
    keeps(
        "an empty list unlocks and returns",
        AVIC,
        "avic_set_pi_irte_mode",
        (
            "\tif (list_empty(&svm->ir_list))\n\t\tgoto out;\n",
            "\tif (list_empty(&svm->ir_list)) {\n\t\tspin_unlock_irqrestore(&svm->ir_list_lock, flags);\n\t\treturn 0;\n\t}\n",
        ),
        ("out:\n", ""),
    ),
    keeps(
        "the entry is allocated under the lock, and does not wait",
        AVIC,
        "svm_ir_list_add",
        ("\tspin_lock_irqsave(&svm->ir_list_lock, flags);\n", ""),
        (
            "\tir = kzalloc(sizeof(struct amd_svm_iommu_ir), GFP_ATOMIC | __GFP_ACCOUNT);\n\tif (!ir) {\n",
            (
                "\tspin_lock_irqsave(&svm->ir_list_lock, flags);\n"
                "\tir = kzalloc(sizeof(struct amd_svm_iommu_ir), GFP_ATOMIC | __GFP_ACCOUNT);\n"
                "\tif (!ir) {\n\t\tspin_unlock_irqrestore(&svm->ir_list_lock, flags);\n"
            ),
        ),
    ),
    keeps(
        "a guard with returns",
        SEV,
        "sev_mem_enc_unregister_region",
        ("\tint ret;\n", ""),
        ("\tmutex_lock(&kvm->lock);\n", "\tguard(mutex)(&kvm->lock);\n"),
        ("\t\tret = -ENOTTY;\n\t\tgoto failed;\n", "\t\treturn -ENOTTY;\n"),
        ("\t\tret = -EINVAL;\n\t\tgoto failed;\n", "\t\treturn -EINVAL;\n"),
        (
            "\tmutex_unlock(&kvm->lock);\n\treturn 0;\n\nfailed:\n\tmutex_unlock(&kvm->lock);\n\treturn ret;\n",
            "\treturn 0;\n",
        ),
    ),
    keeps(
        "the first VM is unlocked where the second fails",
        SEV,
        "sev_lock_two_vms",
        (
            "\tif (mutex_lock_killable_nested(&src_kvm->lock, SINGLE_DEPTH_NESTING))\n\t\tgoto unlock_dst;\n",
            (
                "\tif (mutex_lock_killable_nested(&src_kvm->lock, SINGLE_DEPTH_NESTING)) {\n"
                "\t\tmutex_unlock(&dst_kvm->lock);\n\t\tgoto release_src;\n\t}\n"
            ),
        ),
        ("unlock_dst:\n\tmutex_unlock(&dst_kvm->lock);\n", ""),
    ),
    keeps(
        "two VMs are unlocked in the other order",
        SEV,
        "sev_unlock_two_vms",
        (
            "\tmutex_unlock(&dst_kvm->lock);\n\tmutex_unlock(&src_kvm->lock);\n",
            "\tmutex_unlock(&src_kvm->lock);\n\tmutex_unlock(&dst_kvm->lock);\n",
        ),
    ),
    keeps(
        "any signal ends the wait",
        SEV,
        "sev_launch_update_vmsa",
        ("mutex_lock_killable(", "mutex_lock_interruptible("),
    ),
    keeps(
        "a fatal signal ends the wait",
        SEV,
        "snp_handle_guest_req",
        (
            "\tmutex_lock(&sev->guest_req_mutex);\n",
            "\tif (mutex_lock_killable(&sev->guest_req_mutex))\n\t\treturn -EINTR;\n",
        ),
    ),
    keeps(
        "a scoped guard for the reader",
        SEV,
        "sev_unbind_asid",
        ("\tdown_read(&sev_deactivate_lock);\n", "\tscoped_guard(rwsem_read, &sev_deactivate_lock)\n\t"),
        ("\tup_read(&sev_deactivate_lock);\n", ""),
    ),
    keeps(
        "a guard of a raw lock that is reached through a pointer",
        POSTED,
        "pi_wakeup_handler",
        ("\traw_spin_lock(spinlock);\n", "\tguard(raw_spinlock)(spinlock);\n"),
        ("\traw_spin_unlock(spinlock);\n", ""),
    ),
    keeps(
        "interrupts are disabled by the lock, and enabled after it",
        POSTED,
        "pi_enable_wakeup_handler",
        (
            "\tlocal_irq_save(flags);\n\n\traw_spin_lock(&per_cpu(wakeup_vcpus_on_cpu_lock, vcpu->cpu));\n",
            "\traw_spin_lock_irqsave(&per_cpu(wakeup_vcpus_on_cpu_lock, vcpu->cpu), flags);\n",
        ),
    ),
    keeps(
        "a free number unlocks and is returned",
        VMX,
        "allocate_vpid",
        (
            "\tif (vpid < VMX_NR_VPIDS)\n\t\t__set_bit(vpid, vmx_vpid_bitmap);\n\telse\n\t\tvpid = 0;\n",
            (
                "\tif (vpid < VMX_NR_VPIDS) {\n\t\t__set_bit(vpid, vmx_vpid_bitmap);\n\t\tspin_unlock(&vmx_vpid_lock);\n"
                "\t\treturn vpid;\n\t}\n\tvpid = 0;\n"
            ),
        ),
    ),
    keeps(
        "interrupts are saved",
        VMX,
        "vmx_vcpu_load_vmcs",
        (
            "\t\tloaded_vmcs_clear(vmx->loaded_vmcs);\n\t\tlocal_irq_disable();\n",
            "\t\tunsigned long flags;\n\n\t\tloaded_vmcs_clear(vmx->loaded_vmcs);\n\t\tlocal_irq_save(flags);\n",
        ),
        ("\t\tlocal_irq_enable();\n", "\t\tlocal_irq_restore(flags);\n"),
    ),
    keeps(
        "a function returns with the slots locked, or an error",
        VMX,
        "init_rmode_identity_map",
        Insert(
            "init_rmode_identity_map",
            "static int vmx_lock_slots(struct kvm *kvm)\n{\n\tmutex_lock(&kvm->slots_lock);\n\tif (!kvm->vm_dead)\n\t\treturn 0;\n"
            "\tmutex_unlock(&kvm->slots_lock);\n\treturn -EIO;\n}\n",
        ),
        ("\tmutex_lock(&kvm->slots_lock);\n", "\tr = vmx_lock_slots(kvm);\n\tif (r)\n\t\treturn r;\n"),
    ),
    keeps(
        "a guard of preemption",
        NESTED,
        "copy_shadow_to_vmcs12",
        ("\tpreempt_disable();\n", "\tguard(preempt)();\n"),
        ("\n\tpreempt_enable();\n", ""),
    ),
    keeps(
        "interrupts are enabled at one place",
        PMU_INTEL,
        "intel_pmu_handle_lbr_msrs_access",
        (
            "\tlocal_irq_disable();\n",
            "\tbool active;\n\n\tlocal_irq_disable();\n\tactive = lbr_desc->event->state == PERF_EVENT_STATE_ACTIVE;\n",
        ),
        ("\tif (lbr_desc->event->state == PERF_EVENT_STATE_ACTIVE) {\n", "\tif (active) {\n"),
        ("\t\tlocal_irq_enable();\n\t\treturn true;\n\t}\n\tclear_bit(", "\t} else {\n\t\tclear_bit("),
        (
            "->pmc_in_use);\n\tlocal_irq_enable();\n",
            "->pmc_in_use);\n\t}\n\tlocal_irq_enable();\n\tif (active)\n\t\treturn true;\n",
        ),
    ),
)
