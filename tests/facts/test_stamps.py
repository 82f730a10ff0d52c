# SPDX-License-Identifier: GPL-2.0-only
"""Stamps: what makes a unit's text stale, and what does not."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.facts import stamps as stamps_module
from analyzer.facts.database import Database
from analyzer.facts.stamps import Stamps

COMMAND = b"command"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "cache", "1")
    yield database
    database.close()


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Make a source and two headers of an hour ago."""
    paths = [tmp_path / name for name in ("a.c", "a.h", "b.h")]
    for path in paths:
        path.write_text(path.name)
        os.utime(path, ns=(10**18, 10**18))
    return [str(path) for path in paths]


def keep(database: Database, files: list[str], text: bytes = b"text", **overlays: str) -> None:
    chosen = {path: overlays[Path(path).stem] for path in files if Path(path).stem in overlays}
    Stamps(database, 1, chosen).keep(COMMAND, files, text, time.time_ns() + 10**12)


def texts(database: Database, overlays: dict[str, str] | None = None) -> dict[bytes, bytes]:
    return Stamps(database, 2, overlays).texts([COMMAND])


def test_nothing_changed(database: Database, files: list[str]) -> None:
    assert texts(database) == {}
    keep(database, files)
    assert texts(database) == {COMMAND: b"text"}
    assert Stamps(database, 2).texts([b"other command"]) == {}


def test_a_changed_file_makes_the_text_stale_and_the_old_content_fresh_again(
    database: Database, files: list[str]
) -> None:
    keep(database, files)
    Path(files[1]).write_text("edit")
    assert texts(database) == {}
    Path(files[1]).write_text("a.h")
    assert texts(database) == {COMMAND: b"text"}


def test_an_edit_of_the_same_size_at_the_same_time_is_seen(database: Database, files: list[str]) -> None:
    keep(database, files)
    Path(files[1]).write_text("A.H")
    os.utime(files[1], ns=(10**18, 10**18))
    assert texts(database) == {}


def test_a_file_only_touched_is_fresh_and_read_but_once(
    database: Database, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(database, files)
    os.utime(files[2], ns=(2 * 10**18, 2 * 10**18))
    read: list[str] = []
    hashing = stamps_module._hash
    monkeypatch.setattr(stamps_module, "_hash", lambda path: (read.append(path), hashing(path))[1])
    assert texts(database) == {COMMAND: b"text"}
    assert texts(database) == {COMMAND: b"text"}
    assert read == [files[2]]


def test_a_file_that_went_or_came_makes_the_text_stale(database: Database, files: list[str], tmp_path: Path) -> None:
    absent = str(tmp_path / "absent.h")
    keep(database, [*files, absent])
    assert texts(database) == {COMMAND: b"text"}
    Path(absent).write_text("")
    assert texts(database) == {}
    Path(absent).unlink()
    assert texts(database) == {COMMAND: b"text"}
    Path(files[0]).unlink()
    assert texts(database) == {}


def test_a_file_changed_during_the_run_is_not_relied_on(database: Database, files: list[str]) -> None:
    begun_ns = time.time_ns() - 10**9
    Path(files[1]).write_text("edited meanwhile")
    Stamps(database, 1).keep(COMMAND, files, b"text", begun_ns)
    assert texts(database) == {}


def test_overlays_count_by_their_content(database: Database, files: list[str], tmp_path: Path) -> None:
    keep(database, files)
    content = tmp_path / "content"
    content.write_text("a.h")
    overlay = {files[1]: str(content)}
    assert texts(database, overlay) == {COMMAND: b"text"}
    content.write_text("other")
    assert texts(database, overlay) == {}
    Stamps(database, 2, overlay).keep(COMMAND, files, b"overlaid text", time.time_ns() + 10**12)
    assert texts(database, overlay) == {COMMAND: b"overlaid text"}
    # the tree's own text is still known, and the file's own content is not mistaken for the overlay's
    assert texts(database) == {COMMAND: b"text"}


def test_a_file_first_met_under_an_overlay_is_not_taken_for_it(
    database: Database, files: list[str], tmp_path: Path
) -> None:
    content = tmp_path / "content"
    content.write_text("other")
    os.utime(content, ns=(10**18, 10**18))
    Stamps(database, 1, {files[1]: str(content)}).keep(COMMAND, files, b"overlaid text", time.time_ns() + 10**12)
    assert texts(database) == {}
    assert texts(database, {files[1]: str(content)}) == {COMMAND: b"overlaid text"}


def test_only_so_many_texts_of_one_command_are_kept(database: Database, files: list[str]) -> None:
    for number in range(12):
        Path(files[1]).write_text(f"edit {number}")
        keep(database, files, f"text {number}".encode())
    Path(files[1]).write_text("edit 3")
    assert texts(database) == {}
    Path(files[1]).write_text("edit 4")
    assert texts(database) == {COMMAND: b"text 4"}
