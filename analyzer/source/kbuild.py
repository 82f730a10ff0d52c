# SPDX-License-Identifier: GPL-2.0-only
"""Compilations that Kbuild records beside each object.

In: `virt/kvm/.eventfd.o.cmd`, whose first line is `savedcmd_virt/kvm/eventfd.o := gcc … -c -o … virt/kvm/eventfd.c`.
Out: the C ones of the kernel, in the order of the records' paths, and how many others there were.

**Source:** Linux, scripts/Kbuild.include (`make-cmd`) and scripts/basic/fixdep.c: what a `.cmd` file holds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from analyzer.source.command import Compilation, sources, split_words

_RECORD = re.compile(rb"(?:saved)?cmd_[^ ]+ := ([^\n]*)")
#: the end of the compiler's own command: objtool and others follow, or lead, with `;` or `&&`
_NEXT_COMMAND = re.compile(r"\s*(?:;|&&|\|\|?)\s*")
#: what only the output of a kernel's build has
_GENERATED = "include/generated"
#: directories that hold programs of the build machine or copies, never objects of the kernel
_PRUNED = frozenset({".git", "Documentation", "include", "tools", "scripts"})


def read_cmd_files(build: Path, under: Sequence[str] = (), tree: Path | None = None) -> tuple[list[Compilation], int]:
    """Read the records of the objects below `build`, or only below its directories `under`.

    Where an external module's sources are spelled as absolute paths, the compiler worked in `tree`, which was built.
    """
    compilations: list[Compilation] = []
    ignored = 0
    directory = str(build.resolve())
    folders = [build / folder for folder in under] or [build]
    for path in sorted({path for folder in folders for path in _records(str(folder), folder == build)}):
        compilation = _compilation(path, directory)
        if compilation is None:
            ignored += 1
        else:
            compilations.append(compilation)
    if tree is not None and not (build / _GENERATED).exists() and any(c.file.startswith("/") for c in compilations):
        compilations = [replace(compilation, directory=str(tree.resolve())) for compilation in compilations]
    return compilations, ignored


def is_of_the_kernel(name: str) -> bool:
    """Tell whether a source file, by its name relative to the tree, can be one of the kernel's own."""
    return name.partition("/")[0] not in _PRUNED


def compiled_in(folder: Path, directory: str) -> Iterator[str]:
    """Yield the C files, as spelled, whose objects lie in `folder` itself and that Kbuild has checked.

    `directory` is where the compiler worked. What Kbuild generates for a module's end (*.mod.c) it never has checked.
    """
    for path in sorted(folder.glob(".*.o.cmd")):
        compilation = _compilation(str(path), directory)
        if compilation is not None and not compilation.file.endswith(".mod.c"):
            yield compilation.file


def count_objects(build: Path, but: Collection[str]) -> int:
    """Count the records of objects below `build`, but for those in the folders `but`."""
    return sum(1 for path in _records(str(build), True) if path.rpartition("/")[0] not in but)


def _records(folder: str, top: bool) -> Iterator[str]:
    """Yield the paths of the `.o.cmd` files below `folder`."""
    for directory, folders, files in os.walk(folder):
        if top and directory == folder:
            folders[:] = [name for name in folders if name not in _PRUNED]
        for name in files:
            if name.startswith(".") and name.endswith(".o.cmd"):
                yield f"{directory}/{name}"


def _compilation(path: str, directory: str) -> Compilation | None:
    """Read one record; None for what is not C or not for the kernel."""
    try:
        data = Path(path).read_bytes()
    except OSError:
        return None
    record = _RECORD.match(data)
    if record is None:
        return None
    line = _from_make(record[1].decode("utf-8", "surrogateescape"))
    for words in _commands(line):
        source = next((word for word in sources(words) if word.endswith(".c")), None)
        if source is not None and "-c" in words and "-D__KERNEL__" in words:
            return Compilation(source, directory, words)
    return None


def _from_make(line: str) -> str:
    """Undo what keeps a command whole in a makefile."""
    return line.replace("$(pound)", "#").replace("\\#", "#").replace("$$", "$")


def _commands(line: str) -> Iterator[tuple[str, ...]]:
    """Yield the simple commands of a shell line."""
    words: list[str] = []
    for word in split_words(re.sub(r";(?=\s|$)", " ; ", line)):
        if _NEXT_COMMAND.fullmatch(word):
            yield tuple(words)
            words.clear()
        else:
            words.append(word)
    yield tuple(words)
