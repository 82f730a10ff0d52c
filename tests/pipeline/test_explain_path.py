# SPDX-License-Identifier: GPL-2.0-only
"""Ways told with the branches on them, in the order of execution."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from analyzer.findings.explanation import Explanation
from analyzer.findings.model import Finding, Report
from analyzer.pipeline.check import check
from analyzer.pipeline.explain import explain
from analyzer.pipeline.options import CheckOptions, Silent
from analyzer.report import render_explanation, renderer
from analyzer.report._style import NoSources, Style
from tests.fixtures.marks import read_fixture
from tests.fixtures.run import FIXTURES, options, write_commands

FILE = "flags/conditional-lock.c"
BALANCE = "balance/error-paths.c"
STYLE = Style(width=120)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ways")


def asked(name: str, workplace: Path) -> CheckOptions:
    return options(read_fixture(FIXTURES, name), write_commands(workplace, [name]), workplace / "cache")


def told(name: str, workplace: Path, *, explained: bool = True) -> Report:
    return check(asked(name, workplace), Silent(), explain_paths=explained)


def texts(finding: Finding, thread: int = 0) -> list[str]:
    return [step.text for step in finding.witness if step.thread == thread]


def one(report: Report, function: str) -> Finding:
    (found,) = (finding for finding in report.findings if finding.function == function)
    return found


def test_branches_stand_between_what_they_decide(workplace: Path) -> None:
    finding = one(told(FILE, workplace), "clear_changed_bad")
    entry, *rest = texts(finding)
    assert entry.startswith("enters clear_changed_bad() holding nothing")
    assert rest == [
        "assumes private is 0",
        "assumes private is not 0",
        "writes kvm_memory_slot.gmem.file holding nothing",
    ]


def test_both_threads_are_told(workplace: Path) -> None:
    finding = one(told(BALANCE, workplace), "create_bad")
    assert texts(finding, 0)[-3:] == [
        "takes kvm.lock",
        "assumes kvm->created_vcpus >= id",
        "returns holding kvm.lock",
    ]
    assert texts(finding, 1)[-4:] == [
        "takes kvm.lock",
        "assumes kvm->created_vcpus < id",
        "drops kvm.lock",
        "returns holding nothing",
    ]


@pytest.mark.parametrize("name", [FILE, BALANCE])
def test_nothing_else_changes(name: str, workplace: Path) -> None:
    plain, full = told(name, workplace, explained=False), told(name, workplace)
    assert plain.findings
    for before, after in zip(plain.findings, full.findings, strict=True):
        assert (before.fingerprint, before.message, before.held) == (after.fingerprint, after.message, after.held)
        assert not [step for step in before.witness if step.event == "branch"]
        calls = [
            [(step.location, step.text) for step in finding.witness if step.event in ("entry", "call", "access")]
            for finding in (before, after)
        ]
        assert calls[0] == calls[1]


def test_json_tells_branches_only_if_asked(workplace: Path) -> None:
    events = [
        {
            step["event"]
            for finding in json.loads(renderer("json")(report, NoSources(), STYLE))["findings"]
            for step in finding["witness"]
        }
        for report in (told(FILE, workplace, explained=False), told(FILE, workplace))
    ]
    assert "branch" not in events[0]
    assert events[1] == events[0] | {"branch"}


def test_text_tells_branches(workplace: Path) -> None:
    text = renderer("text")(told(FILE, workplace), NoSources(), STYLE)
    assert re.search(rf"{FILE}:34 +assumes private is 0", text)
    assert "assumes" not in renderer("text")(told(FILE, workplace, explained=False), NoSources(), STYLE)


def test_explaining_a_finding_tells_its_branches(workplace: Path) -> None:
    fingerprint = one(told(FILE, workplace), "clear_changed_bad").fingerprint
    explanation = explain(asked(FILE, workplace), fingerprint, Silent())
    assert isinstance(explanation, Explanation)
    assert "assumes private is 0" in render_explanation(explanation, NoSources(), STYLE)
