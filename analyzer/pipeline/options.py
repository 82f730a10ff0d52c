# SPDX-License-Identifier: GPL-2.0-only
"""What a run is asked to do, and whom it tells how far it has come.

In: the command line. Out: `CheckOptions(tree=Path("/usr/src/linux"), under=("virt/kvm",), jobs=2)`.

**Invariant:** nothing in `CheckOptions` changes the result but what it says about input; `jobs` and `cache` never do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from msgspec import Struct

from analyzer.source.snapshot import Snapshot


class CheckOptions(Struct, frozen=True, kw_only=True):
    """The input and the rules of one run; paths are as the user gave them, relative to the working directory."""

    #: kernel source; None: the directory that the compile database or the `.i` files name
    tree: Path | None = None
    #: where Kbuild wrote its output (`O=`); None: the tree
    build: Path | None = None
    #: None: `compile_commands.json` in the build directory, else Kbuild's `.cmd` files below it
    compile_commands: Path | None = None
    #: `.i` files, or directories of them; when given, nothing is preprocessed
    preprocessed: tuple[Path, ...] = ()
    #: specification files or directories; empty: the shipped ones
    specs: tuple[Path, ...] = ()
    #: globs over rule ids; empty: all rules
    rules: tuple[str, ...] = ()
    #: directories relative to the tree; only units below one of them; empty: everywhere
    under: tuple[str, ...] = ()
    #: main files relative to the tree; empty: all
    units: tuple[str, ...] = ()
    #: (path relative to the tree, file whose content stands for it)
    overlays: tuple[tuple[str, Path], ...] = ()
    #: the tree at another time; None: as it lies on disk
    snapshot: Snapshot | None = None
    #: number of worker processes, 1 or more
    jobs: int = 1
    #: directory of the facts; None: nothing is remembered
    cache: Path | None = None


class Progress(Protocol):
    """Told how far the work has come; telling it never changes the result."""

    def begin(self, stage: str, total: int) -> None:
        """Start `stage` (`preprocess`, `analyse`, a noun or verb for people) of `total` parts; ends the one before."""

    def advance(self, parts: int = 1) -> None:
        """Count `parts` more of the stage as done."""


class Silent:
    """A `Progress` that shows nothing."""

    def begin(self, stage: str, total: int) -> None:
        """Ignore the stage."""

    def advance(self, parts: int = 1) -> None:
        """Ignore the parts."""
