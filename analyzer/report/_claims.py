# SPDX-License-Identifier: GPL-2.0-only
"""What functions claim of locks, as a Markdown page.

In: `ClaimedBy`s in their order. Out: a table for each file, with the ways that are not proven.
"""

from __future__ import annotations

from itertools import groupby

from analyzer.findings.claims import ClaimedBy
from analyzer.findings.model import Assumed


def render_claims(claims: tuple[ClaimedBy, ...], assumed: tuple[Assumed, ...] = ()) -> str:
    """Return the page."""
    ways = [way for claim in claims for way in claim.ways]
    n_proven = sum(way.verdict == "proven" for way in ways)
    share = f" ({100 * n_proven / len(ways):.1f} %)" if ways else ""
    counts = (
        f"{len(claims)} claims, called in {len(ways)} ways: {n_proven} proven{share}, "
        f"{sum(way.verdict == 'violation' for way in ways)} violations, "
        f"{sum(way.verdict == 'unknown' for way in ways)} unknown."
    )
    lines = [
        "<!-- SPDX-License-Identifier: GPL-2.0-only -->",
        "<!-- made by `lockspec spec contracts` -->",
        "# What the source claims of locks",
        "",
        counts,
        "A way is a call of the function that makes the claim, or the function itself where no caller matters.",
        *(line for one in assumed for line in ("", f"Assumed without proof, `{one.id}`: {one.text}; {one.why}")),
    ]
    for file, group in groupby(claims, key=lambda claim: claim.location.file):
        lines += [
            "",
            f"## {file}",
            "",
            "| function | line | claim | ways proven | other ways |",
            "|---|---|---|---|---|",
        ]
        lines += [_row(claim) for claim in group]
    return "\n".join(lines) + "\n"


def _row(claim: ClaimedBy) -> str:
    proven = sum(way.verdict == "proven" for way in claim.ways)
    others = [
        f"{way.verdict}: {f'`{way.function}()`' if way.function else 'itself'} {way.location.file}:{way.location.line}"
        for way in claim.ways
        if way.verdict != "proven"
    ]
    cells = (f"`{claim.function}()`", str(claim.location.line), f"`{claim.claim}`", f"{proven} of {len(claim.ways)}")
    return f"| {' | '.join(cells)} | {'; '.join(others)} |"
