# SPDX-License-Identifier: GPL-2.0-only
"""The caret stands under the member that is accessed, not under the macro that accesses it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from analyzer.base.location import Location
from analyzer.report import NoSources, _caret
from tests.report.conftest import VIOLATION


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("\tWRITE_ONCE(slot->gmem.~file, NULL);", "kvm_memory_slot.gmem.file"),
        ("\tfile = rcu_dereference(slot->gmem.~file);", "kvm_memory_slot.gmem.file"),
        ("\ta->file = slot->gmem . ~file;", "kvm_memory_slot.gmem.file"),
        ("\tfile = ~kvm_gmem_get_file(slot);", "kvm_gmem_get_file()"),
        ("\tprofile = gmem->~file;", "kvm_gmem.file"),
        ("\t~some_macro(x);", "kvm_gmem.file"),
    ],
)
def test_finds(line: str, target: str) -> None:
    expected = line.index("~")
    line = line.replace("~", "")
    span = _caret.find(line, 2, target)
    assert span is not None
    assert span.start == expected


def test_of_two_takes_the_one_at_or_after_the_column() -> None:
    line = "\ta->file = b->file;"
    assert [s.start for c in (2, 12) if (s := _caret.find(line, c, "gmem.file"))] == [4, 14]


def test_knows_nothing_without_name_and_column() -> None:
    assert _caret.find("\treturn 0;", 0, "gmem.file") is None
    assert _caret.find("\treturn 0;", 40, "gmem.file") is None


@given(st.text(max_size=40), st.integers(0, 60), st.text(max_size=20))
def test_stays_within_the_line(line: str, column: int, target: str) -> None:
    span = _caret.find(line, column, target)
    assert span is None or 0 <= span.start <= len(line)


class OneLine(NoSources):
    """A `SourceReader` that has one line everywhere."""

    def line(self, file: str, line: int) -> str | None:
        return "\tWRITE_ONCE(vm->x, 1);"


@pytest.mark.parametrize(("target", "column", "expected"), [("vm.x", 434, 17), ("vm.y", 434, 0), ("vm.y", 2, 2)])
def test_the_place_has_the_carets_column(target: str, column: int, expected: int) -> None:
    finding = replace(VIOLATION, object=target, location=Location("a.c", 1, column))
    assert _caret.place(finding, OneLine()) == Location("a.c", 1, expected)
    assert _caret.place(finding, NoSources()) == finding.location
