# SPDX-License-Identifier: GPL-2.0-only
"""Options that several commands share, and their way into `CheckOptions`.

In: what typer parsed. Out: `CheckOptions` with file names relative to the tree.

**Invariant:** whatever is wrong with an option is a `typer.BadParameter` that names it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from analyzer.pipeline.options import CheckOptions

Tree = Annotated[
    Path | None,
    typer.Option(
        "--tree", exists=True, file_okay=False, metavar="DIR", help="Kernel source. Default: the directory you are in."
    ),
]
Build = Annotated[
    Path | None,
    typer.Option(
        "--build", exists=True, file_okay=False, metavar="DIR", help="Kbuild's output (O=). Default: the tree."
    ),
]
CompileCommands = Annotated[
    Path | None,
    typer.Option(
        "--compile-commands",
        exists=True,
        dir_okay=False,
        metavar="FILE",
        help="Default: the one in the build directory.",
    ),
]
Preprocessed = Annotated[
    list[Path] | None,
    typer.Option("--preprocessed", exists=True, metavar="DIR|FILE", help="Analyse .i files as they are; repeatable."),
]
Specs = Annotated[
    list[Path] | None,
    typer.Option("--specs", exists=True, metavar="PATH", help="Specifications; repeatable. Default: the shipped ones."),
]
Rules = Annotated[
    list[str] | None, typer.Option("--rule", metavar="GLOB", help="Only rules whose id matches; repeatable.")
]
Under = Annotated[
    list[str] | None, typer.Option("--under", metavar="DIR", help="Only units below DIR of the tree; repeatable.")
]
Overlays = Annotated[
    list[str] | None,
    typer.Option(
        "--overlay",
        metavar="PATH=FILE",
        help="Take FILE's content for PATH of the tree: an unsaved buffer, a change to try; repeatable.",
    ),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, metavar="N", help="Worker processes. Default: one for each CPU.")
]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache", file_okay=False, metavar="DIR", help="Where facts are remembered. Default: ~/.cache/lockspec."
    ),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Remember nothing.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", dir_okay=False, metavar="FILE", help="Write there, all or nothing.")
]
Baseline = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        exists=True,
        dir_okay=False,
        metavar="FILE",
        help="Findings that are accepted; entries that accept nothing fail the run.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Findings only: no progress, no summary.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show every gap, and the way to every unknown verdict.")]


class Given(Struct, frozen=True, kw_only=True):
    """The shared options as typer parsed them."""

    tree: Path | None
    build: Path | None
    compile_commands: Path | None
    preprocessed: list[Path] | None
    specs: list[Path] | None
    under: list[str] | None
    overlays: list[str] | None
    jobs: int | None
    cache: Path | None
    no_cache: bool


def check_options(given: Given, rules: list[str] | None = None, units: list[str] | None = None) -> CheckOptions:
    """Turn parsed options into what the pipeline takes."""
    if given.cache is not None and given.no_cache:
        raise typer.BadParameter("--cache and --no-cache exclude each other")
    if given.preprocessed and (given.compile_commands or given.build):
        raise typer.BadParameter("--preprocessed takes the place of --build and --compile-commands")
    tree = given.tree
    if tree is None and not given.preprocessed and given.compile_commands is None:
        tree = Path()
    return CheckOptions(
        tree=tree,
        build=given.build,
        compile_commands=given.compile_commands,
        preprocessed=tuple(given.preprocessed or ()),
        specs=tuple(given.specs or ()),
        rules=tuple(rules or ()),
        under=tuple(_in_tree(name, tree) for name in given.under or ()),
        units=tuple(_in_tree(name, tree) for name in units or ()),
        overlays=tuple(_overlay(text, tree, given.build) for text in given.overlays or ()),
        jobs=given.jobs or len(os.sched_getaffinity(0)),
        cache=None if given.no_cache else given.cache or _default_cache(),
    )


def _in_tree(name: str, tree: Path | None) -> str:
    """Name a file of the tree relative to the tree, whether it was given so or as an absolute path."""
    path = Path(name)
    if path.is_absolute() and tree is not None:
        for base in (tree.absolute(), tree.resolve()):
            if path.is_relative_to(base):
                return os.path.normpath(path.relative_to(base))
    return os.path.normpath(name)


def _overlay(text: str, tree: Path | None, build: Path | None) -> tuple[str, Path]:
    """Split `PATH=FILE`; a PATH that does not exist would be an overlay without effect."""
    name, equals, content = text.partition("=")
    if not (equals and name and content):
        raise typer.BadParameter(f"--overlay takes PATH=FILE, not {text!r}")
    if not Path(content).is_file():
        raise typer.BadParameter(f"--overlay: {content}: no such file")
    path = _in_tree(name, tree)
    if tree is not None and not any((base / path).is_file() for base in (tree, build or tree)):
        raise typer.BadParameter(f"--overlay: {path}: no such file in the tree {tree}")
    return path, Path(content)


def _default_cache() -> Path:
    from analyzer.facts.store import default_directory  # here: `--help` needs no store

    return default_directory()
