# SPDX-License-Identifier: GPL-2.0-only
"""Where the shipped rules and the real tree disagree; and edits of the tree that make them."""

from pathlib import Path

import pytest

from analyzer.findings.drift import Drift, DriftReport
from analyzer.pipeline.drift import drift
from analyzer.pipeline.options import CheckOptions, Silent

pytestmark = pytest.mark.kernel

#: comments of before the buses were read under SRCU, see docs/case-studies/kvm-6.12.md
STALE = {
    ("comment", "kvm_io_bus_read()"),
    ("comment", "kvm_io_bus_write()"),
    ("comment", "kvm_io_bus_write_cookie()"),
}


@pytest.fixture(scope="module")
def report(tree: Path, cache: Path) -> DriftReport:
    return drift(CheckOptions(tree=tree, cache=cache, jobs=2), Silent())


def contradictions(report: DriftReport) -> dict[tuple[str, str], Drift]:
    return {(one.kind, one.about): one for one in report.drifts if not one.is_note}


def test_three_comments_have_outlived_what_they_say(report: DriftReport) -> None:
    found = contradictions(report)
    assert set(found) == STALE
    assert all(one.sayings[-1].location.file == "virt/kvm/kvm_main.c" for one in found.values())


def test_enough_was_compared_to_mean_something(report: DriftReport) -> None:
    compared = dict(report.compared)
    assert compared["rules"] > 150
    assert compared["assertions"] > 60
    assert compared["conditions of accessors"] > 20
    assert compared["sentences about locks"] >= 16
    assert compared["entries of documents"] >= 6


EDITS = [
    (
        "virt/kvm/dirty_ring.c",
        "lockdep_assert_held(&kvm->slots_lock)",
        "lockdep_assert_held(&kvm->lock)",
        ("assertion", "kvm_use_dirty_bitmap()"),
    ),
    (
        "virt/kvm/pfncache.c",
        "lockdep_assert_held(&gpc->refresh_lock)",
        "lockdep_assert_not_held(&gpc->refresh_lock)",
        ("assertion", "hva_to_pfn_retry()"),
    ),
]


@pytest.mark.parametrize(("file", "before", "after", "expected"), EDITS, ids=[edit[0] for edit in EDITS])
def test_an_edit_that_brings_a_disagreement(
    tree: Path,
    cache: Path,
    tmp_path: Path,
    file: str,
    before: str,
    after: str,
    expected: tuple[str, str],
) -> None:
    text = (tree / file).read_text("utf-8")
    edited = tmp_path / "edited"
    assert before in text
    edited.write_text(text.replace(before, after, 1), "utf-8")
    options = CheckOptions(tree=tree, cache=cache, jobs=2, overlays=((file, edited),))
    assert set(contradictions(drift(options, Silent()))) - STALE == {expected}
