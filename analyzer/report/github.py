# SPDX-License-Identifier: GPL-2.0-only
"""The report as GitHub workflow commands: an annotation for each finding beside the changed lines.

In: `Report`. Out: one command for each finding, then a group of the log with whatever did not fit.

    ::error file=virt/kvm/guest_memfd.c,line=566,col=24,endColumn=28,title=kvm/gmem-file-write::write of …%0A…

GitHub shows 10 errors, 10 warnings and 10 notices of a step, each up to 4,096 characters. What is over that is cut
here, where it can be said, with violations first, and stands in full in the group.

**Invariant:** nothing from the source can be taken for a command: values are escaped, and commands are stopped in the
group, by a word made from the text itself.
**Source:** https://docs.github.com/actions/reference/workflow-commands-for-github-actions; the limits:
https://github.com/actions/toolkit/blob/main/docs/problem-matchers.md and the runner's `ExecutionContext.cs`.
"""

from __future__ import annotations

import hashlib

from analyzer.findings.model import Finding, Report
from analyzer.report import _caret, _way, gcc
from analyzer.report._style import SourceReader, Style
from analyzer.report._words import count, printable

#: annotations of one level that GitHub shows for a step
N_ANNOTATIONS = 10
#: characters of a message that GitHub keeps
N_CHARACTERS = 4096
_LEVELS = {"error": "error", "warning": "warning", "note": "notice"}
#: of a comparison, what is told only where it was asked for
_OLD = ("fixed", "pre-existing")
_CUT = "\n… the rest of the way is in the log"


def render(report: Report, sources: SourceReader, style: Style) -> str:
    """Return the findings as workflow commands; empty where there are none."""
    room = {"error": N_ANNOTATIONS, "warning": N_ANNOTATIONS, "notice": N_ANNOTATIONS - 1}  # one says what was cut
    commands = []
    n_left = n_short = 0
    told = (*report.findings, *report.others)
    for finding in sorted(told, key=lambda found: (found.change in _OLD, found.verdict != "violation")):
        level = _level(finding, style)
        if room[level] == 0:
            n_left += 1
            continue
        room[level] -= 1
        message = _message(finding)
        n_short += len(message) > N_CHARACTERS
        commands.append(_command(level, _properties(finding, sources), _fitted(message)))
    if n_left or n_short:
        commands.append(_command("notice", {"title": "lockspec"}, _announcement(len(told), n_left, n_short)))
        commands += _group(gcc.render(report, sources, style))
    return "".join(f"{command}\n" for command in commands)


def _level(finding: Finding, style: Style) -> str:
    if finding.change in _OLD:
        return "notice"
    if finding.verdict == "unknown":
        return "warning" if style.strict else "notice"
    return _LEVELS[finding.severity]


def _message(finding: Finding) -> str:
    if finding.change in _OLD:
        return printable(f"{finding.change}: {finding.message}")
    unknown = "unknown: " if finding.verdict == "unknown" else ""
    because = [f"because {finding.cause}"] if finding.cause else []
    return "\n".join(map(printable, [f"{unknown}{finding.message}", *because, *_way.lines(finding)]))


def _fitted(message: str) -> str:
    """Cut a message at the end of a line, and say so."""
    if len(message) <= N_CHARACTERS:
        return message
    kept = message[: N_CHARACTERS - len(_CUT)]
    return (kept.rpartition("\n")[0] or kept) + _CUT


def _properties(finding: Finding, sources: SourceReader) -> dict[str, str]:
    place = finding.location
    found: dict[str, str] = {"file": place.file, "line": f"{max(place.line, 1)}"}
    line = None if finding.change == "fixed" else sources.line(place.file, place.line)
    span = None if line is None else _caret.find(line, place.column, finding.object)
    if span is not None:
        found |= {"col": f"{span.start + 1}", "endColumn": f"{span.start + span.length + 1}"}
    return found | {"title": finding.rule[:255]}


def _command(name: str, properties: dict[str, str], message: str) -> str:
    listed = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items())
    return f"::{name} {listed}::{_escape(message)}"


def _escape(text: str) -> str:
    """Escape what ends a command; a lone surrogate stands for a byte that is no text."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(printable(text)).replace(":", "%3A").replace(",", "%2C")


def _announcement(n_findings: int, n_left: int, n_short: int) -> str:
    told = []
    if n_left:
        told.append(
            f"{n_left:,} of {count(n_findings, 'finding')} have no annotation: GitHub shows no more of one step"
        )
    if n_short:
        told.append(f"{count(n_short, 'annotation')} cut to {N_CHARACTERS:,} characters")
    return f"{'; '.join(told)}. The log of this step has all of them in full."


def _group(text: str) -> list[str]:
    """Put text into the log so that none of it is a command."""
    word = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
    return [
        "::group::lockspec: all findings",
        f"::stop-commands::{word}",
        text.rstrip("\n"),
        f"::{word}::",
        "::endgroup::",
    ]
