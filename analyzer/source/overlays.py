# SPDX-License-Identifier: GPL-2.0-only
"""Overlays: files of the tree whose content is taken from elsewhere.

In: `("virt/kvm/kvm_main.c", Path("edited.c"))` as the user gave it. Out: absolute paths, in every spelling under
which a compiler can name the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from posixpath import join

from msgspec import Struct

from analyzer.base.errors import InputError
from analyzer.source.command import CompileCommand
from analyzer.source.names import FileNames


class Overlays(Struct, frozen=True):
    """Contents that stand for files of the tree."""

    #: file → file with its content, both absolute
    contents: dict[str, str]
    #: the same, with the other spellings of the files' paths too
    spellings: dict[str, str]
    #: absolute directories that hold the files, the sources and the build
    roots: tuple[str, ...]


def resolve_overlays(
    overlays: Sequence[tuple[str, Path]], names: FileNames, commands: Iterable[CompileCommand]
) -> Overlays:
    """Find the files; raise `InputError` for what is not there, since it would be overlaid without effect."""
    contents: dict[str, str] = {}
    commands = tuple(commands)
    if overlays and commands and not any(command.arguments for command in commands):
        raise InputError("--overlay needs units to preprocess; .i files are analysed as they are")
    for path, content in overlays:
        file = names.locate(path)
        if not file.is_file():
            raise InputError(f"--overlay {path}={content}: there is no file {path} in {names.tree}")
        if not content.is_file() or not os.access(content, os.R_OK):
            raise InputError(f"--overlay {path}={content}: {content} cannot be read")
        contents[join(os.path.realpath(file.parent), file.name)] = str(content.resolve())
    roots = tuple(sorted({names.tree, names.build, *(command.directory for command in commands)}))
    spellings = {
        spelled: content
        for path, content in contents.items()
        for root in roots
        for spelled in (path, _below(path, root))
    }
    return Overlays(contents, spellings, roots)


def _below(path: str, root: str) -> str:
    """Spell `path` as a path below `root`, which may be a symbolic link."""
    physical = os.path.realpath(root)
    return root + path[len(physical) :] if path.startswith(physical + "/") else path
