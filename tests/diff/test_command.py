# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec diff` as it is called: exit statuses, classes in every format, what is shown and what is not."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from analyzer.cli.main import main
from analyzer.report import format_names
from tests.diff.conftest import Tree

ROOT = Path(__file__).parents[2]
COUNT = ("\tdev->count++;\n", "\tmutex_lock(&dev->lock);\n\tdev->count++;\n\tmutex_unlock(&dev->lock);\n")
RESET = ("\tmutex_lock(&dev->lock);\n\treset(dev);\n\tmutex_unlock(&dev->lock);\n", "\treset(dev);\n")
HELD = ("\treport(4);\n", "\treport(4);\n\tdev->count--;\n")


class Command:
    """Runs `lockspec diff` on a tree."""

    def __init__(self, tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
        self._tree = tree
        self._capsys = capsys
        self.status = -1
        self.err = ""

    def __call__(self, *arguments: str) -> str:
        options = self._tree.options()
        fixed = ["--tree", f"{options.tree}", "--compile-commands", f"{options.compile_commands}", "--jobs", "1"]
        fixed += ["--cache", f"{options.cache}", "--specs", f"{options.specs[0]}"]
        self.status = main(["diff", *fixed, *(arguments or ("--base", "HEAD"))])
        captured = self._capsys.readouterr()
        self.err = captured.err
        return captured.out


@pytest.fixture
def command(small: Tree, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(small, capsys)


def test_only_introduced_violations_fail(small: Tree, command: Command) -> None:
    assert "0 introduced, 0 fixed, 1 pre-existing" in command()
    assert command.status == 0
    small.edit("core.c", COUNT)
    assert "0 introduced, 1 fixed, 0 pre-existing" in command()
    assert command.status == 0
    small.edit("core.c", RESET)
    out = command()
    assert (command.status, "1 introduced, 1 fixed, 0 pre-existing" in out) == (1, True)
    assert "[dev/state]" in out
    assert "[dev/count]" not in out
    assert "changed  dev_reset()\n" in out
    small.edit("core.c", HELD)
    out = command()
    assert "  1  dev_count() in core.c\n  1  dev_reset() in core.c\n" in out


def test_others_are_told_where_they_are_asked_for(small: Tree, command: Command) -> None:
    small.edit("core.c", HELD)
    small.commit()
    small.edit("core.c", COUNT)
    assert "\nfixed\n" not in (quiet := command())
    assert "[dev/count]" not in quiet
    fixed = command("--base", "HEAD", "--show", "fixed")
    assert ("\nfixed\n" in f"\n{fixed}", "\npre-existing\n" in fixed) == (True, False)
    both = command("--base", "HEAD", "--show", "all")
    assert both.count("[dev/count]") == 2
    assert command("--base", "HEAD", "--show", "everything") == ""
    assert command.status == 2


@pytest.fixture
def changed(small: Tree) -> Tree:
    """Give a tree with a finding of each class."""
    small.edit("core.c", HELD)
    small.commit("vm: count down")
    small.edit("core.c", COUNT, RESET)
    return small


@pytest.mark.usefixtures("changed")
def test_json_has_the_class_of_each_finding(command: Command) -> None:
    document = json.loads(command("--base", "HEAD", "--format", "json", "--show", "all"))
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text("utf-8"))
    jsonschema.validate(document, schema)
    classes = [(one["class"], one["rule"]) for one in document["findings"]]
    assert document["findings"][0]["touched"] == ["core.c:dev_reset"]
    assert classes == [("introduced", "dev/state"), ("fixed", "dev/count"), ("pre-existing", "dev/count")]
    wanted = {"introduced": 1, "fixed": 1, "pre-existing": 1, "not-judged": 0, "head": ""}
    assert document["compared"].items() >= wanted.items()
    assert list(document)[:6] == ["version", "units", "functions", "gaps", "rules", "findings"]
    introduced = json.loads(command("--base", "HEAD", "--format", "json"))["findings"]
    assert [one["class"] for one in introduced] == ["introduced"]


@pytest.mark.usefixtures("changed")
@pytest.mark.parametrize("name", format_names())
def test_every_format_tells_introduced_ones_alone(command: Command, name: str) -> None:
    out = command("--base", "HEAD", "--format", name, "--quiet")
    assert command.status == 1
    assert "write of dev.state" in out
    assert "of dev.count without" not in out
    assert "of dev.count without" in command("--base", "HEAD", "--format", name, "--show", "all") or name == "mail"


@pytest.mark.usefixtures("changed")
def test_what_machines_read(command: Command) -> None:
    def told(name: str) -> str:
        return command("--base", "HEAD", "--format", name, "--show", "all")

    (run,) = json.loads(told("sarif"))["runs"]
    states = [result["baselineState"] for result in run["results"]]
    assert states == ["new", "absent", "unchanged"]
    issues: list[dict[str, Any]] = json.loads(told("gitlab"))
    assert [issue["severity"] for issue in issues] == ["critical", "info"]
    root = ET.fromstring(told("junit"))  # noqa: S314 (our own)
    assert (root.get("failures"), root.get("skipped")) == ("1", "1")
    gcc = told("gcc").split("\n")
    assert [line.split(": ")[1] for line in gcc if "[dev/" in line] == ["warning", "note", "note"]
    assert [line.split()[0] for line in told("github").split("\n") if line] == ["::error", "::notice", "::notice"]


def test_a_mail_names_who_wrote_the_lines(changed: Tree, command: Command) -> None:
    head = changed.commit("vm: forget the lock")
    mail = command("--base", "HEAD~", "--format", "mail")
    assert "1 new finding:" in mail
    assert "dev.count" not in mail.partition("The rule:")[2]
    assert f'commit:   {head[:12]} ("vm: forget the lock")' in mail
    assert f'base:     {changed.git("rev-parse", "--short=12", "HEAD~")} ("vm: count down")' in mail
    assert f"{changed.git('rev-parse', '--short=12', 'HEAD~~')} A. Hacker" in mail
    (changed.path / "dev.h").touch()
    assert command("--base", "HEAD~", "--format", "mail") == mail
    changed.git("checkout", "-q", "HEAD~~")
    again = command("--base", f"{head}~", "--head", head, "--format", "mail")
    assert again == mail, "whatever is checked out"
    changed.git("checkout", "-q", head)
    assert command("--base", "HEAD", "--format", "mail") == "", "nothing new, no mail"


def test_lines_of_a_revision_that_is_not_checked_out(changed: Tree, command: Command) -> None:
    head = changed.commit()
    (changed.path / "core.c").write_text("/* nothing */\n")
    out = command("--base", "HEAD~", "--head", head)
    assert "dev->state = 0;" in out


def test_a_baseline_accepts_what_was_introduced(small: Tree, command: Command, tmp_path: Path) -> None:
    small.edit("core.c", RESET)
    (finding,) = small.diff().report.findings
    baseline = tmp_path / "baseline"
    entries = [(finding.fingerprint, "on purpose"), ("0123456789abcdef", "long gone")]
    baseline.write_text(
        "\n".join(f"fingerprint: {one}\nrule: dev/state\nfile: core.c\nreason: {why}\n" for one, why in entries)
    )
    out = command("--base", "HEAD", "--baseline", str(baseline))
    assert command.status == 0
    assert "0 introduced" in out
    assert "1 accepted by the baseline" in out


def test_what_is_wrong_is_one_line_and_two(command: Command) -> None:
    for arguments in (["--base", "nowhere"], ["--head", "HEAD"], ["--base", "HEAD", "--head", "nowhere"]):
        command(*arguments)
        assert (command.status, command.err.count("\n"), "Traceback" in command.err) == (2, 1, False)


def test_what_cannot_be_seen_is_told(small: Tree, command: Command) -> None:
    small.write({f"drivers/x{number}.c": "int x;\n" for number in range(12)} | {"Kconfig": "config X\n"})
    small.commit()
    out = command("--base", "HEAD~")
    assert command.err.count("has no compile command") + command.err.count("Kconfig") == 10
    assert "3 more changes are not looked at" in command.err
    assert "13 change" in out
    small.write({f"include/x{number}.h": "int x;\n" for number in range(3)})
    small.commit()
    command("--base", "HEAD~")
    assert command.err == "include/x0.h and 2 more: changed, but no unit that is analysed reads it\n"
    command("--base", "HEAD~~")
    assert "include/x0.h and 2 more" in command.err
    assert command("--base", "HEAD~~", "--quiet") == ""
    assert command.err == ""


def test_a_base_that_could_not_be_analysed_leaves_the_run_incomplete(small: Tree, command: Command) -> None:
    text = (small.path / "core.c").read_text("utf-8")
    small.edit("core.c", ('"dev.h"', '"missing.h"'))
    small.commit()
    small.write({"core.c": text})
    out = command()
    assert command.status == 3
    assert "1 not judged" in out
