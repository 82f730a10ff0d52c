# SPDX-License-Identifier: GPL-2.0-only
"""Values and errors that every layer shares.

**Invariant:** imports nothing of this project.
"""
