# SPDX-License-Identifier: GPL-2.0-only
"""The problem matchers of VS Code and GitHub, run by a real JavaScript on what the command really prints."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from analyzer.pipeline.scaffold import Choice, github, vscode
from tests.editors.conftest import Printed, program

MATCH = Path(__file__).with_name("match.js")


def matched(matchers: list[Any], messages: Path, folder: Path) -> list[list[dict[str, Any]]]:
    path = folder / "matchers.json"
    path.write_text(json.dumps(matchers))
    done = subprocess.run(
        [program("node", "nodejs"), str(MATCH), str(path), str(messages)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


def vscode_tasks() -> list[dict[str, Any]]:
    tasks = json.loads(vscode(Choice()).files[".vscode/tasks.json"])["tasks"]
    assert isinstance(tasks, list)
    return tasks


@pytest.mark.parametrize("number", [0, 1])
def test_vscode_takes_every_finding_and_every_step(number: int, printed: Printed, tmp_path: Path) -> None:
    found = matched([vscode_tasks()[number]["problemMatcher"]], printed.path, tmp_path)
    assert [(m["file"], m["line"], m["column"], m["severity"]) for (m,) in found] == list(printed.places)
    assert {m["code"] is None for (m,) in found if m["severity"] == "warning"} == {False}
    assert not any(m["message"].endswith("]") for (m,) in found)


def test_github_takes_every_line_once_with_a_severity_it_knows(printed: Printed, tmp_path: Path) -> None:
    matchers = json.loads(github(Choice()).files[".github/lockspec-matcher.json"])["problemMatcher"]
    found = matched(matchers, printed.path, tmp_path)
    known = {"warning": "warning", "note": "notice"}
    assert [(m["file"], m["line"], m["column"], m["severity"]) for (m,) in found] == [
        (file, line, column, known[severity]) for file, line, column, severity in printed.places
    ]


def test_what_is_no_message_is_not_taken(tmp_path: Path) -> None:
    messages = tmp_path / "messages"
    messages.write_text("lockspec: checking\nlockspec: done: 3 violations\nmake: *** [Makefile:3: all] Error 1\n\n")
    assert matched([vscode_tasks()[0]["problemMatcher"]], messages, tmp_path) == [[], [], [], []]


def test_the_watch_task_knows_what_watch_says() -> None:
    from analyzer.cli import watch

    background = vscode_tasks()[1]["problemMatcher"]["background"]
    assert background["beginsPattern"] == f"^{watch.BEGIN}$"
    assert background["endsPattern"] == f"^{watch.END}"
