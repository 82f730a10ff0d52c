# SPDX-License-Identifier: GPL-2.0-only
"""Source lines for reports, read from the tree or from what overlays it.

In: `CheckOptions`. Out: `TreeSources(options).line("virt/kvm/guest_memfd.c", 566)`.

**Invariant:** a file that cannot be read has no lines; a report is never lost for want of one.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from analyzer.pipeline.options import CheckOptions


class TreeSources:
    """A `SourceReader` that keeps every file it has read."""

    def __init__(self, options: CheckOptions) -> None:
        self._overlays = dict(options.overlays)
        database = options.compile_commands
        self._bases = [base for base in (options.tree, options.build, database and database.parent, Path()) if base]
        self._lines = cache(self._read)

    def line(self, file: str, line: int) -> str | None:
        """Return one line, or None where it cannot be had."""
        lines = self._lines(file)
        return lines[line - 1] if 0 < line <= len(lines) else None

    def _read(self, file: str) -> list[str]:
        overlay = self._overlays.get(file)
        candidates = [overlay] if overlay else [base / file for base in self._bases]
        for path in candidates:
            try:
                return path.read_bytes().decode("utf-8", "replace").split("\n")
            except OSError:
                continue
        return []
