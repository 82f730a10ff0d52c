# SPDX-License-Identifier: GPL-2.0-only
"""Lock specifications: YAML in, values out.

**Invariant:** the only place that reads YAML; knows no program, so a name in a specification is text here and is
resolved against records and functions by `analysis` and `rules`.
"""
