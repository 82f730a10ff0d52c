# SPDX-License-Identifier: GPL-2.0-only
"""The worked examples of CONTRIBUTING.md work as they stand there, in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("analyzer", "fixtures", "lockspecs", "scripts", "tests", "docs", "pyproject.toml", "LICENSE")
_BLOCK = re.compile(
    r"^```\w+\n(?:#|//) (?P<what>file|edit): (?P<path>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


def blocks() -> list[tuple[str, str, str]]:
    """Find the examples: what to do, with which file, the text."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    return [(match["what"], match["path"], match["text"]) for match in _BLOCK.finditer(text)]


def edit(path: Path, difference: str) -> None:
    """Apply a difference without line numbers; what it expects must be there once."""
    lines = difference.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if not line.startswith("+"))
    after = "".join(line[1:] for line in lines if not line.startswith("-"))
    text = path.read_text("utf-8")
    assert text.count(before) == 1, f"{path} does not hold what the example changes:\n{before}"
    path.write_text(text.replace(before, after), "utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the project and do to it what the examples say."""
    folder = tmp_path_factory.mktemp("project")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    for what, path, text in blocks():
        target = folder / path
        if what == "edit":
            edit(target, text)
        else:
            assert not target.exists(), f"{path} exists already: the example is no longer new"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
    return folder


def run(project: Path, *command: str, **environment: str) -> str:
    """Run a Python module in the copy; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_is_an_example_of_each() -> None:
    written = [path for _, path, _ in blocks()]
    for folder in (
        "lockspecs/primitives",
        "fixtures/specs",
        "analyzer/spec/kinds",
        "analyzer/rules",
        "analyzer/report",
    ):
        assert any(path.startswith(f"{folder}/") for path in written), folder


def test_the_fixtures_hold(project: Path) -> None:
    chosen = "turnstile or shelf"
    assert "passed" in run(project, "pytest", "-q", "-p", "no:cacheprovider", "tests/fixtures", "-k", chosen)


def test_the_format_is_offered_and_renders(project: Path) -> None:
    assert "csv|gcc|" in run(project, "analyzer", "check", "--help", COLUMNS="200")
    golden = ("pytest", "-q", "-p", "no:cacheprovider", "tests/report/test_golden.py")
    run(project, *golden, UPDATE_GOLDEN="1")
    rows = (project / "tests/report/golden/csv.txt").read_text("utf-8").splitlines()
    assert rows[0] == "verdict,rule,file,line,function"
    assert rows[1].startswith("violation,kvm/gmem-file-write,virt/kvm/guest_memfd.c,566,")


def test_the_examples_keep_the_house_rules(project: Path) -> None:
    python = [path for _, path, _ in blocks() if path.endswith(".py")]
    run(project, "ruff", "check", *python)
    run(project, "ruff", "format", "--check", *python)
    run(project, "pytest", "-q", "-p", "no:cacheprovider", "tests/architecture/test_structure.py")
