# SPDX-License-Identifier: GPL-2.0-only
"""Small phrases that several formats share.

In: values of a report. Out: `"2 violations"`, `"nothing"`, `"kvm.slots_lock and kvm.srcu"`.
"""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.findings.model import Compared, Report


def count(number: int, noun: str) -> str:
    """Count things: `1 access`, `1,200 accesses`, `2 calls`."""
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{number:,} {noun if number == 1 else plural}"


def enumerate_all(names: Iterable[str], empty: str = "nothing") -> str:
    """Join names as a sentence does: `a`, `a and b`, `a, b and c`."""
    *firsts, last = tuple(names) or (empty,)
    return f"{', '.join(firsts)} and {last}" if firsts else last


def changes(compared: Compared) -> str:
    """Count what became of findings: `1 introduced, 2 fixed, 14 pre-existing`."""
    told = [
        f"{compared.n_introduced:,} introduced",
        f"{compared.n_fixed:,} fixed",
        f"{compared.n_pre_existing:,} pre-existing",
    ]
    if compared.n_not_judged:
        told.append(f"{compared.n_not_judged:,} not judged, for the base could not be analysed there")
    return ", ".join(told)


def gaps_by_kind(report: Report) -> tuple[tuple[str, int], ...]:
    """Count the gaps of each kind, most frequent first."""
    numbers: dict[str, int] = {}
    for gap in report.gaps:
        numbers[gap.kind.value] = numbers.get(gap.kind.value, 0) + 1
    return tuple(sorted(numbers.items(), key=lambda item: (-item[1], item[0])))


def printable(text: str) -> str:
    """Expand tabs and replace what would steer a terminal; source text is not trusted."""
    text = text.expandtabs(8)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
