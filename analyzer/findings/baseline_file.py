# SPDX-License-Identifier: GPL-2.0-only
"""A baseline as text: paragraphs of `key: value` lines, as Debian's control files have them.

In: text. Out: `BaselineFile`, which can be written again with nothing lost.

    # the old release path, until its rewrite is in
    fingerprint: 5f0c3b9e2a7d4416
    rule: kvm/gmem-file-write
    file: virt/kvm/guest_memfd.c
    function: kvm_gmem_unbind
    finding: write of kvm_memory_slot.gmem.file without kvm.slots_lock
    reason: the last user is gone by then,
     see the comment in kvm_destroy_vm()

A line that begins with a blank goes on with the value above; one that begins with `#` is a comment. Entries stand by
rule and file, one value a line, so that a change to one of them is a change to its lines.

**Invariant:** comments, reasons and the order of what is there survive an update byte by byte.
**Invariant:** an error never hides another one that can be found without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from analyzer.base.errors import InputError
from analyzer.base.location import Location
from analyzer.findings.baseline import Entry
from analyzer.findings.fingerprint import N_HEX_DIGITS
from analyzer.findings.model import Finding

_KEYS = ("fingerprint", "rule", "file", "function", "finding", "verdict", "reason")
_NEEDED = ("fingerprint", "rule", "file", "reason")
_VERDICTS = ("violation", "unknown")
_LINE = re.compile(r"(?P<key>[^\s:#][^:]*?)(?P<colon>\s*:[ \t]*)(?P<value>.*)")


class Paragraph(Struct, frozen=True):
    """Lines between two empty ones: an entry with its comments, or comments alone."""

    lines: tuple[str, ...]
    entry: Entry | None = None


class BaselineFile(Struct, frozen=True):
    """A whole file."""

    paragraphs: tuple[Paragraph, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Return the entries, in the order of the file."""
        return tuple(paragraph.entry for paragraph in self.paragraphs if paragraph.entry)

    def text(self) -> str:
        """Return the file's text."""
        return "\n".join("".join(f"{line}\n" for line in paragraph.lines) for paragraph in self.paragraphs)


class BaselineError(InputError):
    """One or more errors in a baseline, one line each."""

    def __init__(self, errors: Iterable[tuple[Location, str]]) -> None:
        super().__init__("\n".join(f"{location}: {text}" for location, text in sorted(errors)))


class _Value(Struct, frozen=True):
    """A value, where its key stands, and where it stands itself."""

    text: str
    key_at: Location
    at: Location


def parse(data: bytes, file: str) -> BaselineFile:
    """Read a baseline; raise `BaselineError` with all that is wrong in it."""
    errors: list[tuple[Location, str]] = []
    text = _decoded(data, file)
    paragraphs = []
    start, lines = 1, list[str]()
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if line.strip():
            start = start if lines else number
            lines.append(line.rstrip())
        elif lines:
            paragraphs.append(Paragraph(tuple(lines), _entry(lines, start, file, errors)))
            lines = []
    first: dict[str, Entry] = {}
    for entry in (paragraph.entry for paragraph in paragraphs if paragraph.entry):
        earlier = first.setdefault(entry.fingerprint, entry)
        if earlier is not entry:
            errors.append((entry.location, f"{entry.fingerprint} is accepted in line {earlier.location.line} already"))
    if errors:
        raise BaselineError(errors)
    return BaselineFile(tuple(paragraphs))


def _decoded(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        at = Location(file, before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1)
        raise BaselineError([(at, "not UTF-8")]) from error


def _entry(lines: list[str], start: int, file: str, errors: list[tuple[Location, str]]) -> Entry | None:
    """Read a paragraph; add to `errors` what is wrong in it."""
    n_errors = len(errors)
    values = _values(lines, start, file, errors)
    if not values:
        return None
    at = min((value.key_at for value in values.values()), key=lambda location: location.line)
    errors += [(at, f"the entry has no {key}") for key in _NEEDED if key not in values]
    for key, value in values.items():
        if not value.text:
            errors.append((value.at, f"{key} has no value"))
    fingerprint = values.get("fingerprint")
    if fingerprint and fingerprint.text and not re.fullmatch(f"[0-9a-f]{{{N_HEX_DIGITS}}}", fingerprint.text):
        errors.append((fingerprint.at, f"a fingerprint has {N_HEX_DIGITS} hex digits, not {fingerprint.text!r}"))
    verdict = values.get("verdict")
    if verdict and verdict.text and verdict.text not in _VERDICTS:
        errors.append((verdict.at, f"{verdict.text!r} is none of {', '.join(_VERDICTS)}"))
    if len(errors) > n_errors:
        return None
    texts = {key: values[key].text if key in values else "" for key in _KEYS}
    is_unknown = texts["verdict"] == "unknown"
    return Entry(
        fingerprint=texts["fingerprint"],
        rule=texts["rule"],
        file=texts["file"],
        function=texts["function"],
        message=texts["finding"],
        verdict="unknown" if is_unknown else "violation",
        reason=texts["reason"],
        location=at,
    )


def _values(lines: list[str], start: int, file: str, errors: list[tuple[Location, str]]) -> dict[str, _Value]:
    """Read the `key: value` lines of a paragraph, with the lines that go on with them."""
    values: dict[str, _Value] = {}
    current = ""
    for number, line in enumerate(lines, start):
        match = _LINE.fullmatch(line)
        if line.startswith("#"):
            continue
        if line[0].isspace():
            column = len(line) - len(line.lstrip()) + 1
            if not current:
                errors.append((Location(file, number, column), "goes on with a value, and there is none above"))
            elif current in values:
                old = values[current]
                values[current] = _Value(f"{old.text} {line.strip()}".strip(), old.key_at, old.at)
        elif match is None:
            errors.append((Location(file, number, 1), "neither `key: value` nor a comment"))
            current = ""
        else:
            current = match["key"]
            at = Location(file, number, 1)
            if current not in _KEYS:
                errors.append((at, f"unknown key {current!r}: none of {', '.join(_KEYS)}"))
            elif current in values:
                errors.append((at, f"{current} is given twice in this entry"))
            else:
                values[current] = _Value(match["value"].strip(), at, Location(file, number, match.start("value") + 1))
    return values


def without(file: BaselineFile, entries: Iterable[Entry]) -> BaselineFile:
    """Take entries out, each with the comments in its own paragraph."""
    gone = {entry.fingerprint for entry in entries}
    kept = (p for p in file.paragraphs if p.entry is None or p.entry.fingerprint not in gone)
    return BaselineFile(tuple(kept))


def with_findings(file: BaselineFile, findings: Iterable[Finding], reason: str) -> BaselineFile:
    """Add an entry for each finding, after the last entry that comes before it by rule, file and function."""
    paragraphs = list(file.paragraphs)
    for finding in findings:
        entry = _entry_for(finding, reason)
        before = [n for n, p in enumerate(paragraphs) if p.entry is not None and _key(p.entry) <= _key(entry)]
        entries = [n for n, p in enumerate(paragraphs) if p.entry is not None]
        place = before[-1] + 1 if before else entries[0] if entries else len(paragraphs)
        paragraphs.insert(place, Paragraph(_lines(entry), entry))
    return BaselineFile(tuple(paragraphs))


def _key(entry: Entry) -> tuple[str, str, str, str, str]:
    return entry.rule, entry.file, entry.function, entry.message, entry.fingerprint


def _entry_for(finding: Finding, reason: str) -> Entry:
    verdict: Literal["violation", "unknown"] = finding.verdict
    return Entry(
        fingerprint=finding.fingerprint,
        rule=_one_line(finding.rule),
        file=_one_line(finding.location.file),
        function=_one_line(finding.function),
        message=_one_line(finding.message),
        verdict=verdict,
        reason=_one_line(reason),
        location=Location("", 0),
    )


def _one_line(text: str) -> str:
    """Write text so that it is one value: a newline would begin another line of the file."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _lines(entry: Entry) -> tuple[str, ...]:
    values = {
        "fingerprint": entry.fingerprint,
        "rule": entry.rule,
        "file": entry.file,
        "function": entry.function,
        "finding": entry.message,
        "verdict": entry.verdict if entry.verdict == "unknown" else "",
        "reason": entry.reason,
    }
    return tuple(f"{key}: {value}" for key, value in values.items() if value)
