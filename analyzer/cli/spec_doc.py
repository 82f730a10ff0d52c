# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec spec doc`: what rules say about structures, for their headers.

In: names of structures, specifications, maybe a tree. Out: kernel-doc comments or a Markdown page.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from analyzer.cli import arguments, output, progress
from analyzer.report import render_doc_page, render_kernel_doc
from analyzer.spec.load import load

EXAMPLES = """\b
Examples:
  lockspec spec doc kvm_memory_slot                    a comment for the header, from the shipped rules
  lockspec spec doc kvm --tree ~/linux                 with who writes and reads each member there
  lockspec spec doc --specs mine.yaml -f markdown      a page about all structures that my rules name
"""


class Form(StrEnum):
    """Forms of a description."""

    KERNEL_DOC = "kernel-doc"
    MARKDOWN = "markdown"


def doc(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[STRUCTS]...", help="Structures and globals. Default: all in rules.")
    ] = None,
    tree: arguments.Tree = None,
    build: arguments.Build = None,
    compile_commands: arguments.CompileCommands = None,
    preprocessed: arguments.Preprocessed = None,
    specs: arguments.Specs = None,
    under: arguments.Under = None,
    overlay: arguments.Overlays = None,
    jobs: arguments.Jobs = None,
    cache: arguments.Cache = None,
    no_cache: arguments.NoCache = False,
    format: Annotated[  # noqa: A002 (the option's name)
        Form, typer.Option("--format", "-f", metavar="kernel-doc|markdown", help="Default: kernel-doc.")
    ] = Form.KERNEL_DOC,
    output_file: arguments.Output = None,
    quiet: arguments.Quiet = False,
) -> None:
    """Say of each guarded member of a structure which locks it needs, as its header would.

    With a tree, who writes and reads it there, counted.
    """
    from analyzer.pipeline.doc import from_rules, from_tree

    output.check_writable(output_file)
    if tree or build or compile_commands or preprocessed:
        given = arguments.Given(
            tree=tree,
            build=build,
            compile_commands=compile_commands,
            preprocessed=preprocessed,
            specs=specs,
            under=under,
            overlays=overlay,
            jobs=jobs,
            cache=cache,
            no_cache=no_cache,
        )
        with progress.shown(quiet) as bar:
            docs = from_tree(arguments.check_options(given), names or (), bar)
    else:
        docs = from_rules(load(specs or None), names or ())
    render = render_doc_page if format is Form.MARKDOWN else render_kernel_doc
    output.write(render(docs), output_file)
