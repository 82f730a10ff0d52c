# SPDX-License-Identifier: GPL-2.0-only
"""lockspec: a static analyser of Linux kernel locking."""

__version__ = "0.1.0"

__version__ = "0.1.0"
