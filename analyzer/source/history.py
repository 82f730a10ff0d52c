# SPDX-License-Identifier: GPL-2.0-only
"""Who wrote a line, and which commit a tree stands on, as git tells.

In: a directory of a git work tree, a file, lines. Out: `(Author(line=566, commit="a1b2…", name="…", date="2024-10-21", …),)`.

**Invariant:** where git is not installed, refuses, or does not know the file, the answer is empty; nothing raises.
**Invariant:** nothing that the repository's own configuration names is run: it may be somebody else's tree.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from analyzer.source import git
from analyzer.source.git import GitError

#: a long history takes its time; a report must end
TIMEOUT_S = 120


class Author(Struct, frozen=True):
    """Where a line comes from."""

    #: 1-based, in the file as it is now
    line: int
    #: hex digits; zeros: changed and not committed
    commit: str
    name: str
    #: `2024-10-21`, in UTC
    date: str
    text: str


def authors(
    base: Path, file: str, first: int, last: int, *, contents: Path | None = None, revision: str = ""
) -> tuple[Author, ...]:
    """Return who wrote lines `first` to `last` of `file` below `base`, now or at `revision`; `contents` may stand for it."""
    if not 0 < first <= last:
        return ()
    overlay = ["--contents", str(contents.absolute())] if contents else []
    command = [
        "blame",
        "--line-porcelain",
        "--no-textconv",
        f"-L{first},{last}",
        *overlay,
        *([revision] if revision else []),
        "--",
        file,
    ]
    return tuple(_parse(_git(base, *command)))


def head(base: Path, revision: str = "HEAD") -> str:
    """Return `a1b2c3d4e5f6 ("KVM: fix it")`, the commit that `base` stands on, or `revision`; empty where there is none.

    A directory within somebody else's work tree, which that one does not know, stands on no commit.
    """
    if not _git(base, "ls-tree", "--name-only", revision, "."):
        return ""
    return _git(base, "log", "-1", "--no-show-signature", "--abbrev=12", '--format=%h ("%s")', revision, "--").strip()


def content(base: Path, file: str, revision: str) -> str | None:
    """Return what `file` below `base` held at `revision`; None where git does not know."""
    if os.path.isabs(file):  # noqa: PTH117
        return None
    try:
        return git.run(base, "cat-file", "blob", f"{revision}:./{file}").decode("utf-8", "replace")
    except GitError:
        return None


def _git(base: Path, *arguments: str) -> str:
    try:
        return git.run(base, *arguments, timeout_s=TIMEOUT_S).decode("utf-8", "replace")
    except GitError:
        return ""


def _parse(porcelain: str) -> list[Author]:
    """Read git's porcelain form: for each line a head, `key value` lines, and the line itself after a tab."""
    found: list[Author] = []
    commit, line, values = "", 0, dict[str, str]()
    for text in porcelain.split("\n"):
        if text.startswith("\t"):
            when = datetime.fromtimestamp(int(values.get("author-time", "0")), UTC)
            found.append(Author(line, commit, values.get("author", ""), f"{when:%Y-%m-%d}", text[1:]))
            commit, line, values = "", 0, {}
        elif not commit and text:
            commit, _, after = text.partition(" ")
            line = int(after.split(" ")[1])
        elif text:
            key, _, value = text.partition(" ")
            values[key] = value
    return found
