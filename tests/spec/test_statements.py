# SPDX-License-Identifier: GPL-2.0-only
"""Statements: read, refused where they are no help, and the shipped page is that of the shipped rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.base.errors import SpecError
from analyzer.spec.documents import read_document
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.load import load
from analyzer.spec.statements import coverage_page

PAGE = Path(__file__).parents[2] / "docs/kvm-coverage.md"
ROW = "lockspec: 1\nstatements:\n  - source: a.h:1\n    says: x is under the lock\n"


def test_the_page_is_current() -> None:
    assert coverage_page(load(), "KVM") == PAGE.read_text("utf-8"), "lockspec spec coverage writes the page anew"


def test_every_rule_for_kvm_is_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    rules = [rule.id for rule in load().rules if rule.id.startswith("kvm/")]
    assert len(rules) > 80
    assert [rule for rule in rules if f"`{rule}`" not in page] == []


def test_a_place_is_named_once_for_each_thing_it_says() -> None:
    said = [(statement.source, statement.says) for statement in load().statements]
    assert len(said) == len(set(said))


def test_a_statement_has_a_rule_or_a_reason() -> None:
    (statement,) = read_document(ROW + "    rules: [vm/x]\n", "a.yaml").statements
    assert [rule for rule, _ in statement.rules] == ["vm/x"]
    with pytest.raises(SpecError, match=r"a\.yaml:3:5: a statement needs the key 'rules' or 'unstated'"):
        read_document(ROW, "a.yaml")


def test_a_source_has_a_line() -> None:
    with pytest.raises(CombinedSpecError, match=r"a\.yaml:3:13: 'source'"):
        read_document(ROW.replace("a.h:1", "a.h"), "a.yaml")


def test_an_unknown_rule_is_told_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(ROW + "    rules: [vm/x]\n", "utf-8")
    with pytest.raises(CombinedSpecError, match=r"a\.yaml:5:13: no rule 'vm/x'"):
        coverage_page(load([path]), "VM")
