# SPDX-License-Identifier: GPL-2.0-only
"""The language server: an editor's buffers in, diagnostics and answers out.

In: the Language Server Protocol on standard input. Out: the same on standard output, and nothing else there.

**Invariant:** one thread talks, one analyses. The first is never kept waiting by the second.
"""
