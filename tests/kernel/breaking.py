# SPDX-License-Identifier: GPL-2.0-only
"""Edits that break the locking around guest_memfd: each is a new violation.

In: nothing. Out: `BREAKING`.
"""

from tests.kernel.cases import DROP, GMEM, LOCK, MAIN, MMU, SEV, TAKE, UNLOCK, X86, Case, within
from tests.kernel.edit import Replace

BREAKING = (
    Case(
        name="release: the lock is not taken",
        changes=within(GMEM, Replace("kvm_gmem_release", LOCK, "")),
        rule="kvm/gmem-file-write",
        origin="kvm_gmem_release",
        way=("kvm_gmem_release",),
    ),
    Case(
        name="release: neither lock nor unlock",
        changes=within(GMEM, Replace("kvm_gmem_release", LOCK, ""), Replace("kvm_gmem_release", UNLOCK, "")),
        rule="kvm/gmem-file-write",
        origin="kvm_gmem_release",
        way=("kvm_gmem_release",),
    ),
    Case(
        name="release: irq_lock instead of slots_lock",
        changes=within(GMEM, Replace("kvm_gmem_release", r"slots_lock\);", "irq_lock);", 2)),
        rule="kvm/gmem-file-write",
        origin="kvm_gmem_release",
        way=("kvm_gmem_release",),
    ),
    Case(
        name="release: the unlock stands above the loop",
        changes=within(
            GMEM,
            Replace("kvm_gmem_release", UNLOCK, ""),
            Replace("kvm_gmem_release", r"^(?=\txa_for_each\()", DROP),
        ),
        rule="kvm/gmem-file-write",
        origin="kvm_gmem_release",
    ),
    Case(
        name="release: the lock is taken after the loop",
        changes=within(
            GMEM,
            Replace("kvm_gmem_release", LOCK, ""),
            Replace("kvm_gmem_release", r"^(?=\tkvm_gmem_invalidate_begin)", TAKE),
        ),
        rule="kvm/gmem-file-write",
        origin="kvm_gmem_release",
    ),
    Case(
        name="release: the lock is only tried",
        changes=within(GMEM, Replace("kvm_gmem_release", LOCK, "\t(void)mutex_trylock(&kvm->slots_lock);\n")),
        rule="kvm/gmem-file-write",
        origin="kvm_gmem_release",
    ),
    Case(
        name="release: an instance is unlinked after the mapping's unlock",
        changes=within(
            GMEM,
            Replace("kvm_gmem_release", r"^\tlist_del\(&gmem->entry\);\n", ""),
            Replace(
                "kvm_gmem_release",
                r"(?<=filemap_invalidate_unlock\(inode->i_mapping\);\n)",
                "\n\tlist_del(&gmem->entry);\n",
            ),
        ),
        rule="kvm/gmem-entry",
        origin="kvm_gmem_release",
    ),
    Case(
        name="release: the mapping's lock is taken for read",
        changes=within(
            GMEM,
            Replace("kvm_gmem_release", r"filemap_invalidate_lock\(", "filemap_invalidate_lock_shared("),
            Replace("kvm_gmem_release", r"filemap_invalidate_unlock\(", "filemap_invalidate_unlock_shared("),
        ),
        rule="kvm/gmem-entry",
        origin="kvm_gmem_release",
    ),
    Case(
        name="set memory region: the ioctl's lock is not taken",
        changes=within(MAIN, Replace("kvm_set_memory_region", LOCK, ""), Replace("kvm_set_memory_region", UNLOCK, "")),
        rule="kvm/gmem-file-write",
        origin="__kvm_gmem_unbind",
        way=("kvm_vm_ioctl_set_memory_region", "kvm_set_memory_region", "__kvm_set_memory_region", "kvm_gmem_unbind"),
    ),
    Case(
        name="set memory region: a failed lock is not noticed",
        changes=within(
            MAIN,
            Replace("kvm_set_memory_region", LOCK, "\tr = mutex_lock_killable(&kvm->slots_lock);\n"),
        ),
        rule="kvm/gmem-file-write",
        origin="__kvm_gmem_unbind",
        way=("kvm_set_memory_region", "__kvm_set_memory_region", "kvm_gmem_unbind"),
    ),
    Case(
        name="set memory region: the guard ends before the work",
        changes=within(
            MAIN,
            Replace("kvm_set_memory_region", LOCK, "\tscoped_guard(mutex, &kvm->slots_lock)\n\t\tr = 0;\n"),
            Replace("kvm_set_memory_region", UNLOCK, ""),
        ),
        rule="kvm/gmem-bindings",
        origin="__kvm_gmem_unbind",
        way=("kvm_set_memory_region", "__kvm_set_memory_region", "kvm_gmem_unbind"),
    ),
    Case(
        name="set memory region: the offset of a bound slot is reset without the lock",
        changes=within(MAIN, Replace("kvm_set_memory_region", LOCK, ""), Replace("kvm_set_memory_region", UNLOCK, "")),
        rule="kvm/gmem-pgoff",
        origin="kvm_gmem_bind",
        way=("kvm_set_memory_region", "__kvm_set_memory_region"),
    ),
    Case(
        name="swap: the wrong lock is dropped half-way",
        changes=within(MAIN, Replace("kvm_swap_active_memslots", r"slots_arch_lock\);", "slots_lock);")),
        rule="kvm/gmem-file-write",
        origin="__kvm_gmem_unbind",
        way=("kvm_set_memory_region", "__kvm_set_memory_region", "kvm_gmem_unbind"),
    ),
    Case(
        name="put: slots are freed while there are users",
        changes=within(MAIN, Replace("kvm_put_kvm", r"if \(refcount", "if (!refcount")),
        rule="kvm/gmem-file-write",
        origin="__kvm_gmem_unbind",
        way=("kvm_put_kvm", "kvm_destroy_vm", "kvm_free_memslots", "kvm_free_memslot", "kvm_gmem_unbind"),
    ),
    Case(
        name="put: the count is read too early",
        changes=within(
            MAIN,
            Replace(
                "kvm_put_kvm",
                r"^\tif \(refcount_dec_and_test\(&kvm->users_count\)\)",
                "\tunsigned int users = refcount_read(&kvm->users_count);\n\n"
                "\trefcount_dec(&kvm->users_count);\n\tif (users == 1)",
            ),
        ),
        rule="kvm/gmem-get-file",
        origin="kvm_gmem_unbind",
        way=("kvm_put_kvm", "kvm_destroy_vm"),
    ),
    Case(
        name="punch hole: the mapping is not locked",
        changes=within(
            GMEM,
            Replace("kvm_gmem_punch_hole", r"^\tfilemap_invalidate_(un)?lock\(inode->i_mapping\);\n", "", 2),
        ),
        rule="kvm/gmem-invalidate",
        origin="kvm_gmem_punch_hole",
        way=("kvm_gmem_fallocate", "kvm_gmem_punch_hole"),
    ),
    Case(
        name="punch hole: instances are walked without the lock",
        changes=within(
            GMEM,
            Replace("kvm_gmem_punch_hole", r"^\tfilemap_invalidate_(un)?lock\(inode->i_mapping\);\n", "", 2),
        ),
        rule="kvm/gmem-walk",
        origin="kvm_gmem_punch_hole",
    ),
    Case(
        name="punch hole: the lock is dropped between begin and end",
        changes=within(
            GMEM,
            Replace("kvm_gmem_punch_hole", r"^\tfilemap_invalidate_unlock\(inode->i_mapping\);\n", ""),
            Replace(
                "kvm_gmem_punch_hole",
                r"^(?=\ttruncate_inode_pages_range)",
                "\tfilemap_invalidate_unlock(inode->i_mapping);\n",
            ),
        ),
        rule="kvm/gmem-invalidate",
        origin="kvm_gmem_punch_hole",
        way=("kvm_gmem_fallocate", "kvm_gmem_punch_hole"),
    ),
    Case(
        name="error folio: slots_lock is taken instead of the mapping's lock",
        changes=within(
            GMEM,
            Replace("kvm_gmem_error_folio", r"^\tfilemap_invalidate_(un)?lock_shared\(mapping\);\n", "", 2),
        ),
        rule="kvm/gmem-invalidate",
        origin="kvm_gmem_error_folio",
        way=("kvm_gmem_error_folio",),
    ),
    Case(
        name="create: the instance is linked after its file was installed",
        changes=within(
            GMEM,
            Replace("__kvm_gmem_create", r"^\tlist_add\(&gmem->entry, &inode->i_mapping->i_private_list\);\n", ""),
            Replace(
                "__kvm_gmem_create",
                r"(?<=fd_install\(fd, file\);\n)",
                "\tlist_add(&gmem->entry, &inode->i_mapping->i_private_list);\n",
            ),
        ),
        rule="kvm/gmem-entry",
        origin="__kvm_gmem_create",
    ),
    Case(
        name="get_pfn: a reader clears the pointer",
        changes=within(
            GMEM,
            Replace(
                "kvm_gmem_get_pfn",
                r"^\tif \(!file\)\n\t\treturn -EFAULT;\n",
                "\tif (!file) {\n\t\tWRITE_ONCE(slot->gmem.file, NULL);\n\t\treturn -EFAULT;\n\t}\n",
            ),
        ),
        rule="kvm/gmem-file-write",
        origin="kvm_gmem_get_pfn",
    ),
    Case(
        name="invalidate: the offset is changed while a hole is punched",
        changes=within(
            GMEM,
            Replace(
                "kvm_gmem_invalidate_begin", r"(?<=pgoff_t pgoff = slot->gmem.pgoff;\n)", "\t\tslot->gmem.pgoff = 0;\n"
            ),
        ),
        rule="kvm/gmem-pgoff",
        origin="kvm_gmem_invalidate_begin",
        way=("kvm_gmem_punch_hole",),
    ),
    Case(
        name="SNP launch: slots_lock is not taken",
        changes=within(SEV, Replace("snp_launch_update", LOCK, ""), Replace("snp_launch_update", UNLOCK, "")),
        rule="kvm/gmem-populate",
        origin="snp_launch_update",
        way=("sev_mem_enc_ioctl", "snp_launch_update"),
    ),
    Case(
        name="SNP launch: the reference is taken without slots_lock",
        changes=within(SEV, Replace("snp_launch_update", r"slots_lock\);", "irq_lock);", 2)),
        # the function claims the lock before it takes the reference: the claim is what fails
        rule="kernel/contract-held",
        origin="kvm_gmem_populate",
        way=("snp_launch_update", "kvm_gmem_populate"),
    ),
    Case(
        name="SNP launch: an SRCU section instead of slots_lock",
        changes=within(
            SEV,
            Replace("snp_launch_update", r"^\tint ret = 0;\n", "\tint ret = 0, idx;\n"),
            Replace("snp_launch_update", LOCK, "\tidx = srcu_read_lock(&kvm->srcu);\n"),
            Replace("snp_launch_update", UNLOCK, "\tsrcu_read_unlock(&kvm->srcu, idx);\n"),
        ),
        rule="kvm/gmem-populate",
        origin="snp_launch_update",
    ),
    Case(
        name="SNP launch: the lock is dropped before the memory is filled",
        changes=within(
            SEV,
            Replace("snp_launch_update", r"^(?=\tcount = kvm_gmem_populate)", DROP),
            Replace("snp_launch_update", r"^out:\n\tmutex_unlock\(&kvm->slots_lock\);\n", "out:\n"),
        ),
        rule="kvm/gmem-populate",
        origin="snp_launch_update",
    ),
    Case(
        name="pre-fault: no SRCU section around the fault",
        changes=within(
            MAIN,
            Replace("kvm_vcpu_pre_fault_memory", r"^\tidx = srcu_read_lock\(&vcpu->kvm->srcu\);\n", "\tidx = 0;\n"),
            Replace(
                "kvm_vcpu_pre_fault_memory",
                r"^\tsrcu_read_unlock\(&vcpu->kvm->srcu, idx\);\n",
                "\tif (idx)\n\t\treturn idx;\n",
            ),
        ),
        rule="kvm/gmem-get-file",
        origin="kvm_gmem_get_pfn",
        way=("kvm_vcpu_pre_fault_memory", "kvm_faultin_pfn_private"),
    ),
    Case(
        name="pre-fault: the SRCU section of another domain",
        changes=within(
            MAIN,
            Replace("kvm_vcpu_pre_fault_memory", r"kvm->srcu", "kvm->irq_srcu", 2),
        ),
        rule="kvm/gmem-get-file",
        origin="kvm_gmem_get_pfn",
        way=("kvm_vcpu_pre_fault_memory", "kvm_faultin_pfn_private"),
    ),
    Case(
        name="faultin: the section is left before the page is looked up",
        changes=within(
            MMU,
            Replace(
                "kvm_faultin_pfn_private",
                r"^(?=\tr = kvm_gmem_get_pfn)",
                "\tkvm_vcpu_srcu_read_unlock(vcpu);\n",
            ),
            Replace("kvm_faultin_pfn_private", r"(?<=&max_order\);\n)", "\tkvm_vcpu_srcu_read_lock(vcpu);\n"),
        ),
        rule="kvm/gmem-get-file",
        origin="kvm_gmem_get_pfn",
        way=("kvm_faultin_pfn_private", "kvm_gmem_get_pfn"),
    ),
    Case(
        name="enter guest: the section is not entered again after an exit",
        changes=within(X86, Replace("vcpu_enter_guest", r"^\tkvm_vcpu_srcu_read_lock\(vcpu\);\n", "")),
        rule="kvm/gmem-get-file",
        origin="kvm_gmem_get_pfn",
        way=("vcpu_enter_guest",),
    ),
)
