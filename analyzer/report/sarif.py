# SPDX-License-Identifier: GPL-2.0-only
"""The report as SARIF 2.1.0, which code scanning and many viewers read.

In: `Report`. Out: one JSON object with one run: the rules with their help, a result for each finding, how the run went.

Code scanning refuses a run with more than 25,000 results or a file with more than 10 MB after gzip. What is over that is
left out, unknown verdicts first, then by severity, and a notification of the run says how many.

**Invariant:** the text is ASCII, so that a file name of any bytes survives.
**Source:** https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html; limits:
https://docs.github.com/code-security/code-scanning/troubleshooting-sarif-uploads/results-exceed-limit
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

from msgspec import Struct

from analyzer import __version__
from analyzer.base.gap import Gap, GapKind
from analyzer.findings.model import Finding, Report, RuleCount
from analyzer.report._sarif_result import BASE, Json, physical, result
from analyzer.report._style import NoSources, SourceReader, Style
from analyzer.report._words import count, gaps_by_kind, printable

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: results of one run that code scanning takes
N_RESULTS = 25_000
#: of 10 MB after gzip, what results may take: rules and notifications need some, and gzip in one go packs a bit better
N_BYTES = 9_000_000
#: characters of a rule's descriptions that code scanning takes
N_CHARACTERS = 1024
#: failed units that are told one by one
N_UNITS = 100
_CUT = "lockspec/cut"
_GAPS = "lockspec/gaps"
_UNIT = "lockspec/unit"
_NOTIFICATIONS = {
    _CUT: "Results were left out, because code scanning would refuse the file.",
    _GAPS: "Something in the input was not understood.",
    _UNIT: "A translation unit could not be analysed.",
}

#: a finding, and the reason if the baseline accepts it
_Found = tuple[Finding, str | None]


class _Chosen(Struct, frozen=True):
    """Results as JSON texts, and how many there would have been."""

    texts: tuple[str, ...]
    n_all: int


def render(report: Report, sources: SourceReader, style: Style) -> str:  # noqa: ARG001 (every format takes them)
    """Return the report as SARIF."""
    rules = _rules(report)
    chosen = _choose(report, rules, sources)
    run = {
        "tool": {"driver": _driver(rules)},
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {BASE: {"description": {"text": "The kernel tree."}}},
        "invocations": [_invocation(report, chosen)],
        "properties": {
            "units": {"analysed": report.units_analysed, "failed": report.units_failed},
            "functions": {"analysed": report.functions_analysed, "skipped": report.functions_skipped},
        },
        "results": [],
    }
    text = json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1)
    # The results are texts already, one a line: their size had to be known. Theirs is the last list of the document.
    head, _, tail = text.rpartition("[]")
    return f"{head}[\n{','.join(chosen.texts)}]{tail}\n"


def _rules(report: Report) -> dict[str, RuleCount]:
    """Return the rules by id, also one that only a finding names, which then tells about it."""
    rules = {rule.id: rule for rule in report.rules}
    for finding in (*report.findings, *(accepted.finding for accepted in report.accepted), *report.others):
        known = rules.get(finding.rule)
        if known is None or not known.kind:
            rules[finding.rule] = RuleCount(
                id=finding.rule,
                sites=known.sites if known else 0,
                proven=known.proven if known else 0,
                violations=known.violations if known else 0,
                unknown=known.unknown if known else 0,
                noun=known.noun if known else "site",
                kind=finding.kind,
                severity=finding.severity,
                why=finding.why,
                source=finding.source,
                location=finding.rule_location,
            )
    return rules


def _driver(rules: dict[str, RuleCount]) -> Json:
    return {
        "name": "lockspec",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in rules.values()],
        "notifications": [
            {"id": name, "name": _friendly(name), "shortDescription": {"text": text}}
            for name, text in _NOTIFICATIONS.items()
        ],
    }


def _rule(rule: RuleCount) -> Json:
    short = rule.title or rule.why or rule.id
    written = f"Written in {rule.location}." if rule.location else ""
    after = f"After {rule.source}." if rule.source else ""
    covered = f"In this run: {count(rule.sites, rule.noun)}, {rule.proven:,} proven."
    paragraphs = [part for part in (rule.why, after, written, covered) if part]
    return {
        "id": rule.id,
        "name": _friendly(rule.id),
        "shortDescription": {"text": _short(short)},
        "fullDescription": {"text": _short(rule.why or short)},
        "help": {"text": printable(" ".join(paragraphs)), "markdown": "\n\n".join(map(_plain_markdown, paragraphs))},
        "defaultConfiguration": {"level": rule.severity},
        "properties": {
            "tags": ["locking", *([rule.kind] if rule.kind else [])],
            "precision": "high",
            "problem.severity": "recommendation" if rule.severity == "note" else rule.severity,
            "sites": {
                "all": rule.sites,
                "proven": rule.proven,
                "violations": rule.violations,
                "unknown": rule.unknown,
            },
        },
    }


def _friendly(name: str) -> str:
    """Return `KvmGmemFileWrite`, the form in which viewers expect names."""
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in name).split()
    return "".join(word[:1].upper() + word[1:] for word in words)[:255] or "Rule"


def _short(text: str) -> str:
    text = printable(text) or "-"
    return text if len(text) <= N_CHARACTERS else f"{text[: N_CHARACTERS - 1]}…"


def _plain_markdown(text: str) -> str:
    """Write text so that Markdown shows it as it is."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]<>()#+-!|~" else c for c in printable(text))


def _choose(report: Report, rules: dict[str, RuleCount], sources: SourceReader) -> _Chosen:
    """Write as many results as code scanning takes, the worst ones where not all fit, in the order of the report."""
    index = {rule: number for number, rule in enumerate(rules)}
    found: list[_Found] = [(finding, None) for finding in report.findings]
    found += [(accepted.finding, accepted.reason) for accepted in report.accepted]
    found += [(finding, None) for finding in report.others]
    order = sorted(range(len(found)), key=lambda number: _weight(found[number]))
    texts: dict[int, str] = {}
    packer, n_packed = zlib.compressobj(), 0
    for number in order[:N_RESULTS]:
        finding, reason = found[number]
        # what was fixed stands where it stood then: the lines that can be had are others
        told = result(finding, index[finding.rule], NoSources() if finding.change == "fixed" else sources)
        if reason is not None:
            told["suppressions"] = [{"kind": "external", "status": "accepted", "justification": printable(reason)}]
        text = json.dumps(told, separators=(",", ":"))
        n_packed += len(packer.compress(text.encode("ascii")))
        if n_packed > N_BYTES:
            break
        texts[number] = f"{text}\n"
    return _Chosen(tuple(texts[number] for number in sorted(texts)), len(found))


def _weight(found: _Found) -> tuple[bool, bool, int]:
    """Say in which order findings are left out, the last ones first."""
    finding, reason = found
    is_old = finding.change in ("fixed", "pre-existing")
    return (
        reason is not None or is_old,
        finding.verdict == "unknown",
        ("error", "warning", "note").index(finding.severity),
    )


def _invocation(report: Report, chosen: _Chosen) -> Json:
    units = [gap for gap in report.gaps if gap.kind is GapKind.UNIT]
    notifications = [_unit(gap) for gap in units[:N_UNITS]]
    if len(chosen.texts) < chosen.n_all:
        text = (
            f"{chosen.n_all - len(chosen.texts):,} of {chosen.n_all:,} results are left out: code scanning takes "
            f"{N_RESULTS:,} of a run, and 10 MB after gzip. Violations are kept before unknown verdicts, errors before "
            "warnings; --format json has them all."
        )
        notifications.insert(0, _notification(_CUT, "warning", text))
    if report.gaps:
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in gaps_by_kind(report))
        notifications.append(_notification(_GAPS, "note", f"{count(len(report.gaps), 'gap')}: {kinds}"))
    successful = not (report.units_failed and not report.units_analysed)
    return {"executionSuccessful": successful, "toolExecutionNotifications": notifications}


def _unit(gap: Gap) -> Json:
    told = _notification(_UNIT, "error", gap.text)
    return told | {"locations": [{"physicalLocation": physical(gap.location)}]}


def _notification(name: str, level: str, text: str) -> Json:
    index: Sequence[str] = list(_NOTIFICATIONS)
    return {
        "descriptor": {"id": name, "index": index.index(name)},
        "level": level,
        "message": {"text": printable(text)},
    }
