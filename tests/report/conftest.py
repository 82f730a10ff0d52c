# SPDX-License-Identifier: GPL-2.0-only
"""Hand-made reports: one with a bit of everything, and arbitrary ones."""

from collections.abc import Mapping

import pytest
from hypothesis import strategies as st

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.findings.model import Finding, Report, RuleCount, Step
from analyzer.report import NoSources

MEMFD = "virt/kvm/guest_memfd.c"
MAIN = "virt/kvm/kvm_main.c"


class Lines(NoSources):
    """A `SourceReader` over a mapping."""

    def __init__(self, lines: Mapping[tuple[str, int], str]) -> None:
        self._lines = lines

    def line(self, file: str, line: int) -> str | None:
        return self._lines.get((file, line))


@pytest.fixture
def sources() -> Lines:
    return Lines(
        {
            (MEMFD, 566): "\tWRITE_ONCE(slot->gmem.file, NULL);",
            (MEMFD, 612): "\tfile = kvm_gmem_get_file(slot);",
        }
    )


WAY = (
    Step(
        0,
        "entry",
        "kvm_vm_ioctl",
        Location(MAIN, 5100, 1),
        "enters kvm_vm_ioctl() holding nothing: member of an ops table",
    ),
    Step(0, "acquire", "kvm_vm_ioctl", Location(MAIN, 5107, 3), "takes kvm.lock", ("kvm.lock",)),
    Step(
        0,
        "call",
        "kvm_vm_ioctl",
        Location(MAIN, 5112, 9),
        "calls kvm_free_memslot() holding kvm.lock",
        ("kvm.lock",),
    ),
    Step(0, "branch", "kvm_free_memslot", Location(MAIN, 1730, 6), "finds that the slot is in use", ("kvm.lock",)),
    Step(
        0,
        "call",
        "kvm_free_memslot",
        Location(MAIN, 1733, 3),
        "calls kvm_gmem_unbind() holding kvm.lock",
        ("kvm.lock",),
    ),
    Step(
        0,
        "access",
        "kvm_gmem_unbind",
        Location(MEMFD, 566, 2),
        "writes kvm_memory_slot.gmem.file holding kvm.lock",
        ("kvm.lock",),
    ),
)

VIOLATION = Finding(
    rule="kvm/gmem-file-write",
    kind="guarded-by",
    verdict="violation",
    severity="error",
    message="write of kvm_memory_slot.gmem.file without kvm.slots_lock",
    location=Location(MEMFD, 566, 2),
    function="kvm_gmem_unbind",
    object="kvm_memory_slot.gmem.file",
    access="write",
    requires=("kvm.slots_lock",),
    held=("kvm.lock",),
    witness=WAY,
    cause="no function on the way takes kvm.slots_lock",
    why="bind, unbind and release all update the pointer; slots_lock serialises them.",
    source="include/linux/kvm_host.h, struct kvm_memory_slot",
    rule_location=Location("lockspecs/kvm/guest_memfd.yaml", 5, 5),
    fingerprint="5f0c3b9e2a7d4416",
)


def unknown(line: int, column: int, function: str) -> Finding:
    """Make an unknown verdict of a call."""
    place = Location(MEMFD, line, column)
    return Finding(
        rule="kvm/gmem-get-file",
        kind="must-hold",
        verdict="unknown",
        severity="error",
        message="call of kvm_gmem_get_file() without kvm.slots_lock or kvm.srcu",
        location=place,
        function=function,
        object="kvm_gmem_get_file()",
        access="call",
        requires=("kvm.slots_lock", "kvm.srcu"),
        held=(),
        witness=(Step(0, "entry", function, place, f"enters {function}() from an unknown caller"),),
        cause="what calls kvm_gmem_get_pfn() is not known",
        why="",
        source="",
        rule_location=Location("lockspecs/kvm/guest_memfd.yaml", 14, 5),
        fingerprint=f"{line:016x}",
    )


@pytest.fixture
def report() -> Report:
    """Give a report with a bit of everything."""
    return Report(
        findings=(VIOLATION, unknown(612, 9, "kvm_gmem_get_pfn"), unknown(640, 0, "kvm_gmem_populate")),
        rules=(
            RuleCount("kvm/gmem-file-write", 41, 40, 1, 0, "access"),
            RuleCount("kvm/gmem-get-file", 3, 1, 0, 2, "call"),
            RuleCount("kvm/nothing-here", 0, 0, 0, 0, "access"),
        ),
        gaps=(
            Gap(GapKind.BODY, Location(MAIN, 77, 1), "kvm_odd() does not parse: it is skipped"),
            Gap(GapKind.EXPRESSION, Location(MAIN, 99, 8), "vector arithmetic: its value counts as unknown"),
            Gap(GapKind.EXPRESSION, Location(MAIN, 101, 8), "vector arithmetic: its value counts as unknown"),
        ),
        units_analysed=44,
        units_failed=1,
        functions_analysed=9000,
        functions_skipped=1,
    )


_texts = st.text(max_size=30)
_locations = st.builds(Location, _texts, st.integers(1, 10**6), st.integers(0, 300))
_names = st.lists(_texts, max_size=3).map(tuple)
_steps = st.builds(
    Step,
    st.integers(0, 3),
    st.sampled_from(["entry", "call", "acquire", "release", "branch", "access"]),
    _texts,
    _locations,
    _texts,
    _names,
)
_findings = st.builds(
    Finding,
    rule=_texts,
    kind=_texts,
    verdict=st.sampled_from(["violation", "unknown"]),
    severity=st.sampled_from(["error", "warning", "note"]),
    message=_texts,
    location=_locations,
    function=_texts,
    object=_texts,
    access=_texts,
    requires=_names,
    held=_names,
    witness=st.lists(_steps, max_size=5).map(tuple),
    cause=_texts,
    why=_texts,
    source=_texts,
    rule_location=_locations,
    fingerprint=st.from_regex(r"[0-9a-f]{16}", fullmatch=True),
)
_counts = st.integers(0, 10**5)
reports = st.builds(
    Report,
    findings=st.lists(_findings, max_size=4).map(tuple),
    rules=st.lists(st.builds(RuleCount, _texts, _counts, _counts, _counts, _counts), max_size=3).map(tuple),
    gaps=st.lists(st.builds(Gap, st.sampled_from(GapKind), _locations, _texts), max_size=3).map(tuple),
    units_analysed=_counts,
    units_failed=_counts,
    functions_analysed=_counts,
    functions_skipped=_counts,
)
st.register_type_strategy(Report, reports)
