# SPDX-License-Identifier: GPL-2.0-only
"""Edits match exactly, or say why they do not."""

import pytest

from tests.kernel.edit import EditError, Everywhere, Insert, Replace, Text, apply
from tests.kernel.edits import BREAKING, HARMLESS

TEXT = (
    "/* f() and g() */\nstatic int\nf(int x)\n{\n\treturn x;\n}\n\n"
    "static void g(struct a *a,\n\t      int x)\n{\n\tf(x);\n\tf(x);\n}\n"
)


def test_replace_keeps_to_its_function() -> None:
    assert apply(TEXT, (Replace("f", r"\bx;", "0;"),)) == TEXT.replace("return x;", "return 0;")


def test_text_is_no_pattern() -> None:
    assert apply(TEXT, (Text("f", "return x;", r"return \1;"),)) == TEXT.replace("return x;", r"return \1;")
    assert apply(TEXT, (Text("g", "f(x)", "f(0)", 2),)) == TEXT.replace("\tf(x)", "\tf(0)")
    with pytest.raises(EditError, match=r"^g\(\): 'f\(x\)' matches 2 times, expected 1$"):
        apply(TEXT, (Text("g", "f(x)", ""),))


def test_replace_counts() -> None:
    with pytest.raises(EditError, match=r"^g\(\): 'f' matches 2 times, expected 1$"):
        apply(TEXT, (Replace("g", "f", "h"),))


def test_insert_goes_above_the_whole_head() -> None:
    assert apply(TEXT, (Insert("g", "int y;"),)) == TEXT.replace("static void g", "int y;\nstatic void g")
    assert apply(TEXT, (Insert("f", "int y;"),)) == TEXT.replace("static int\nf", "int y;\nstatic int\nf")


def test_rename() -> None:
    assert apply(TEXT, (Everywhere("f", "h"),)) == TEXT.replace("f(", "h(")
    with pytest.raises(EditError, match=r"^q is not there$"):
        apply(TEXT, (Everywhere("q", "h"),))


def test_function_that_is_not_defined() -> None:
    with pytest.raises(EditError, match=r"^h\(\) is defined 0 times$"):
        apply(TEXT, (Replace("h", "x", "y"),))


def test_enough_of_either_kind() -> None:
    names = [case.name for case in (*BREAKING, *HARMLESS)]
    assert len(set(names)) == len(names)
    assert len(BREAKING) >= 40
    assert len(HARMLESS) >= 40
    assert len({file for case in BREAKING for file, _ in case.changes}) >= 15
    assert len({file for case in HARMLESS for file, _ in case.changes}) >= 15
    assert all(case.rule and case.origin for case in BREAKING)
