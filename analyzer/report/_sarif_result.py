# SPDX-License-Identifier: GPL-2.0-only
"""One finding as SARIF's `result`: its place, its verdict, and the way there as a code flow.

In: `Finding`. Out: a dictionary for JSON.

A violation has the kind `fail` and the level of its rule. An unknown verdict has the kind `open`, SARIF's word for an
analysis that could neither prove nor refute; it must have the level `none` then (3.27.10).

**Invariant:** a code flow has one thread flow for each thread of the witness.
**Source:** https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html
"""

from __future__ import annotations

import posixpath
from typing import Any
from urllib.parse import quote

from analyzer.base.location import Location
from analyzer.findings.model import Finding, Step
from analyzer.report import _caret, _way
from analyzer.report._style import SourceReader
from analyzer.report._words import printable

#: what relative URIs are relative to: the kernel tree, wherever it lies
BASE = "SRCROOT"
#: thread flow locations of one result that code scanning keeps; it takes 10,000
N_STEPS = 1000
#: lines before and after a place
N_CONTEXT = 2
#: SARIF's words for what happens at a step (3.38.8)
_KINDS = {
    "entry": ["enter", "function"],
    "call": ["call", "function"],
    "acquire": ["acquire", "lock"],
    "release": ["release", "lock"],
    "branch": ["branch"],
    "access": ["danger"],
}

#: SARIF's words for what became of a finding (3.27.24)
_STATES = {"introduced": "new", "fixed": "absent", "pre-existing": "unchanged"}

Json = dict[str, Any]


def result(finding: Finding, rule_index: int, sources: SourceReader) -> Json:
    """Return a finding; steps over the limit are left out in the middle of the way, and the message says so."""
    steps, n_cut = _fitted(finding.witness)
    because = f": {finding.cause}" if finding.cause else ""
    cut = f" ({n_cut:,} steps in the middle of the way are left out)" if n_cut else ""
    told: Json = {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "kind": "open" if finding.verdict == "unknown" else "fail",
        "level": "none" if finding.verdict == "unknown" else finding.severity,
        "message": {"text": printable(f"{finding.message}{because}{cut}")},
        "locations": [_place(finding, sources)],
    }
    if finding.fingerprint:
        # the second name is the only one that code scanning looks at
        told["partialFingerprints"] = {
            "lockspec/v1": finding.fingerprint,
            "primaryLocationLineHash": finding.fingerprint,
        }
    if finding.change:
        told["baselineState"] = _STATES[finding.change]
    if steps:
        flows = [_thread_flow(thread, placed, sources) for thread, placed in _way.by_thread(steps).items()]
        told["codeFlows"] = [{"message": {"text": printable(finding.message)}, "threadFlows": flows}]
    told["properties"] = {
        "function": finding.function,
        "object": finding.object,
        "access": finding.access,
        "requires": list(finding.requires),
        "held": list(finding.held),
    }
    return told


def physical(location: Location, region: Json | None = None) -> Json:
    """Return a place; a line that is not known has no region."""
    place: Json = {"artifactLocation": artifact(location.file)}
    if location.line > 0:
        place["region"] = {"startLine": location.line} | (region or {})
    return place


def artifact(file: str) -> Json:
    """Return a file: relative to the tree if it lies there, else as it is."""
    # errors: a name's bytes that are no text come as lone surrogates (PEP 383)
    name = posixpath.normpath(file).encode("utf-8", "surrogateescape" if _escaped(file) else "backslashreplace")
    if name.startswith(b"/"):
        return {"uri": f"file://{quote(name)}"}
    uri = quote(name)  # a colon too, which would make a scheme of what stands before it
    return {"uri": uri} if name.startswith(b"../") or name == b".." else {"uri": uri, "uriBaseId": BASE}


def _escaped(text: str) -> bool:
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _place(finding: Finding, sources: SourceReader) -> Json:
    """Return where the finding is; columns count UTF-16 units, as the run says."""
    place = finding.location
    line = sources.line(place.file, place.line)
    span = None if line is None else _caret.find(line, place.column, finding.object)
    region: Json = {}
    if line is not None and span is not None:
        end = span.start + span.length
        region = {"startColumn": _units(line[: span.start]) + 1, "endColumn": _units(line[:end]) + 1}
    if line is not None and place.line > 0:
        region["snippet"] = {"text": _cut_out(line, region) if region else line}
    return {
        "physicalLocation": physical(place, region) | _context(place, sources),
        "logicalLocations": [{"name": finding.function, "kind": "function"}],
    }


def _context(place: Location, sources: SourceReader) -> Json:
    """Return the lines around a place, for viewers without the source."""
    around = range(max(1, place.line - N_CONTEXT), place.line + N_CONTEXT + 1)
    lines = [(number, text) for number in around if (text := sources.line(place.file, number)) is not None]
    if len(lines) < 2 or [number for number, _ in lines] != list(range(lines[0][0], lines[-1][0] + 1)):
        return {}
    snippet = {"text": "\n".join(text for _, text in lines)}
    return {"contextRegion": {"startLine": lines[0][0], "endLine": lines[-1][0], "snippet": snippet}}


def _cut_out(line: str, region: Json) -> str:
    """Return the text that a region of one line stands for."""
    units = line.encode("utf-16-le", "surrogatepass")
    cut = units[2 * (region["startColumn"] - 1) : 2 * (region["endColumn"] - 1)]
    return cut.decode("utf-16-le", "replace")


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _fitted(steps: tuple[Step, ...]) -> tuple[tuple[Step, ...], int]:
    """Leave out the middle of a way that is too long: where it begins and where it ends say most."""
    if len(steps) <= N_STEPS:
        return steps, 0
    half = N_STEPS // 2
    return steps[:half] + steps[-half:], len(steps) - 2 * half


def _thread_flow(thread: int, placed: list[tuple[Step, int]], sources: SourceReader) -> Json:
    return {
        "id": _way.thread_name(thread),
        "locations": [_step(step, depth, sources) for step, depth in placed],
    }


def _step(step: Step, depth: int, sources: SourceReader) -> Json:
    line = sources.line(step.location.file, step.location.line)
    region = {} if line is None or step.location.line <= 0 else {"snippet": {"text": line}}
    return {
        "location": {
            "physicalLocation": physical(step.location, region),
            "logicalLocations": [{"name": step.function, "kind": "function"}],
            "message": {"text": printable(_way.told(step) + _way.holding(step))},
        },
        "kinds": _KINDS[step.event],
        "nestingLevel": depth,
        "importance": "unimportant" if step.event == "branch" else "essential",
        "state": {"held": {"text": printable(", ".join(step.held) or "nothing")}},
    }
