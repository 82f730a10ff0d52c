# SPDX-License-Identifier: GPL-2.0-only
"""Reports of comparisons: what one mistake brings is told together, and nothing of it is lost."""

from __future__ import annotations

import json

from msgspec.structs import replace

from analyzer.base.location import Location
from analyzer.findings.model import Compared, Finding, Report
from analyzer.report import NoSources, Style, renderer
from tests.report.conftest import VIOLATION

N = 8


def brought(number: int, touched: tuple[str, ...]) -> Finding:
    """Make an introduced finding; a higher number has a longer way."""
    return replace(
        VIOLATION,
        message=f"write of x{number}_ without a lock",
        location=Location("a.c", 100 + number, 1),
        change="introduced",
        touched=touched,
        chain=tuple(f"a.c:f{level}" for level in range(number + 1)),
        fingerprint=f"{number:016x}",
    )


def report(*findings: Finding, others: tuple[Finding, ...] = ()) -> Report:
    compared = Compared('0123456789ab ("begin")', "", len(findings), len(others), 0)
    return Report(findings, (), (), 1, 0, 2, 0, compared=compared, others=others)


MANY = report(*(brought(number, ("a.c:outer", "b.c:forgets")) for number in range(N)), brought(N, ()))


def test_the_shortest_ways_of_one_mistake_are_told_in_full_and_the_others_in_a_line() -> None:
    text = renderer("text")(MANY, NoSources(), Style())
    assert "more on ways through forgets() in b.c (--verbose tells them in full)\n" in text
    assert all(f"x{number}_" in text for number in range(N + 1)), "each is told"
    assert text.count("  holds  ") == 4, "three of one function, and the one that goes through none"
    assert "  8  outer() in a.c\n  8  forgets() in b.c\n  1  nothing on the way itself" in text
    assert renderer("text")(MANY, NoSources(), Style(verbose=True)).count("  holds  ") == N + 1
    mail = renderer("mail")(MANY, NoSources(), Style())
    assert mail.count("The rule:") == 4
    assert "5 findings more of those above" in mail
    assert all(f"x{number}_" in mail for number in range(N + 1))


def test_where_nothing_is_compared_all_are_told_in_full() -> None:
    plain = tuple(replace(finding, change="", touched=()) for finding in MANY.findings)
    for name, mark in (("text", "  holds  "), ("mail", "The rule:")):
        text = renderer(name)(Report(plain, (), (), 1, 0, 2, 0), NoSources(), Style())
        assert text.count(mark) == N + 1


def test_programs_get_all_of_them() -> None:
    document = json.loads(renderer("json")(MANY, NoSources(), Style()))
    assert len(document["findings"]) == N + 1
    assert document["findings"][0]["touched"] == ["a.c:outer", "b.c:forgets"]
    assert document["findings"][-1]["touched"] == []
    (run,) = json.loads(renderer("sarif")(MANY, NoSources(), Style()))["runs"]
    assert {result["baselineState"] for result in run["results"]} == {"new"}


def test_what_was_fixed_shows_no_line_of_now() -> None:
    fixed = replace(brought(1, ()), change="fixed", location=Location("a.c", 3, 1))

    class Now(NoSources):
        """Has one line for everything."""

        def line(self, file: str, line: int) -> str | None:
            return "other();"

    for name in ("sarif", "github", "html"):
        assert "other();" not in renderer(name)(report(others=(fixed,)), Now(), Style())
