# SPDX-License-Identifier: GPL-2.0-only
"""A stand-in for the pipeline, so that these tests are about the command line alone."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from analyzer.base.errors import SpecError
from analyzer.base.gap import Gap
from analyzer.base.location import Location
from analyzer.cli.main import main
from analyzer.findings.drift import DriftReport
from analyzer.findings.explanation import Explanation
from analyzer.findings.model import Finding, Report
from analyzer.pipeline.lint import unmatched
from analyzer.pipeline.options import CheckOptions, Progress
from analyzer.spec.load import load

EMPTY = Report((), (), (), 1, 0, 1, 0)

VIOLATION = Finding(
    rule="vm/lock",
    kind="guarded-by",
    verdict="violation",
    severity="error",
    message="write of vm.x without vm.lock",
    location=Location("a.c", 2, 3),
    function="f",
    object="vm.x",
    access="write",
    requires=("vm.lock",),
    held=(),
    witness=(),
    cause="nothing takes it",
    why="",
    source="",
    rule_location=Location("vm.yaml", 3, 1),
    fingerprint="00000000000000aa",
)


@pytest.fixture
def violation() -> Finding:
    """Give a violation."""
    return VIOLATION


class Pipeline:
    """Answers every run with `answer`, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Report | BaseException = EMPTY
        self.asked: list[CheckOptions] = []
        self.targets: list[str] = []
        self.explained = False
        self.drifted = DriftReport((), (("rules", 1),))

    def check(self, options: CheckOptions, progress: Progress, *, explain_paths: bool = False) -> Report:
        self.explained = explain_paths
        progress.begin("analyse", 1)
        progress.advance()
        self.asked.append(options)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def explain(self, options: CheckOptions, target: str, progress: Progress) -> Explanation:
        self.check(options, progress)
        self.targets.append(target)
        return Explanation(target, (), ())

    def drift(self, options: CheckOptions, progress: Progress) -> DriftReport:
        self.check(options, progress)
        return self.drifted

    def lint(self, options: CheckOptions, progress: Progress) -> tuple[SpecError, ...]:
        return unmatched(load(options.specs), self.check(options, progress))

    def finds(
        self,
        *findings: Finding,
        gaps: tuple[Gap, ...] = (),
        n_units: int = 1,
        n_failed: int = 0,
        n_skipped: int = 0,
    ) -> None:
        """Let the next runs find this."""
        self.answer = replace(
            EMPTY,
            findings=findings,
            gaps=gaps,
            units_analysed=n_units,
            units_failed=n_failed,
            functions_skipped=n_skipped,
        )


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Put a stand-in in the pipeline's place."""
    stand_in = Pipeline()
    monkeypatch.setattr("analyzer.pipeline.check.check", stand_in.check)
    monkeypatch.setattr("analyzer.pipeline.explain.explain", stand_in.explain)
    monkeypatch.setattr("analyzer.pipeline.lint.lint", stand_in.lint)
    monkeypatch.setattr("analyzer.pipeline.drift.drift", stand_in.drift)
    return stand_in


class Ran:
    """How a run ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err


Run = Callable[..., Ran]


@pytest.fixture
def run(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> Run:
    """Give a way to run the command line in this process."""

    def run_main(*arguments: object) -> Ran:
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    return run_main
