# SPDX-License-Identifier: GPL-2.0-only
"""The page about sparse's context warnings says what sparse, the source and lockspec say."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec import Struct

from analyzer.analysis.locks import is_context, lock_class
from analyzer.facts.store import Store
from analyzer.pipeline.analyse import Analysis
from analyzer.pipeline.check import examine
from analyzer.pipeline.options import CheckOptions, Silent
from bench.run import sparse_commands
from tests.kernel.conftest import run

pytestmark = pytest.mark.kernel

PAGE = Path(__file__).parents[2] / "docs" / "case-studies" / "sparse-context.md"
ROW = re.compile(r"^\| (\d+) \| (\S+):(\d+) \| (\w+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
WARNING = re.compile(r"^(\S+?):(\d+):\d+: warning: context imbalance in '(\w+)' - (.+)$", re.MULTILINE)
#: `text` (line)
PLACE = re.compile(r"`([^`]+)`\s+\((\d+)\)")


class Row(Struct, frozen=True):
    """One warning, as the table has it."""

    number: int
    place: str
    function: str
    says: str
    what: str
    #: locks held more or less on return: one text for each different way
    on_return: frozenset[str]


def rows() -> list[Row]:
    """Return the table's rows."""
    return [
        Row(int(number), f"{file}:{line}", function, says, what, frozenset(ways.split(", or ")))
        for number, file, line, function, says, what, ways in ROW.findall(PAGE.read_text("utf-8"))
    ]


def sections() -> Iterator[tuple[str, str, str, str]]:
    """Yield number, function, file and text of each paragraph about a warning."""
    yield from re.findall(
        r"^### (\d+)\. (\w+), (\S+)\n(.*?)(?=^### |\Z)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


def test_every_warning_has_its_paragraph() -> None:
    assert [row.number for row in rows()] == list(range(1, len(rows()) + 1))
    assert [(row.number, row.function) for row in rows()] == [(int(number), name) for number, name, _, _ in sections()]


def test_the_summary_counts_the_table() -> None:
    text = PAGE.read_text("utf-8")
    kinds = {
        "correlated": "correlated",
        "guards": "guard",
        "halves": "half of a pair",
        "a caller": "dropped and retaken",
    }
    for word, what in kinds.items():
        found = re.search(rf"^\| (\d+) \| {word}", text, re.MULTILINE)
        assert found, word
        assert int(found[1]) == sum(row.what == what for row in rows()), what


def test_lines_hold_what_is_quoted(tree: Path) -> None:
    quoted = 0
    for number, _, file, text in sections():
        lines = (tree / file).read_text("utf-8").split("\n")
        for said, line in PLACE.findall(text):
            quoted += 1
            assert said in lines[int(line) - 1], f"{number}: {file}:{line} has no {said}"
    assert quoted > len(rows())


def warnings_of(command: list[str], directory: Path) -> set[tuple[str, str, str]]:
    """Run sparse on one unit and return place, function and text of its context warnings."""
    run = subprocess.run(
        [command[0], "-Wcontext", "-fmax-warnings=unlimited", *command[1:]],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    found = WARNING.findall(run.stderr)
    return {
        (f"{(directory / file).resolve().relative_to(directory.resolve())}:{line}", function, says)
        for file, line, function, says in found
    }


def test_sparse_says_what_the_table_says(tree: Path) -> None:
    if shutil.which("sparse") is None:
        pytest.skip("no sparse: on Debian, apt-get install sparse")
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda command: warnings_of(*command), sparse_commands(tree))
    assert set().union(*found) == {(row.place, row.function, row.says) for row in rows()}


@pytest.fixture(scope="module")
def analysis(tree: Path, cache: Path) -> Analysis:
    """Return the analysis of the unedited tree."""
    options = CheckOptions(tree=tree, cache=cache)
    with Store(cache) as store:
        return examine(options, store, Silent())[1]


def ways(analysis: Analysis, function: str) -> frozenset[str]:
    """Spell the ways in which `function` returns: the classes of locks held more, or less, than on entry."""
    found = [ident for ident, one in analysis.program.functions.items() if one.ref.name == function]
    assert len(found) == 1, found
    spelt = set()
    for outcome in analysis.context.summaries[found[0]].outcomes:
        changes = [one for one in outcome.changes if not is_context(one.key, one.mode, one.recursive)]
        signed = [f"{'+' if change.count > 0 else '-'}{lock_class(change.key)}" for change in changes]
        spelt.add(" ".join(sorted(signed)) or "none")
    return frozenset(spelt)


def test_summaries_say_what_the_table_says(analysis: Analysis) -> None:
    assert {row.function: ways(analysis, row.function) for row in rows()} == {
        row.function: row.on_return for row in rows()
    }


def test_balance_is_silent_there(tree: Path, cache: Path) -> None:
    report = run(tree, cache)
    (count,) = (count for count in report.rules if count.id == "kernel/balance")
    assert count.proven > len(rows())
    for finding in report.findings:
        if finding.rule == count.id:
            named = {finding.function, *(step.function for step in finding.witness)}
            assert not named & {row.function for row in rows()}, finding.message
