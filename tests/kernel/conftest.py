# SPDX-License-Identifier: GPL-2.0-only
"""The real tree: where it is, what is known of it, and edited copies of its files."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.findings.model import Finding, Report
from analyzer.pipeline.check import check
from analyzer.pipeline.options import CheckOptions, Silent
from tests.kernel.cases import Case
from tests.kernel.edit import apply

ROOT = Path(__file__).parents[2]

#: runs the checker on an edited tree and returns what was not found before
NewFindings = Callable[[Case], list[Finding]]


@pytest.fixture(scope="session")
def tree() -> Path:
    """Return the prepared tree, or skip with the reason."""
    path = Path(os.environ.get("LOCKSPEC_KERNEL") or ROOT / ".kernel" / "linux")
    if not (path / "compile_commands.json").exists():
        pytest.skip(f"no prepared kernel at {path}: run `make kernel`, or set LOCKSPEC_KERNEL")
    return path


@pytest.fixture(scope="session")
def cache(request: pytest.FixtureRequest) -> Path:
    """Return where facts are kept between runs and shared between the processes of one run."""
    return Path(request.config.cache.mkdir("kernel-facts"))


def run(tree: Path, cache: Path, overlays: tuple[tuple[str, Path], ...] = ()) -> Report:
    """Check all units with the shipped rules, in this process."""
    options = CheckOptions(tree=tree, cache=cache, overlays=overlays)
    return check(options, Silent())


@pytest.fixture(scope="session")
def known(tree: Path, cache: Path) -> frozenset[str]:
    """Return the fingerprints of the unedited tree."""
    with (cache.parent / "kernel-facts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return frozenset(finding.fingerprint for finding in run(tree, cache).findings)


@pytest.fixture
def new_findings(tree: Path, cache: Path, known: frozenset[str], tmp_path: Path) -> NewFindings:
    """Return a function that makes a case's edits and says what they brought."""

    def find(case: Case) -> list[Finding]:
        overlays = []
        for number, (file, changes) in enumerate(case.changes):
            edited = tmp_path / f"{number}-{Path(file).name}"
            edited.write_text(apply((tree / file).read_text("utf-8"), changes), "utf-8")
            overlays.append((file, edited))
        report = run(tree, cache, tuple(overlays))
        assert report.units_failed == 0
        assert report.functions_skipped == 0
        return [finding for finding in report.findings if finding.fingerprint not in known]

    return find
