# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec init`: write the files that set lockspec up where its users are.

In: a tree. Out: files in it; nothing that is there is overwritten unless asked for.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from analyzer.base.errors import InputError
from analyzer.cli import output
from analyzer.pipeline.kbuild_scaffold import kbuild, kbuild_patch
from analyzer.pipeline.scaffold import PACKAGE, Choice, Scaffold, github, gitlab, vscode

app = typer.Typer(help="Set lockspec up in an editor, a CI system or the kernel's build.", rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  lockspec init {name}                                        in the tree you are in
  lockspec init {name} --under virt/kvm --under arch/x86/kvm  to check these directories
  lockspec init {name} --print                                show the files, write none
"""

Tree = Annotated[Path, typer.Option("--tree", exists=True, file_okay=False, metavar="DIR", help="Where to write them.")]
Under = Annotated[
    list[str] | None, typer.Option("--under", metavar="DIR", help="Check units below DIR only; repeatable.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")]
Print = Annotated[bool, typer.Option("--print", help="Print the files instead of writing them.")]
Package = Annotated[
    str, typer.Option("--package", metavar="TEXT", help="What pip installs there: a version, a wheel, git+https://….")
]


@app.command("vscode", epilog=EXAMPLES.format(name="vscode"))
def init_vscode(tree: Tree = Path(), under: Under = None, force: Force = False, show: Print = False) -> None:
    """Write tasks for Visual Studio Code: check and watch, with findings and their steps as problems."""
    _write(vscode(Choice(under=_folders(under))), tree, force, show)


@app.command("github", epilog=EXAMPLES.format(name="github"))
def init_github(
    tree: Tree = Path(),
    under: Under = None,
    package: Package = PACKAGE,
    force: Force = False,
    show: Print = False,
) -> None:
    """Write a workflow for GitHub that keeps facts between runs, and a problem matcher."""
    _write(github(Choice(under=_folders(under), package=package)), tree, force, show)


@app.command("gitlab", epilog=EXAMPLES.format(name="gitlab"))
def init_gitlab(
    tree: Tree = Path(),
    under: Under = None,
    package: Package = PACKAGE,
    force: Force = False,
    show: Print = False,
) -> None:
    """Write a job for GitLab that keeps facts between runs, with code quality and test reports."""
    choice = Choice(under=_folders(under), package=package)
    ours = gitlab(choice, included=False)
    pipeline = tree / ".gitlab-ci.yml"
    included = pipeline.exists() and pipeline.read_text("utf-8", "replace") != ours.files[pipeline.name]
    _write(gitlab(choice, included=included), tree, force, show)


KBUILD_EXAMPLES = """\b
Examples:
  lockspec init kbuild                                      write lockspec.mk in the tree you are in
  make -f lockspec.mk lockspec M=drivers/net                what it is for
  lockspec init kbuild --patch | git apply                  a target of the tree's own: make lockspec
"""


@app.command("kbuild", epilog=KBUILD_EXAMPLES)
def init_kbuild(
    tree: Tree = Path(),
    under: Under = None,
    patch: Annotated[
        bool, typer.Option("--patch", help="Print a patch that adds the target to the tree's own makefile.")
    ] = False,
    force: Force = False,
    show: Print = False,
) -> None:
    """Write a makefile for make -f whose target lockspec checks what make builds, and fails on findings."""
    choice = Choice(under=_folders(under))
    if patch:
        output.write(kbuild_patch(choice, tree), None)
        return
    _write(kbuild(choice), tree, force, show)


def _folders(under: list[str] | None) -> tuple[str, ...]:
    """Check the names of directories: they become words of a shell's line."""
    folders = tuple(folder.rstrip("/") for folder in under or ())
    for folder in folders:
        if not re.fullmatch(r"[\w.+][\w./+-]*", folder):
            raise typer.BadParameter(f"--under {folder!r}: not the name of a directory of the tree")
    return folders


def _write(scaffold: Scaffold, tree: Path, force: bool, show: bool) -> None:
    """Write all files or none."""
    if show:
        for path, text in scaffold.files.items():
            print(f"==> {path} <==\n{text}")
        return
    taken = [path for path, text in scaffold.files.items() if _differs(tree / path, text)]
    if taken and not force:
        raise InputError(f"{' and '.join(taken)}: there already; --force overwrites, --print shows what to add")
    for path, text in scaffold.files.items():
        try:
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{tree / path}: cannot be written: {error.strerror}") from error
        output.write(text, tree / path)
        print(f"wrote {tree / path}")
    for hint in scaffold.hints:
        print(hint)


def _differs(path: Path, text: str) -> bool:
    try:
        return path.read_text("utf-8", "replace") != text
    except FileNotFoundError:
        return False
    except OSError:
        return True
