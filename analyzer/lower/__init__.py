# SPDX-License-Identifier: GPL-2.0-only
"""From typed syntax to the neutral representation, and from one translation unit to its facts.

**Invariant:** knows no lock and no specification; bad C becomes gaps, never an exception.
"""
