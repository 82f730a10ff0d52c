# SPDX-License-Identifier: GPL-2.0-only
"""The report as JUnit XML, the form in which test reports travel between CI systems.

In: `Report`. Out: a suite for each rule, with a case for each finding and one for all that is proven; a suite for the
input, with a case for each unit and function that could not be analysed.

A violation is a failure; an unknown verdict is skipped, or with `--strict` a failure; a finding that the baseline
accepts is skipped, with the reason; a unit or function that could not be analysed is an error. Of a comparison, what is
pre-existing is skipped, and what was fixed passes.

**Invariant:** the numbers in the attributes are those of the elements below.
**Source:** the form that Jenkins' and GitLab's readers share, https://github.com/testmoapp/junitxml
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable

from analyzer.base.gap import GapKind
from analyzer.findings.model import Accepted, Finding, Report, RuleCount
from analyzer.report import _way
from analyzer.report._style import SourceReader, Style
from analyzer.report._words import count, printable

#: gaps behind which whole units or functions are missing
_MISSING = frozenset({GapKind.UNIT, GapKind.BODY, GapKind.LOWERING})


def render(report: Report, sources: SourceReader, style: Style) -> str:  # noqa: ARG001 (every format takes them)
    """Return the report as an XML document."""
    suites = [_rule_suite(rule, report, style.strict) for rule in _rules(report)]
    suites.append(_input_suite(report))
    root = ET.Element("testsuites", {"name": "lockspec", **_totals(suites)})
    root.extend(suites)
    ET.indent(root, " ")
    text = ET.tostring(root, "unicode", xml_declaration=False)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _rules(report: Report) -> Iterable[RuleCount]:
    """Give the counts of all rules, also of one that only a finding names."""
    known = {rule.id for rule in report.rules}
    yield from report.rules
    findings = (*report.findings, *(accepted.finding for accepted in report.accepted), *report.others)
    for rule in dict.fromkeys(finding.rule for finding in findings):
        if rule not in known:
            yield RuleCount(rule, 0, 0, 0, 0)


def _rule_suite(rule: RuleCount, report: Report, strict: bool) -> ET.Element:
    cases = [_case(finding, strict) for finding in report.findings if finding.rule == rule.id]
    cases += [_accepted(accepted) for accepted in report.accepted if accepted.finding.rule == rule.id]
    cases += [_other(finding) for finding in report.others if finding.rule == rule.id]
    if rule.proven or not cases:
        text = f"{count(rule.proven, rule.noun)} proven" if rule.sites else f"no {rule.noun} in these units"
        cases.append(_element("testcase", classname=rule.id, name=text))
    return _suite(rule.id, cases)


def _case(finding: Finding, strict: bool) -> ET.Element:
    case = _named(finding)
    text = "\n".join([finding.message, *([f"because {finding.cause}"] if finding.cause else []), *_way.lines(finding)])
    if finding.verdict == "violation" or strict:
        case.append(_element("failure", text, message=finding.message, type=finding.verdict))
    else:
        case.append(_element("skipped", message=f"unknown: {finding.cause}"))
        case.append(_element("system-out", text))
    return case


def _accepted(accepted: Accepted) -> ET.Element:
    case = _named(accepted.finding)
    case.append(_element("skipped", message=f"accepted by the baseline: {accepted.reason}"))
    return case


def _other(finding: Finding) -> ET.Element:
    """Make a case of a finding that is not new: one that was fixed passes."""
    case = _named(finding)
    if finding.change != "fixed":
        case.append(_element("skipped", message=f"{finding.change}: {finding.message}"))
    return case


def _named(finding: Finding) -> ET.Element:
    """Name a case so that no two are alike, and that it keeps its name while lines move."""
    name = f"{finding.function}(): {finding.message} ({finding.fingerprint})"
    place = {"file": finding.location.file, "line": f"{finding.location.line}"}
    return _element("testcase", classname=finding.rule, name=name, **place)


def _input_suite(report: Report) -> ET.Element:
    cases = []
    for gap in report.gaps:
        if gap.kind in _MISSING:
            case = _element("testcase", classname="input", name=str(gap.location))
            case.append(_element("error", message=gap.text, type=gap.kind.value))
            cases.append(case)
    analysed = f"{count(report.units_analysed, 'unit')}, {count(report.functions_analysed, 'function')} analysed"
    cases.append(_element("testcase", classname="input", name=analysed))
    return _suite("input", cases)


def _suite(name: str, cases: list[ET.Element]) -> ET.Element:
    numbers = {what: sum(case.find(what) is not None for case in cases) for what in ("failure", "error", "skipped")}
    suite = _element(
        "testsuite",
        name=name,
        tests=f"{len(cases)}",
        failures=f"{numbers['failure']}",
        errors=f"{numbers['error']}",
        skipped=f"{numbers['skipped']}",
    )
    suite.extend(cases)
    return suite


def _totals(suites: list[ET.Element]) -> dict[str, str]:
    return {
        key: f"{sum(int(suite.get(key, '0')) for suite in suites)}"
        for key in ("tests", "failures", "errors", "skipped")
    }


def _element(tag: str, text: str = "", **attributes: str) -> ET.Element:
    """Make an element; XML has no way to write most control characters, and none to write half a character."""
    element = ET.Element(tag, {name: printable(value) for name, value in attributes.items()})
    if text:
        element.text = "\n".join(map(printable, text.split("\n")))
    return element
