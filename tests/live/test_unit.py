# SPDX-License-Identifier: GPL-2.0-only
"""A unit in memory: a function that is preprocessed by itself is what preprocessing the whole unit makes of it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from analyzer.base.gap import Gap
from analyzer.pipeline.live.edits import Edit, edit_between
from analyzer.pipeline.live.unit import LiveUnit, open_unit
from analyzer.source.commands import UnitList, read_units
from analyzer.source.preprocess import Preprocessed, preprocess
from analyzer.source.split import split

HEADER = """\
#define MACRO(x) ((x) + __LINE__)
#define PASTE(a, b) a##b
#define UNIQUE(a) PASTE(__UNIQUE_ID_, a)
#define COUNTED UNIQUE(PASTE(it, __COUNTER__))
int outside(int);
"""
SOURCE = """\
#include "a.h"
#define WHERE 1
int COUNTED;
int first(int x)
{
#if WHERE
	return outside(
		MACRO(x));
#else
	return 0;
#endif
}
#undef WHERE
#define WHERE 2
/* between */
static int second(void)
{
	return first(WHERE); /* one
	two */
}

const char *name = __FILE__;
int third(void) { return second() + WHERE; }
#include "b.h"
int fourth(void)
{
	return third();
}
"""


@pytest.fixture
def units(tmp_path: Path) -> UnitList:
    (tmp_path / "a.h").write_text(HEADER)
    (tmp_path / "b.h").write_text("int inline_one(void);\n")
    (tmp_path / "a.c").write_text(SOURCE)
    entry = {"directory": str(tmp_path), "file": "a.c", "arguments": ["gcc", "-c", "a.c"]}
    (tmp_path / "compile_commands.json").write_text(json.dumps([entry]))
    return read_units(tree=tmp_path)


def opened(units: UnitList, folder: Path) -> LiveUnit:
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    unit = open_unit(units.commands[0], units.names, (folder / "a.c").read_text(), None, scratch)
    assert isinstance(unit, LiveUnit)
    return unit


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("MACRO(x));", "MACRO(x)) + WHERE + __LINE__;"),
        ("\treturn outside(\n\t\tMACRO(x));", "\tx++;\n\t/* more\n\tlines */\n\treturn MACRO(outside(\n\n\tx));"),
        ("\treturn first(WHERE);", "\treturn WHERE;\n\n\n\n\n\n\n\n\n\n\n\n"),
        ("second() + WHERE", "WHERE + MACRO(second())"),
        ("\treturn third();", "\tif (third())\n\t\treturn __LINE__;\n\treturn sizeof(__FILE__);"),
        ("\treturn outside(\n\t\tMACRO(x));", ""),
    ],
)
def test_segments_are_those_of_the_whole_unit(units: UnitList, tmp_path: Path, old: str, new: str) -> None:
    unit = opened(units, tmp_path)
    text = SOURCE.replace(old, new)
    assert text != SOURCE
    edited = unit.edited(text)
    assert isinstance(edited, tuple)
    (tmp_path / "a.c").write_text(text)
    whole = preprocess(units.commands[0])
    assert isinstance(whole, Preprocessed)
    assert edited[0].segments == split(whole.text, lambda path: units.names.name(path, str(tmp_path)))
    # and back again, from there
    (tmp_path / "a.c").write_text(SOURCE)
    back = edited[0].edited(SOURCE)
    assert isinstance(back, tuple)
    assert back[0].segments == unit.segments


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("#if WHERE", "#if !WHERE"),
        ("int first(int x)", "int first(int y)"),
        ("/* between */", "int between;"),
        ("/* between */", "/* between"),
        ("\treturn third();", "\treturn third(); /*"),
        ("\treturn third();", "\treturn third();\n}\nint fifth(void)\n{\n\treturn 5;"),
        ("\treturn third();", "\treturn third();\n#define LATER"),
        ("const char *name", "char *name"),
        ("int third(void) {", "int more; int third(void) {"),
        ("\treturn third();", "\treturn third(); \\"),
    ],
)
def test_a_change_that_may_concern_more_is_left_to_others(units: UnitList, tmp_path: Path, old: str, new: str) -> None:
    unit = opened(units, tmp_path)
    text = SOURCE.replace(old, new)
    assert text != SOURCE
    assert unit.edited(text) is None


def test_a_function_that_does_not_end_is_told(units: UnitList, tmp_path: Path) -> None:
    gap = opened(units, tmp_path).edited(SOURCE.replace("\treturn third();", "\tif (third()) {"))
    assert isinstance(gap, Gap)
    assert (gap.location.file, gap.location.line) == ("a.c", 25)


def test_a_unit_that_cannot_be_preprocessed_is_a_gap(units: UnitList, tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("#error no\n")
    gap = open_unit(units.commands[0], units.names, "#error no\n", None, tmp_path)
    assert isinstance(gap, Gap)
    assert re.search("no", gap.text)


def test_the_compiler_may_go_away(units: UnitList, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = opened(units, tmp_path)
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    assert unit.edited(SOURCE.replace("\treturn third();", "\treturn 3;")) is None


def test_edits() -> None:
    assert edit_between("abc", "abc") is None
    assert edit_between("abc", "axc") == Edit(2, 1, 1)
    assert edit_between("abc", "abbc") == Edit(3, 0, 1)
    assert edit_between("aa", "aaa") == Edit(3, 0, 1)
    assert edit_between("abcd", "ad") == Edit(2, 2, 0)
    edit = Edit(2, 2, 1)
    assert [edit.moved(line) for line in (1, 2, 3, 4)] == [1, 2, 2, 3]
