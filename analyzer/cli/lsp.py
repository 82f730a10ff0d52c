# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec lsp`: serve an editor by the Language Server Protocol.

In: the protocol on standard input. Out: the protocol on standard output; the exit status that it asks for.

**Invariant:** nothing else gets onto standard output: what is printed by whatever code goes to standard error.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from msgspec.structs import replace

from analyzer.cli import arguments
from analyzer.cli.common_options import Common, with_input_options

EXAMPLES = """\b
Examples:
  lockspec lsp                        what an editor starts in a kernel tree
  lockspec lsp --under virt/kvm       units of a directory only
"""


@with_input_options
def lsp(
    common: Common,
    rule: arguments.Rules = None,
    stdio: Annotated[  # noqa: ARG001 (what some editors pass, and the only way there is)
        bool, typer.Option("--stdio", help="Talk over standard input and output, as always.")
    ] = False,
) -> None:
    """Serve an editor: findings while typing, what is known of fields and locks, explanations.

    The tree is the one that the editor's folders lie in, or --tree. Exit status: 0 after the editor said goodbye, else 1.
    """
    options = common.options(rule)
    if common.given.tree is None:
        options = replace(options, tree=None)
    stdin, stdout = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    from analyzer.server.service import serve

    status = serve(options, stdin, stdout)
    sys.stdout.flush()
    raise typer.Exit(status)
