# SPDX-License-Identifier: GPL-2.0-only
"""Source lines for reports, read from the tree, from what overlays it, or from git where a revision is looked at.

In: `CheckOptions`. Out: `TreeSources(options).line("virt/kvm/guest_memfd.c", 566)`, and who wrote that line.

**Invariant:** a file that cannot be read has no lines, one that git does not know no authors; a report is never lost for
want of either.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from analyzer.pipeline.options import CheckOptions
from analyzer.report import Blame
from analyzer.source import history


class TreeSources:
    """A `SourceReader` that keeps every file it has read."""

    def __init__(self, options: CheckOptions, revision: str = "") -> None:
        self._overlays = dict(options.overlays)
        #: of the tree; empty: as it lies on disk
        self._revision = revision
        database = options.compile_commands
        self._bases = [base for base in (options.tree, options.build, database and database.parent, Path()) if base]
        # the directory one is in may be another tree: it has the lines of .i files at most
        self._root = options.tree or (database.parent if database else Path())
        self._lines = cache(self._read)
        self._blamed = cache(self._blame)

    def line(self, file: str, line: int) -> str | None:
        """Return one line, or None where it cannot be had."""
        lines = self._lines(file)
        return lines[line - 1] if 0 < line <= len(lines) else None

    def blame(self, file: str, first: int, last: int) -> tuple[Blame, ...]:
        """Tell who wrote lines `first` to `last`; nothing where git does not know the file."""
        return tuple(
            Blame(author.line, author.commit[:12], author.name, author.date, author.text)
            for author in self._blamed(file, first, min(last, len(self._lines(file))))
        )

    def revision(self) -> str:
        """Name the commit that the tree stands on; empty outside of git."""
        return history.head(self._root, self._revision or "HEAD")

    def _blame(self, file: str, first: int, last: int) -> tuple[history.Author, ...]:
        contents = self._overlays.get(file)
        return history.authors(self._root, file, first, last, contents=contents, revision=self._revision)

    def _read(self, file: str) -> list[str]:
        if self._revision and (text := history.content(self._root, file, self._revision)) is not None:
            return text.split("\n")
        overlay = self._overlays.get(file)
        candidates = [overlay] if overlay else [base / file for base in self._bases]
        for path in candidates:
            try:
                return path.read_bytes().decode("utf-8", "replace").split("\n")
            except OSError:
                continue
        return []
