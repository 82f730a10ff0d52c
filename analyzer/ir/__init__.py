# SPDX-License-Identifier: GPL-2.0-only
"""The neutral program representation: types, access paths, values, events, functions.

**Invariant:** knows no syntax tree, no lock and no specification.
"""
