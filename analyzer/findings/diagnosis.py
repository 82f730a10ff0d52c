# SPDX-License-Identifier: GPL-2.0-only
"""What `lockspec doctor` found out about a tree.

In: nothing. Out: `Diagnosis("compile database", "missing", "no compile_commands.json …", "make compile_commands.json")`.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

#: `doubt`: a run works, but may not say what it should
Condition = Literal["well", "doubt", "missing"]


class Diagnosis(Struct, frozen=True):
    """One thing that a run needs, and how it is."""

    #: `compiler`, `compile database`
    subject: str
    condition: Condition
    #: what is there or not
    text: str
    #: the command that mends it; empty where it is well, or no command can
    remedy: str = ""
