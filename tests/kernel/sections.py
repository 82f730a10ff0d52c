# SPDX-License-Identifier: GPL-2.0-only
"""Edits after which readers of memslots, routes and maps are outside of their section, or updaters do not wait for them.

In: nothing. Out: `SECTIONS`.
"""

from tests.kernel.cases import EVENTFD, IRQ_COMM, LAPIC, MAIN, MMU, REGS, TDP, X86, XEN, Case, breaks

SECTIONS: tuple[Case, ...] = (
    breaks(
        "kvm/guest-read",
        "page directory pointers are read outside of the section",
        REGS,
        "kvm_vcpu_ioctl_x86_get_sregs2",
        "kvm.srcu",
        ("\t\tkvm_vcpu_srcu_read_lock(vcpu);\n", ""),
        ("\t\tkvm_vcpu_srcu_read_unlock(vcpu);\n", ""),
    ),
    breaks(
        "kvm/guest-read",
        "page directory pointers are loaded after the section",
        REGS,
        "__set_sregs_common",
        "kvm.srcu",
        (
            "\t\tidx = srcu_read_lock(&vcpu->kvm->srcu);\n",
            "\t\tidx = srcu_read_lock(&vcpu->kvm->srcu);\n\t\tsrcu_read_unlock(&vcpu->kvm->srcu, idx);\n",
        ),
        ("\t\t}\n\t\tsrcu_read_unlock(&vcpu->kvm->srcu, idx);\n", "\t\t}\n"),
    ),
    breaks(
        "kvm/memslots-read",
        "a register is written outside of the section",
        X86,
        "handle_fastpath_set_msr_irqoff",
        "kvm.srcu",
        ("\tkvm_vcpu_srcu_read_lock(vcpu);\n", ""),
        ("\tkvm_vcpu_srcu_read_unlock(vcpu);\n", ""),
    ),
    breaks(
        "kvm/guest-read",
        "events are set outside of the section",
        X86,
        "kvm_arch_vcpu_ioctl",
        "kvm.srcu",
        (
            (
                "\t\tkvm_vcpu_srcu_read_lock(vcpu);\n"
                "\t\tr = kvm_vcpu_ioctl_x86_set_vcpu_events(vcpu, &events);\n"
                "\t\tkvm_vcpu_srcu_read_unlock(vcpu);\n"
            ),
            "\t\tr = kvm_vcpu_ioctl_x86_set_vcpu_events(vcpu, &events);\n",
        ),
    ),
    breaks(
        "kvm/memslot-find",
        "an address is translated before the section",
        X86,
        "kvm_arch_vcpu_ioctl_translate",
        "kvm.srcu",
        ("\tint idx;\n", ""),
        ("\tidx = srcu_read_lock(&vcpu->kvm->srcu);\n", ""),
        ("\tsrcu_read_unlock(&vcpu->kvm->srcu, idx);\n", ""),
    ),
    breaks(
        "kvm/gpc-srcu",
        "the cache is refreshed after the section",
        XEN,
        "kvm_xen_set_evtchn",
        "kvm.srcu",
        (
            "\t\trc = kvm_gpc_refresh(gpc, PAGE_SIZE);\n\t\tsrcu_read_unlock(&kvm->srcu, idx);\n",
            "\t\tsrcu_read_unlock(&kvm->srcu, idx);\n\t\trc = kvm_gpc_refresh(gpc, PAGE_SIZE);\n",
        ),
    ),
    breaks(
        "kvm/write-track",
        "the worker finds memslots outside of the section",
        MMU,
        "kvm_recover_nx_huge_pages",
        "kvm.srcu",
        ("\tint rcu_idx;\n", ""),
        ("\trcu_idx = srcu_read_lock(&kvm->srcu);\n", ""),
        ("\tsrcu_read_unlock(&kvm->srcu, rcu_idx);\n", ""),
    ),
    breaks(
        "kernel/balance",
        "the section is not entered again after a signal",
        X86,
        "vcpu_run",
        "kvm.srcu",
        (
            "\t\t\tkvm_vcpu_srcu_read_lock(vcpu);\n\t\t\tif (r)\n\t\t\t\treturn r;\n",
            "\t\t\tif (r)\n\t\t\t\treturn r;\n\t\t\tkvm_vcpu_srcu_read_lock(vcpu);\n",
        ),
    ),
    breaks(
        "kvm/irq-routing-read",
        "the copy of the route is made before the section",
        EVENTFD,
        "kvm_irqfd_assign",
        "kvm.irq_srcu",
        (
            "\tidx = srcu_read_lock(&kvm->irq_srcu);\n\tirqfd_update(kvm, irqfd);\n",
            "\tirqfd_update(kvm, irqfd);\n\tidx = srcu_read_lock(&kvm->irq_srcu);\n",
        ),
    ),
    breaks(
        "kvm/irqfd-is-active",
        "whether the irqfd is active is asked after the section",
        EVENTFD,
        "irqfd_wakeup",
        "kvm.irq_srcu",
        (
            "\t\t} while (read_seqcount_retry(&irqfd->irq_entry_sc, seq));\n",
            (
                "\t\t} while (read_seqcount_retry(&irqfd->irq_entry_sc, seq));\n"
                "\t\tsrcu_read_unlock(&kvm->irq_srcu, idx);\n"
            ),
        ),
        (
            "\t\t\tschedule_work(&irqfd->inject);\n\t\tsrcu_read_unlock(&kvm->irq_srcu, idx);\n",
            "\t\t\tschedule_work(&irqfd->inject);\n",
        ),
    ),
    breaks(
        "kvm/irq-routing-read",
        "the table's size is read before the section",
        IRQ_COMM,
        "kvm_scan_ioapic_routes",
        "kvm.irq_srcu",
        (
            (
                "\tidx = srcu_read_lock(&kvm->irq_srcu);\n"
                "\ttable = srcu_dereference(kvm->irq_routing, &kvm->irq_srcu);\n"
            ),
            (
                "\ttable = srcu_dereference(kvm->irq_routing, &kvm->irq_srcu);\n"
                "\tidx = srcu_read_lock(&kvm->irq_srcu);\n"
            ),
        ),
    ),
    breaks(
        "kernel/grace-period",
        "the thread is looked up after the section",
        MAIN,
        "kvm_vcpu_yield_to",
        "rcu",
        ("\tpid = rcu_dereference(target->pid);\n", "\tpid = rcu_dereference(target->pid);\n\trcu_read_unlock();\n"),
        (
            "\t\ttask = get_pid_task(pid, PIDTYPE_PID);\n\trcu_read_unlock();\n",
            "\t\ttask = get_pid_task(pid, PIDTYPE_PID);\n",
        ),
        missed="a pointer that is used after the section it was read in is told of by the rule that finds members itself alone",
    ),
    breaks(
        "kvm/vcpu-pid-read",
        "the thread is read without a section",
        MAIN,
        "vcpu_get_pid",
        "rcu",
        ("\trcu_read_lock();\n", ""),
        ("\trcu_read_unlock();\n", ""),
    ),
    breaks(
        "kernel/grace-period",
        "the APIC is looked up in the map after the section",
        X86,
        "kvm_sched_yield",
        "rcu",
        (
            "\tmap = rcu_dereference(vcpu->kvm->arch.apic_map);\n",
            "\tmap = rcu_dereference(vcpu->kvm->arch.apic_map);\n\trcu_read_unlock();\n",
        ),
        ("\t}\n\n\trcu_read_unlock();\n", "\t}\n"),
        missed="a pointer that is used after the section it was read in is told of by the rule that finds members itself alone",
    ),
    breaks(
        "kvm/apic-map-read",
        "destinations are collected without a section",
        LAPIC,
        "kvm_bitmap_or_dest_vcpus",
        "rcu",
        ("\trcu_read_lock();\n", ""),
        ("\trcu_read_unlock();\n", ""),
    ),
    breaks(
        "kvm/tdp-spte-atomic",
        "entries are write-protected outside of the section",
        TDP,
        "wrprot_gfn_range",
        "rcu",
        ("\trcu_read_lock();\n", ""),
        ("\trcu_read_unlock();\n", ""),
    ),
    breaks(
        "kvm/memslots-grace",
        "only the routes' readers are waited for",
        MAIN,
        "kvm_swap_active_memslots",
        "kvm.srcu",
        ("synchronize_srcu_expedited(&kvm->srcu)", "synchronize_srcu_expedited(&kvm->irq_srcu)"),
    ),
    breaks(
        "kvm/buses-grace",
        "the old bus is freed before its readers are waited for",
        MAIN,
        "kvm_io_bus_register_dev",
        "kvm.srcu",
        (
            "\tsynchronize_srcu_expedited(&kvm->srcu);\n\tkfree(bus);\n",
            "\tkfree(bus);\n\tsynchronize_srcu_expedited(&kvm->srcu);\n",
        ),
        missed="no rule says that what a pointer led to is freed after the wait",
    ),
    breaks(
        "kvm/xen-evtchn-grace",
        "the port is freed while it is signalled",
        XEN,
        "kvm_xen_eventfd_deassign",
        "kvm.srcu",
        ("\tsynchronize_srcu(&kvm->srcu);\n", ""),
        missed="the lookup is in a section of RCU, and no rule says that the object found is used in one of SRCU",
    ),
    breaks(
        "kvm/mask-notifier-grace",
        "the notifier is freed while it is called",
        IRQ_COMM,
        "kvm_unregister_irq_mask_notifier",
        "kvm.irq_srcu",
        ("\tsynchronize_srcu(&kvm->irq_srcu);\n", ""),
        missed="who unlinks the notifier and who frees it are in different functions",
    ),
)
