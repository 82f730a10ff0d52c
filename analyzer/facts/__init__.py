# SPDX-License-Identifier: GPL-2.0-only
"""The waist: what extraction hands to analysis, and the store that keeps it.

**Invariant:** knows neither syntax trees nor locks nor specifications.
"""
