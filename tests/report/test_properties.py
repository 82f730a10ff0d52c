# SPDX-License-Identifier: GPL-2.0-only
"""What holds for the text of every report, however odd."""

import json
from pathlib import Path

import jsonschema
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from analyzer.findings.model import Report
from analyzer.report import NoSources, Style, format_names, renderer

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

#: the sources hold the same odd line everywhere
odd_lines = st.text(max_size=200)


class SameLine(NoSources):
    """A `SourceReader` that has one line everywhere."""

    def __init__(self, text: str) -> None:
        self._text = text

    def line(self, file: str, line: int) -> str | None:
        return self._text


def test_the_formats_are_the_modules() -> None:
    assert format_names() == ("gcc", "github", "gitlab", "html", "json", "junit", "mail", "sarif", "text")


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@given(st.from_type(Report))
def test_json_follows_its_schema(report: Report) -> None:
    document = json.loads(renderer("json")(report, NoSources(), Style()))
    VALIDATOR.validate(document)
    assert list(document) == SCHEMA["required"]
    for finding in document["findings"]:
        assert list(finding) == SCHEMA["$defs"]["finding"]["required"]
    assert len(document["findings"]) == len(report.findings)


@given(st.from_type(Report))
def test_gcc_is_a_line_for_each_finding_and_step(report: Report) -> None:
    lines = renderer("gcc")(report, NoSources(), Style()).split("\n")
    n_warnings = sum(": warning: " in line and ": note: " not in line.split(": warning: ")[0] for line in lines)
    n_steps = sum(
        not (step.event == "access" and step.location == finding.location)
        for finding in report.findings
        if finding.verdict == "violation"
        for step in finding.witness
    )
    assert lines.pop() == ""
    assert len(lines) == len(report.findings) + n_steps
    assert n_warnings >= sum(finding.verdict == "violation" for finding in report.findings)


@given(st.from_type(Report), odd_lines, st.booleans())
def test_text_cannot_steer_the_terminal(report: Report, line: str, verbose: bool) -> None:
    text = renderer("text")(report, SameLine(line), Style(verbose=verbose))
    assert all(character.isprintable() or character == "\n" for character in text)


@given(st.from_type(Report), odd_lines, st.integers(100, 200))
def test_text_keeps_within_its_width(report: Report, line: str, width: int) -> None:
    text = renderer("text")(report, SameLine(line), Style(width=width, verbose=True))
    # a trail steps in by two columns with each call, a location has its column: both are short here
    assert max(map(cell_len, text.split("\n"))) <= width


@given(st.from_type(Report))
def test_no_line_ends_in_blanks(report: Report) -> None:
    text = renderer("text")(report, NoSources(), Style(width=80))
    assert not any(line != line.rstrip() for line in text.split("\n"))
