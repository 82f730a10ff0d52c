# SPDX-License-Identifier: GPL-2.0-only
"""Edits of x86 that give code another shape and keep all locks: guards, functions of their own, conditions, tables.

In: nothing. Out: `RESHAPED_X86`.
"""

from tests.kernel.cases import IOAPIC, LAPIC, MMU, REGS, TDP, X86, Case, keeps
from tests.kernel.edit import Insert, Replace

RESHAPED_X86: tuple[Case, ...] = (
    keeps(
        "a guard with one return more",
        X86,
        "kvm_hyperv_tsc_notifier",
        ("\tmutex_lock(&kvm_lock);\n", "\tguard(mutex)(&kvm_lock);\n\tif (list_empty(&vm_list))\n\t\treturn;\n\n"),
        ("\t}\n\n\tmutex_unlock(&kvm_lock);\n", "\t}\n"),
    ),
    keeps(
        "the state by another name",
        X86,
        "kvm_vm_ioctl_set_pit2",
        (
            "\tstruct kvm_pit *pit = kvm->arch.vpit;\n",
            (
                "\tstruct kvm_pit *pit = kvm->arch.vpit;\n\tstruct kvm_kpit_state *state = &pit->pit_state;\n"
                "\tstruct mutex *lock = &state->lock;\n"
            ),
        ),
        ("\tmutex_lock(&pit->pit_state.lock);\n", "\tmutex_lock(lock);\n"),
        ("\tmemcpy(&pit->pit_state.channels, &ps->channels,\n", "\tmemcpy(&state->channels, &ps->channels,\n"),
        ("\tpit->pit_state.flags = ps->flags;\n", "\tstate->flags = ps->flags;\n"),
    ),
    keeps(
        "the two controllers share a case",
        X86,
        "kvm_vm_ioctl_set_irqchip",
        Replace(
            "kvm_vm_ioctl_set_irqchip",
            r"^\tcase KVM_IRQCHIP_PIC_MASTER:\n.*?(?=\tcase KVM_IRQCHIP_IOAPIC:)",
            "\tcase KVM_IRQCHIP_PIC_MASTER:\n\tcase KVM_IRQCHIP_PIC_SLAVE: {\n"
            "\t\tstruct kvm_kpic_state *state = &pic->pics[chip->chip_id == KVM_IRQCHIP_PIC_SLAVE];\n\n"
            "\t\tscoped_guard(spinlock, &pic->lock)\n"
            "\t\t\tmemcpy(state, &chip->chip.pic, sizeof(struct kvm_pic_state));\n\t\tbreak;\n\t}\n",
        ),
    ),
    keeps(
        "a condition instead of a switch",
        X86,
        "kvm_arch_tsc_set_attr",
        ("\tswitch (attr->attr) {\n\tcase KVM_VCPU_TSC_OFFSET: {\n", "\tif (attr->attr == KVM_VCPU_TSC_OFFSET) {\n"),
        (
            "\t\tr = -EFAULT;\n\t\tif (get_user(offset, uaddr))\n\t\t\tbreak;\n",
            "\t\tif (get_user(offset, uaddr))\n\t\t\treturn -EFAULT;\n",
        ),
        (
            "\t\tr = 0;\n\t\tbreak;\n\t}\n\tdefault:\n\t\tr = -ENXIO;\n\t}\n",
            "\t\tr = 0;\n\t} else {\n\t\tr = -ENXIO;\n\t}\n",
        ),
    ),
    keeps(
        "the target is looked up by an inline function",
        X86,
        "kvm_sched_yield",
        Insert(
            "kvm_sched_yield",
            "static inline struct kvm_vcpu *kvm_yield_target(struct kvm *vm, unsigned long id)\n{\n"
            "\tstruct kvm_apic_map *ids;\n"
            "\tstruct kvm_vcpu *found = NULL;\n\n\trcu_read_lock();\n"
            "\tids = rcu_dereference(vm->arch.apic_map);\n"
            "\tif (!ids || id > ids->max_apic_id)\n\t\tgoto out;\n"
            "\tid = array_index_nospec(id, ids->max_apic_id + 1);\n"
            "\tif (ids->phys_map[id])\n\t\tfound = ids->phys_map[id]->vcpu;\nout:\n\trcu_read_unlock();\n"
            "\treturn found;\n}\n",
        ),
        ("\tstruct kvm_apic_map *map;\n", ""),
        Replace(
            "kvm_sched_yield",
            r"^\trcu_read_lock\(\);\n.*?\trcu_read_unlock\(\);\n",
            "\ttarget = kvm_yield_target(vcpu->kvm, dest_id);\n",
        ),
    ),
    keeps(
        "a function comes back with the cache locked, or tells that it cannot",
        X86,
        "kvm_setup_guest_pvclock",
        Insert(
            "kvm_setup_guest_pvclock",
            "static bool kvm_gpc_lock_valid(struct gfn_to_pfn_cache *cache, unsigned long len, unsigned long *flags)\n"
            "{\n"
            "\tfor (;;) {\n\t\tread_lock_irqsave(&cache->lock, *flags);\n"
            "\t\tif (kvm_gpc_check(cache, len))\n\t\t\treturn true;\n"
            "\t\tread_unlock_irqrestore(&cache->lock, *flags);\n\t\tif (kvm_gpc_refresh(cache, len))\n"
            "\t\t\treturn false;\n\t}\n}\n",
        ),
        Replace(
            "kvm_setup_guest_pvclock",
            r"^\tread_lock_irqsave\(&gpc->lock, flags\);\n\twhile .*?\n\t\}\n",
            "\tif (!kvm_gpc_lock_valid(gpc, offset + sizeof(*guest_hv_clock), &flags))\n\t\treturn;\n",
        ),
    ),
    keeps(
        "the filter is replaced under a scoped guard, and the test is the other way round",
        X86,
        "kvm_vm_ioctl_set_msr_filter",
        (
            (
                "\tmutex_lock(&kvm->lock);\n"
                "\told_filter = rcu_replace_pointer(kvm->arch.msr_filter, new_filter,\n"
                "\t\t\t\t\t mutex_is_locked(&kvm->lock));\n\tmutex_unlock(&kvm->lock);\n"
            ),
            (
                "\tscoped_guard(mutex, &kvm->lock) {\n"
                "\t\told_filter = rcu_dereference_protected(kvm->arch.msr_filter,\n"
                "\t\t\t\t\t\t       lockdep_is_held(&kvm->lock));\n"
                "\t\trcu_assign_pointer(kvm->arch.msr_filter, new_filter);\n\t}\n"
            ),
        ),
    ),
    keeps(
        "the section in a block of its own",
        X86,
        "kvm_arch_vcpu_ioctl_translate",
        (
            (
                "\tidx = srcu_read_lock(&vcpu->kvm->srcu);\n"
                "\tgpa = kvm_mmu_gva_to_gpa_system(vcpu, vaddr, NULL);\n"
                "\tsrcu_read_unlock(&vcpu->kvm->srcu, idx);\n"
            ),
            ("\tscoped_guard(srcu, &vcpu->kvm->srcu)\n\t\tgpa = kvm_mmu_gva_to_gpa_system(vcpu, vaddr, NULL);\n"),
        ),
        ("\tint idx;\n", ""),
    ),
    keeps(
        "who is not in PAE mode returns first",
        REGS,
        "kvm_vcpu_ioctl_x86_get_sregs2",
        Replace(
            "kvm_vcpu_ioctl_x86_get_sregs2",
            r"^\tif \(is_pae_paging\(vcpu\)\) \{\n.*?\n\t\}\n",
            "\tif (!is_pae_paging(vcpu))\n\t\treturn;\n\n\tkvm_vcpu_srcu_read_lock(vcpu);\n"
            "\tfor (i = 0; i < 4; i++)\n"
            "\t\tsregs2->pdptrs[i] = kvm_pdptr_read(vcpu, i);\n\tkvm_vcpu_srcu_read_unlock(vcpu);\n"
            "\tsregs2->flags |= KVM_SREGS2_FLAGS_PDPTRS_VALID;\n",
        ),
    ),
    keeps(
        "a guard of a spinlock",
        IOAPIC,
        "kvm_ioapic_scan_entry",
        ("\tspin_lock(&ioapic->lock);\n", "\tguard(spinlock)(&ioapic->lock);\n"),
        ("\tspin_unlock(&ioapic->lock);\n", ""),
    ),
    keeps(
        "the loop counts downwards",
        IOAPIC,
        "kvm_ioapic_eoi_inject_work",
        Replace(
            "kvm_ioapic_eoi_inject_work",
            r"^\tfor \(i = 0; .*\n\t\}\n(?=\tspin_unlock)",
            "\ti = IOAPIC_NUM_PINS;\n\twhile (i-- > 0) {\n"
            "\t\tunion kvm_ioapic_redirect_entry *ent = &ioapic->redirtbl[i];\n\n"
            "\t\tif (ent->fields.trig_mode == IOAPIC_LEVEL_TRIG && (ioapic->irr & (1 << i)) && !ent->fields.remote_irr)\n"
            "\t\t\tioapic_service(ioapic, i, false);\n\t}\n",
        ),
    ),
    keeps(
        "the mode of the rwlock is chosen by a function",
        MMU,
        "kvm_mmu_slot_remove_write_access",
        Insert(
            "kvm_mmu_slot_remove_write_access",
            "static void mmu_lock_for(struct kvm *vm, bool shared)\n{\n\tif (shared)\n"
            "\t\tread_lock(&vm->mmu_lock);\n\telse\n"
            "\t\twrite_lock(&vm->mmu_lock);\n}\n\n"
            "static void mmu_unlock_for(struct kvm *vm, bool shared)\n{\n\tif (shared)\n"
            "\t\tread_unlock(&vm->mmu_lock);\n\telse\n\t\twrite_unlock(&vm->mmu_lock);\n}\n",
        ),
        ("\t\twrite_lock(&kvm->mmu_lock);\n", "\t\tmmu_lock_for(kvm, false);\n"),
        ("\t\twrite_unlock(&kvm->mmu_lock);\n", "\t\tmmu_unlock_for(kvm, false);\n"),
        ("\t\tread_lock(&kvm->mmu_lock);\n", "\t\tmmu_lock_for(kvm, true);\n"),
        ("\t\tread_unlock(&kvm->mmu_lock);\n", "\t\tmmu_unlock_for(kvm, true);\n"),
    ),
    keeps(
        "the rwlock is taken through a table of functions",
        MMU,
        "kvm_mmu_zap_all_fast",
        Insert(
            "kvm_mmu_zap_all_fast",
            "struct mmu_lock_ops {\n\tvoid (*enter)(struct kvm *kvm);\n"
            "\tvoid (*leave)(struct kvm *kvm);\n};\n\n"
            "static void mmu_enter_writer(struct kvm *kvm)\n{\n\twrite_lock(&kvm->mmu_lock);\n}\n\n"
            "static void mmu_leave_writer(struct kvm *kvm)\n{\n\twrite_unlock(&kvm->mmu_lock);\n}\n\n"
            "static const struct mmu_lock_ops mmu_writer_ops = {\n\t.enter = mmu_enter_writer,\n"
            "\t.leave = mmu_leave_writer,\n};\n",
        ),
        ("\twrite_lock(&kvm->mmu_lock);\n", "\tmmu_writer_ops.enter(kvm);\n"),
        ("\twrite_unlock(&kvm->mmu_lock);\n", "\tmmu_writer_ops.leave(kvm);\n"),
    ),
    keeps(
        "a guard for readers around a walk that gives way",
        TDP,
        "kvm_tdp_mmu_zap_invalidated_roots",
        ("\tread_lock(&kvm->mmu_lock);\n", "\tguard(read_lock)(&kvm->mmu_lock);\n"),
        ("\n\tread_unlock(&kvm->mmu_lock);\n", ""),
    ),
    keeps(
        "a flag says that the mutex is still held",
        LAPIC,
        "kvm_recalculate_apic_map",
        ("\tint r;\n", "\tbool held = true;\n\tint r;\n"),
        (
            ("\t\t/* Someone else has updated the map. */\n\t\tmutex_unlock(&kvm->arch.apic_map_lock);\n\t\treturn;\n"),
            "\t\t/* Someone else has updated the map. */\n\t\tgoto unlock;\n",
        ),
        (
            "\tmutex_unlock(&kvm->arch.apic_map_lock);\n\n\tif (old)\n",
            "\tmutex_unlock(&kvm->arch.apic_map_lock);\n\theld = false;\n\n\tif (old)\n",
        ),
        (
            "\tkvm_make_scan_ioapic_request(kvm);\n",
            (
                "\tkvm_make_scan_ioapic_request(kvm);\nunlock:\n\tif (held)\n"
                "\t\tmutex_unlock(&kvm->arch.apic_map_lock);\n"
            ),
        ),
    ),
)
