# SPDX-License-Identifier: GPL-2.0-only
"""Calls of git that leave everything as it is.

In: a directory, words. Out: what git printed.

**Invariant:** nothing is written, the index neither; nothing that the repository's own configuration names is run: it
may be somebody else's tree.
"""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

#: no program of the repository's choosing
SAFE = ("-c", "core.fsmonitor=false", "-c", "core.pager=cat")
#: `git diff` and `git status` would refresh the index on their way
_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
_FILTERS = r"^filter\..*\.(clean|smudge|process|required)$"


class GitError(Exception):
    """Git did not do it; the message is its own."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        #: git's exit status
        self.status = status


def run(base: Path, *arguments: str, given: bytes | None = None, timeout_s: float | None = None) -> bytes:
    """Run git in `base`; raise `GitError` where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(base), *SAFE, *arguments],
            input=given if given is not None else b"",
            env=os.environ | _ENVIRONMENT,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError:
        raise GitError("git is not installed", 127) from None
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise GitError(str(error), 127) from error
    if done.returncode:
        message = done.stderr.decode("utf-8", "replace").strip().split("\n")[-1]
        raise GitError(message.removeprefix("fatal: "), done.returncode)
    return done.stdout


@cache
def unfiltered(base: Path) -> tuple[str, ...]:
    """Return options that take the programs away which the configuration has files filtered by."""
    try:
        names = run(base, "config", "--name-only", "-z", "--get-regexp", _FILTERS).decode("utf-8", "replace")
    except GitError:
        return ()
    off = {"required": "false"}
    keys = dict.fromkeys(name for name in names.split("\0") if name)
    return tuple(word for key in keys for word in ("-c", f"{key}={off.get(key.rpartition('.')[2], '')}"))
