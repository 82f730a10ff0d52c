# SPDX-License-Identifier: GPL-2.0-only
"""Places in source text.

In: nothing. Out: `Location("virt/kvm/guest_memfd.c", 252, 2)`.
"""

from msgspec import Struct


class Location(Struct, frozen=True, order=True, array_like=True, gc=False):
    """A place in a source file, as the compiler's line markers tell it."""

    #: path relative to the kernel tree where the file lies below it, else as given
    file: str
    #: 1-based
    line: int
    #: 1-based, in bytes as GCC counts them (a tab is one); 0 where it is not known
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"
