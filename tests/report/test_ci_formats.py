# SPDX-License-Identifier: GPL-2.0-only
"""What CI systems read: GitHub's commands, GitLab's code quality, JUnit XML; and the mail."""

from __future__ import annotations

import email
import email.policy
import json
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.findings.model import Accepted, Report
from analyzer.report import Blame, NoSources, Style, renderer
from tests.report.conftest import MEMFD, VIOLATION, Lines
from tests.report.many import hostile, long_way, many

COMMAND = re.compile(r"::(?P<name>[a-z-]+)(?: (?P<properties>[^:]*))?::(?P<data>.*)")


class Runner:
    """Reads a log as GitHub's runner does: a command at a line's start, or `##[` anywhere; `stop-commands` is obeyed."""

    def __init__(self, log: str) -> None:
        self.annotations: list[tuple[str, dict[str, str], str]] = []
        self.lines: list[str] = []
        stopped = ""
        for line in re.split(r"\r\n|\r|\n", log):
            match = COMMAND.fullmatch(line.lstrip())
            if stopped:
                if (match and match["name"] == stopped) or line == f"::{stopped}::":
                    stopped = ""
                else:
                    self.lines.append(line)
            elif match and match["name"] == "stop-commands":
                stopped = match["data"]
            elif match and match["name"] in ("error", "warning", "notice"):
                properties = dict(part.split("=", 1) for part in match["properties"].split(","))
                read = {key: self.unescaped(value) for key, value in properties.items()}
                self.annotations.append((match["name"], read, self.unescaped(match["data"])))
            elif match:
                assert match["name"] in ("group", "endgroup"), line
            else:
                assert "##[" not in line
                self.lines.append(line)
        assert not stopped

    @staticmethod
    def unescaped(text: str) -> str:
        for escape, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            text = text.replace(escape, character)
        return text


def github(report: Report, sources: object = None, style: Style | None = None) -> Runner:
    return Runner(renderer("github")(report, sources or NoSources(), style or Style()))  # type: ignore[arg-type]


def test_github_annotates_the_member(report: Report, sources: Lines) -> None:
    (level, properties, message), *others = github(report, sources).annotations
    assert level == "error"
    assert properties == {
        "file": MEMFD,
        "line": "566",
        "col": "24",
        "endColumn": "28",
        "title": "kvm/gmem-file-write",
    }
    assert message.splitlines()[0] == VIOLATION.message
    assert f"{MEMFD}:566:     kvm_gmem_unbind() writes kvm_memory_slot.gmem.file holding kvm.lock" in message
    assert [level for level, _, _ in others] == ["notice", "notice"]


def test_github_unknown_verdicts_are_warnings_where_they_fail_the_run(report: Report) -> None:
    assert [a[0] for a in github(report, style=Style(strict=True)).annotations] == ["error", "warning", "warning"]


def test_github_shows_violations_first_and_says_what_is_left() -> None:
    report = many(15, 40)
    read = github(replace(report, findings=tuple(replace(f, severity="error") for f in report.findings)))
    levels = [level for level, _, _ in read.annotations]
    assert (levels.count("error"), levels.count("notice")) == (10, 10)
    assert "36 of 55 findings have no annotation" in read.annotations[-1][2]
    assert sum(": warning: " in line for line in read.lines) == 15
    assert sum(": note: unknown: " in line for line in read.lines) == 40


def test_github_cuts_a_long_message_and_says_so() -> None:
    read = github(Report((long_way(500),), (), (), 1, 0, 1, 0))
    first, notice = read.annotations
    assert len(first[2]) <= 4096
    assert first[2].endswith("… the rest of the way is in the log")
    assert "1 annotation cut to 4,096 characters" in notice[2]
    assert sum(": note: " in line for line in read.lines) == 500


def test_github_takes_no_name_for_a_command() -> None:
    report = hostile()
    read = github(replace(report, findings=report.findings * 15))
    assert len(read.annotations) == 11
    assert {level for level, _, _ in read.annotations[:10]} == {"error"}
    assert set(read.annotations[0][1]) <= {"file", "line", "col", "endColumn", "title"}


@given(st.from_type(Report))
def test_github_is_readable_whatever_the_report(report: Report) -> None:
    assert len(github(report).annotations) >= min(len(report.findings), 1)


def test_github_says_nothing_of_an_empty_report() -> None:
    assert renderer("github")(Report((), (), (), 1, 0, 1, 0), NoSources(), Style()) == ""


@given(st.from_type(Report))
def test_gitlab_has_what_gitlab_demands(report: Report) -> None:
    issues = json.loads(renderer("gitlab")(report, NoSources(), Style()))
    assert len(issues) == len(report.findings)
    for issue, finding in zip(issues, report.findings, strict=True):
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert isinstance(issue["description"], str)
        assert issue["check_name"] == finding.rule
        assert issue["fingerprint"] == finding.fingerprint
        assert issue["location"]["lines"]["begin"] == finding.location.line
        assert not issue["location"]["path"].startswith("./")


def test_gitlab_severities(report: Report) -> None:
    severities = {strict: renderer("gitlab")(report, NoSources(), Style(strict=strict)) for strict in (False, True)}
    assert [i["severity"] for i in json.loads(severities[False])] == ["critical", "info", "info"]
    assert [i["severity"] for i in json.loads(severities[True])] == ["critical", "minor", "minor"]


def counted(suite: ET.Element) -> dict[str, int]:
    cases = suite.findall(".//testcase")
    return {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }


@given(st.from_type(Report), st.booleans())
def test_junit_numbers_are_those_of_its_elements(report: Report, strict: bool) -> None:
    root = ET.fromstring(renderer("junit")(report, NoSources(), Style(strict=strict)))  # noqa: S314 (ours)
    for element in (root, *root.findall("testsuite")):
        assert {key: int(element.attrib[key]) for key in counted(element)} == counted(element)
    n_failures = sum(f.verdict == "violation" or strict for f in report.findings)
    # findings of rules that have the same id as another stand in both suites
    if len({rule.id for rule in report.rules}) == len(report.rules):
        assert counted(root)["failures"] == n_failures


def test_junit_tells_what_could_not_be_analysed_and_what_is_accepted(report: Report) -> None:
    gap = Gap(GapKind.UNIT, Location("a.c", 7), "gcc failed")
    report = replace(report, gaps=(gap,), findings=(), accepted=(Accepted(VIOLATION, "the VM is gone"),))
    root = ET.fromstring(renderer("junit")(report, NoSources(), Style()))  # noqa: S314 (ours)
    (error,) = root.findall(".//error")
    assert error.get("message") == "gcc failed"
    (skipped,) = root.findall(".//skipped")
    assert skipped.get("message") == "accepted by the baseline: the VM is gone"


class History(NoSources):
    """A `SourceReader` with one file that two people wrote."""

    def line(self, file: str, line: int) -> str | None:
        return f"\tline {line} é;"

    def blame(self, file: str, first: int, last: int) -> tuple[Blame, ...]:
        return tuple(
            Blame(n, f"{n:012x}", "Zoë" if n % 2 else "A. Hacker", "2024-10-21", f"\tline {n} é;")
            for n in range(first, last + 1)
        )

    def revision(self) -> str:
        return 'a1b2c3d4e5f6 ("KVM: fix it")'


def read_mail(text: str) -> email.message.EmailMessage:
    return email.message_from_bytes(text.encode("utf-8"), policy=email.policy.default)  # type: ignore[return-value]


def test_mail_tells_path_rule_and_who_wrote_the_lines(report: Report) -> None:
    mail = read_mail(renderer("mail")(report, History(), Style()))
    assert mail["Subject"] == f"[lockspec] {MEMFD}:566: {VIOLATION.message}"
    text = mail.get_content()
    assert 'commit:   a1b2c3d4e5f6 ("KVM: fix it")' in text
    assert "1 new finding:" in text
    assert "  virt/kvm/kvm_main.c:5107: kvm_vm_ioctl() takes kvm.lock; now holding kvm.lock\n" in text
    assert f"vim +566 {MEMFD}" in text
    assert "000000000236 A. Hacker 2024-10-21    566 @        line 566 é;" in text
    assert "000000000231 Zoë       2024-10-21    561          line 561 é;" in text
    assert VIOLATION.why in text
    assert "2 unknown verdicts" in text


def test_mail_says_where_there_is_no_history(report: Report, sources: Lines) -> None:
    text = read_mail(renderer("mail")(report, sources, Style())).get_content()
    assert "   566 @        WRITE_ONCE(slot->gmem.file, NULL);" in text
    assert "git does not know this file" in text


def test_mail_is_empty_where_nothing_is_new(report: Report) -> None:
    quiet = replace(report, findings=report.findings[1:], accepted=(Accepted(VIOLATION, "known"),))
    assert renderer("mail")(quiet, History(), Style()) == ""
    assert "2 new findings:" in read_mail(renderer("mail")(quiet, History(), Style(strict=True))).get_content()


@pytest.mark.parametrize("make", [hostile, lambda: many(3, 3), lambda: Report((long_way(9),), (), (), 1, 0, 1, 0)])
def test_mail_keeps_to_the_form_of_mail(make: object) -> None:
    text = renderer("mail")(make(), History(), Style())  # type: ignore[operator]
    assert max(len(line.encode()) for line in text.split("\n")) <= 998
    mail = read_mail(text)
    assert set(mail.keys()) == {
        "Subject",
        "X-Lockspec-Version",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    }
    assert not mail.defects
