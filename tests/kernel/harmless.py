# SPDX-License-Identifier: GPL-2.0-only
"""Edits that keep the locking around guest_memfd right: none brings a new finding of any verdict.

In: nothing. Out: `HARMLESS`.
"""

from tests.kernel.cases import DROP, GMEM, LOCK, MAIN, MMU, SEV, TAKE, UNLOCK, Case, within
from tests.kernel.edit import Everywhere, Insert, Replace

HARMLESS = (
    Case(
        name="release: guard(mutex)",
        changes=within(
            GMEM,
            Replace("kvm_gmem_release", LOCK, "\tguard(mutex)(&kvm->slots_lock);\n"),
            Replace("kvm_gmem_release", UNLOCK, ""),
        ),
    ),
    Case(
        name="release: the lock is taken in a new helper",
        changes=within(
            GMEM,
            Insert(
                "kvm_gmem_release",
                "static void kvm_gmem_lock_slots(struct kvm_gmem *gmem)\n{\n\tmutex_lock(&gmem->kvm->slots_lock);\n}\n",
            ),
            Replace("kvm_gmem_release", LOCK, "\tkvm_gmem_lock_slots(gmem);\n"),
        ),
    ),
    Case(
        name="release: kvm is copied to another local first",
        changes=within(
            GMEM,
            Replace("kvm_gmem_release", r"(?<=struct kvm \*kvm = gmem->kvm;\n)", "\tstruct kvm *vm = kvm;\n"),
            Replace("kvm_gmem_release", r"lock\(&kvm->slots_lock", "lock(&vm->slots_lock", 2),
        ),
    ),
    Case(
        name="release: locals are renamed",
        changes=within(GMEM, Replace("kvm_gmem_release", r"\bslot\b(?!s)", "bound", 4)),
    ),
    Case(
        name="unbind: a static function is renamed",
        changes=within(GMEM, Everywhere("__kvm_gmem_unbind", "kvm_gmem_unbind_locked")),
    ),
    Case(
        name="release: the mutex is reached through a local pointer",
        changes=within(
            GMEM,
            Replace(
                "kvm_gmem_release",
                r"(?<=struct kvm \*kvm = gmem->kvm;\n)",
                "\tstruct mutex *lock = &kvm->slots_lock;\n",
            ),
            Replace("kvm_gmem_release", LOCK, "\tmutex_lock(lock);\n"),
            Replace("kvm_gmem_release", UNLOCK, "\tmutex_unlock(lock);\n"),
        ),
    ),
    Case(
        name="release: the loop moves to a helper that is called under the lock",
        changes=within(
            GMEM,
            Insert(
                "kvm_gmem_release",
                "static void kvm_gmem_forget(struct kvm_gmem *gmem)\n{\n\tstruct kvm_memory_slot *slot;\n"
                "\tunsigned long index;\n\n\txa_for_each(&gmem->bindings, index, slot)\n"
                "\t\tWRITE_ONCE(slot->gmem.file, NULL);\n}\n",
            ),
            Replace("kvm_gmem_release", r"^\txa_for_each\(.*?NULL\);\n", "\tkvm_gmem_forget(gmem);\n"),
            Replace("kvm_gmem_release", r"^\tstruct kvm_memory_slot \*slot;\n", ""),
            Replace("kvm_gmem_release", r"^\tunsigned long index;\n", ""),
        ),
    ),
    Case(
        name="release: the lock is dropped for a moment before the loop",
        changes=within(
            GMEM,
            Replace("kvm_gmem_release", LOCK, TAKE + DROP + "\tcond_resched();\n" + TAKE),
        ),
    ),
    Case(
        name="release: try first, wait if that fails",
        changes=within(
            GMEM,
            Replace(
                "kvm_gmem_release",
                LOCK,
                "\tif (!mutex_trylock(&kvm->slots_lock))\n\t\tmutex_lock(&kvm->slots_lock);\n",
            ),
        ),
    ),
    Case(
        name="release: another lock inside",
        changes=within(
            GMEM,
            Replace("kvm_gmem_release", LOCK, TAKE + "\tmutex_lock(&kvm->irq_lock);\n"),
            Replace("kvm_gmem_release", UNLOCK, "\tmutex_unlock(&kvm->irq_lock);\n" + DROP),
        ),
    ),
    Case(
        name="set memory region: guard and a direct return",
        changes=within(
            MAIN,
            Replace("kvm_set_memory_region", r"^\tint r;\n\n", ""),
            Replace("kvm_set_memory_region", LOCK, "\tguard(mutex)(&kvm->slots_lock);\n"),
            Replace("kvm_set_memory_region", r"^\tr = (?=__kvm_set)", "\treturn "),
            Replace("kvm_set_memory_region", UNLOCK, ""),
            Replace("kvm_set_memory_region", r"^\treturn r;\n", ""),
        ),
    ),
    Case(
        name="set memory region: killable, and checked",
        changes=within(
            MAIN,
            Replace(
                "kvm_set_memory_region",
                LOCK,
                "\tr = mutex_lock_killable(&kvm->slots_lock);\n\tif (r)\n\t\treturn r;\n",
            ),
        ),
    ),
    Case(
        name="set memory region: a helper returns 0 with the lock held",
        changes=within(
            MAIN,
            Insert(
                "kvm_set_memory_region",
                "static int kvm_lock_slots(struct kvm *kvm)\n{\n\tif (kvm->vm_dead)\n\t\treturn -EIO;\n"
                "\tif (mutex_lock_interruptible(&kvm->slots_lock))\n\t\treturn -EINTR;\n\treturn 0;\n}\n",
            ),
            Replace("kvm_set_memory_region", LOCK, "\tr = kvm_lock_slots(kvm);\n\tif (r < 0)\n\t\treturn r;\n"),
        ),
    ),
    Case(
        name="set memory region: goto out with the unlock at the end",
        changes=within(
            MAIN,
            Replace("kvm_set_memory_region", LOCK, TAKE + "\tr = -EIO;\n\tif (kvm->vm_dead)\n\t\tgoto out;\n"),
            Replace("kvm_set_memory_region", UNLOCK, "out:\n" + DROP),
        ),
    ),
    Case(
        name="put: the test is the other way round",
        changes=within(
            MAIN,
            Replace(
                "kvm_put_kvm",
                r"^\tif \(refcount_dec_and_test\(&kvm->users_count\)\)\n\t\tkvm_destroy_vm",
                "\tif (!refcount_dec_and_test(&kvm->users_count))\n\t\treturn;\n\tkvm_destroy_vm",
            ),
        ),
    ),
    Case(
        name="put: the result is kept in a variable",
        changes=within(
            MAIN,
            Replace(
                "kvm_put_kvm",
                r"^\tif \(refcount_dec_and_test\(&kvm->users_count\)\)",
                "\tbool last = refcount_dec_and_test(&kvm->users_count);\n\n\tif (last)",
            ),
        ),
    ),
    Case(
        name="punch hole: the mapping is kept in a local",
        changes=within(
            GMEM,
            Replace(
                "kvm_gmem_punch_hole",
                r"(?<=^\{\n)",
                "\tstruct address_space *mapping = inode->i_mapping;\n",
            ),
            Replace("kvm_gmem_punch_hole", r"lock\(inode->i_mapping\)", "lock(mapping)", 2),
        ),
    ),
    Case(
        name="punch hole: the rw_semaphore is taken directly",
        changes=within(
            GMEM,
            Replace(
                "kvm_gmem_punch_hole",
                r"filemap_invalidate_lock\(inode->i_mapping\)",
                "down_write(&inode->i_mapping->invalidate_lock)",
            ),
            Replace(
                "kvm_gmem_punch_hole",
                r"filemap_invalidate_unlock\(inode->i_mapping\)",
                "up_write(&inode->i_mapping->invalidate_lock)",
            ),
        ),
    ),
    Case(
        name="punch hole: begin and end move to a helper",
        changes=within(
            GMEM,
            Insert(
                "kvm_gmem_punch_hole",
                "static void kvm_gmem_begin_all(struct inode *inode, pgoff_t start, pgoff_t end)\n{\n"
                "\tstruct kvm_gmem *gmem;\n\n"
                "\tlist_for_each_entry(gmem, &inode->i_mapping->i_private_list, entry)\n"
                "\t\tkvm_gmem_invalidate_begin(gmem, start, end);\n}\n",
            ),
            Replace(
                "kvm_gmem_punch_hole",
                r"^\tlist_for_each_entry\(gmem, gmem_list, entry\)\n\t\tkvm_gmem_invalidate_begin\(gmem, start, end\);\n",
                "\tkvm_gmem_begin_all(inode, start, end);\n",
            ),
        ),
    ),
    Case(
        name="error folio: the lock is taken for write",
        changes=within(GMEM, Replace("kvm_gmem_error_folio", r"lock_shared\(", "lock(", 2)),
    ),
    Case(
        name="unbind: one call with the lock taken where there is a file",
        changes=within(
            GMEM,
            Replace(
                "kvm_gmem_unbind",
                r"^\tif \(!file\) \{\n(.*?)\n\t\treturn;\n\t\}\n\n\tfilemap_invalidate_lock.*?\n\tfput\(file\);\n",
                "\tif (file)\n\t\tfilemap_invalidate_lock(file->f_mapping);\n"
                "\t__kvm_gmem_unbind(slot, slot->gmem.file->private_data);\n"
                "\tif (file) {\n\t\tfilemap_invalidate_unlock(file->f_mapping);\n\t\tfput(file);\n\t}\n",
            ),
        ),
    ),
    Case(
        name="unbind: the instance is kept in a local",
        changes=within(
            GMEM,
            Replace("__kvm_gmem_unbind", r"(?<=^\{\n)", "\tstruct kvm_memory_slot *bound = slot;\n"),
            Replace("__kvm_gmem_unbind", r"WRITE_ONCE\(slot->", "WRITE_ONCE(bound->"),
        ),
    ),
    Case(
        name="bind: the error path returns through a helper",
        changes=within(
            GMEM,
            Insert(
                "kvm_gmem_bind",
                "static void kvm_gmem_reset(struct kvm_memory_slot *slot)\n{\n"
                "\tslot->gmem.file = NULL;\n\tslot->gmem.pgoff = 0;\n}\n",
            ),
            Replace(
                "kvm_gmem_bind",
                r"^\t\tslot->gmem.file = NULL;\n\t\tslot->gmem.pgoff = 0;\n",
                "\t\tkvm_gmem_reset(slot);\n",
            ),
        ),
    ),
    Case(
        name="SNP launch: killable, and checked",
        changes=within(
            SEV,
            Replace(
                "snp_launch_update",
                LOCK,
                "\tif (mutex_lock_killable(&kvm->slots_lock))\n\t\treturn -EINTR;\n",
            ),
        ),
    ),
    Case(
        name="SNP launch: the filling moves to a helper",
        changes=within(
            SEV,
            Insert(
                "snp_launch_update",
                "static long snp_populate(struct kvm *kvm, gfn_t gfn, void __user *src, long npages,\n"
                "\t\t\t struct sev_gmem_populate_args *args)\n{\n"
                "\treturn kvm_gmem_populate(kvm, gfn, src, npages, sev_gmem_post_populate, args);\n}\n",
            ),
            Replace(
                "snp_launch_update",
                r"kvm_gmem_populate\(kvm, params.gfn_start, src, npages,\n[^;]*;",
                "snp_populate(kvm, params.gfn_start, src, npages, &sev_populate_args);",
            ),
        ),
    ),
    Case(
        name="pre-fault: the section's index moves to a guard",
        changes=within(
            MAIN,
            Replace("kvm_vcpu_pre_fault_memory", r"^\tint idx;\n", ""),
            Replace(
                "kvm_vcpu_pre_fault_memory",
                r"^\tidx = srcu_read_lock\(&vcpu->kvm->srcu\);\n",
                "\tguard(srcu)(&vcpu->kvm->srcu);\n",
            ),
            Replace("kvm_vcpu_pre_fault_memory", r"^\tsrcu_read_unlock\(&vcpu->kvm->srcu, idx\);\n", ""),
        ),
    ),
    Case(
        name="faultin: the section is left and entered again before the look-up",
        changes=within(
            MMU,
            Replace(
                "kvm_faultin_pfn_private",
                r"^(?=\tr = kvm_gmem_get_pfn)",
                "\tkvm_vcpu_srcu_read_unlock(vcpu);\n\tcond_resched();\n\tkvm_vcpu_srcu_read_lock(vcpu);\n",
            ),
        ),
    ),
    Case(
        name="lines move and a comment grows",
        changes=within(
            GMEM,
            Insert("kvm_gmem_release", "/* A note\n * of several\n * lines.\n */\n\n"),
            Replace("kvm_gmem_unbind", r"(?<=^\{\n)", "\t/* Nothing new here. */\n"),
        ),
    ),
)
