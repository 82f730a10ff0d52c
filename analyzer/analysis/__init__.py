# SPDX-License-Identifier: GPL-2.0-only
"""Locksets, summaries and obligations over the linked program.

**Invariant:** never sees a syntax tree; knows locks only through the specification's primitives.
"""
