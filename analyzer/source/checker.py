# SPDX-License-Identifier: GPL-2.0-only
"""A call as Kbuild makes it of what it was given as `CHECK=`, for one source file.

In: the words after our own command's name: Sparse's flags, then the compiler's for this file, then the file; what make
exports; the working directory. Out: `CheckerCall`: the flags that may be ours, the compilation, and where it belongs.

**Source:** Linux, scripts/Makefile.build (`cmd_checksrc`), scripts/Makefile.lib (`c_flags` begins with the dependency
file), Makefile (what is exported).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from posixpath import join, normpath

from msgspec import Struct

from analyzer.base.errors import InputError
from analyzer.source.command import Compilation, CompileCommand, strip_arguments
from analyzer.source.kbuild import is_of_the_kernel
from analyzer.source.names import FileNames

#: where the compiler's flags begin
_DEPENDENCY_FILE = ("-Wp,-MMD,", "-Wp,-MD,")


class CheckerCall(Struct, frozen=True):
    """What Kbuild wants to have checked."""

    #: before the compiler's flags: Sparse's, and ours
    flags: tuple[str, ...]
    command: CompileCommand
    names: FileNames
    #: Kbuild's output directory, or the external module's
    output: str
    #: false for programs of the build itself
    is_of_the_kernel: bool


def read_call(words: Sequence[str], environment: Mapping[str, str], directory: str) -> CheckerCall:
    """Read a call; raise `InputError` where it names no source file."""
    begin = next((n for n, word in enumerate(words) if word.startswith(_DEPENDENCY_FILE)), len(words) - 1)
    flags, compiled = tuple(words[: max(begin, 0)]), tuple(words[max(begin, 0) :])
    if not compiled or not compiled[-1].endswith(".c"):
        raise InputError("no C file given: this is what make calls for each, by C=1 CHECK='lockspec kbuild check'")
    compiler = tuple(environment.get("CC", "").split()) or ("gcc",)
    compilation = Compilation(compiled[-1], directory, (*compiler, *compiled))
    names, output = _places(environment, directory)
    arguments, source = strip_arguments(compilation.words, compilation.sources())
    name = names.name(compilation.file, directory)
    command = CompileCommand(name, source or compilation.file, normpath(directory), arguments)
    return CheckerCall(flags, command, names, output, is_of_the_kernel(name))


def _places(environment: Mapping[str, str], directory: str) -> tuple[FileNames, str]:
    """Return how files are called, and where the output goes."""
    tree = join(directory, environment.get("srctree", "."))
    objects = join(directory, environment.get("objtree", "."))
    module = environment.get("KBUILD_EXTMOD_OUTPUT") or environment.get("KBUILD_EXTMOD")
    if module:
        output = os.path.realpath(join(directory, module))
        if not any(_is_below(output, os.path.realpath(base)) for base in (tree, objects)):
            return FileNames(Path(tree), Path(output), Path(objects)), output
    return FileNames(Path(tree), Path(objects)), os.path.realpath(objects)


def _is_below(path: str, base: str) -> bool:
    return path == base or path.startswith(base.rstrip("/") + "/")
