# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec completion`: what a shell needs to complete our commands and options.

In: the name of a shell. Out: a script for it, which asks `lockspec` itself at each press of the key.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from typer.completion import get_completion_script  # type: ignore[attr-defined]  # known there, not exported

#: set by the scripts, to what is to be done
VARIABLE = "_LOCKSPEC_COMPLETE"

EXAMPLES = """\b
Examples:
  lockspec completion bash > ~/.local/share/bash-completion/completions/lockspec
  lockspec completion zsh > ~/.zfunc/_lockspec            with fpath+=~/.zfunc before compinit
  lockspec completion fish > ~/.config/fish/completions/lockspec.fish
"""


class Shell(StrEnum):
    """A shell that can be told how to complete."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="For which shell.")]) -> None:
    """Print a script that completes commands, options and formats in a shell."""
    print(get_completion_script(prog_name="lockspec", complete_var=VARIABLE, shell=shell.value))
