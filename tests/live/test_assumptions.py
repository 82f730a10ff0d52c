# SPDX-License-Identifier: GPL-2.0-only
"""Assumptions in the program that is kept in memory: after each edit it says what `check` says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from analyzer.findings.model import Report
from analyzer.pipeline.check import check
from analyzer.pipeline.live.program import LiveProgram
from analyzer.pipeline.options import CheckOptions, Silent
from scripts.minikvm_commands import FIXTURES

UNIT = "assumptions/empty.c"
TEXT = (FIXTURES / UNIT).read_text("utf-8")

#: how it is answered, the text before, the text after
EDITS = {
    "the condition is not asked for": (
        "function",
        "\tif (!--folder->users && folder->closed)\n\t\tclose_folder(folder);",
        "\tif (!--folder->users)\n\t\tclose_folder(folder);",
    ),
    "the condition is asked for": (
        "function",
        "\tif (!--folder->users)\n\t\tempty_folder_unasked_bad(folder);",
        "\tif (!--folder->users && folder->closed)\n\t\tempty_folder_unasked_bad(folder);",
    ),
    "the condition holds no longer": (
        "function",
        "\tif (folder->closed && empty_folder_counted(folder))",
        "\tfolder->closed = 0;\n\tif (empty_folder_counted(folder))",
    ),
    "a new call": (
        "function",
        "\tfolder->closed = 1;\n}",
        "\tempty_folder_unasked_bad(folder);\n\tfolder->closed = 1;\n}",
    ),
    "the function does something else": ("unit", "\treturn folder->papers;", "\treturn folder->papers + 1;"),
}


@pytest.fixture
def options(tmp_path: Path) -> CheckOptions:
    database = tmp_path / "compile_commands.json"
    flags = ["gcc", "-std=gnu11", "-nostdinc", f"-I{FIXTURES / 'include'}", "-c", UNIT]
    database.write_text(json.dumps([{"directory": str(FIXTURES), "file": UNIT, "arguments": flags}]))
    specs = tuple(FIXTURES / "specs" / name for name in ("assumptions.yaml", "ledger.yaml"))
    return CheckOptions(tree=FIXTURES, compile_commands=database, specs=specs, cache=tmp_path / "cache", jobs=1)


@pytest.fixture
def live(options: CheckOptions) -> Iterator[LiveProgram]:
    program = LiveProgram(options)
    program.whole({}, Silent())
    assert program.prepare(UNIT, TEXT, {})
    yield program
    program.close()


def checked(options: CheckOptions, text: str, folder: Path) -> Report:
    overlay = folder / "overlay.c"
    overlay.write_text(text)
    return check(replace(options, overlays=((UNIT, overlay),)), Silent())


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_answered_as_check_answers(
    name: str, live: LiveProgram, options: CheckOptions, tmp_path: Path
) -> None:
    how, old, new = EDITS[name]
    before = checked(options, TEXT, tmp_path)
    assert live.generation is not None
    assert live.generation.report == before
    assert before.assumed
    for text in (TEXT.replace(old, new, 1), TEXT):
        assert old in TEXT
        answer = live.change(UNIT, text, Silent())
        assert answer is not None
        assert not answer.broken
        assert answer.how == how
        assert answer.report == checked(options, text, tmp_path)
        if text != TEXT and how == "function":
            assert (answer.report.findings, answer.report.assumed) != (before.findings, before.assumed)
