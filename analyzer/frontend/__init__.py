# SPDX-License-Identifier: GPL-2.0-only
"""GNU C as the kernel writes it: declarations found by a light scan, parsed when something needs them.

**Invariant:** knows no lock and no specification; the syntax trees it makes go no further than `lower`.
"""
