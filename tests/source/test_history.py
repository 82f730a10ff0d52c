# SPDX-License-Identifier: GPL-2.0-only
"""Who wrote a line: real repositories, overlays, files that git does not know, and configurations that mean harm."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from analyzer.source import history

DATES = {"GIT_AUTHOR_DATE": "2024-10-21T12:00:00Z", "GIT_COMMITTER_DATE": "2024-10-22T12:00:00Z"}


def git(folder: Path, *arguments: str, **environment: str) -> str:
    settings = ("-c", "user.name=Zoë", "-c", "user.email=z@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", "-C", str(folder), *settings, *arguments],
        env={**os.environ, **DATES, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "a.c").write_text("int a;\n\tint b;\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "vm: add it")
    (folder / "a.c").write_text("int a;\n\tint b;\nint c;\n")
    git(folder, "commit", "-q", "-a", "-m", "vm: count", "--author", "A. Hacker <a@example.org>")
    return folder


def test_lines_have_commits_names_and_dates(tree: Path) -> None:
    first, second = git(tree, "rev-parse", "HEAD~"), git(tree, "rev-parse", "HEAD")
    assert history.authors(tree, "a.c", 2, 3) == (
        history.Author(2, first, "Zoë", "2024-10-21", "\tint b;"),
        history.Author(3, second, "A. Hacker", "2024-10-21", "int c;"),
    )


def test_the_head_is_named_as_commits_are(tree: Path) -> None:
    assert history.head(tree) == f'{git(tree, "rev-parse", "--short=12", "HEAD")} ("vm: count")'


def test_an_overlay_stands_for_the_file(tree: Path) -> None:
    other = tree.parent / "edited.c"
    other.write_text("int new;\nint a;\n")
    new, old = history.authors(tree, "a.c", 1, 2, contents=other)
    assert set(new.commit) == {"0"}
    assert (old.text, old.commit) == ("int a;", git(tree, "rev-parse", "HEAD~"))


@pytest.mark.parametrize(("file", "first", "last"), [("b.c", 1, 1), ("a.c", 0, 1), ("a.c", 3, 2), ("a.c", 7, 9)])
def test_what_git_does_not_know_has_no_authors(tree: Path, file: str, first: int, last: int) -> None:
    (tree / "b.c").write_text("int b;\n")
    assert history.authors(tree, file, first, last) == ()


def test_no_repository_and_no_git(tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert history.authors(tmp_path, "a.c", 1, 1) == ()
    assert history.head(tmp_path) == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert history.authors(tree, "a.c", 1, 1) == ()


@pytest.mark.parametrize(
    "setting", ["core.fsmonitor", "core.pager", "pager.blame", "diff.odd.textconv", "gpg.program", "core.sshCommand"]
)
def test_nothing_that_a_repository_names_is_run(tree: Path, setting: str) -> None:
    trap = tree.parent / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tree.parent / 'sprung'}\n")
    trap.chmod(0o755)
    git(tree, "config", setting, str(trap))
    git(tree, "config", "log.showSignature", "true")
    (tree / ".gitattributes").write_text("*.c diff=odd\n")
    assert len(history.authors(tree, "a.c", 1, 2)) == 2
    assert history.head(tree)
    assert not (tree.parent / "sprung").exists()


def test_a_tree_that_the_repository_around_it_does_not_know_has_no_head(tree: Path) -> None:
    (tree / "unpacked").mkdir()
    (tree / "unpacked" / "b.c").write_text("int b;\n")
    (tree / "known").mkdir()
    (tree / "known" / "c.c").write_text("int c;\n")
    git(tree, "add", "known")
    git(tree, "commit", "-q", "-m", "vm: more")
    assert history.head(tree / "unpacked") == ""
    assert history.head(tree / "known").endswith('("vm: more")')
    assert history.authors(tree / "known", "c.c", 1, 1)[0].text == "int c;"
