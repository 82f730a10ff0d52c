# SPDX-License-Identifier: GPL-2.0-only
"""Object files: what the compiler made of the units.

In: `.o` files with relocations and DWARF. Out: `ObjectFacts`, plain values in the words of the source.

**Invariant:** knows no source graph: it tells what is there, `pipeline.crosscheck` compares.
"""
