# SPDX-License-Identifier: GPL-2.0-only
"""Edits of the vendors' modules after which a lock stays held on one way; and locks taken twice, released twice, or mixed up.

In: nothing. Out: `UNBALANCED_VENDOR`, `MISUSED`.
"""

from tests.kernel.cases import (
    AVIC,
    EVENTFD,
    LAPIC,
    MAIN,
    MMU,
    NESTED,
    PFNCACHE,
    PMU_INTEL,
    POSTED,
    SEV,
    TDP,
    VMX,
    X86,
    XEN,
    Case,
    breaks,
)
from tests.kernel.edit import Replace

BALANCE = "kernel/balance"

UNBALANCED_VENDOR: tuple[Case, ...] = (
    breaks(
        BALANCE,
        "an empty list returns with interrupts disabled",
        AVIC,
        "avic_set_pi_irte_mode",
        "ir_list_lock",
        ("\t\tgoto out;\n", "\t\treturn 0;\n"),
        ("out:\n", ""),
    ),
    breaks(
        BALANCE,
        "a region that is not there returns",
        SEV,
        "sev_mem_enc_unregister_region",
        "kvm.lock",
        ("\t\tret = -EINVAL;\n\t\tgoto failed;\n", "\t\treturn -EINVAL;\n"),
    ),
    breaks(
        BALANCE,
        "a command that fails returns before the answer",
        SEV,
        "snp_handle_guest_req",
        "guest_req_mutex",
        ("\tif (ret && !fw_err)\n\t\tgoto out_unlock;\n", "\tif (ret && !fw_err)\n\t\treturn ret;\n"),
    ),
    breaks(
        BALANCE,
        "a vCPU that fails stays locked",
        SEV,
        "sev_launch_update_vmsa",
        "kvm_vcpu.mutex",
        (
            "\t\tmutex_unlock(&vcpu->mutex);\n\t\tif (ret)\n\t\t\treturn ret;\n",
            "\t\tif (ret)\n\t\t\treturn ret;\n\t\tmutex_unlock(&vcpu->mutex);\n",
        ),
        missed="of the locks of a loop over objects it is not known which is which",
    ),
    breaks(
        BALANCE,
        "two VMs stay locked where one is no source",
        SEV,
        "sev_vm_copy_enc_context_from",
        "kvm.lock",
        ("\t\tret = -EINVAL;\n\t\tgoto e_unlock;\n", "\t\treturn -EINVAL;\n"),
        ("e_unlock:\n", ""),
    ),
    breaks(
        BALANCE,
        "the second VM's failure leaves the first locked",
        SEV,
        "sev_lock_two_vms",
        "kvm.lock",
        ("\t\tgoto unlock_dst;\n", "\t\tgoto release_src;\n"),
        ("unlock_dst:\n\tmutex_unlock(&dst_kvm->lock);\n", ""),
    ),
    breaks(
        BALANCE,
        "a bad address returns from the loop",
        VMX,
        "init_rmode_identity_map",
        "kvm.slots_lock",
        ("\t\t\tr = -EFAULT;\n\t\t\tgoto out;\n", "\t\t\treturn -EFAULT;\n"),
    ),
    breaks(
        BALANCE,
        "an invalidated page goes out with the lock",
        VMX,
        "vmx_set_apic_access_page_addr",
        "kvm.mmu_lock",
        ("\t\tread_unlock(&vcpu->kvm->mmu_lock);\n\t\tgoto out;\n", "\t\tgoto out;\n"),
    ),
    breaks(
        BALANCE,
        "a free number is returned at once",
        VMX,
        "allocate_vpid",
        "vmx_vpid_lock",
        (
            "\tif (vpid < VMX_NR_VPIDS)\n\t\t__set_bit(vpid, vmx_vpid_bitmap);\n\telse\n\t\tvpid = 0;\n",
            "\tif (vpid < VMX_NR_VPIDS) {\n\t\t__set_bit(vpid, vmx_vpid_bitmap);\n\t\treturn vpid;\n\t}\n\tvpid = 0;\n",
        ),
    ),
    breaks(
        BALANCE,
        "the lock of the previous processor stays held",
        POSTED,
        "vmx_vcpu_pi_load",
        "wakeup_vcpus_on_cpu_lock",
        ("\t\traw_spin_unlock(&per_cpu(wakeup_vcpus_on_cpu_lock, vcpu->cpu));\n", ""),
    ),
    breaks(
        BALANCE,
        "a reclaimed counter leaves interrupts disabled",
        PMU_INTEL,
        "intel_pmu_handle_lbr_msrs_access",
        "irq",
        ("\t\tlocal_irq_enable();\n\t\treturn true;\n", "\t\treturn true;\n"),
    ),
    breaks(
        BALANCE,
        "a failed entry leaves preemption disabled",
        NESTED,
        "nested_vmx_check_vmentry_hw",
        "preempt",
        ("\t\tpreempt_enable();\n\n\t\ttrace", "\t\ttrace"),
    ),
)

#: taken twice, released twice or without having been taken, another instance released
MISUSED: tuple[Case, ...] = (
    breaks(
        BALANCE,
        "each retry takes the mutex once more",
        LAPIC,
        "kvm_recalculate_apic_map",
        "apic_map_lock",
        ("\tmutex_lock(&kvm->arch.apic_map_lock);\n\nretry:\n", "retry:\n\tmutex_lock(&kvm->arch.apic_map_lock);\n"),
    ),
    breaks(
        BALANCE,
        "the reader takes the lock for writing",
        PFNCACHE,
        "gfn_to_pfn_cache_invalidate_start",
        "gfn_to_pfn_cache.lock",
        ("\t\t\tread_unlock_irq(&gpc->lock);\n\n\t\t\t/*", "\n\t\t\t/*"),
    ),
    breaks(
        BALANCE,
        "a reader of the inhibition asks for it through a setter",
        X86,
        "__kvm_vcpu_update_apicv",
        "apicv_update_lock",
        (
            "\tpreempt_disable();\n",
            (
                "\tif (vcpu->guest_debug)\n\t\tkvm_clear_apicv_inhibit(vcpu->kvm, APICV_INHIBIT_REASON_BLOCKIRQ);\n"
                "\tpreempt_disable();\n"
            ),
        ),
        origin="kvm_set_or_clear_apicv_inhibit",
    ),
    breaks(
        BALANCE,
        "reset is asked for under the lock that it takes",
        MAIN,
        "kvm_vm_ioctl_clear_dirty_log",
        "kvm.slots_lock",
        (
            "\tr = kvm_clear_dirty_log_protect(kvm, log);\n",
            "\tr = kvm_clear_dirty_log_protect(kvm, log) ?: kvm_vm_ioctl_get_dirty_log(kvm, NULL);\n",
        ),
        origin="kvm_vm_ioctl_get_dirty_log",
    ),
    breaks(
        BALANCE,
        "all pages are zapped by the one who holds the lock",
        MMU,
        "kvm_zap_gfn_range",
        "kvm.mmu_lock",
        (
            "\tif (flush)\n\t\tkvm_flush_remote_tlbs_range",
            "\tif (gfn_end == -1ULL)\n\t\tkvm_arch_flush_shadow_all(kvm);\n\n\tif (flush)\n\t\tkvm_flush_remote_tlbs_range",
        ),
        origin="kvm_mmu_zap_all",
    ),
    breaks(
        BALANCE,
        "a page is unlinked under the lock that unlinking takes",
        TDP,
        "kvm_tdp_mmu_map",
        "tdp_mmu_pages_lock",
        (
            "\t\t\tif (sp->nx_huge_page_disallowed)\n\t\t\t\ttrack",
            "\t\t\tif (fault->prefetch)\n\t\t\t\ttdp_mmu_unlink_sp(kvm, sp);\n\t\t\telse if (sp->nx_huge_page_disallowed)\n\t\t\t\ttrack",
        ),
        origin="tdp_mmu_unlink_sp",
    ),
    breaks(
        BALANCE,
        "the ack notifier is registered under its own lock",
        EVENTFD,
        "kvm_unregister_irq_ack_notifier",
        "kvm.irq_lock",
        (
            "\thlist_del_init_rcu(&kian->link);\n",
            "\thlist_del_init_rcu(&kian->link);\n\tif (kian->gsi < 0)\n\t\tkvm_register_irq_ack_notifier(kvm, kian);\n",
        ),
        origin="kvm_register_irq_ack_notifier",
    ),
    breaks(
        BALANCE,
        "the refresh is asked for under its mutex, two calls deep",
        PFNCACHE,
        "kvm_gpc_deactivate",
        "gfn_to_pfn_cache.refresh_lock",
        (
            "\tif (gpc->active) {\n",
            "\tif (gpc->valid)\n\t\tkvm_gpc_activate(gpc, gpc->gpa, PAGE_SIZE);\n\tif (gpc->active) {\n",
        ),
        origin="__kvm_gpc_activate",
    ),
    breaks(
        BALANCE,
        "after a refresh the lock is not taken again",
        X86,
        "kvm_setup_guest_pvclock",
        "gfn_to_pfn_cache.lock",
        ("\t\t\treturn;\n\n\t\tread_lock_irqsave(&gpc->lock, flags);\n", "\t\t\treturn;\n\n"),
    ),
    breaks(
        BALANCE,
        "the ladder unlocks what the failed path has unlocked",
        XEN,
        "kvm_xen_eventfd_update",
        "xen_lock",
        (
            "\tif (!evtchnfd)\n\t\tgoto out_unlock;\n",
            "\tif (!evtchnfd) {\n\t\tmutex_unlock(&kvm->arch.xen.xen_lock);\n\t\tgoto out_unlock;\n\t}\n",
        ),
    ),
    breaks(
        BALANCE,
        "one VM is unlocked twice, the other never",
        SEV,
        "sev_unlock_two_vms",
        "kvm.lock",
        ("\tmutex_unlock(&src_kvm->lock);\n", "\tmutex_unlock(&dst_kvm->lock);\n"),
    ),
    breaks(
        BALANCE,
        "the rwlock is taken shared and released as the writer's",
        MMU,
        "kvm_mmu_zap_collapsible_sptes",
        "kvm.mmu_lock",
        ("\t\tread_unlock(&kvm->mmu_lock);\n", "\t\twrite_unlock(&kvm->mmu_lock);\n"),
    ),
    breaks(
        BALANCE,
        "the second cache is locked, the first unlocked",
        XEN,
        "kvm_xen_set_evtchn_fast",
        "gfn_to_pfn_cache.lock",
        (
            "\t\tread_lock_irqsave(&gpc->lock, flags);\n\t\tif (!kvm_gpc_check(gpc, sizeof(struct vcpu_info))) {",
            (
                "\t\tread_lock_irqsave(&vcpu->arch.xen.runstate_cache.lock, flags);\n"
                "\t\tif (!kvm_gpc_check(gpc, sizeof(struct vcpu_info))) {"
            ),
        ),
        missed="callers might have locked the cache of a vCPU that the function looks up itself",
    ),
    breaks(
        BALANCE,
        "the target vCPU is unlocked for a failed trylock",
        X86,
        "kvm_arch_vcpu_postcreate",
        "kvm_vcpu.mutex",
        (
            "\tif (mutex_lock_killable(&vcpu->mutex))\n\t\treturn;\n",
            "\tif (mutex_lock_killable(&vcpu->mutex))\n\t\tgoto out;\n",
        ),
        ("\tmutex_unlock(&vcpu->mutex);\n", "out:\n\tmutex_unlock(&vcpu->mutex);\n"),
    ),
    breaks(
        BALANCE,
        "the guard's mutex is dropped by hand as well",
        SEV,
        "sev_mem_enc_register_region",
        "kvm.lock",
        ("e_free:\n\tkfree(region);\n", "e_free:\n\tmutex_unlock(&kvm->lock);\n\tkfree(region);\n"),
    ),
    breaks(
        BALANCE,
        "the lock that a try did not get is released",
        MMU,
        "mmu_shrink_scan",
        "kvm_lock",
        Replace(
            "mmu_shrink_scan", r"^\tmutex_lock\(&kvm_lock\);\n", "\tif (!mutex_trylock(&kvm_lock))\n\t\tgoto out;\n"
        ),
        ("\tmutex_unlock(&kvm_lock);\n\treturn freed;\n", "out:\n\tmutex_unlock(&kvm_lock);\n\treturn freed;\n"),
    ),
)
