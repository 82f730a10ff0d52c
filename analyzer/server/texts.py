# SPDX-License-Identifier: GPL-2.0-only
"""Texts of a tree: an editor's buffers before the files.

In: buffers by file name. Out: `texts.line("virt/kvm/guest_memfd.c", 566)`, which of them differ from their files.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from analyzer.report import Blame


class Buffer(Struct, frozen=True):
    """A document that is open in the editor."""

    uri: str
    path: Path
    version: int
    text: str

    def is_saved(self) -> bool:
        """Tell whether the file holds just this."""
        return self.on_disk() == self.text

    def on_disk(self) -> str | None:
        """Return what the file holds, its line ends as they are; None where it cannot be read."""
        try:
            with self.path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
                return file.read()
        except OSError:
            return None


class Texts:
    """A `SourceReader` over files and buffers as they are now; for one answer."""

    def __init__(self, tree: Path, buffers: Mapping[str, Buffer]) -> None:
        self._tree = tree
        self._buffers = buffers
        self._lines: dict[str, list[str]] = {}

    def path(self, name: str) -> Path:
        """Return where a file stands."""
        return self._tree / name

    def lines(self, name: str) -> list[str]:
        """Return the lines of a file; none where it cannot be read."""
        if name not in self._lines:
            buffer = self._buffers.get(name)
            try:
                text = buffer.text if buffer else self.path(name).read_text("utf-8", "replace")
            except OSError:
                text = ""
            self._lines[name] = text.split("\n")
        return self._lines[name]

    def line(self, file: str, line: int) -> str | None:
        """Return one line, or None where it cannot be had."""
        lines = self.lines(file)
        return lines[line - 1].rstrip("\r") if 0 < line <= len(lines) else None

    def blame(self, file: str, first: int, last: int) -> tuple[Blame, ...]:  # noqa: ARG002 - a buffer has no authors
        """Tell nothing."""
        return ()

    def revision(self) -> str:
        """Tell nothing."""
        return ""
