# SPDX-License-Identifier: GPL-2.0-only
"""What an edit of the real tree is and what must come of it; the files and lines that edits speak of.

In: nothing. Out: `Case(name="release: …", changes=((GMEM, (Replace(…),)),))`.
"""

from __future__ import annotations

from msgspec import Struct

from tests.kernel.edit import Change, Text

GMEM = "virt/kvm/guest_memfd.c"
MAIN = "virt/kvm/kvm_main.c"
SEV = "arch/x86/kvm/svm/sev.c"
X86 = "arch/x86/kvm/x86.c"
MMU = "arch/x86/kvm/mmu/mmu.c"
TDP = "arch/x86/kvm/mmu/tdp_mmu.c"
HYPERV = "arch/x86/kvm/hyperv.c"
PIT = "arch/x86/kvm/i8254.c"
PIC = "arch/x86/kvm/i8259.c"
IOAPIC = "arch/x86/kvm/ioapic.c"
IRQ_COMM = "arch/x86/kvm/irq_comm.c"
LAPIC = "arch/x86/kvm/lapic.c"
PMU = "arch/x86/kvm/pmu.c"
REGS = "arch/x86/kvm/regs.c"
XEN = "arch/x86/kvm/xen.c"
AVIC = "arch/x86/kvm/svm/avic.c"
VMX = "arch/x86/kvm/vmx/vmx.c"
SVM = "arch/x86/kvm/svm/svm.c"
NESTED = "arch/x86/kvm/vmx/nested.c"
POSTED = "arch/x86/kvm/vmx/posted_intr.c"
PMU_INTEL = "arch/x86/kvm/vmx/pmu_intel.c"
ASYNC_PF = "virt/kvm/async_pf.c"
COALESCED = "virt/kvm/coalesced_mmio.c"
DEBUGFS = "arch/x86/kvm/debugfs.c"
DIRTY_RING = "virt/kvm/dirty_ring.c"
EVENTFD = "virt/kvm/eventfd.c"
IRQCHIP = "virt/kvm/irqchip.c"
PFNCACHE = "virt/kvm/pfncache.c"
VFIO = "virt/kvm/vfio.c"

LOCK = r"^\tmutex_lock\(&kvm->slots_lock\);\n"
UNLOCK = r"^\tmutex_unlock\(&kvm->slots_lock\);\n"
TAKE = "\tmutex_lock(&kvm->slots_lock);\n"
DROP = "\tmutex_unlock(&kvm->slots_lock);\n"


class Case(Struct, frozen=True, kw_only=True):
    """One edit, of one file or several."""

    name: str
    changes: tuple[tuple[str, tuple[Change, ...]], ...]
    #: breaking edits: the rule that is broken and the function that its place or witness names
    rule: str = ""
    origin: str = ""
    #: functions that the witness must go through, in this order
    way: tuple[str, ...] = ()
    #: breaking edits: lock class that the finding must name
    lock: str = ""
    #: breaking edits: why the checker is known to miss it; finding it fails the test until this is taken away
    missed: str = ""


def within(file: str, *changes: Change) -> tuple[tuple[str, tuple[Change, ...]], ...]:
    """Return the changes as those of one file."""
    return ((file, changes),)


#: what `old` becomes in the function that the case is about, and how often it is there if not once
Pair = tuple[str, str] | tuple[str, str, int]


def breaks(
    rule: str,
    name: str,
    file: str,
    function: str,
    lock: str,
    *changes: Pair | Change,
    origin: str = "",
    missed: str = "",
) -> Case:
    """Return a breaking edit, expected in `function` unless `origin` is another."""
    return Case(
        name=f"{function}: {name}",
        changes=((file, _changes(function, changes)),),
        rule=rule,
        origin=origin or function,
        lock=lock,
        missed=missed,
    )


def keeps(name: str, file: str, function: str, *changes: Pair | Change) -> Case:
    """Return a harmless edit."""
    return Case(name=f"{function}: {name}", changes=((file, _changes(function, changes)),))


def _changes(function: str, changes: tuple[Pair | Change, ...]) -> tuple[Change, ...]:
    return tuple(Text(function, *change) if isinstance(change, tuple) else change for change in changes)
