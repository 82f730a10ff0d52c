# SPDX-License-Identifier: GPL-2.0-only
"""Findings and what is said of them: values for the renderers, fingerprints.

**Invariant:** imports only `base`; a renderer needs nothing but these values and the source text.
"""
