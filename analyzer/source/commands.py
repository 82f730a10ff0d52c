# SPDX-License-Identifier: GPL-2.0-only
"""Translation units of a run.

In: `compile_commands.json`, Kbuild's `.cmd` files, or `.i` files. Out: `UnitList(commands=(CompileCommand(…), …))`
in the order of their names.

**Invariant:** no two commands have the same name; what was left out is counted in `ignored` or is a gap.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from analyzer.base.errors import InputError
from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.source import database, kbuild, ready
from analyzer.source.command import Compilation, CompileCommand, strip_arguments
from analyzer.source.names import FileNames

_DATABASE = "compile_commands.json"


class UnitList(Struct, frozen=True):
    """The translation units that were asked for."""

    commands: tuple[CompileCommand, ...]
    #: how files are called; its tree is the one given or the one that the input names
    names: FileNames
    #: number of entries that are not C: assembly, Rust, host programs
    ignored: int = 0
    #: units that cannot be analysed as given
    gaps: tuple[Gap, ...] = ()


def read_units(
    *,
    tree: Path | None = None,
    build: Path | None = None,
    compile_commands: Path | None = None,
    preprocessed: Sequence[Path] = (),
    under: Sequence[str] = (),
    units: Sequence[str] = (),
) -> UnitList:
    """Find the translation units; raise `InputError` where there are none or the input cannot be read."""
    if preprocessed:
        found = ready.read_preprocessed(preprocessed, tree, build)
        commands, names, ignored, gaps = found.commands, found.names, 0, found.gaps
    else:
        if tree is not None and not tree.is_dir():
            raise InputError(f"{tree}: no such directory; --tree takes the top directory of a kernel source tree")
        if build is not None and not build.is_dir():
            raise InputError(f"{build}: no such directory; --build takes the directory given to make as O=")
        compilations, ignored = _compilations(tree, build, compile_commands, under)
        names = _names(tree, build, compile_commands, compilations)
        commands, gaps = _unique(compilations, names)
    chosen = _select(commands, names, under, units)
    kept = {command.name for command in chosen}
    gaps = tuple(gap for gap in gaps if not (under or units) or gap.location.file in kept or _below(gap, under))
    return UnitList(chosen, names, ignored, gaps)


def _compilations(
    tree: Path | None, build: Path | None, compile_commands: Path | None, under: Sequence[str]
) -> tuple[list[Compilation], int]:
    """Read the compile database, or else Kbuild's own records."""
    output = build or tree or Path()
    path = compile_commands or output / _DATABASE
    if compile_commands is not None or path.exists():
        return database.read_database(path)
    compilations, ignored = kbuild.read_cmd_files(output, under, tree)
    if not compilations:
        where = f" below {', '.join(under)}" if under else ""
        raise InputError(
            f"{path}: no compile database, and Kbuild compiled no C file here{where}; build the tree, or the "
            "directory to check, with make, or run make compile_commands.json, or pass --compile-commands FILE"
        )
    return compilations, ignored


def _names(
    tree: Path | None, build: Path | None, compile_commands: Path | None, compilations: Sequence[Compilation]
) -> FileNames:
    """Name files relative to the tree; where none was given, to the one that the compiler worked in."""
    if tree is not None:
        return FileNames(tree, build)
    directory = build
    if directory is None and compile_commands is not None and compilations:
        directory = Path(compilations[0].directory)
    if directory is None:
        directory = Path()
    # Kbuild leaves a link to the source tree in a separate output directory.
    source = directory / "source"
    return FileNames(source.resolve(), directory) if source.is_symlink() else FileNames(directory, directory)


def _unique(
    compilations: Iterable[Compilation], names: FileNames
) -> tuple[tuple[CompileCommand, ...], tuple[Gap, ...]]:
    """Make commands of compilations; a file compiled twice differently is analysed once, with a gap."""
    commands: dict[str, CompileCommand] = {}
    gaps: list[Gap] = []
    for compilation in compilations:
        name = names.name(compilation.file, compilation.directory)
        command = _command(compilation, name)
        first = commands.setdefault(name, command)
        if first.arguments != command.arguments:
            text = "compiled more than once with different flags; only the first way is analysed"
            gaps.append(Gap(GapKind.UNIT, Location(name, 1), text))
    return tuple(commands[name] for name in sorted(commands)), tuple(sorted(set(gaps)))


def _command(compilation: Compilation, name: str) -> CompileCommand:
    """Reduce a compilation to what preprocessing needs."""
    directory = os.path.normpath(compilation.directory)
    arguments, source = strip_arguments(compilation.words, compilation.sources())
    return CompileCommand(name, source or compilation.file, directory, arguments)


def _select(
    commands: Sequence[CompileCommand], names: FileNames, under: Sequence[str], units: Sequence[str]
) -> tuple[CompileCommand, ...]:
    """Keep the commands below `under` and among `units`; what matches nothing is the user's mistake."""
    folders = {folder: _folder(folder, names) for folder in under}
    for folder, prefix in folders.items():
        if not any(command.name.startswith(prefix) for command in commands):
            raise InputError(f"--under {folder}: no translation unit of the input lies below it")
    prefixes = tuple(folders.values()) or ("",)
    chosen = tuple(command for command in commands if command.name.startswith(prefixes))
    if not units:
        return chosen
    by_name = {command.name: command for command in chosen}
    wanted: set[str] = set()
    for unit in units:
        name = unit if unit in by_name else names.name(unit, str(Path.cwd()))
        if name not in by_name:
            name = os.path.normpath(unit)
        if name not in by_name:
            raise InputError(f"{unit}: no translation unit of the input has this name or path{_nearest(unit, by_name)}")
        wanted.add(name)
    return tuple(command for command in chosen if command.name in wanted)


def _folder(folder: str, names: FileNames) -> str:
    """Return the prefix of the names below `folder`."""
    name = names.name(folder, names.tree) if folder.startswith("/") else os.path.normpath(folder)
    return "" if name in {".", names.tree} else f"{name}/"


def _below(gap: Gap, under: Sequence[str]) -> bool:
    return any(gap.location.file.startswith(f"{os.path.normpath(folder)}/") for folder in under)


def _nearest(unit: str, known: Iterable[str]) -> str:
    """Name a unit with the same file name, if there is one."""
    same: Iterator[str] = (name for name in known if os.path.basename(name) == os.path.basename(unit))  # noqa: PTH119
    nearest = next(same, None)
    return f"; did you mean {nearest}?" if nearest else ""
