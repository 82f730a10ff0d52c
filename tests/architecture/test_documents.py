# SPDX-License-Identifier: GPL-2.0-only
"""What documents say about the project is so."""

import re
from pathlib import Path

import pytest

from analyzer.cli.main import main
from analyzer.cli.status import Status

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text("utf-8"))
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


@pytest.mark.parametrize("command", ["check"])
def test_the_readme_lists_every_option(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    offered = set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", capsys.readouterr().out, re.MULTILINE)) - {"--help"}
    readme = (ROOT / "README.md").read_text("utf-8")
    table = readme.split("## Options of", 1)[1].split("\n## ", 1)[0]
    assert set(re.findall(r"--[a-z][a-z-]+", table)) == offered


def test_the_readme_gives_the_exit_statuses() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    told = {int(number) for number in re.findall(r"\*\*(\d+)\*\*", readme)}
    assert told == {status.value for status in Status if status is not Status.INTERRUPTED}


def test_the_changelog_begins_with_what_is_not_released_or_the_version() -> None:
    from analyzer import __version__

    first = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)[0]
    assert first in ("Unreleased", __version__)
