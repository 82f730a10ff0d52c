# SPDX-License-Identifier: GPL-2.0-only
"""Baselines: what they accept, what survives an update, and what is said of bad ones."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from analyzer.base.location import Location
from analyzer.findings.baseline import judge
from analyzer.findings.baseline_file import BaselineError, BaselineFile, parse, with_findings, without
from analyzer.findings.model import Finding, Report

FINDING = Finding(
    rule="vm/lock",
    kind="guarded-by",
    verdict="violation",
    severity="error",
    message="write of vm.x without vm.lock",
    location=Location("b.c", 2, 3),
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

TEXT = """\
# Kept for a while.


# found in the first run
fingerprint: 00000000000000aa
rule: vm/lock
file: b.c
function:   f
# the message may change
finding: write of vm.x without vm.lock
reason: the last user is gone,
  see #12: 'why'
"""


def report(*findings: Finding) -> Report:
    return Report(findings, (), (), 1, 0, 1, 0)


def read(text: str) -> BaselineFile:
    return parse(text.encode(), "base")


def everything(entry: object) -> bool:
    return True


def test_an_entry_is_read() -> None:
    (entry,) = read(TEXT).entries
    assert (entry.fingerprint, entry.rule, entry.file, entry.function) == ("00000000000000aa", "vm/lock", "b.c", "f")
    assert entry.reason == "the last user is gone, see #12: 'why'"
    assert entry.location == Location("base", 5, 1)


def test_a_finding_with_its_fingerprint_is_accepted_wherever_it_stands() -> None:
    moved = replace(FINDING, location=Location("b.c", 99, 1))
    other = replace(FINDING, fingerprint="00000000000000bb")
    held = judge(read(TEXT).entries, report(moved, other), everything)
    assert held.report.findings == (other,)
    assert [(a.finding, a.reason[:8]) for a in held.report.accepted] == [(moved, "the last")]
    assert (held.unused, held.outgrown) == ((), ())


def test_an_entry_without_a_finding_is_unused_where_the_run_covers_it() -> None:
    entries = read(TEXT).entries
    assert judge(entries, report(), everything).unused == entries
    held = judge(entries, report(), lambda entry: False)
    assert (held.unused, held.n_not_judged) == ((), 1)


def test_an_accepted_unknown_verdict_that_became_a_violation_is_news() -> None:
    entries = read(TEXT.replace("reason:", "verdict: unknown\nreason:")).entries
    held = judge(entries, report(FINDING), everything)
    assert held.report.findings == (FINDING,)
    assert (held.outgrown, held.unused) == (entries, ())
    assert judge(entries, report(replace(FINDING, verdict="unknown")), everything).report.findings == ()


def test_an_accepted_violation_that_became_unknown_stays_accepted() -> None:
    assert judge(read(TEXT).entries, report(replace(FINDING, verdict="unknown")), everything).report.findings == ()


def test_what_is_read_is_written_again_with_its_comments() -> None:
    assert read(TEXT).text() == TEXT.replace("\n\n\n", "\n\n")


def test_new_entries_leave_the_old_ones_alone_and_stand_by_rule_and_file() -> None:
    first = replace(FINDING, location=Location("a.c", 1), fingerprint="00000000000000bb", verdict="unknown")
    last = replace(FINDING, rule="vm/other", fingerprint="00000000000000cc", message="a\nb  c\x07")
    text = with_findings(read(TEXT), (last, first), "because").text()
    before, old, after = text.partition(TEXT.split("\n\n\n")[1])
    assert old
    assert before == (
        "# Kept for a while.\n\n"
        "fingerprint: 00000000000000bb\nrule: vm/lock\nfile: a.c\nfunction: f\n"
        "finding: write of vm.x without vm.lock\nverdict: unknown\nreason: because\n\n"
    )
    assert after.startswith("\nfingerprint: 00000000000000cc\nrule: vm/other\n")
    assert "finding: a b c\n" in after
    assert [entry.fingerprint[-2:] for entry in read(text).entries] == ["bb", "aa", "cc"]


def test_an_entry_goes_with_its_own_comments_only() -> None:
    file = read(TEXT)
    assert without(file, file.entries).text() == "# Kept for a while.\n"


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("fingerprint: 00000000000000aa\n", "", "base:5:1: the entry has no fingerprint"),
        ("00000000000000aa", "00AA", "base:5:14: a fingerprint has 16 hex digits, not '00AA'"),
        ("rule:", "rul:", "base:6:1: unknown key 'rul': none of fingerprint, rule, "),
        ("reason: the last user is gone,\n  see #12: 'why'\n", "", "base:5:1: the entry has no reason"),
        ("reason: the last user is gone,\n  see #12: 'why'\n", "reason: \n", "base:11:8: reason has no value"),
        ("file: b.c", "file: b.c\nfile: c.c", "base:8:1: file is given twice in this entry"),
        ("file: b.c", "file: b.c\nno colon", "base:8:1: neither `key: value` nor a comment"),
        ("fingerprint:", "  odd\nfingerprint:", "base:5:3: goes on with a value, and there is none above"),
        ("reason:", "verdict: maybe\nreason:", "base:11:10: 'maybe' is none of violation, unknown"),
        ("# Kept", "\udcff# Kept", "base:1:1: not UTF-8"),
        ("# Kept", "# Kept \udcff", "base:1:8: not UTF-8"),
    ],
)
def test_each_error_has_its_place(old: str, new: str, error: str) -> None:
    assert old in TEXT
    with pytest.raises(BaselineError) as raised:
        parse(TEXT.replace(old, new, 1).encode("utf-8", "surrogateescape"), "base")
    assert any(line.startswith(error) for line in str(raised.value).splitlines())


def test_all_errors_are_told_at_once() -> None:
    with pytest.raises(BaselineError) as raised:
        read(f"{TEXT}\n{TEXT}\nrule: x\n".replace("function:", "fun:", 1))
    lines = str(raised.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == ["base:8:1", "base:27:1", "base:27:1", "base:27:1"]


def test_a_fingerprint_is_accepted_once() -> None:
    with pytest.raises(BaselineError, match="base:18:1: 00000000000000aa is accepted in line 5 already"):
        read(f"{TEXT}\n{TEXT}")


def test_newlines_of_other_systems_and_a_byte_order_mark_do_no_harm() -> None:
    data = b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()
    assert parse(data, "base").entries == read(TEXT).entries


_words = st.text(min_size=1, max_size=20).filter(
    lambda text: "".join(c if c.isprintable() else " " for c in text).strip()
)
_digits = st.text("0123456789abcdef", min_size=16, max_size=16)


@settings(deadline=None)
@given(st.lists(st.tuples(_digits, _words, _words, _words), max_size=6, unique_by=lambda t: t[0]), _words)
def test_whatever_is_written_is_read_again(given_findings: list[tuple[str, str, str, str]], reason: str) -> None:
    findings = [
        replace(FINDING, fingerprint=digits, rule=rule, location=Location(file, 1), message=message)
        for digits, rule, file, message in given_findings
    ]
    text = with_findings(BaselineFile(), findings, reason).text()
    again = read(text)
    assert again.text() == text
    held = judge(again.entries, report(*findings), everything)
    assert (held.report.findings, held.unused) == ((), ())
    assert len(held.report.accepted) == len(findings)
