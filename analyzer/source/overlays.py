# SPDX-License-Identifier: GPL-2.0-only
"""Overlays: files of the tree whose content is taken from elsewhere.

In: `("virt/kvm/kvm_main.c", Path("edited.c"))` as the user gave it, and the tree at another time. Out: absolute paths, in
every spelling under which a compiler can name the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from posixpath import basename, dirname, join

from msgspec import Struct

from analyzer.base.errors import InputError
from analyzer.source.command import CompileCommand
from analyzer.source.names import FileNames
from analyzer.source.snapshot import Snapshot


class Overlays(Struct, frozen=True):
    """Contents that stand for files of the tree."""

    #: file → file with its content, both absolute
    contents: dict[str, str]
    #: files that are not there, absolute
    absent: tuple[str, ...]
    #: the contents, with the other spellings of the files' paths too; empty names for files that are not there
    spellings: dict[str, str]
    #: absolute directories that hold the files, the sources and the build
    roots: tuple[str, ...]

    def __bool__(self) -> bool:
        """Tell whether anything is other than on disk."""
        return bool(self.spellings)

    def spelled(self, path: str) -> frozenset[str]:
        """Return the spellings of a file, absolute."""
        physical = _physical(path)
        return frozenset({path, physical, *(_below(physical, root) for root in self.roots)})


def resolve_overlays(
    overlays: Sequence[tuple[str, Path]],
    names: FileNames,
    commands: Iterable[CompileCommand],
    snapshot: Snapshot | None = None,
) -> Overlays:
    """Find the files; raise `InputError` for what is not there, since it would be overlaid without effect.

    What an overlay says of a file goes before what the snapshot says.
    """
    contents: dict[str, str] = {}
    commands = tuple(commands)
    if overlays and commands and not any(command.arguments for command in commands):
        raise InputError("--overlay needs units to preprocess; .i files are analysed as they are")
    snapshot = snapshot or Snapshot()
    contents.update((_physical(path), str(content)) for path, content in snapshot.contents)
    for path, content in overlays:
        file = names.locate(path)
        if not file.is_file():
            raise InputError(f"--overlay {path}={content}: there is no file {path} in {names.tree}")
        if not content.is_file() or not os.access(content, os.R_OK):
            raise InputError(f"--overlay {path}={content}: {content} cannot be read")
        contents[_physical(str(file))] = str(content.resolve())
    absent = tuple(path for path in map(_physical, snapshot.absent) if path not in contents)
    roots = tuple(sorted({names.tree, names.build, *(command.directory for command in commands)}))
    spellings = {
        spelled: content
        for path, content in (*contents.items(), *((path, "") for path in absent))
        for root in roots
        for spelled in (path, _below(path, root))
    }
    return Overlays(contents, absent, spellings, roots)


def _physical(path: str) -> str:
    """Resolve symbolic links in the directories of `path`, not in its last component."""
    return join(os.path.realpath(dirname(path)), basename(path))


def _below(path: str, root: str) -> str:
    """Spell `path` as a path below `root`, which may be a symbolic link."""
    physical = os.path.realpath(root)
    return root + path[len(physical) :] if path.startswith(physical + "/") else path
