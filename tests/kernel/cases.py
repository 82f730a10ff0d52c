# SPDX-License-Identifier: GPL-2.0-only
"""What an edit of the real tree is and what must come of it; the files and lines that edits speak of.

In: nothing. Out: `Case(name="release: …", changes=((GMEM, (Replace(…),)),))`.
"""

from __future__ import annotations

from msgspec import Struct

from tests.kernel.edit import Change

GMEM = "virt/kvm/guest_memfd.c"
MAIN = "virt/kvm/kvm_main.c"
SEV = "arch/x86/kvm/svm/sev.c"
X86 = "arch/x86/kvm/x86.c"
MMU = "arch/x86/kvm/mmu/mmu.c"

LOCK = r"^\tmutex_lock\(&kvm->slots_lock\);\n"
UNLOCK = r"^\tmutex_unlock\(&kvm->slots_lock\);\n"
TAKE = "\tmutex_lock(&kvm->slots_lock);\n"
DROP = "\tmutex_unlock(&kvm->slots_lock);\n"


class Case(Struct, frozen=True, kw_only=True):
    """One edit, of one file or several."""

    name: str
    changes: tuple[tuple[str, tuple[Change, ...]], ...]
    #: breaking edits: the rule that is broken and the function in which the access or call stands
    rule: str = ""
    origin: str = ""
    #: functions that the witness must go through, in this order
    way: tuple[str, ...] = ()
    #: breaking edits: why the checker is known to miss it; finding it fails the test until this is taken away
    missed: str = ""


def within(file: str, *changes: Change) -> tuple[tuple[str, tuple[Change, ...]], ...]:
    """Return the changes as those of one file."""
    return ((file, changes),)
