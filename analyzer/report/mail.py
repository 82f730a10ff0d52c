# SPDX-License-Identifier: GPL-2.0-only
"""The report as a mail to those who wrote the code, in the manner of the kernel's test robots.

In: `Report`. Out: a message with its headers, as `git send-email` and `sendmail -t` take it: new findings, and for each
the way there, the lines around it with who wrote them, and the rule. Empty where there is nothing new to tell.

    Subject: [lockspec] virt/kvm/guest_memfd.c:566: write of kvm_memory_slot.gmem.file without kvm.slots_lock

Findings that a baseline accepts, or that the base of a comparison has too, are not told. Unknown verdicts are counted; with `--strict` they are told too.

**Invariant:** no header holds a newline, and no line of the text is longer than mail allows (998 bytes).
"""

from __future__ import annotations

from email.header import Header

from analyzer import __version__
from analyzer.findings.model import Finding, Report
from analyzer.report import _caret, _folding, _way
from analyzer.report._style import Blame, SourceReader, Style
from analyzer.report._words import count, enumerate_all, printable

#: lines before and after the place
N_BEFORE, N_AFTER = 6, 2
#: RFC 5322, 2.1.1, in bytes; kept well below, since a character may take four
N_COLUMNS = 240
_SUBJECT_COLUMNS = 120
#: RFC 5322, 2.1.1: a header is folded after so much
_HEADER_COLUMNS = 78


def render(report: Report, sources: SourceReader, style: Style) -> str:
    """Return the mail; empty where nothing is to be told."""
    told = [finding for finding in report.findings if finding.verdict == "violation" or style.strict]
    if not told:
        return ""
    sections = [_opening(report, told, sources, style)]
    full = _folding.in_full(told)
    sections += [_section(finding, sources) for finding in full]
    if len(full) < len(told):
        sections.append(
            [
                f"{count(len(told) - len(full), 'finding')} more of those above: of each changed function the shortest ways are told."
            ]
        )
    body = "\n\n".join("\n".join(map(_line, section)) for section in sections) + "\n"
    headers = {
        "Subject": Header(_subject(told, sources), maxlinelen=_HEADER_COLUMNS).encode(),
        "X-Lockspec-Version": __version__,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",  # what the kernel's lists use for patches too
    }
    return "".join(f"{name}: {value}\n" for name, value in headers.items()) + f"\n{body}"


def _line(text: str) -> str:
    text = printable(text.rstrip())
    return text if len(text) <= N_COLUMNS else f"{text[: N_COLUMNS - 1]}…"


def _subject(told: list[Finding], sources: SourceReader) -> str:
    first = told[0]
    place = _caret.place(first, sources)
    more = f" (and {len(told) - 1:,} more)" if len(told) > 1 else ""
    subject = printable(f"[lockspec] {place.file}:{place.line}: {first.message}")
    return (subject if len(subject) <= _SUBJECT_COLUMNS else f"{subject[: _SUBJECT_COLUMNS - 1]}…") + more


def _opening(report: Report, told: list[Finding], sources: SourceReader, style: Style) -> list[str]:
    revision = sources.revision()
    if revision and report.compared is not None and not report.compared.head:
        revision += ", and what is not committed"
    looked = f"{count(report.units_analysed, 'unit')} and {count(report.functions_analysed, 'function')}"
    lines = [
        *([f"commit:   {revision}"] if revision else []),
        *([f"base:     {report.compared.base}"] if report.compared else []),
        f"checked:  {looked}, by lockspec {__version__}",
        "",
        f"{count(len(told), 'new finding')}:",
        "",
        *(f"  {_caret.place(f, sources)}: {f.function}() {_severity(f)}: {f.message} [{f.rule}]" for f in told),
    ]
    n_unknown = sum(finding.verdict == "unknown" for finding in report.findings)
    if n_unknown and not style.strict:
        lines += [
            "",
            f"Besides, {count(n_unknown, 'unknown verdict')}: the way or the lock could not be followed there.",
        ]
    if report.units_failed or report.functions_skipped:
        missing = f"{count(report.units_failed, 'unit')} and {count(report.functions_skipped, 'function')}"
        lines += ["", f"{missing} could not be analysed."]
    return lines


def _severity(finding: Finding) -> str:
    return "unknown" if finding.verdict == "unknown" else finding.severity


def _section(finding: Finding, sources: SourceReader) -> list[str]:
    place = _caret.place(finding, sources)
    return [
        f"{place}: {_severity(finding)}: {finding.message} [{finding.rule}]",
        "",
        f"{finding.function}() holds {enumerate_all(finding.held)} there{': ' * bool(finding.cause)}{finding.cause}",
        *(["", "The way there:", ""] if finding.witness else []),
        *(f"  {line}" for line in _way.lines(finding)),
        "",
        *_source(finding, sources),
        "",
        "The rule:",
        "",
        f"  {finding.why or finding.rule}",
        f"  {finding.rule_location}{', after ' * bool(finding.source)}{finding.source}",
        f"  fingerprint {finding.fingerprint}",
    ]


def _source(finding: Finding, sources: SourceReader) -> list[str]:
    """Show the lines around the place with who wrote them, the place itself marked by `@`."""
    file, line = finding.location.file, finding.location.line
    first, last = max(1, line - N_BEFORE), line + N_AFTER
    blamed = sources.blame(file, first, last)
    if not blamed:
        numbered = [(number, sources.line(file, number)) for number in range(first, last + 1)]
        shown = [
            f"  {number:>6}{_mark(number, line)}{printable(text)}" for number, text in numbered if text is not None
        ]
        return [f"vim +{line} {file}", "", *shown, "", "  (no history: git does not know this file)"]
    width = max(len(author.author) for author in blamed)
    return [f"vim +{line} {file}", "", *(_blamed(author, width, line) for author in blamed)]


def _blamed(author: Blame, width: int, line: int) -> str:
    written = f"{author.commit} {author.author:<{width}} {author.date}"
    return f"{written} {author.line:>6}{_mark(author.line, line)}{printable(author.text)}"


def _mark(number: int, line: int) -> str:
    return " @" if number == line else "  "
