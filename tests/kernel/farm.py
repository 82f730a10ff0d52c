# SPDX-License-Identifier: GPL-2.0-only
"""A kernel tree to build in, without copying what a build only reads: links to the sources, copies of what make made.

**Invariant:** the prepared tree is never written to: every directory of the farm is its own, and only files are links.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

#: where units of these tests, and what preparing needs, have their sources; elsewhere the configuration alone is read
_WHOLE = ("arch/x86", "include", "kernel", "lib", "scripts", "security", "tools", "virt")
_CONFIGURATION = ("Kconfig", "Makefile", "Kbuild")
#: made first of all
_FIRST_MADE = "scripts/basic/fixdep"


def grow(tree: Path, farm: Path, *, clean: bool = False) -> None:
    """Make `farm` look like the prepared `tree`; `clean`: like one in which nothing was ever made."""
    since = (tree / _FIRST_MADE).stat().st_mtime - 60
    for folder, _, _ in os.walk(tree):
        name = os.path.relpath(folder, tree)
        whole = name == "." or any(name == top or name.startswith(f"{top}/") for top in _WHOLE)
        with os.scandir(folder) as entries:
            files = [e for e in entries if not e.is_dir(follow_symlinks=False) and (whole or _configures(e.name))]
        made = {e.name for e in files if e.stat(follow_symlinks=False).st_mtime >= since and not e.is_symlink()}
        kept = [
            entry for entry in files if not (clean and entry.name in made) and entry.name != "compile_commands.json"
        ]
        if not kept and name != ".":
            continue
        (farm / name).mkdir(parents=True, exist_ok=True)
        for entry in kept:
            if entry.name in made or entry.is_symlink():
                shutil.copy2(entry.path, farm / name / entry.name, follow_symlinks=False)
            else:
                (farm / name / entry.name).symlink_to(entry.path)


def _configures(name: str) -> bool:
    return name.startswith(_CONFIGURATION)


def edit(farm: Path, name: str, old: str, new: str) -> None:
    """Change a source file of the farm; the one it was a link to stays as it is."""
    path = farm / name
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{name}: {old!r} stands there {text.count(old)} times"
    path.unlink()
    path.write_text(text.replace(old, new), "utf-8")
