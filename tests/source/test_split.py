# SPDX-License-Identifier: GPL-2.0-only
"""Segments of preprocessed text."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.source.segment import Segment
from analyzer.source.split import main_file, renumber, split, unfinished, working_directory


def cut(text: str) -> list[tuple[str, int, int, str]]:
    return [(s.file, s.line, s.depth, s.text) for s in split(text, lambda path: path)]


def test_text_before_and_after_an_include_are_two_segments_around_a_deeper_one() -> None:
    text = '# 0 "m.c"\n# 1 "m.c"\nint a;\n# 1 "./h.h" 1\nint h;\n# 3 "m.c" 2\nint b;\n'
    assert cut(text) == [
        ("m.c", 1, 0, "int a;\n"),
        ("./h.h", 1, 1, "int h;\n"),
        ("m.c", 3, 0, "int b;\n"),
    ]


def test_depth_grows_and_falls_with_the_markers() -> None:
    text = '# 1 "m.c"\n# 1 "a.h" 1\nint a;\n# 1 "b.h" 1\nint b;\n# 2 "a.h" 2\nint c;\n# 2 "m.c" 2\nint d;\n'
    assert [(s[0], s[2]) for s in cut(text)] == [("a.h", 1), ("b.h", 2), ("a.h", 1), ("m.c", 0)]


def test_a_marker_forward_becomes_blank_lines() -> None:
    assert cut('# 1 "m.c"\nint a;\n# 4 "m.c"\nint b;\n') == [("m.c", 1, 0, "int a;\n\n\nint b;\n")]


def test_a_marker_back_becomes_a_line_that_says_by_how_much() -> None:
    # the line after the marker would be number 4, but for the line `# -3` itself 5; it is number 2
    assert cut('# 1 "m.c"\nint a;\n\n\n# 2 "m.c"\nint b;\n') == [("m.c", 1, 0, "int a;\n\n\n# -3\nint b;\n")]


def test_a_marker_that_repeats_the_present_line_adds_nothing() -> None:
    assert cut('# 1 "m.c"\nint a;\n# 2 "m.c"\nint b;\n') == [("m.c", 1, 0, "int a;\nint b;\n")]


def test_blank_text_makes_no_segment() -> None:
    assert cut('# 1 "m.c"\n\n\n# 1 "h.h" 1\n\n   \n# 2 "m.c" 2\n\nint a;\n\n\n') == [("m.c", 3, 0, "int a;\n")]
    assert cut("") == []
    assert cut("\n \n") == []


def test_text_without_any_marker_is_one_segment_without_a_file() -> None:
    assert cut("\nint a;\nint b;") == [("", 2, 0, "int a;\nint b;\n")]


def test_a_line_directive_changes_the_file_at_the_same_depth() -> None:
    text = '# 1 "m.c"\nint a;\n# 7 "m.y"\nint b;\n'
    assert cut(text) == [("m.c", 1, 0, "int a;\n"), ("m.y", 7, 0, "int b;\n")]


@pytest.mark.parametrize("line", ["# pragma x", '# 1x "m.c"', "# -3", '# 99999999999999999999 "m.c"', '# 1 "m.c'])
def test_what_only_looks_like_a_marker_is_text(line: str) -> None:
    assert cut(f'# 1 "m.c"\nint a;\n{line}\nint b;\n') == [("m.c", 1, 0, f"int a;\n{line}\nint b;\n")]


def test_a_marker_that_lies_about_its_line_costs_no_memory() -> None:
    (first, second) = cut('# 1 "m.c"\nint a;\n# 999999999 "m.c"\nint b;\n')
    assert first == ("m.c", 1, 0, "int a;\n")
    assert second == ("m.c", 999999999, 0, "int b;\n")


def test_returning_to_a_file_that_was_never_entered_keeps_the_depth() -> None:
    assert cut('# 1 "m.c"\n# 9 "x.h" 2\nint a;\n') == [("x.h", 9, 0, "int a;\n")]


@pytest.mark.parametrize(
    ("spelled", "meant"),
    [
        (r"a\"b.c", 'a"b.c'),
        (r"a\\b.c", r"a\b.c"),
        (r"\303\244.c", "ä.c"),
        (r"\377.c", "\ufffd.c"),
        (r"a\1013.c", "aA3.c"),
    ],
)
def test_escapes_in_a_marker_are_undone(spelled: str, meant: str) -> None:
    assert cut(f'# 1 "{spelled}"\nint a;\n')[0][0] == meant
    assert main_file(f'# 0 "{spelled}"\nint a;\n') == meant


def test_equal_texts_have_equal_digests_wherever_they_stand() -> None:
    (one,) = split('# 1 "a.c"\nint a;\n', str)
    (two,) = split('# 1 "b.c"\n\n\nint a;\n', str)
    (three,) = split('# 1 "a.c"\nint b;\n', str)
    assert one.digest == two.digest
    assert one.digest != three.digest


def test_names_made_of_the_counter_are_counted_from_zero_in_each_segment() -> None:
    text = "f(__UNIQUE_ID_x_17, __UNIQUE_ID_y_18, __UNIQUE_ID_x_17, __compiletime_assert_19, x_20, __UNIQUE_IDs);"
    assert renumber(text) == (
        "f(__UNIQUE_ID_x_0, __UNIQUE_ID_y_1, __UNIQUE_ID_x_0, __compiletime_assert_2, x_20, __UNIQUE_IDs);"
    )
    (one,) = split(text, str)
    (two,) = split(text.replace("17", "171").replace("18", "172").replace("19", "9"), str)
    assert one.digest == two.digest


def test_the_working_directory_is_told_by_its_marker() -> None:
    assert working_directory('# 0 "m.c"\n# 1 "/linux//"\n# 1 "m.c"\n') == "/linux"
    assert working_directory('# 0 "m.c"\n# 1 "m.c"\n') == ""


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ('# 0 "m.c"\n# 1 "m.c"\nint a;\n', ""),
        ('# 1 "m.c"\n# 1 "h.h" 1\nint a;\n# 2 "m.c" 2\nint', ""),
        ('# 1 "m.c"\n# 1 "h.h" 1\nint a;\n', "h.h"),
        ('# 1 "m.c"\n# 1 "h.h" 1\n# 1 "i.h" 1\nint a;\n# 2 "h.h" 2\nint b;\n', "h.h"),
        ('# 1 "m.c"\n# 5 "m.y"\n# 1 "h.h" 1\nint a;\n# 6 "m.y" 2\nint b;\n', ""),
        ("int a;\n", ""),
        ("", ""),
    ],
)
def test_a_text_that_ends_in_a_header_is_unfinished(text: str, inside: str) -> None:
    assert unfinished(text) == inside


FILES = ("m.c", "a.h", "b.h")


@st.composite
def preprocessed(draw: st.DrawFn) -> str:
    """Draw text with markers of all sorts, true ones and lies."""
    line = st.one_of(
        st.sampled_from(["int a;", "", "  ", "struct s {", "# x", "\tint b; "]),
        st.builds(
            '# {} "{}"{}'.format, st.integers(0, 40), st.sampled_from(FILES), st.sampled_from(["", " 1", " 2", " 1 3"])
        ),
    )
    return "\n".join(draw(st.lists(line, max_size=30))) + draw(st.sampled_from(["", "\n"]))


def places_by_markers(text: str) -> Iterator[tuple[str, int, str]]:
    """Follow the markers line by line, as slowly and plainly as can be."""
    file, line = "", 1
    for content in text.split("\n"):
        marker = re.fullmatch(r'# (\d+) "(.*)"[ \d]*', content)
        if marker:
            file, line = marker[2], int(marker[1])
            continue
        if content.strip():
            yield file, line, content.rstrip()
        line += 1


def places_by_segments(segments: tuple[Segment, ...]) -> Iterator[tuple[str, int, str]]:
    for segment in segments:
        line = segment.line
        for content in segment.text.split("\n"):
            back = re.fullmatch(r"# -(\d+)", content)
            if back:
                line += 1 - int(back[1])
                continue
            if content.strip():
                yield segment.file, line, content.rstrip()
            line += 1


@given(preprocessed())
def test_no_line_loses_its_place(text: str) -> None:
    segments = split(text, str)
    assert list(places_by_segments(segments)) == list(places_by_markers(text))
    for segment in segments:
        assert segment.text.split("\n")[0].strip()
        assert segment.text.endswith("\n")
        assert not segment.text.endswith("\n\n")
