# SPDX-License-Identifier: GPL-2.0-only
"""Mirror: a directory of symbolic links in which some files of the tree have other contents, or are not there.

In: `{"/linux/include/linux/kvm_host.h": "edited.h"}`. Out: a directory in which `/linux` is the kernel tree but
for that header, and compile commands moved there.

A compiler looks for `#include "x.h"` beside the file that includes it first, under the name by which it opened that
file. So it is enough that every directory on the way to an overlaid file is a real one, whose other entries are links
to the original; search paths and working directory are moved by their spelling. Where a path goes up again out of a
linked directory (`#include "../x.h"`), the kernel of the machine follows the link and the original would be read:
`expose` makes such a directory real too, and the caller preprocesses again. What is only in the mirror is not found at all
on such a way: `expose_missing` makes the directories real that lead to where it was looked for.

**Invariant:** the original tree is never written to.
**Invariant:** text preprocessed in the mirror is byte for byte the ordinary text, once `restore` took the mirror's
path out of it, as long as the overlays' contents are the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from posixpath import basename, dirname, join, normpath

from analyzer.source.command import CompileCommand


class Mirror:
    """A mirror of the directories `roots` (absolute) below the empty directory `place`."""

    def __init__(
        self, place: Path, roots: Iterable[str], overlays: Mapping[str, str], absent: Iterable[str] = ()
    ) -> None:
        self._place = str(place.resolve())
        self._opened: set[str] = set()
        self._overlays = {_physical(path): str(Path(content).resolve()) for path, content in overlays.items()}
        self._absent = {_physical(path) for path in absent}
        self._changed_names = {basename(path) for path in (*self._overlays, *self._absent)}
        self._roots = {path for root in roots for path in (root, os.path.realpath(root))}
        alternatives = "|".join(re.escape(root) for root in sorted(self._roots, key=len, reverse=True))
        self._root = re.compile(rf"""((?:^-?[A-Za-z]*)|[=:,"' ])({alternatives})(?=$|[/=:,"' ])""")
        for path, content in self._overlays.items():
            self._open(dirname(path))
            self._link(content, path)
        for path in self._absent:
            self._open(dirname(path))
        for root in self._roots:
            self._open(root)

    def move(self, command: CompileCommand) -> CompileCommand:
        """Rewrite a command so that it works in the mirror."""
        self._open(command.directory)
        for word in (command.source, *command.arguments):
            path = word.removeprefix("-I")
            if ".." in path:
                self._open_on_the_way(join(command.directory, path))
        arguments = tuple(self._move(word) for word in command.arguments[1:])
        directory = self._place + command.directory
        return CompileCommand(command.name, self._move(command.source), directory, command.arguments[:1] + arguments)

    def restore(self, data: bytes) -> bytes:
        """Take the mirror's own path out of preprocessed text or a message."""
        return data.replace(self._place.encode(), b"")

    def expose(self, paths: Iterable[str]) -> bool:
        """Make real the directories through which the compiler, opening `paths`, came to a changed file's original.

        Return whether there were any. The paths are absolute, already restored, and not normalised.
        """
        before = len(self._opened)
        for path in paths:
            if basename(path) in self._changed_names and self._is_changed(os.path.realpath(self._place + path)):
                self._open_on_the_way(path)
        return len(self._opened) > before

    def expose_missing(self, paths: Iterable[str]) -> bool:
        """Make real the directories on the way to `paths`, where a file of the mirror was not found; tell if there are any.

        The paths are as `expose` takes them.
        """
        before = len(self._opened)
        for path in paths:
            if basename(path) in self._changed_names:
                self._open_on_the_way(path)
        return len(self._opened) > before

    def _is_changed(self, path: str) -> bool:
        return path in self._overlays or path in self._absent

    def _move(self, word: str) -> str:
        return self._root.sub(lambda match: match[1] + self._place + match[2], word)

    def _open_on_the_way(self, path: str) -> None:
        """Make real each directory that `path` goes through below a root."""
        parts = path.split("/")
        for end in range(2, len(parts)):
            directory = normpath("/".join(parts[:end]))
            if any(directory.startswith(root + "/") for root in self._roots) and Path(directory).is_dir():
                self._open(directory)

    def _open(self, directory: str) -> None:
        """Make `directory` a real one with links to the original's entries, and those above it."""
        if directory in self._opened:
            return
        self._opened.add(directory)
        if directory != "/":
            self._open(dirname(directory))
        mirrored = Path(self._place + directory)
        target = os.path.realpath(directory)
        if target != directory:
            self._open(target)
            if Path(directory).is_symlink():
                mirrored.unlink(missing_ok=True)
                mirrored.symlink_to(self._place + target)
            return
        if mirrored.is_symlink():
            mirrored.unlink()
        mirrored.mkdir(exist_ok=True)
        with suppress(OSError), os.scandir(directory) as entries:
            for entry in entries:
                if entry.path in self._absent:
                    continue
                self._link(self._overlays.get(entry.path, entry.path), entry.path)

    def _link(self, target: str, path: str) -> None:
        """Let `path` in the mirror be `target`, unless it is there already."""
        with suppress(FileExistsError):
            os.symlink(target, self._place + path)  # noqa: PTH211 - thousands of them


def _physical(path: str) -> str:
    """Resolve symbolic links in the directories of `path`, not in its last component."""
    return join(os.path.realpath(dirname(path)), basename(path))
