# SPDX-License-Identifier: GPL-2.0-only
"""Where reports go: pipes, files, devices, terminals, and readers that leave early."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analyzer.findings.model import Finding

Run = Callable[..., Any]


def test_output_holds_the_report_and_standard_output_nothing(run: Run, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("old")
    ran = run("check", "--format", "json", "--output", report)
    assert (ran.status, ran.out) == (0, "")
    assert json.loads(report.read_text())["version"] == 1
    assert list(tmp_path.iterdir()) == [report]


def test_a_failed_run_leaves_the_old_file(run: Run, pipeline: Any, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("old")
    pipeline.answer = RuntimeError("a bug")
    run("check", "--output", report)
    assert report.read_text() == "old"


def test_a_link_is_followed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "there" / "report")
    run("check", "--output", link)
    assert link.is_symlink()
    assert "0 violations" in (tmp_path / "there" / "report").read_text()


def test_a_device_is_written_not_replaced(run: Run) -> None:
    assert run("check", "--output", "/dev/null").status == 0
    assert not Path("/dev/null").is_file()


def test_a_full_disk_is_one_line_and_2(run: Run) -> None:
    ran = run("check", "--output", "/dev/full")
    assert ran.status == 2
    assert ran.err.startswith("/dev/full: cannot be written: ")


def test_the_caret_line_comes_from_the_overlay(run: Run, pipeline: Any, violation: Finding, tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("void f(struct vm *vm)\n\told->x;\n")
    (tmp_path / "edited.c").write_text("void f(struct vm *vm)\n\tvm->x = 1;\n")
    pipeline.finds(violation)
    assert "old->x" in run("check", "--tree", tmp_path).out
    assert "vm->x = 1;" in run("check", "--tree", tmp_path, "--overlay", f"a.c={tmp_path / 'edited.c'}").out


def test_a_mail_tells_who_wrote_the_lines_of_the_tree_and_of_no_other(
    run: Run, pipeline: Any, violation: Finding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, elsewhere = tmp_path / "tree", tmp_path / "elsewhere"
    for folder, name in ((tree, "A. Hacker"), (elsewhere, "Somebody Else")):
        folder.mkdir()
        (folder / "a.c").write_text("void f(struct vm *vm)\n\tvm->x = 1;\n")
        for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", f"by {name}"]):
            settings = ["-c", f"user.name={name}", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
            subprocess.run(["git", "-C", str(folder), *settings, *words], check=True, timeout=60)
    pipeline.finds(violation)
    monkeypatch.chdir(elsewhere)
    told = run("check", "--tree", tree, "--format", "mail").out
    assert re.search(r'^commit:   [0-9a-f]{12} \("by A. Hacker"\)$', told, re.MULTILINE)
    assert re.search(r"^[0-9a-f]{12} A. Hacker \d{4}-\d\d-\d\d      2 @        vm->x = 1;$", told, re.MULTILINE)
    shutil.rmtree(tree / ".git")
    told = run("check", "--tree", tree, "--format", "mail").out
    assert "Somebody Else" not in told
    assert "commit:" not in told


#: runs the real command with a pipeline that finds much
MUCH = """
import sys, types
from analyzer.base.location import Location
from analyzer.findings.model import Finding, Report
from analyzer.cli.main import run
def check(options, progress, explain_paths):
    progress.begin("analyse", 2)
    progress.advance(2)
    one = Finding("r", "k", "violation", "error", "m" * 100, Location("a.c", 1, 1), "f", "o", "a", (), (), (), "c", "w",
                  "s", Location("r.yaml", 1))
    n_findings = 5000 if "gcc" in sys.argv else 2
    return Report((one,) * n_findings, (), (), 1, 0, 1, 0)
module = types.ModuleType("analyzer.pipeline.check")
module.check = check
sys.modules["analyzer.pipeline.check"] = module
sys.argv[0] = "lockspec"
run()
"""


def test_a_reader_who_leaves_is_no_error() -> None:
    command = f"'{sys.executable}' -c \"$0\" check --format gcc | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command, MUCH], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    assert done.stdout.splitlines()[1:] == ["1"]


def test_a_pipe_gets_no_colour_and_no_progress() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MUCH, "check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def run_on_terminal(*arguments: str, environment: dict[str, str]) -> str:
    """Run with standard error and output on a terminal; return what it showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", MUCH, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", **environment},
    )
    os.close(theirs)
    shown = bytearray()
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    assert process.wait(60) == 1
    return shown.decode()


def test_a_terminal_gets_colour_and_progress() -> None:
    shown = run_on_terminal("check", environment={"NO_COLOR": ""})
    assert "\x1b[1;31merror: " in shown
    assert "analyse" in shown


def test_colour_can_be_declined() -> None:
    assert "\x1b[1;31m" not in run_on_terminal("check", "--quiet", environment={"NO_COLOR": "1"})


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_any_locale_will_do(encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MUCH, "check"],
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C"},
    )
    assert (done.returncode, done.stderr) == (1, b"")
