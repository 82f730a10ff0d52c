# SPDX-License-Identifier: GPL-2.0-only
"""Assumptions in a run: what does not fit is told, what is needless too, and reports say what was assumed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from analyzer.base.errors import SpecError, SpecWarning
from analyzer.cli.main import main
from analyzer.findings.explanation import Explanation
from analyzer.pipeline.check import check
from analyzer.pipeline.explain import explain
from analyzer.pipeline.lint import lint
from analyzer.pipeline.options import CheckOptions, Silent

SOURCE = """\
struct mutex { int owner; };
void mutex_lock(struct mutex *lock);
struct room { int dark; };
struct box { struct mutex lock; int items; struct { int closed; } role; };
int rebooting;

static int drain(struct box *box, int force)
{
	return --box->items;
}

static void sweep(struct box *box)
{
	box->role.closed = 1;
}

void drop(struct box *box)
{
	sweep(box);
	if (box->role.closed)
		drain(box, 0);
}
"""
RULES = """\
lockspec: 1
rules:
  - id: box/items
    kind: guarded-by
    field: box.items
    requires: box.lock
    why: items are counted under the lock
    source: here
"""
ROW = """\
lockspec: 1
assumptions:
  - id: box/closed
    function: drain
    does: nothing
    when: arg 0->box.role.closed != 0
    why: a closed box is empty.
    source: box.c, close_box()
"""


@pytest.fixture
def options(tmp_path: Path) -> CheckOptions:
    unit, rules, row = tmp_path / "box.i", tmp_path / "rules.yaml", tmp_path / "box.yaml"
    unit.write_text('# 1 "box.c"\n' + SOURCE)
    rules.write_text(RULES)
    row.write_text(ROW)
    return CheckOptions(preprocessed=(unit,), specs=(rules, row), cache=tmp_path / "cache", jobs=1)


def with_row(options: CheckOptions, old: str, new: str) -> CheckOptions:
    path = options.specs[1]
    assert old in ROW
    path.write_text(ROW.replace(old, new))
    return options


def told(options: CheckOptions) -> list[str]:
    """Return what lint says, without the file's name."""
    try:
        errors = lint(options, Silent())
    except SpecError as error:
        return [line.removeprefix(f"{options.specs[1]}:") for line in str(error).splitlines()]
    return [str(error).removeprefix(f"{options.specs[1]}:") for error in errors]


def test_a_needed_one_is_silent(options: CheckOptions) -> None:
    assert told(options) == []
    assert check(options, Silent()).findings == ()
    assert check(replace(options, specs=options.specs[:1]), Silent()).findings != ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("function: drain", "function: drian", "4:15: no function 'drian' (did you mean 'drain'?)"),
        ("arg 0->box.role.closed", "arg 2->box.role.closed", "6:11: drain() has 2 arguments: there is no arg 2"),
        ("arg 0->box.role.closed", "arg 0->room.dark", "6:11: arg 0 of drain() does not point to a 'room' but to a 'box'"),
        ("arg 0->box.role.closed", "arg 1->box.role.closed", "6:11: arg 1 of drain() does not point to a 'box'"),
        ("arg 0->box.role.closed", "arg 0->box.role.close", "6:11: box.role has no member 'close' (did you mean 'closed'?)"),
        ("arg 0->box.role.closed", "rebootin", "6:11: no global variable 'rebootin' in these units (did you mean 'rebooting'?)"),
        ("function: drain", "function: drop", "4:15: assumption 'box/closed': nothing calls drop() by its name in these units"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_at_its_place(options: CheckOptions, old: str, new: str, message: str) -> None:
    (text,) = told(with_row(options, old, new))
    assert text.replace("struct ", "") == message


LID = """
struct lid { int hinge; struct box *box; };

void shut(struct box *box, int *hinge)
{
	struct lid *lid = (struct lid *)((char *)hinge - __builtin_offsetof(struct lid, hinge));

	mutex_lock(&box->lock);
	lid->box->items++;
}
"""
HELD = """\
lockspec: 1
assumptions:
  - id: box/own
    function: shut
    member: lid.box
    of: arg 1 in lid.hinge
    is: arg 0
    why: w
    source: s
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", "", None),
        ("function: shut", "function: shuts", "4:15: no function 'shuts' (did you mean 'shut'?)"),
        ("function: shut", "function: mutex_lock", "4:15: mutex_lock() is not defined in these units"),
        ("is: arg 0", "is: arg 2", "7:9: shut() has 2 arguments: there is no arg 2"),
        ("arg 1 in lid.hinge", "arg 0", "6:9: arg 0 of shut() does not point to a 'lid' but to a 'box'"),
        ("lid.hinge", "lid.hing", "6:9: lid has no member 'hing' (did you mean 'hinge'?)"),
        ("lid.hinge", "box.items", "6:9: 'box.items' is no member of 'lid'"),
        ("lid.box", "lid.bok", "5:13: lid has no member 'bok'"),
        ("lid.box", "lid.hinge", "4:15: warning: assumption 'box/own' is needless: no verdict depends on shut()"),
    ],
)
def test_a_member_that_holds_an_argument(options: CheckOptions, old: str, new: str, message: str | None) -> None:
    source = SOURCE.replace("\tif (box->role.closed)\n\t\tdrain(box, 0);\n", "")
    options.preprocessed[0].write_text('# 1 "box.c"\n' + source + LID)
    options.specs[1].write_text(HELD.replace(old, new, 1))
    found = [text.replace("struct ", "") for text in told(options)]
    assert found[-1:] == ([message] if message else [])


@pytest.mark.parametrize("condition", ["arg 1 != 0", "rebooting != 0", "arg 0->box.items != 0"])
def test_one_that_no_verdict_needs_is_a_warning(options: CheckOptions, condition: str) -> None:
    asked = with_row(options, "arg 0->box.role.closed != 0", condition)
    (found,) = lint(asked, Silent())
    assert isinstance(found, SpecWarning)
    assert str(found) == (
        f"{options.specs[1]}:4:15: warning: assumption 'box/closed' is needless: no verdict depends on calls of drain()"
    )


def test_of_several_functions_the_needless_one_is_told(options: CheckOptions) -> None:
    asked = with_row(options, "function: drain", "functions: [drain, sweep]")
    (found,) = lint(asked, Silent())
    assert str(found).startswith(f"{options.specs[1]}:4:24: warning: ")
    assert "sweep()" in str(found)


def test_a_warning_does_not_fail_the_command(options: CheckOptions, capsys: pytest.CaptureFixture[str]) -> None:
    asked = with_row(options, "arg 0->box.role.closed != 0", "arg 1 != 0")
    arguments = ["spec", "lint", *map(str, asked.specs), "--preprocessed", str(asked.preprocessed[0]), "--no-cache"]
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert "warning: assumption 'box/closed' is needless" in captured.err
    assert "1 rules, 1 assumptions, " in captured.out


def test_check_refuses_what_does_not_fit(options: CheckOptions) -> None:
    with pytest.raises(SpecError, match=r"6:11: drain\(\) has 2 arguments"):
        check(with_row(options, "arg 0->box.role.closed", "arg 2->box.role.closed"), Silent())


def test_reports_say_what_was_assumed(options: CheckOptions, capsys: pytest.CaptureFixture[str]) -> None:
    (assumed,) = check(options, Silent()).assumed
    assert (assumed.id, assumed.n_places, str(assumed.location)) == ("box/closed", 1, f"{options.specs[1]}:3:9")
    given = ["--preprocessed", str(options.preprocessed[0]), "--no-cache"]
    given += [text for path in options.specs for text in ("--specs", str(path))]
    assert main(["check", *given]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "because" not in said
    assert "assumed: calls of drain() do nothing where arg 0->box.role.closed != 0 (1 call) [box/closed]" in said
    assert main(["check", *given, "--verbose"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"because a closed box is empty. {options.specs[1]}:3:9, after box.c, close_box()" in said


def test_the_json_report_has_no_new_keys(options: CheckOptions, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--preprocessed", str(options.preprocessed[0]), "--no-cache", "--format", "json"]
    main(["check", *given, *(text for path in options.specs for text in ("--specs", str(path)))])
    assert [*json.loads(capsys.readouterr().out)] == ["version", "units", "functions", "gaps", "rules", "findings"]


@pytest.mark.parametrize(("target", "where"), [("drain()", ""), ("drop()", "in it, ")])
def test_an_explanation_notes_it(options: CheckOptions, target: str, where: str) -> None:
    found = explain(options, target, Silent())
    assert isinstance(found, Explanation)
    assert found.notes[0] == (
        f"assumed without proof, box/closed: {where}calls of drain() do nothing where arg 0->box.role.closed != 0; "
        "a closed box is empty. (after box.c, close_box())"
    )


def test_shipped_ones_that_do_not_fit_a_tree_are_a_gap(tmp_path: Path) -> None:
    unit = tmp_path / "page.i"
    unit.write_text(
        '# 1 "page.c"\nstruct kvm; struct kvm_mmu_page { int level; };\n'
        "static int mmu_zap_unsync_children(struct kvm *kvm, struct kvm_mmu_page *page) { return page->level; }\n"
        "int zap(struct kvm *kvm, struct kvm_mmu_page *page) { return mmu_zap_unsync_children(kvm, page); }\n"
    )
    report = check(CheckOptions(preprocessed=(unit,), cache=tmp_path / "cache", jobs=1), Silent())
    assert report.assumed == ()
    (gap,) = [gap for gap in report.gaps if "assumption" in gap.text]
    assert gap.text.startswith("the assumption does not apply: ")
    assert gap.location.file == "lockspecs/kvm/assumptions.yaml"
