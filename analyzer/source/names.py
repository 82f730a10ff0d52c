# SPDX-License-Identifier: GPL-2.0-only
"""FileNames: how source files are called in everything the user sees.

In: paths as commands and line markers spell them, such as `arch/x86/kvm/../../../virt/kvm/kvm_main.c`.
Out: `virt/kvm/kvm_main.c`, relative to the kernel tree, or to the build directory for generated files.

**Invariant:** a name does not depend on where the tree lies, as far as the file lies in the tree or the build.
"""

from __future__ import annotations

import os.path
from pathlib import Path
from posixpath import normpath


class FileNames:
    """Normalises the paths of one tree and its build directory; an external module's build has the kernel's beside."""

    def __init__(self, tree: Path, build: Path | None = None, kernel_build: Path | None = None) -> None:
        #: absolute, with symbolic links as the user wrote them
        self.tree = normpath(tree.absolute())
        self.build = normpath(build.absolute()) if build else self.tree
        spelled = [self.build, self.tree, *([normpath(kernel_build.absolute())] if kernel_build else [])]
        roots = [*spelled, *map(os.path.realpath, spelled)]
        # The deeper root first: a build directory may lie in the tree, rarely the tree in it.
        self._roots = tuple(sorted({root.rstrip("/") + "/" for root in roots}, key=lambda root: (-len(root), root)))

    def name(self, path: str, directory: str) -> str:
        """Return the name of `path`, which the compiler saw while working in `directory`."""
        if path.startswith("<"):
            return path
        absolute = normpath(path if path.startswith("/") else f"{directory}/{path}")
        for root in self._roots:
            if absolute.startswith(root):
                return absolute[len(root) :]
        return absolute

    def locate(self, name: str) -> Path:
        """Return the file that is called `name`, in the tree or else in the build directory."""
        in_tree = Path(self.tree, name)
        in_build = Path(self.build, name)
        return in_build if not in_tree.exists() and in_build.exists() else in_tree
