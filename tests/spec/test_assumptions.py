# SPDX-License-Identifier: GPL-2.0-only
"""Assumptions: what the entries mean, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.base.errors import SpecError
from analyzer.spec.documents import read_document
from analyzer.spec.load import load
from analyzer.spec.statements import coverage_page

ROW = """\
lockspec: 1
subsystem: box
assumptions:
  - id: box/closed
    functions: [drain, sweep]
    does: nothing
    when: [arg 0->box.role.closed != 0, "arg 1 < 0x10", rebooting == NULL]
    returns: -1
    why: a closed box
      is empty.
    source: box.c, close_box()
"""
ONE = ROW.replace('[arg 0->box.role.closed != 0, "arg 1 < 0x10", rebooting == NULL]', "arg 0->box.closed != 0")


def test_what_an_entry_says() -> None:
    (found,) = read_document(ROW, "box.yaml").assumptions
    assert found.id == "box/closed"
    assert [name for name, _ in found.functions] == ["drain", "sweep"]
    assert [str(place) for _, place in found.functions] == ["box.yaml:5:17", "box.yaml:5:24"]
    assert [(one.argument, one.path, one.operator, one.value) for one in found.when] == [
        (0, ("box", "role", "closed"), "!=", 0),
        (1, (), "<", 16),
        (None, ("rebooting",), "==", 0),
    ]
    assert [str(one.location) for one in found.when] == ["box.yaml:7:12", "box.yaml:7:41", "box.yaml:7:57"]
    assert (found.returns, found.why, found.source) == (-1, "a closed box is empty.", "box.c, close_box()")
    assert found.text == (
        "calls of drain() and sweep() do nothing and return -1 where arg 0->box.role.closed != 0 and arg 1 < 0x10 "
        "and rebooting == NULL"
    )


def test_one_condition_and_a_value_that_is_not_stated() -> None:
    (found,) = read_document(ONE.replace("    returns: -1\n", ""), "box.yaml").assumptions
    assert (len(found.when), found.returns) == (1, None)
    assert found.text == "calls of drain() and sweep() do nothing where arg 0->box.closed != 0"


HELD = """\
lockspec: 1
assumptions:
  - id: box/own
    function: drain
    member: lid.box
    of: arg 1 in lid.hinge
    is: arg 0
    why: w
    source: s
"""


def test_a_member_that_holds_an_argument() -> None:
    (found,) = read_document(HELD, "box.yaml").assumptions
    assert found.same is not None
    assert (found.same.member, found.same.of, found.same.inside, found.same.value) == (
        ("lid", "box"),
        1,
        ("lid", "hinge"),
        0,
    )
    assert found.when == ()
    assert found.text == "in drain(), lid.box of arg 1 in lid.hinge is arg 0"
    (found,) = read_document(HELD.replace(" in lid.hinge", ""), "box.yaml").assumptions
    assert found.text == "in drain(), lid.box of arg 1 is arg 0"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    is: arg 0\n", "", "box.yaml:3:5: an assumption with 'member' needs the key 'is'"),
        ("    of: arg 1 in lid.hinge\n", "", "box.yaml:3:5: an assumption with 'member' needs the key 'of'"),
        ("arg 1 in lid.hinge", "arg 1->lid.hinge", "box.yaml:6:9: 'of': found the text"),
        ("member: lid.box", "member: box", "box.yaml:5:13: 'member': found the text 'box'"),
        ("is: arg 0", "is: box", "box.yaml:7:9: 'is': found the text 'box'; accepted: arg 0, arg 1"),
        ("    why", "    does: nothing\n    why", "only one of them"),
        ("    why", "    returns: 0\n    why", "box.yaml:8:5: 'returns' does not belong beside 'member'"),
    ],
)
def test_what_is_wrong_with_such_a_member(old: str, new: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_document(HELD.replace(old, new, 1), "box.yaml")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("box/closed", "shelf/closed", "box.yaml:4:9: assumption id 'shelf/closed' does not begin with the file's subsystem"),
        ("does: nothing", "does: little", "box.yaml:6:11: 'does': found the text 'little'"),
        ("    does: nothing\n", "", "box.yaml:4:5: an assumption needs the key 'does' or 'member'"),
        ("    when: arg 0->box.closed != 0\n", "", "box.yaml:4:5: an assumption with 'does' needs the key 'when'"),
        ("    returns: -1", "    is: arg 0", "box.yaml:8:5: 'is' does not belong beside 'does'"),
        ("    source: box.c, close_box()\n", "", "box.yaml:4:5: an assumption needs the key 'source'"),
        ("    why: a closed box\n      is empty.\n", "", "box.yaml:4:5: an assumption needs the key 'why'"),
        ("functions: [drain, sweep]", "functions: []", "box.yaml:5:16: 'functions': found"),
        ("functions: [drain, sweep]", "functions: [drain()]", "box.yaml:5:17: 'functions': found the text 'drain()'"),
        ("    functions: [drain, sweep]\n", "", "box.yaml:4:5: an assumption needs the key 'function' or 'functions'"),
        ("returns: -1", "returns: ENOMEM", "box.yaml:8:14: 'returns': found the text 'ENOMEM'; accepted: an integer"),
        ("arg 0->box.closed != 0", "box->closed != 0", "(name the argument: 'arg 0->record.member')"),
        ("arg 0->box.closed != 0", "arg 0->closed != 0", "(begin with the tag of the record"),
        ("arg 0->box.closed != 0", "arg 0->box.closed", "(compare with a number)"),
        ("arg 0->box.closed != 0", "arg 0->box.closed != 0 && arg 1 == 0", "(one comparison; a list of them"),
        ("arg 0->box.closed != 0", "box.closed != 0", "box.yaml:7:11: 'when': found the text 'box.closed != 0'"),
        ("arg 0->box.closed != 0", "arg 0->box.closed != full", "box.yaml:7:11: 'when': found the text"),
        ("when: arg", "if: arg", "box.yaml:7:5: unknown key 'if' in an assumption"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(old: str, new: str, message: str) -> None:
    assert old in ONE
    with pytest.raises(SpecError) as caught:
        read_document(ONE.replace(old, new), "box.yaml")
    assert message in str(caught.value)


def test_an_id_is_one_rule_s_or_one_assumption_s(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ONE)
    (tmp_path / "b.yaml").write_text(
        "lockspec: 1\nrules:\n  - {id: box/closed, kind: must-hold, function: f, requires: box.lock, why: w, source: s}\n"
    )
    with pytest.raises(SpecError, match=r"'box/closed' is defined twice; first at"):
        load([tmp_path])


def test_given_files_take_the_place_of_the_shipped_assumptions(tmp_path: Path) -> None:
    assert load().assumptions
    (tmp_path / "a.yaml").write_text(ONE)
    assert [one.id for one in load([tmp_path]).assumptions] == ["box/closed"]


def test_the_page_of_a_subsystem_tells_what_is_assumed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ONE)
    page = coverage_page(load([tmp_path]), "Box")
    assert "## Assumed without proof" in page
    assert "| `box/closed` | calls of drain() and sweep() do nothing and return -1 where" in page
    assert "| a closed box is empty. | box.c, close_box() |" in page
    assert "Assumed" not in coverage_page(load([tmp_path]), "Shelf")
