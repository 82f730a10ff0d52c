# SPDX-License-Identifier: GPL-2.0-only
"""A target for make: a makefile beside the kernel's own, and a patch for those who want it in the tree.

In: directories that are checked by default; a kernel tree. Out: the makefile; the patch, made for that tree.

The patch is made from the tree's own files: what stands around its hunks is the tree's, whatever its version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

from analyzer.base.errors import InputError
from analyzer.pipeline.scaffold import Choice, Scaffold

_FOLDER = Path(__file__).parent / "_scaffold"
_NAME = "lockspec.mk"
_IN_TREE = "scripts/Makefile.lockspec"
_PAGE = "Documentation/dev-tools/lockspec.rst"

_HELP = "\t@echo  '  lockspec        - Check locks with lockspec; findings are errors'\n"
_TARGET = f"""\
PHONY += lockspec
lockspec:
\t$(Q)$(MAKE) -f $(srctree)/{_IN_TREE} lockspec-entry='-f $(srctree)/Makefile' lockspec-out=$(CURDIR)

"""
#: files that get something new: behind what it stands there, and the new
_ADDITIONS = (
    ("Makefile", r"^\t@echo +'  coccicheck +- .*\n", _HELP),
    ("Makefile", r"^coccicheck:\n(?:\t.*\n)+\n", _TARGET),
    ("Documentation/dev-tools/index.rst", r"^ +(?=coccinelle\n)(coccinelle\n)", "   lockspec\n"),
)


def kbuild(choice: Choice) -> Scaffold:
    """Return a makefile with the target."""
    hints = (
        f"make -f {_NAME} lockspec M=DIR checks the units that make builds in DIR, and fails on findings",
        "lockspec init kbuild --patch prints what gives the tree a target of its own",
    )
    return Scaffold({_NAME: _makefile(choice.under)}, hints)


def kbuild_patch(choice: Choice, tree: Path) -> str:
    """Return a patch that gives `tree` the target, its line in `make help`, and a page. Raise `InputError`."""
    old = {name: _read(tree / name) for name, _, _ in _ADDITIONS}
    new = dict(old)
    for name, behind, text in _ADDITIONS:
        match = re.search(behind, new[name], re.MULTILINE)
        if match is None:
            raise InputError(f"{tree / name}: nothing there that the patch could stand beside; add by hand:\n{text}")
        new[name] = new[name][: match.end()] + text + new[name][match.end() :]
    changed = [(name, old[name], new[name]) for name in old]
    made = [(_IN_TREE, "", _makefile(choice.under)), (_PAGE, "", _template("lockspec.rst"))]
    return "".join(line for name, before, after in (*changed, *made) for line in _hunks(name, before, after))


def _hunks(name: str, before: str, after: str) -> Iterator[str]:
    origin = f"a/{name}" if before else "/dev/null"
    yield from unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), origin, f"b/{name}")


def _makefile(under: tuple[str, ...]) -> str:
    return _template(_NAME).replace("@@dirs@@", " ".join(under)).replace("?= \n", "?=\n")


def _template(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "surrogateescape")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; --tree takes a kernel's source") from error
