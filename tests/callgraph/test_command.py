# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec callgraph` from the command line to the exit status."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from analyzer.cli.main import main
from analyzer.cli.status import Status

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Give a way to run `lockspec callgraph` in this process."""

    def run_main(*arguments: object) -> tuple[int, str, str]:
        status = main(["callgraph", *map(str, arguments)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run_main


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("callers", "run"), "start()"),
        (("callees", "run"), "first_open()"),
        (("callees", "start", "--depth", 2), "first_open()"),
        (("paths", "start", "outside"), "3 paths from start() to outside()"),
        (("paths", "start", "outside", "--max-length", 3, "--limit", 1), "1 path from"),
        (("unresolved",), "2 calls"),
        (("unresolved", "--limit", 1), "1 of them not shown"),
        (("stats",), "linked in"),
        (("export",), '"version": 1'),
        (("export", "--format", "dot"), "digraph"),
        (("export", "--html"), "<!DOCTYPE html>"),
        (("--html",), "<!DOCTYPE html>"),
    ],
)
def test_each_answers(run: Run, tree: Path, arguments: tuple[str, ...], expected: str) -> None:
    status, out, err = run(*arguments, "--tree", tree, "--no-cache", "--jobs", 1)
    assert (status, err) == (Status.CLEAN, "")
    assert expected in out


def test_options_stand_before_or_after_the_command(run: Run, tree: Path) -> None:
    after = run("callers", "run", "--tree", tree, "--no-cache")
    assert run("--tree", tree, "--no-cache", "callers", "run") == after
    assert run("--tree", tree.parent, "--no-cache", "callers", "run", "--tree", tree) == after


def test_an_overlay_counts(run: Run, tree: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.c"
    changed.write_text('#include "core.h"\nint start(int n) { return outside(n); }\n')
    overlay = f"vendor.c={changed}"
    status, out, _ = run("callers", "outside", "--tree", tree, "--no-cache", "--overlay", overlay)
    assert status == Status.CLEAN
    assert "start()   vendor.c:2" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("callers", "ruun"), "no analysed unit defines or declares a function ruun (did you mean 'run'?)"),
        (("callees", "helper"), "helper is the name of 2 functions; give one of core.c:helper, vendor.c:helper"),
        (("paths", "run", "run"), "run and run are the same function: give two"),
        (("paths", "run"), "Missing argument 'TO'"),
        (("paths", "run", "outside", "--limit", "0"), "--limit"),
        (("export", "--format", "png"), "'png' is none of dot, graphml, html, json"),
        (("export", "--format", "dot", "--html"), "exclude each other"),
        (("--html", "stats"), "--html stands alone"),
        (("export", "--output", "/nowhere/at/all"), "cannot be written"),
        (("stats", "--cache", "x", "--no-cache"), "exclude each other"),
        (("turn",), "No such command 'turn'"),
    ],
)
def test_wrong_usage_is_one_line(run: Run, tree: Path, arguments: tuple[str, ...], told: str) -> None:
    first = () if arguments[0] == "turn" else ("--tree", tree)
    status, out, err = run(*first, *arguments)
    assert (status, out) == (Status.USAGE, "")
    assert told in err
    assert err.count("\n") == 1


def test_without_a_command_there_is_help(run: Run) -> None:
    status, out, err = run()
    assert (status, out) == (Status.USAGE, "")
    for command in ("callers", "callees", "paths", "unresolved", "stats", "export"):
        assert f"\n  {command} " in err


def test_output_goes_into_a_file(run: Run, tree: Path, tmp_path: Path) -> None:
    path = tmp_path / "graph"
    assert run("export", "--tree", tree, "--no-cache", "--output", path) == (Status.CLEAN, "", "")
    assert {function["name"] for function in json.loads(path.read_text())["functions"]} >= {"run", "outside"}
    assert run("export", "-f", "graphml", "--tree", tree, "--no-cache", "-o", path) == (Status.CLEAN, "", "")
    assert ET.parse(path).getroot().tag.endswith("graphml")  # noqa: S314 (our own text)


def test_a_unit_that_cannot_be_read_is_told(run: Run, tree: Path, tmp_path: Path) -> None:
    broken = tmp_path / "tree"
    shutil.copytree(tree, broken)
    (broken / "compile_commands.json").write_text(
        (tree / "compile_commands.json").read_text().replace(str(tree), str(broken))
    )
    (broken / "core.c").write_text('#include "nowhere.h"\n')
    status, out, err = run("callers", "run", "--tree", broken, "--no-cache")
    assert status == Status.INCOMPLETE
    assert out.startswith("run()  core.h:8  only declared\n")
    assert "nowhere.h" in err


def test_callback_rows_of_a_specification_count(run: Run, tree: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.yaml"
    rows.write_text("lockspec: 1\ncallbacks:\n  - {function: later, calls: arg 0, runs: later, source: here}\n")
    changed = tmp_path / "changed.c"
    changed.write_text(
        "void later(void (*call)(void));\nstatic void work(void) { }\nint start(int n) { later(work); return n; }\n"
    )
    overlay = f"vendor.c={changed}"
    status, out, err = run("callers", "work", "--tree", tree, "--no-cache", "--overlay", overlay, "--specs", rows)
    assert (status, err) == (Status.CLEAN, "")
    assert "start()  vendor.c:3  deferred, through later()" in out
