# SPDX-License-Identifier: GPL-2.0-only
"""From a kernel tree to preprocessed text, split into segments.

**Invariant:** knows nothing of C beyond line markers, and nothing of locks.
"""
