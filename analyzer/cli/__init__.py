# SPDX-License-Identifier: GPL-2.0-only
"""The command line: options in, report and exit status out.

In: `sys.argv`. Out: text on standard output or in a file, one-line errors on standard error, an exit status.

**Invariant:** the only place that catches `LockspecError`; the work itself is in `analyzer.pipeline`.
"""
