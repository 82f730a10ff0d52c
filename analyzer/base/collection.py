# SPDX-License-Identifier: GPL-2.0-only
"""Python's search for cycles among objects, and when it is in vain.

In: work that makes many objects which stay. Out: the same work, not interrupted by looking through them.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """Search for no cycles meanwhile: looking through all that is made would take a fourth of the time and more."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
