# SPDX-License-Identifier: GPL-2.0-only
"""Completion in real shells: commands, options, formats."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BASH = """
source <(lockspec completion bash)
COMP_WORDS=(lockspec {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_lockspec_completion lockspec
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
FISH = "lockspec completion fish | source; complete -C 'lockspec {words}'"
ZSH = """
autoload -Uz compinit; compinit -u -d {folder}/dump
source <(lockspec completion zsh)
[ "$_comps[lockspec]" = _lockspec_completion ] || exit 1
compadd() {{ print -l -- "$@" }}; _describe() {{ print -l -- "${{(P@)2}}" }}; _arguments() {{ eval "${{2#*:*:}}" }}
words=(lockspec {words}); CURRENT=$#words
_TYPER_COMPLETE_ARGS="lockspec {words}" _LOCKSPEC_COMPLETE=complete_zsh lockspec
"""


def completed(shell: str, words: str, folder: Path) -> list[str]:
    """Let a shell complete the last of `words`."""
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"no {shell}: install it to run this test")
    shim = folder / "lockspec"
    shim.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m analyzer "$@"\n')
    shim.chmod(0o755)
    script, options = {"bash": (BASH, ["--norc"]), "fish": (FISH, ["-N"]), "zsh": (ZSH, ["-f"])}[shell]
    done = subprocess.run(
        [path, *options, "-c", script.format(words=words, folder=folder)],
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
@pytest.mark.parametrize(
    ("words", "expected"), [("ch", "check"), ("check --form", "--format"), ("check --format s", "sarif")]
)
def test_completes(shell: str, words: str, expected: str, tmp_path: Path) -> None:
    found = completed(shell, words, tmp_path)
    assert any(expected in word for word in found), found
    assert not any("explain" in word for word in found)
