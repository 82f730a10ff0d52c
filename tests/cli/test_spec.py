# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec spec`: errors with their places, and the schema."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from analyzer.base.location import Location
from analyzer.findings.drift import Drift, DriftReport, Saying
from analyzer.findings.model import Report, RuleCount

Run = Callable[..., Any]

RULES = """\
lockspec: 1
subsystem: vm
rules:
  - id: vm/x
    kind: guarded-by
    field: vm.x
    access: write
    requires: vm.lock
    severity: error
    why: two writers race otherwise
    source: vm.h
"""


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    path = tmp_path / "vm.yaml"
    path.write_text(RULES)
    return path


def test_a_sound_specification_is_counted(run: Run, specs: Path) -> None:
    ran = run("spec", "lint", specs)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("1 rules, ")


def test_each_error_is_a_line_with_its_place(run: Run, specs: Path) -> None:
    specs.write_text(RULES.replace("field:", "feild:").replace("severity: error", "severity: grave"))
    ran = run("spec", "lint", specs)
    assert (ran.status, ran.out) == (2, "")
    lines = ran.err.splitlines()
    assert len(lines) >= 2
    assert any(line.startswith(f"{specs}:6:5: ") and "feild" in line for line in lines)
    assert any(line.startswith(f"{specs}:9:") and "grave" in line for line in lines)


@pytest.mark.parametrize(("n_sites", "status"), [(0, 2), (1, 0)])
def test_a_rule_that_matches_nothing_is_an_error(
    run: Run, pipeline: Any, specs: Path, tmp_path: Path, n_sites: int, status: int
) -> None:
    assert isinstance(pipeline.answer, Report)
    pipeline.answer = replace(pipeline.answer, rules=(RuleCount("vm/x", n_sites, n_sites, 0, 0, "access"),))
    ran = run("spec", "lint", specs, "--tree", tmp_path)
    assert ran.status == status
    assert ran.err == (f"{specs}:4:9: rule 'vm/x' matches no access in these units\n" if status else "")
    assert pipeline.asked[0].specs == (specs,)


def test_the_schema_is_json(run: Run) -> None:
    ran = run("spec", "schema")
    assert ran.status == 0
    assert json.loads(ran.out)["$schema"].startswith("https://json-schema.org/")


def test_a_comment_for_a_header_from_the_rules_alone(run: Run, pipeline: Any, specs: Path) -> None:
    ran = run("spec", "doc", "vm", "--specs", specs)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("/**\n * struct vm - locks that its members need\n * @x: Writes need @lock.\n")
    assert pipeline.asked == []


def test_a_page_goes_to_a_file(run: Run, specs: Path, tmp_path: Path) -> None:
    page = tmp_path / "vm.md"
    ran = run("spec", "doc", "--specs", specs, "--format", "markdown", "--output", page)
    assert (ran.status, ran.out) == (0, "")
    assert page.read_text().startswith("# struct vm\n\n| member | locks |\n")


def test_a_structure_without_rules_is_an_error(run: Run, specs: Path) -> None:
    ran = run("spec", "doc", "vmm", "--specs", specs)
    assert (ran.status, ran.out) == (2, "")
    assert "vmm: no rule names a member of it" in ran.err


def test_the_shipped_rules_say_of_the_memslots_file_what_its_header_says(run: Run) -> None:
    text = " ".join(run("spec", "doc", "kvm_memory_slot").out.replace("*", "").split())
    member = text[text.index("@gmem.file:") : text.index("@gmem.pgoff:")]
    assert "Writes need kvm->slots_lock." in member
    assert "kvm_gmem_get_file()" in member
    assert "needs either kvm->slots_lock or kvm->srcu" in member


def drifted(kind: Any, n_failed: int = 0) -> DriftReport:
    saying = Saying("rule", "vm/x: write needs vm.lock", Location("vm.yaml", 4, 9))
    return DriftReport((Drift(kind, "vm.x", "somebody differs", (saying,)),), (("rules", 1),), (), n_failed)


@pytest.mark.parametrize(
    ("report", "status", "told"),
    [
        (DriftReport((), (("rules", 1),)), 0, "0 disagreements; compared: 1 rules\n"),
        (drifted("comment"), 1, "vm.x: somebody differs\n  rule  vm/x: write needs vm.lock  vm.yaml:4:9\n"),
        (drifted("unruled"), 0, "1 time: somebody differs; --verbose lists them\n"),
        (drifted("unruled", 1), 3, "1 time: somebody differs"),
        (drifted("source", 1), 1, "vm.x: somebody differs\n"),
    ],
)
def test_drift_fails_the_run_if_anybody_contradicts_another(
    run: Run, pipeline: Any, tmp_path: Path, report: DriftReport, status: int, told: str
) -> None:
    pipeline.drifted = report
    ran = run("spec", "drift", "--tree", tmp_path)
    assert ran.status == status
    assert told in ran.out


def test_drift_as_json_has_the_notes(run: Run, pipeline: Any, tmp_path: Path) -> None:
    pipeline.drifted = drifted("unasserted")
    ran = run("spec", "drift", "--tree", tmp_path, "--format", "json")
    assert ran.status == 0
    assert json.loads(ran.out)["drifts"][0]["note"] is True
