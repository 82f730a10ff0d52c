# SPDX-License-Identifier: GPL-2.0-only
"""The embedded tree in memory, and the report that `check` makes of an edited copy of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from analyzer.findings.model import Report
from analyzer.pipeline.check import check
from analyzer.pipeline.live.program import LiveProgram
from analyzer.pipeline.options import CheckOptions, Silent
from scripts.minikvm_commands import FIXTURES, commands

TREE = FIXTURES / "minikvm"
UNIT = "virt/kvm/guest_memfd.c"

#: checks the tree with texts in the place of files
CheckWith = Callable[[Mapping[str, str]], Report]


@pytest.fixture(scope="session")
def options(tmp_path_factory: pytest.TempPathFactory) -> CheckOptions:
    folder = tmp_path_factory.mktemp("live")
    database = folder / "compile_commands.json"
    database.write_text(json.dumps(commands(TREE, FIXTURES / "include")))
    return CheckOptions(tree=TREE, compile_commands=database, cache=folder / "cache")


@pytest.fixture
def check_with(options: CheckOptions, tmp_path: Path) -> CheckWith:
    def run(texts: Mapping[str, str]) -> Report:
        overlays = []
        for name, text in texts.items():
            file = tmp_path / f"overlay{len(overlays)}"
            file.write_text(text)
            overlays.append((name, file))
        return check(replace(options, overlays=tuple(overlays)), Silent())

    return run


@pytest.fixture
def text() -> str:
    return (TREE / UNIT).read_text()


@pytest.fixture
def live(options: CheckOptions, text: str) -> Iterator[LiveProgram]:
    program = LiveProgram(options)
    program.whole({}, Silent())
    assert program.prepare(UNIT, text, {})
    yield program
    program.close()
