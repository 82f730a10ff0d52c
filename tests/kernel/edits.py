# SPDX-License-Identifier: GPL-2.0-only
"""All edits of the real tree, and those of them that a run tries.

In: the environment: `LOCKSPEC_EDITS=all` asks for every edit. Out: `BREAKING`, `HARMLESS`; `sample()`.

**Invariant:** a sample is every twenty-fourth edit, so that it is the same in each run and takes a minute.
"""

from __future__ import annotations

import os

from tests.kernel import breaking, harmless
from tests.kernel.annotated import ANNOTATED, ANNOTATED_HARMLESS
from tests.kernel.cases import Case
from tests.kernel.forgotten import FORGOTTEN
from tests.kernel.forgotten_x86 import FORGOTTEN_X86
from tests.kernel.grace import GRACE
from tests.kernel.harmless_vendor import HARMLESS_VENDOR
from tests.kernel.harmless_virt import HARMLESS_VIRT
from tests.kernel.harmless_x86 import HARMLESS_X86
from tests.kernel.orders import INTERRUPTS, ORDERS
from tests.kernel.readers import READERS, READERS_HARMLESS
from tests.kernel.reshaped import RESHAPED
from tests.kernel.reshaped_x86 import RESHAPED_X86
from tests.kernel.sections import SECTIONS
from tests.kernel.sleeping import SLEEPING
from tests.kernel.unbalanced import UNBALANCED
from tests.kernel.unbalanced_vendor import MISUSED, UNBALANCED_VENDOR
from tests.kernel.unbalanced_x86 import UNBALANCED_X86
from tests.kernel.waiting import WAITING

BREAKING = (
    *breaking.BREAKING,
    *GRACE,
    *READERS,
    *UNBALANCED,
    *UNBALANCED_X86,
    *UNBALANCED_VENDOR,
    *MISUSED,
    *SLEEPING,
    *ORDERS,
    *INTERRUPTS,
    *ANNOTATED,
    *FORGOTTEN,
    *FORGOTTEN_X86,
    *SECTIONS,
    *WAITING,
)
HARMLESS = (
    *harmless.HARMLESS,
    *HARMLESS_VIRT,
    *HARMLESS_X86,
    *HARMLESS_VENDOR,
    *READERS_HARMLESS,
    *ANNOTATED_HARMLESS,
    *RESHAPED,
    *RESHAPED_X86,
)


def sample(cases: tuple[Case, ...]) -> tuple[Case, ...]:
    """Return every twenty-fourth case, or all if the environment asks for them."""
    return cases if os.environ.get("LOCKSPEC_EDITS") == "all" else cases[::24]
