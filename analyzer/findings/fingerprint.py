# SPDX-License-Identifier: GPL-2.0-only
"""Fingerprints: the identity of a finding from one version of the tree to the next.

In: findings of one run. Out: the same, each with 16 hex digits such as `"5f0c3b9e2a7d4416"` in `fingerprint`.

What counts: the rule and its kind, the file and function of the place, the object, the access, the entry point where
the shown way begins, and an ordinal among places that are equal in all of this. What does not count, because
unrelated edits change it: lines and columns, the names of locals, the functions between entry point and place, the
locks held, the wording, the verdict.

Two broken ways into one place from different entry points are two findings, since each is mended elsewhere; two ways
from one entry point are one, since which of them is shown is the shortest one's luck.

**Invariant:** mending one of several equal places makes no other finding look new: the ordinals that are left were
all there before.
**Invariant:** the order in which findings come does not matter.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable

from msgspec.structs import replace

from analyzer.base.location import Location
from analyzer.findings.model import Finding

#: 64 bits: a collision among 10,000 findings has a probability of 3e-12
N_HEX_DIGITS = 16


def fingerprinted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Give every finding its fingerprint, in the order in which they came."""
    found = tuple(findings)
    places: defaultdict[tuple[str, ...], set[Location]] = defaultdict(set)
    for finding in found:
        places[_identity(finding)].add(finding.location)
    ordinals = {
        (identity, location): ordinal
        for identity, locations in places.items()
        for ordinal, location in enumerate(sorted(locations))
    }
    return tuple(replace(f, fingerprint=_digest(i := _identity(f), ordinals[i, f.location])) for f in found)


def _identity(finding: Finding) -> tuple[str, ...]:
    """List what a finding is about, free of anything that unrelated edits change."""
    entry_function, entry_file = _entry(finding)
    return (
        finding.rule,
        finding.kind,
        finding.location.file,
        finding.function,
        finding.object,
        finding.access,
        entry_file,
        entry_function,
    )


def _entry(finding: Finding) -> tuple[str, str]:
    """Name the function where the shown way begins, and its file; the finding's own where no way is shown."""
    for step in finding.witness:
        if step.thread == 0:
            return step.function, step.location.file
    return finding.function, finding.location.file


def _digest(identity: tuple[str, ...], ordinal: int) -> str:
    """Hash an identity; NUL, which stands in no name, keeps its parts apart."""
    text = "\0".join((*identity, str(ordinal)))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:N_HEX_DIGITS]
