# SPDX-License-Identifier: GPL-2.0-only
"""A finding keeps its fingerprint through edits that have nothing to do with it, and no two findings share one."""

import re

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from analyzer.base.location import Location
from analyzer.findings.fingerprint import fingerprinted
from analyzer.findings.model import Finding, Step


def a_finding(
    line: int = 40,
    function: str = "clear_file",
    entry: str = "vm_release",
    entry_line: int = 10,
    rule: str = "kvm/file",
) -> Finding:
    place = Location("virt/kvm/guest_memfd.c", line, 3)
    way = (
        Step(0, "entry", entry, Location("virt/kvm/kvm_main.c", entry_line), "enters it holding nothing"),
        Step(0, "call", entry, Location("virt/kvm/kvm_main.c", entry_line + 3), f"calls {function}() holding nothing"),
        Step(0, "access", function, place, "writes slot.file holding nothing"),
    )
    return Finding(
        rule=rule,
        kind="guarded-by",
        verdict="violation",
        severity="error",
        message="write of slot.file without vm.lock",
        location=place,
        function=function,
        object="slot.file",
        access="write",
        requires=("vm.lock",),
        held=(),
        witness=way,
        cause="no function on the way takes it",
        why="",
        source="",
        rule_location=Location("rules.yaml", 1, 1),
    )


def fingerprint(finding: Finding) -> str:
    return fingerprinted([finding])[0].fingerprint


def test_is_sixteen_hex_digits() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", fingerprint(a_finding()))


@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_survives_line_shifts(line: int, entry_line: int) -> None:
    assert fingerprint(a_finding(line, entry_line=entry_line)) == fingerprint(a_finding())


def test_survives_rewording_another_middle_of_the_way_and_another_verdict() -> None:
    found = a_finding()
    detour = Step(0, "call", "helper", Location("virt/kvm/other.c", 7), "calls clear_file() holding vm.irq_lock")
    changed = replace(
        found,
        message="reworded",
        cause="reworded",
        verdict="unknown",
        held=("vm.irq_lock",),
        witness=(*found.witness[:2], detour, found.witness[2]),
    )
    assert fingerprint(changed) == fingerprint(found)


def test_tells_rule_function_and_entry_point_apart() -> None:
    variants = [a_finding(), a_finding(rule="kvm/other"), a_finding(function="f"), a_finding(entry="vm_ioctl")]
    assert len({f.fingerprint for f in fingerprinted(variants)}) == len(variants)


def test_equal_places_in_one_function_are_told_apart_by_their_order() -> None:
    first, second = fingerprinted([a_finding(40), a_finding(45)])
    assert first.fingerprint != second.fingerprint
    shifted = fingerprinted([a_finding(50), a_finding(55)])
    assert [f.fingerprint for f in shifted] == [first.fingerprint, second.fingerprint]


@given(st.sets(st.integers(1, 500), min_size=2, max_size=6), st.data())
def test_mending_one_of_equal_places_makes_no_other_look_new(lines: set[int], data: st.DataObject) -> None:
    before = {f.fingerprint for f in fingerprinted(a_finding(line) for line in lines)}
    assert len(before) == len(lines)
    mended = data.draw(st.sampled_from(sorted(lines)))
    after = {f.fingerprint for f in fingerprinted(a_finding(line) for line in lines - {mended})}
    assert after < before


@given(st.permutations([40, 45, 50]))
def test_the_order_of_findings_does_not_matter(lines: list[int]) -> None:
    by_line = {f.location.line: f.fingerprint for f in fingerprinted(a_finding(line) for line in lines)}
    assert by_line == {f.location.line: f.fingerprint for f in fingerprinted(map(a_finding, (40, 45, 50)))}


def test_a_name_of_any_bytes_has_a_fingerprint() -> None:
    odd = replace(a_finding(), location=Location("virt/\udcff\ud800.c", 1))
    assert fingerprint(odd) != fingerprint(a_finding())
