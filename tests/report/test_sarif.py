# SPDX-License-Identifier: GPL-2.0-only
"""SARIF: the official schema, models made from it, an independent reader, and code scanning's limits."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Log

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.findings.model import Accepted, Report, Step, StepEvent
from analyzer.report import NoSources, Style, _sarif_result, renderer
from analyzer.report.sarif import N_RESULTS
from tests.report.conftest import VIOLATION, Lines, unknown
from tests.report.many import hostile, long_way, many

ROOT = Path(__file__).parents[2]
#: not kept here: OASIS has a licence of its own. `.ci/run` fetches it
SCHEMA = Path(os.environ.get("LOCKSPEC_SARIF_SCHEMA") or ROOT / ".schema" / "sarif-schema-2.1.0.json")
#: bytes of a file after gzip
LIMIT = 10_000_000


@pytest.fixture(scope="session")
def validator() -> Any:
    """Give a validator by the official schema, or skip with the reason."""
    if not SCHEMA.exists():
        pytest.skip("no SARIF schema: run .ci/run, or set LOCKSPEC_SARIF_SCHEMA")
    schema = json.loads(SCHEMA.read_text("utf-8"))
    assert schema["id" if "id" in schema else "$id"].endswith("/sarif-schema-2.1.0.json")
    return jsonschema.validators.validator_for(schema)(schema, format_checker=jsonschema.FormatChecker())


def rendered(report: Report, sources: Any = None) -> dict[str, Any]:
    text = renderer("sarif")(report, sources or NoSources(), Style())
    document = json.loads(text)
    assert isinstance(document, dict)
    return document


def results(document: dict[str, Any]) -> list[dict[str, Any]]:
    (run,) = document["runs"]
    found = run["results"]
    assert isinstance(found, list)
    return found


def notifications(document: dict[str, Any]) -> list[dict[str, Any]]:
    (invocation,) = document["runs"][0]["invocations"]
    found = invocation["toolExecutionNotifications"]
    assert isinstance(found, list)
    return found


def test_official_schema(validator: Any, report: Report, sources: Lines) -> None:
    validator.validate(rendered(report, sources))
    validator.validate(rendered(hostile()))
    validator.validate(rendered(replace(report, accepted=(Accepted(VIOLATION, "known"),), findings=())))


@settings(max_examples=25, deadline=None)
@given(st.from_type(Report))
def test_official_schema_whatever_the_report(validator: Any, report: Report) -> None:
    validator.validate(rendered(report))


@settings(max_examples=50, deadline=None)
@given(st.from_type(Report))
def test_models_made_from_the_schema_take_it(report: Report) -> None:
    Log.model_validate(rendered(report))


def test_models_refuse_what_is_wrong(report: Report) -> None:
    document = rendered(report)
    document["runs"][0]["results"][0]["kind"] = "odd"
    with pytest.raises(ValueError, match="kind"):
        Log.model_validate(document)


def test_an_unknown_verdict_is_open_and_has_no_level(report: Report) -> None:
    kinds = [(found["kind"], found["level"]) for found in results(rendered(report))]
    assert kinds == [("fail", "error"), ("open", "none"), ("open", "none")]


def test_rules_have_help_and_results_point_at_them(report: Report) -> None:
    document = rendered(report)
    rules = document["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["kvm/gmem-file-write", "kvm/gmem-get-file", "kvm/nothing-here"]
    assert "slots_lock serialises them" in rules[0]["help"]["text"]
    assert all(rules[found["ruleIndex"]]["id"] == found["ruleId"] for found in results(document))


def test_a_place_is_relative_to_the_tree_with_utf16_columns(report: Report) -> None:
    line = "\t/* \N{GRINNING FACE} é */ WRITE_ONCE(slot->gmem.file, NULL);"
    sources = Lines({(VIOLATION.location.file, 566): line})
    place = results(rendered(report, sources))[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "virt/kvm/guest_memfd.c", "uriBaseId": "SRCROOT"}
    start, end = place["region"]["startColumn"] - 1, place["region"]["endColumn"] - 1
    assert line.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le") == "file"
    assert place["region"]["snippet"] == {"text": "file"}


def test_the_lines_around_a_place_are_told() -> None:
    file = VIOLATION.location.file
    sources = Lines({(file, number): f"line {number}" for number in range(1, 568)})
    (found,) = results(rendered(Report((VIOLATION,), (), (), 1, 0, 1, 0), sources))
    assert found["locations"][0]["physicalLocation"]["contextRegion"] == {
        "startLine": 564,
        "endLine": 567,
        "snippet": {"text": "line 564\nline 565\nline 566\nline 567"},
    }


@pytest.mark.parametrize(
    ("file", "artifact"),
    [
        ("./a b/c#?.c", {"uri": "a%20b/c%23%3F.c", "uriBaseId": "SRCROOT"}),
        ("c:d.c", {"uri": "c%3Ad.c", "uriBaseId": "SRCROOT"}),
        ("/usr/include/x.h", {"uri": "file:///usr/include/x.h"}),
        ("../out/x.h", {"uri": "../out/x.h"}),
        ("caf\udce9.c", {"uri": "caf%E9.c", "uriBaseId": "SRCROOT"}),
    ],
)
def test_names_of_files(file: str, artifact: dict[str, str]) -> None:
    finding = replace(VIOLATION, location=Location(file, 1, 1), witness=())
    (found,) = results(rendered(Report((finding,), (), (), 1, 0, 1, 0)))
    assert found["locations"][0]["physicalLocation"]["artifactLocation"] == artifact


def test_one_thread_flow_for_each_thread() -> None:
    place = Location("a.c", 5)
    steps = (
        Step(0, "entry", "first", place, "enters first() holding nothing"),
        Step(0, "acquire", "first", place, "takes a.lock", ("a.lock",)),
        Step(1, "entry", "second", place, "enters second() holding nothing"),
        Step(0, "call", "first", place, "calls inner()", ("a.lock",)),
        Step(0, "acquire", "inner", place, "takes b.lock", ("a.lock", "b.lock")),
        Step(1, "acquire", "second", place, "takes b.lock", ("b.lock",)),
    )
    (found,) = results(rendered(Report((replace(VIOLATION, witness=steps),), (), (), 1, 0, 1, 0)))
    (flow,) = found["codeFlows"]
    assert [thread["id"] for thread in flow["threadFlows"]] == ["thread A", "thread B"]
    first, second = flow["threadFlows"]
    assert [place["nestingLevel"] for place in first["locations"]] == [0, 0, 0, 1]
    assert [place["kinds"][0] for place in second["locations"]] == ["enter", "acquire"]
    assert first["locations"][-1]["state"] == {"held": {"text": "a.lock, b.lock"}}


def test_every_event_has_a_kind_that_sarif_knows() -> None:
    assert set(_sarif_result._KINDS) == set(get_args(StepEvent))


def test_the_fingerprint_is_the_one_code_scanning_looks_at(report: Report) -> None:
    found = results(rendered(report))[0]["partialFingerprints"]
    assert found == {"lockspec/v1": "5f0c3b9e2a7d4416", "primaryLocationLineHash": "5f0c3b9e2a7d4416"}


def test_what_the_baseline_accepts_is_suppressed_with_its_reason(report: Report) -> None:
    document = rendered(replace(report, findings=(), accepted=(Accepted(VIOLATION, "the VM is gone"),)))
    (found,) = results(document)
    assert found["suppressions"] == [{"kind": "external", "status": "accepted", "justification": "the VM is gone"}]


def test_units_that_failed_are_told(report: Report) -> None:
    gap = Gap(GapKind.UNIT, Location("a.c", 7), "gcc failed: no such header")
    told = notifications(rendered(replace(report, gaps=(gap,))))
    assert [(n["level"], n["descriptor"]["id"]) for n in told] == [
        ("error", "lockspec/unit"),
        ("note", "lockspec/gaps"),
    ]
    assert told[0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 7


@pytest.fixture(scope="module")
def of_30000() -> str:
    """Give the text of a report with 18,000 violations, errors and warnings, and 12,000 unknown verdicts."""
    return renderer("sarif")(many(18_000, 12_000), NoSources(), Style())


def test_30000_findings_are_cut_as_code_scanning_demands_and_it_says_so(of_30000: str) -> None:
    document = json.loads(of_30000)
    kept = results(document)
    assert len(gzip.compress(of_30000.encode())) < LIMIT
    assert len(kept) == N_RESULTS
    assert sum(found["kind"] == "fail" for found in kept) == 18_000, "violations go before unknown verdicts"
    assert [f["partialFingerprints"]["lockspec/v1"] for f in kept] == sorted(
        f["partialFingerprints"]["lockspec/v1"] for f in kept
    ), "in the order of the report"
    (cut,) = (n for n in notifications(document) if n["descriptor"]["id"] == "lockspec/cut")
    assert cut["level"] == "warning"
    assert "5,000 of 30,000 results are left out" in cut["message"]["text"]


def test_a_cut_report_follows_the_schema_too(validator: Any, of_30000: str) -> None:
    document = json.loads(of_30000)
    document["runs"][0]["results"] = results(document)[::1000]
    validator.validate(document)


def test_a_file_that_is_too_big_is_cut_too() -> None:
    report = many(4_000, 0)
    # texts that do not compress: 4 KB of digits each
    odd = [replace(f, cause=os.urandom(2048).hex()) for f in report.findings]
    text = renderer("sarif")(replace(report, findings=tuple(odd) * 2), NoSources(), Style())
    assert LIMIT * 0.8 < len(gzip.compress(text.encode())) < LIMIT
    document = json.loads(text)
    told = notifications(document)[0]["message"]["text"]
    assert told.startswith(f"{8_000 - len(results(document)):,} of 8,000 results are left out")


def test_nothing_is_said_of_cuts_where_nothing_is_cut(report: Report) -> None:
    assert all(told["descriptor"]["id"] != "lockspec/cut" for told in notifications(rendered(report)))


def test_a_way_of_5000_steps_keeps_its_ends() -> None:
    (found,) = results(rendered(Report((long_way(5_000),), (), (), 1, 0, 1, 0)))
    flows = found["codeFlows"][0]["threadFlows"]
    assert sum(len(flow["locations"]) for flow in flows) == 1000
    assert len(flows) == 2
    lines = [
        f["locations"][i]["location"]["physicalLocation"]["region"]["startLine"]
        for f, i in zip(flows, (0, -1), strict=True)
    ]
    assert lines == [1, 5_000]
    assert "4,000 steps in the middle of the way are left out" in found["message"]["text"]


def read_with_sarif_tools(text: str, *command: str) -> str:
    """Let sarif-tools, which shares no line with us, read a report."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.sarif"
        path.write_text(text, "utf-8")
        out = Path(folder) / "out"
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "sarif", *command, "--output", str(out), str(path)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return out.read_text("utf-8-sig")


def test_sarif_tools_counts_the_same(sources: Lines) -> None:
    findings = (VIOLATION, replace(VIOLATION, severity="warning", rule="kvm/other"), unknown(612, 9, "f"))
    text = renderer("sarif")(Report(findings, (), (), 1, 0, 1, 0), sources, Style())
    summary = read_with_sarif_tools(text, "summary")
    assert "error: 1\n" in summary
    assert "warning: 1\n" in summary
    assert "none: 1\n" in summary


def test_sarif_tools_lists_every_finding_at_its_place(report: Report, sources: Lines) -> None:
    rows = list(csv.DictReader(read_with_sarif_tools(renderer("sarif")(report, sources, Style()), "csv").splitlines()))
    places = sorted((row["Location"], int(row["Line"])) for row in rows)
    assert places == sorted((f.location.file, f.location.line) for f in report.findings)


def test_sarif_tools_counts_what_a_cut_report_kept(of_30000: str) -> None:
    summary = read_with_sarif_tools(of_30000, "summary")
    numbers = {level: int(number) for level, number in re.findall(r"^(\w+): (\d+)$", summary, re.MULTILINE)}
    kept = results(json.loads(of_30000))
    assert numbers == {level: sum(found["level"] == level for found in kept) for level in numbers}
    assert (numbers["none"], sum(numbers.values())) == (7_000, 25_000)
