# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec crosscheck`: what it prints and how it ends."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from analyzer.cli.main import main

SOURCE = "int outside(int);\nint f(int x) { return outside(x) + 1; }\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "a.c").write_text(SOURCE)
    command = ["gcc", "-O2", "-g", "-c", "-o", "a.o", "a.c"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    entry = {"directory": str(tmp_path), "file": "a.c", "arguments": command}
    (tmp_path / "compile_commands.json").write_text(json.dumps([entry]))
    return tmp_path


def test_agreement_is_status_0(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crosscheck", "--tree", str(tree), "--no-cache"]) == 0
    printed = capsys.readouterr().out
    assert "1 objects with 1 functions" in printed
    assert "1 of 1, 100.00 %" in printed


def test_a_call_that_the_source_lacks_is_status_1(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "a.c").write_text("int f(int x) { return x + 1; }\n")
    assert main(["crosscheck", "--tree", str(tree), "--no-cache", "--quiet"]) == 1
    printed = capsys.readouterr().out
    assert "  a.c: f: outside (call at .text+" in printed
    assert "100.00 %" not in printed


def test_json_holds_the_same(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "a.c").write_text("int f(int x) { return x + 1; }\n")
    assert main(["crosscheck", "--tree", str(tree), "--no-cache", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["version"] == 1
    shares = {share["name"]: (share["found"], share["total"]) for share in document["shares"]}
    assert shares["call sites"] == (0, 1)
    calls = [d for d in document["differences"] if d["kind"] == "call"]
    assert [(d["unit"], d["where"], d["what"]) for d in calls] == [("a.c", "f", "outside")]


def test_no_object_is_status_2(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "a.o").unlink()
    assert main(["crosscheck", "--tree", str(tree), "--no-cache"]) == 2
    assert "build it with debugging information" in capsys.readouterr().err
