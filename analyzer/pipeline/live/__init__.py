# SPDX-License-Identifier: GPL-2.0-only
"""A program kept in memory, for who asks again after each change: editors.

In: `CheckOptions`, buffers. Out: reports; answers about fields, locks and functions.
"""
