# SPDX-License-Identifier: GPL-2.0-only
"""A statement about locks that a kernel's documentation or comments make.

In: nothing. Out: `Statement`, a plain value.
"""

from __future__ import annotations

from msgspec import Struct

from analyzer.base.location import Location


class Statement(Struct, frozen=True, array_like=True):
    """What a kernel's documentation or comment says about locks, and the rules that say the same."""

    #: file and line
    source: str
    #: in our words
    says: str
    #: rule ids, each with its own place; none where it cannot be stated
    rules: tuple[tuple[str, Location], ...]
    #: why no rule says it, or what the rules leave out; empty if they say it all
    unstated: str
    location: Location
