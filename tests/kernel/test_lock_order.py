# SPDX-License-Identifier: GPL-2.0-only
"""The page about KVM's lock order says what lockspec finds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analyzer.pipeline.check import check
from analyzer.pipeline.options import CheckOptions, Silent

pytestmark = pytest.mark.kernel

STUDIES = Path(__file__).parents[2] / "docs" / "case-studies"
PAGE = STUDIES / "lock-order.md"
#: what lockspec says, and where
ROW = re.compile(r"^\| ([^|`]+ inside [^|`]+) \| `([^`:]+):(\d+)` \|", re.MULTILINE)
#: a sentence of the document, rules, nestings
SENTENCE = re.compile(r"^\| .+ \| (kvm/order-\S+(?:, kvm/order-\S+)*) \| (\d+) \| agrees", re.MULTILINE)


def test_everything_else(tree: Path, cache: Path) -> None:
    report = check(CheckOptions(tree=tree, cache=cache, specs=(STUDIES / "lock-order.yaml",)), Silent())
    found = {f.message: set[tuple[str, int]]() for f in report.findings if f.verdict == "violation"}
    for finding in report.findings:
        if finding.verdict == "violation":
            found[finding.message].add((finding.location.file, finding.location.line))
    told = {message: (file, int(line)) for message, file, line in ROW.findall(PAGE.read_text("utf-8"))}
    assert told.keys() == found.keys()
    assert all(place in found[message] for message, place in told.items())
    unknown = [finding for finding in report.findings if finding.verdict == "unknown"]
    assert {finding.message.split(" inside ")[1] for finding in unknown} == {"sev_mirror_lock"}


def test_the_document_and_the_circle(tree: Path, cache: Path) -> None:
    rules = ("kvm/order-*", "kernel/lock-order", "kernel/irq-safety")
    report = check(CheckOptions(tree=tree, cache=cache, rules=rules), Silent())
    (circle,) = report.findings
    assert circle.rule == "kernel/lock-order"
    assert {"kvmclock_cpufreq_notifier", "set_nx_huge_pages"} <= {step.function for step in circle.witness}
    assert {step.thread for step in circle.witness} == {0, 1, 2, 3}
    sites = {count.id: count.sites for count in report.rules}
    for ids, nestings in SENTENCE.findall(PAGE.read_text("utf-8")):
        assert sum(sites[rule] for rule in ids.split(", ")) == int(nestings), ids
