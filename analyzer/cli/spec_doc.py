# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec spec doc`: what rules say about structures, for their headers.

In: names of structures, specifications, maybe a tree. Out: kernel-doc comments or a Markdown page.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from analyzer.cli import arguments, output, progress
from analyzer.cli.common_options import Common, with_input_options
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


@with_input_options
def doc(
    common: Common,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[STRUCTS]...", help="Structures and globals. Default: all in rules.")
    ] = None,
    format: Annotated[  # noqa: A002 (the option's name)
        Form, typer.Option("--format", "-f", metavar="kernel-doc|markdown", help="Default: kernel-doc.")
    ] = Form.KERNEL_DOC,
    output_file: arguments.Output = None,
) -> None:
    """Say of each guarded member of a structure which locks it needs, as its header would.

    With a tree, who writes and reads it there, counted.
    """
    from analyzer.pipeline.doc import from_rules, from_tree

    output.check_writable(output_file)
    given = common.given
    if given.tree or given.build or given.compile_commands or given.preprocessed:
        with progress.shown(common.quiet) as bar:
            docs = from_tree(common.options(), names or (), bar)
    else:
        docs = from_rules(load(given.specs or None), names or ())
    render = render_doc_page if format is Form.MARKDOWN else render_kernel_doc
    output.write(render(docs), output_file)
