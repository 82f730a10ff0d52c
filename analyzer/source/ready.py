# SPDX-License-Identifier: GPL-2.0-only
"""Translation units that are preprocessed already.

In: `.i` files or directories of them. Out: one command without arguments per file, named after the main source
file that its first line marker tells.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from analyzer.base.errors import InputError
from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.source.command import CompileCommand
from analyzer.source.names import FileNames
from analyzer.source.split import main_file, working_directory

#: far more than the first lines with markers take
_HEAD_BYTES = 16_384


class ReadyUnits(Struct, frozen=True):
    """What was found, see `UnitList`."""

    commands: tuple[CompileCommand, ...]
    names: FileNames
    gaps: tuple[Gap, ...]


def read_preprocessed(paths: Sequence[Path], tree: Path | None, build: Path | None) -> ReadyUnits:
    """Find the `.i` files and their names; raise `InputError` for a path that does not exist or holds none."""
    heads = {file: _head(file) for path in paths for file in _files(path)}
    if tree is None:
        directories = [directory for head in heads.values() if (directory := working_directory(head))]
        tree = Path(directories[0]) if directories else Path()
    names = FileNames(tree, build)
    commands: dict[str, CompileCommand] = {}
    gaps: list[Gap] = []
    for file, head in heads.items():
        directory = working_directory(head) or names.build
        main = main_file(head)
        name = names.name(main, directory) if main else str(file)
        command = CompileCommand(name, os.path.normpath(file.absolute()), directory, ())
        first = commands.setdefault(name, command)
        if first is not command:
            text = f"{file} and {first.source} both hold this unit; only the latter is analysed"
            gaps.append(Gap(GapKind.UNIT, Location(name, 1), text))
    return ReadyUnits(tuple(commands[name] for name in sorted(commands)), names, tuple(gaps))


def _files(path: Path) -> Iterator[Path]:
    """Yield the file itself, or the `.i` files below a directory in order."""
    if not path.exists():
        raise InputError(f"{path}: no such file or directory; --preprocessed takes .i files or directories of them")
    if not path.is_dir():
        yield path
        return
    files = sorted(path.rglob("*.i"))
    if not files:
        raise InputError(f"{path}: no .i file in this directory; gcc -E -o FILE.i writes them")
    yield from files


def _head(file: Path) -> str:
    """Return the first lines; what cannot be read becomes a gap when the unit's turn comes."""
    try:
        with file.open("rb") as stream:
            return stream.read(_HEAD_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
