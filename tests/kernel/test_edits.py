# SPDX-License-Identifier: GPL-2.0-only
"""Edits of the real tree that break locking are found, with their way; edits that keep it bring nothing new."""

import pytest

from analyzer.findings.model import Finding
from tests.kernel.cases import Case
from tests.kernel.conftest import NewFindings
from tests.kernel.edits import BREAKING, HARMLESS, sample

pytestmark = pytest.mark.kernel


def lines(findings: list[Finding]) -> str:
    """Spell findings with their ways, for the reader of a failed test."""
    return "\n".join(
        f"{f.verdict} {f.location} {f.function}() [{f.rule}] {f.message}; {f.cause}\n"
        + "\n".join(f"    {step.location}: {step.function}() {step.text}" for step in f.witness)
        for f in findings
    )


def goes(finding: Finding, way: tuple[str, ...]) -> bool:
    """Tell whether the witness goes through the functions of `way` in their order."""
    steps = iter([step.function for step in finding.witness])
    return all(function in steps for function in way)


def speaks(case: Case, finding: Finding) -> bool:
    """Tell whether the finding is the violation that the case is about."""
    if finding.verdict != "violation" or finding.rule != case.rule:
        return False
    if not case.lock:
        return finding.function == case.origin
    said = [finding.message, finding.object, finding.cause, *finding.requires, *finding.held]
    said += [step.text for step in finding.witness]
    functions = {finding.function, *(step.function for step in finding.witness)}
    return case.origin in functions and any(case.lock in text for text in said)


def expected(case: Case) -> object:
    """Make the parameter of a test that fails as long as the case is missed."""
    marks = [pytest.mark.xfail(reason=case.missed, raises=AssertionError, strict=True)] if case.missed else []
    return pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", [expected(case) for case in sample(BREAKING)])
def test_breaking(case: Case, new_findings: NewFindings) -> None:
    found = new_findings(case)
    violations = [finding for finding in found if speaks(case, finding)]
    assert violations, lines(found) or "nothing new"
    assert any(goes(finding, case.way) for finding in violations), lines(violations)


@pytest.mark.parametrize("case", sample(HARMLESS), ids=lambda case: case.name)
def test_harmless(case: Case, new_findings: NewFindings) -> None:
    found = new_findings(case)
    assert not found, lines(found)
