# SPDX-License-Identifier: GPL-2.0-only
"""Preprocessed text of one translation unit, by the unit's own compiler.

In: a `CompileCommand`. Out: `Preprocessed(text, dependencies, …)`, or a gap with the compiler's first error.

**Invariant:** the tree and the build directory are not written to.
**Invariant:** the text depends on the command and the dependencies' contents alone, not on date, locale or mirror.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from itertools import pairwise
from pathlib import Path
from posixpath import basename, dirname, join

from msgspec import Struct

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.source.command import CompileCommand
from analyzer.source.mirror import Mirror
from analyzer.source.text import UnitText, decode_unit

#: headers of our own, found before the kernel's of the same name, which they include: assertions keep who they are
_FORCED = str(Path(__file__).parent / "forced")
#: `-w`: no warnings, which -Werror would make errors
_FLAGS: tuple[str, ...] = ("-E", "-w")
#: GCC names a header on the system path by its real path where that is shorter, which leads out of a mirror
_SYSTEM_PATHS = ("-isystem", "-idirafter")
_NAME_AS_FOUND = "-fno-canonical-system-headers"
ENVIRONMENT = {"LC_ALL": "C", "SOURCE_DATE_EPOCH": "0"}
_ERROR = re.compile(
    r"^(?P<file>[^\n:]+):(?P<line>\d+):(?:(?P<column>\d+):)? (?:fatal )?error: (?P<text>.*)$", re.MULTILINE
)
_NOT_FOUND = re.compile(r"^(?P<file>[^\n:]+):\d+:\d+: fatal error: (?P<name>[^\n:]+): ", re.MULTILINE)
_MESSAGE = re.compile(r"^\S+: (?:fatal |internal compiler )?error: (.*)$", re.MULTILINE)


class Preprocessed(Struct, frozen=True):
    """A unit's text and what it was made of."""

    text: str
    #: absolute paths of the files read, the compiler too, sorted; an overlaid file under its own path
    dependencies: tuple[str, ...]
    #: what in the text could not be read
    gaps: tuple[Gap, ...] = ()


def preprocess(command: CompileCommand, mirror: Mirror | None = None) -> Preprocessed | Gap:
    """Run the compiler's preprocessor, in `mirror` if files are overlaid; `.i` files are read as they are."""
    if not command.arguments:
        return _read(command)
    compiler = compiler_of(command)
    if isinstance(compiler, Gap):
        return compiler
    while True:
        data = _run(command, compiler, mirror)
        if isinstance(data, _Failed):
            if mirror is not None and mirror.expose_missing(_looked_for(command, data.messages)):
                continue
            return _compiler_gap(command, data.messages, data.status)
        if isinstance(data, Gap):
            return data
        read = decode_unit(data, f"output of {basename(command.arguments[0])}", command.name)
        if isinstance(read, Gap):
            return read
        opened = _opened(read.text, command.directory)
        # An overlaid file was read in the original through `..`: that way now leads through the mirror.
        if mirror is None or not mirror.expose(opened):
            break
    dependencies = {*_resolve(opened), os.path.realpath(compiler)}
    return Preprocessed(read.text, tuple(sorted(dependencies)), read.gaps)


class _Failed(Struct, frozen=True):
    """What a compiler that failed said."""

    messages: str
    status: int


def compiler_of(command: CompileCommand) -> str | Gap:
    """Return the path of a command's compiler."""
    word = command.arguments[0]
    compiler = shutil.which(join(command.directory, word) if "/" in word else word)
    return compiler or _gap(command, f"the compiler {word} is not installed; the unit is skipped")


def output(command: CompileCommand, mirror: Mirror | None, flags: tuple[str, ...]) -> bytes | Gap:
    """Return what the preprocessor prints with `flags`, for a unit that is known to be preprocessed."""
    compiler = compiler_of(command)
    if isinstance(compiler, Gap):
        return compiler
    data = _run(command, compiler, mirror, flags)
    return _compiler_gap(command, data.messages, data.status) if isinstance(data, _Failed) else data


def _run(
    command: CompileCommand, compiler: str, mirror: Mirror | None, flags: tuple[str, ...] = ()
) -> bytes | _Failed | Gap:
    """Return the compiler's output."""
    moved = mirror.move(command) if mirror else command
    flags = (*_FLAGS, *flags)
    if any(word.startswith(_SYSTEM_PATHS) for word in command.arguments) and _accepts(compiler, _NAME_AS_FOUND):
        flags = (*flags, _NAME_AS_FOUND)
    try:
        done = subprocess.run(
            (*_with_forced(moved.arguments), *flags, moved.source),
            cwd=moved.directory,
            env=os.environ | ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        return _gap(command, f"{command.arguments[0]} cannot be run in {command.directory}: {error.strerror}")
    if done.returncode == 0:
        return mirror.restore(done.stdout) if mirror else done.stdout
    messages = (mirror.restore(done.stderr) if mirror else done.stderr).decode("utf-8", "replace")
    return _Failed(messages, done.returncode)


def _looked_for(command: CompileCommand, messages: str) -> list[str]:
    """Return the absolute paths where the compiler looked for a header that it did not find."""
    match = _NOT_FOUND.search(messages)
    if match is None:
        return []
    words = [*command.arguments, ""]
    folders = [word.removeprefix("-I") or after for word, after in pairwise(words) if word.startswith("-I")]
    return [join(command.directory, folder, match["name"]) for folder in (dirname(match["file"]), *folders)]


def _with_forced(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Put the folder of our own headers before all others that a command searches."""
    first = next((i for i, word in enumerate(arguments) if word.startswith("-")), len(arguments))
    return (*arguments[:first], f"-I{_FORCED}", *arguments[first:])


@cache
def _accepts(compiler: str, flag: str) -> bool:
    """Ask a compiler whether it knows `flag`."""
    words = (compiler, "-E", flag, "-x", "c", os.devnull)
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def _compiler_gap(command: CompileCommand, messages: str, status: int) -> Gap:
    """Make a gap of the compiler's first error."""
    compiler = basename(command.arguments[0])
    match = _ERROR.search(messages)
    if match is not None:
        place = f"{match['file']}:{match['line']}" + (f":{match['column']}" if match["column"] else "")
        return _gap(command, f"{compiler} failed: {place}: {match['text']}; the unit is skipped")
    message = _MESSAGE.search(messages)
    if message is not None:
        return _gap(command, f"{compiler} failed: {message[1]}; the unit is skipped")
    how = f"was ended by signal {-status}" if status < 0 else f"failed with status {status}"
    first = messages.strip().partition("\n")[0]
    return _gap(command, f"{compiler} {how}{': ' if first else ''}{first}; the unit is skipped")


def _read(command: CompileCommand) -> Preprocessed | Gap:
    """Read a `.i` file."""
    try:
        data = Path(command.source).read_bytes()
    except OSError as error:
        return _gap(command, f"{command.source}: {error.strerror}; the unit is skipped")
    read = decode_unit(data, command.source, command.name)
    return Preprocessed(read.text, (command.source,), read.gaps) if isinstance(read, UnitText) else read


def _gap(command: CompileCommand, text: str) -> Gap:
    return Gap(GapKind.UNIT, Location(command.name, 1), text)


def _opened(text: str, directory: str) -> set[str]:
    """Return the absolute paths of the files that the line markers name, as spelled."""
    names = {piece.partition("\n")[0].partition(" ")[2].rpartition('"')[0] for piece in text.split("\n# ")[1:]}
    names.add(text.partition("\n")[0][2:].partition(" ")[2].rpartition('"')[0])
    paths = {join(directory, name[1:]) for name in names if not name.startswith('"<') and not name.endswith("//")}
    return {path.replace('\\"', '"').replace("\\\\", "\\") for path in paths}


def _resolve(paths: set[str]) -> set[str]:
    """Take `.` and `..` out of the paths, following symbolic links where `..` does."""
    folders = {dirname(path) for path in paths}
    resolved = {folder: os.path.realpath(folder) if ".." in folder else os.path.normpath(folder) for folder in folders}
    return {join(resolved[dirname(path)], basename(path)) for path in paths}
