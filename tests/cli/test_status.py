# SPDX-License-Identifier: GPL-2.0-only
"""Exit statuses and the one line that goes with each error."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from analyzer.base.errors import InputError, SpecError
from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.findings.model import Finding

Run = Callable[..., Any]


def test_nothing_to_report_is_0(run: Run) -> None:
    ran = run("check")
    assert (ran.status, ran.err) == (0, "")
    assert "0 violations" in ran.out


def test_a_violation_is_1_whatever_else_happened(run: Run, pipeline: Any, violation: Finding) -> None:
    pipeline.finds(violation, n_failed=1, n_skipped=1)
    assert run("check").status == 1


def test_unknown_fails_only_a_strict_run(run: Run, pipeline: Any, violation: Finding) -> None:
    pipeline.finds(replace(violation, verdict="unknown"))
    assert run("check").status == 0
    assert run("check", "--strict").status == 1


@pytest.mark.parametrize("missing", [{"n_failed": 1}, {"n_skipped": 1}])
def test_an_incomplete_analysis_is_3(run: Run, pipeline: Any, missing: dict[str, int]) -> None:
    pipeline.finds(**missing)
    assert run("check").status == 3


def test_no_readable_unit_at_all_is_2(run: Run, pipeline: Any) -> None:
    pipeline.finds(n_units=0, n_failed=2)
    assert run("check").status == 2


def test_each_failed_unit_is_a_line_with_its_place(run: Run, pipeline: Any) -> None:
    gaps = (
        Gap(GapKind.UNIT, Location("a.c", 7), "gcc failed: no such header"),
        Gap(GapKind.EXPRESSION, Location("b.c", 9), "odd"),
    )
    pipeline.finds(gaps=gaps, n_failed=1)
    ran = run("check", "--format", "gcc")
    assert ran.err == "a.c:7: gcc failed: no such header\n"
    assert ran.out == ""


@pytest.mark.parametrize(
    "error",
    [
        InputError("compile_commands.json: holds no translation unit"),
        SpecError("unknown key 'feild': did you mean 'field'?", Location("kvm.yaml", 4, 3)),
    ],
)
@pytest.mark.parametrize("command", [("check",), ("explain", "vm.x")])
def test_an_error_of_the_user_is_one_line_and_2(
    run: Run, pipeline: Any, error: Exception, command: tuple[str, ...]
) -> None:
    pipeline.answer = error
    ran = run(*command)
    assert (ran.status, ran.out, ran.err) == (2, "", f"{error}\n")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["check", "--nonsense"], "--nonsense"),
        (["check", "--tree"], "--tree"),
        (["check", "--tree", "/does/not/exist"], "/does/not/exist"),
        (["check", "--jobs", "0"], "--jobs"),
        (["check", "--jobs", "many"], "--jobs"),
        (["check", "--format", "pdf"], "gcc, github, "),
        (["check", "--overlay", "a.c"], "PATH=FILE"),
        (["check", "--overlay", "a.c=/does/not/exist"], "/does/not/exist"),
        (["check", "--cache", "x", "--no-cache"], "--no-cache"),
        (["check", "--output", "/does/not/exist/report"], "/does/not/exist/report"),
        (["chekc"], "chekc"),
        (["explain"], "target"),
    ],
)
def test_wrong_usage_is_one_line_and_2(run: Run, pipeline: Any, arguments: list[str], part: str) -> None:
    ran = run(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert part in ran.err
    assert ran.err.count("\n") == 1
    assert pipeline.asked == []


def test_no_command_shows_the_help_and_is_2(run: Run) -> None:
    ran = run()
    assert (ran.status, ran.out) == (2, "")
    assert "check" in ran.err
    assert "explain" in ran.err


def test_an_interruption_is_quiet_and_130(run: Run, pipeline: Any) -> None:
    pipeline.answer = KeyboardInterrupt()
    ran = run("check")
    assert (ran.status, ran.out, ran.err) == (130, "", "")


def test_an_error_of_our_own_is_not_taken_for_findings(run: Run, pipeline: Any) -> None:
    pipeline.answer = RuntimeError("a bug")
    ran = run("check")
    assert (ran.status, ran.out) == (3, "")
    assert "a bug" in ran.err
    assert "please report it" in ran.err


@pytest.mark.parametrize("command", [[], ["check"], ["explain"]])
def test_help_is_0_and_has_examples(run: Run, command: list[str]) -> None:
    ran = run(*command, "--help")
    assert (ran.status, ran.err) == (0, "")
    if command:
        assert f"\n    lockspec {command[0]} " in ran.out


def test_version(run: Run) -> None:
    ran = run("--version")
    assert ran.status == 0
    assert ran.out.startswith("lockspec ")
