# SPDX-License-Identifier: GPL-2.0-only
"""The linked program: functions of all units, the call graph, entry points, what functions do to their arguments.

**Invariant:** knows no locks and no specifications.
"""
