# SPDX-License-Identifier: GPL-2.0-only
"""The wheel in an environment of its own: only what it declares, an empty directory, no checkout, no network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from analyzer import __version__
from scripts.minikvm_commands import FIXTURES, commands

ROOT = Path(__file__).parents[2]


def run(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8", **variables}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", str(folder)]
    done = run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], folder, PATH=os.environ["PATH"])
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


def needed(known: Distribution, found: dict[str, Distribution]) -> dict[str, Distribution]:
    """Return the distributions that one declares to need, and those that they need."""
    for requirement in map(Requirement, known.requires or ()):
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and requirement.name.lower() not in found:
            found[requirement.name.lower()] = distribution(requirement.name)
            needed(found[requirement.name.lower()], found)
    return found


@pytest.fixture(scope="module")
def lockspec(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel; what it needs is linked from here, and nothing else is there."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    options = ["--no-deps", "--no-index", "--quiet", "--no-warn-script-location"]
    done = run([sys.executable, "-m", "pip", "--python", str(python), "install", *options, str(wheel)], folder)
    assert done.returncode == 0, done.stderr
    (site,) = folder.glob("lib/python*/site-packages")
    (ours,) = Distribution.discover(name="lockspec", path=[str(site)])
    for known in needed(ours, {}).values():
        for file in {Path(file).parts[0] for file in known.files or () if not str(file).startswith("..")}:
            link = site / file
            if not link.exists():
                link.symlink_to(str(known.locate_file(file)))
    return folder / "bin" / "lockspec"


@pytest.fixture(scope="module")
def preprocessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the embedded tree as .i files."""
    folder = tmp_path_factory.mktemp("preprocessed")
    tree = FIXTURES / "minikvm"
    for number, command in enumerate(commands(tree, FIXTURES / "include")):
        arguments = command["arguments"]
        assert isinstance(arguments, list)
        words = [word for word in arguments[:-2] if word != "-c"]
        subprocess.run([*words, "-E", "-o", str(folder / f"{number}.i")], cwd=tree, check=True, timeout=60)
    return folder


def test_check_finds_in_an_empty_directory_what_the_checkout_finds(
    lockspec: Path, preprocessed: Path, tmp_path: Path
) -> None:
    command = ["check", "--preprocessed", str(preprocessed), "--format", "json"]
    installed = run([str(lockspec), *command], tmp_path)
    assert installed.returncode == 1, installed.stderr
    here = run([sys.executable, "-m", "analyzer", *command, "--no-cache"], tmp_path, PYTHONPATH=str(ROOT))
    assert json.loads(installed.stdout) == json.loads(here.stdout)
    assert len(json.loads(installed.stdout)["findings"]) > 5
    assert [path.name for path in tmp_path.iterdir()] == [".cache"], "nothing but the cache is written"


@pytest.mark.parametrize(
    ("command", "part"),
    [
        (["--version"], f"lockspec {__version__}"),
        (["spec", "lint"], " primitives in "),
        (["man"], ".TH LOCKSPEC 1"),
        (["completion", "bash"], "complete -o default"),
        (["init", "github", "--print"], "name: lockspec"),
        (["init", "gitlab", "--print"], "codequality"),
        (["init", "vscode", "--print"], "problemMatcher"),
        (["init", "kbuild", "--print"], ".PHONY: lockspec"),
        (["kbuild", "check", "--help"], "--facts-only"),
    ],
)
def test_every_file_that_a_command_reads_is_in_the_wheel(
    lockspec: Path, tmp_path: Path, command: list[str], part: str
) -> None:
    done = run([str(lockspec), *command], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert part in done.stdout


@pytest.mark.parametrize("name", ["html", "sarif", "mail"])
def test_every_format_renders(lockspec: Path, preprocessed: Path, tmp_path: Path, name: str) -> None:
    done = run([str(lockspec), "check", "--preprocessed", str(preprocessed), "--format", name], tmp_path)
    assert done.returncode == 1, done.stderr
    assert len(done.stdout) > 1000


def test_the_page_of_the_call_graph_is_in_the_wheel(lockspec: Path, preprocessed: Path, tmp_path: Path) -> None:
    done = run([str(lockspec), "callgraph", "--html", "--preprocessed", str(preprocessed)], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "<title>Call graph</title>" in done.stdout


def test_the_manual_page_is_where_man_finds_it(lockspec: Path) -> None:
    page = lockspec.parents[1] / "share" / "man" / "man1" / "lockspec.1"
    assert page.read_text("utf-8") == (ROOT / "docs/man/lockspec.1").read_text("utf-8")
