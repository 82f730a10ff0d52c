# SPDX-License-Identifier: GPL-2.0-only
"""The whole way from a kernel tree to a report.

In: `CheckOptions`. Out: `Report`.
"""
