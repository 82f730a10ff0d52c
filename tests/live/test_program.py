# SPDX-License-Identifier: GPL-2.0-only
"""A program in memory: what changes do to it, and that it says what `check` says."""

from __future__ import annotations

import random

import pytest

from analyzer.findings.model import Report
from analyzer.pipeline.live import program as program_module
from analyzer.pipeline.live.program import Answer, LiveProgram
from analyzer.pipeline.options import CheckOptions, Silent
from tests.live.conftest import TREE, UNIT, CheckWith

LOCK = "\tmutex_lock(&kvm->slots_lock);\n\tfilemap_invalidate_lock(inode->i_mapping);\n"


def change(live: LiveProgram, text: str, name: str = UNIT) -> Answer:
    answer = live.change(name, text, Silent())
    assert answer is not None
    return answer


def test_a_change_inside_a_function_is_answered_from_that_function(
    live: LiveProgram, text: str, check_with: CheckWith
) -> None:
    edited = text.replace(LOCK, LOCK.partition("\n")[2], 1)
    answer = change(live, edited)
    assert (answer.how, answer.function) == ("function", "kvm_gmem_release")
    assert answer.n_lowered == 1
    assert answer.n_analysed < 5, "of some ninety functions"
    assert answer.report == check_with({UNIT: edited})
    assert len(answer.report.findings) > len(check_with({}).findings)


def test_nothing_is_lowered_or_analysed_twice(live: LiveProgram, text: str) -> None:
    edited = text.replace(LOCK, LOCK.partition("\n")[2], 1)
    before = change(live, edited).report
    assert change(live, text).n_lowered == 0
    again = change(live, edited)
    assert (again.n_lowered, again.n_analysed) == (0, 0)
    assert again.report == before


def test_what_the_function_alone_says_comes_first(live: LiveProgram, text: str, check_with: CheckWith) -> None:
    """A helper that drops its lock: its callers see that, too, a moment later."""
    first: list[Report] = []
    edited = text.replace("\tslot->gmem.pgoff = start;", "\tmutex_unlock(&kvm->slots_lock);", 1)
    assert edited != text
    answer = live.change(UNIT, edited, Silent(), first.append)
    assert answer is not None
    assert answer.n_asked > 1
    assert len(first) == 1
    wanted = check_with({UNIT: edited})
    assert answer.report == wanted
    assert first[0] != wanted, "what callers make of it is not in there"


def edits(lines: list[str], n: int) -> list[list[str]]:
    """Return the text with something changed at a line."""
    before, line, behind = lines[:n], lines[n], lines[n + 1 :]
    return [
        [*before, "\t;", *behind],
        [*before, line, line, *behind],
        [*before, *behind[:1], line, *behind[1:]],
        [*before, "\t/* two", "\t * lines */", line, *behind],
        [*before, "\tmutex_lock(&kvm_lock);", line, *behind],
    ]


@pytest.mark.parametrize("seed", range(3))
def test_a_series_of_edits_ends_where_check_does(
    live: LiveProgram, text: str, check_with: CheckWith, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311
    lines = text.split("\n")
    for _ in range(12):
        places = [n for n, line in enumerate(lines) if line.startswith("\t") and line.rstrip().endswith(");")]
        edited = rng.choice(edits(lines, rng.choice(places)))
        answer = live.change(UNIT, "\n".join(edited), Silent())
        if answer is not None and not answer.broken:
            lines = edited
            assert answer.how in ("function", "unit")
    assert live.generation is not None
    found, wanted = live.generation.report, check_with({UNIT: "\n".join(lines)})
    assert found.findings == wanted.findings
    assert found == wanted


def test_a_text_that_does_not_parse_changes_nothing(live: LiveProgram, text: str) -> None:
    before = live.generation
    for wrong in (text.replace(LOCK, "\tif (x {\n", 1), text.replace(LOCK, "\tmutex_lock(&kvm->\n", 1)):
        answer = change(live, wrong)
        assert [gap.location.file for gap in answer.broken] == [UNIT]
        assert answer.report.findings
        assert live.generation is before
    assert change(live, text).broken == ()


def test_a_directive_or_a_new_function_takes_a_look_at_everything(live: LiveProgram, text: str) -> None:
    assert live.change(UNIT, text.replace(LOCK, "#define X\n" + LOCK, 1), Silent()) is None
    assert live.change(UNIT, text + "\nint more(void) { return 0; }\n", Silent()) is None
    assert live.change(UNIT, text.replace(LOCK, LOCK + "/* open\n", 1), Silent()) is None
    head = text.replace(
        "static int kvm_gmem_release(struct inode *inode", "static int kvm_gmem_release(struct inode *i", 1
    )
    assert live.change(UNIT, head, Silent()) is None


def test_what_does_not_parse_is_kept_out_of_a_look_at_everything_too(live: LiveProgram, text: str) -> None:
    before = live.generation
    assert before is not None
    answer = live.whole({UNIT: text.replace(LOCK, LOCK + "/* open\n", 1)}, Silent(), saved=False)
    assert answer.broken
    assert answer.report is before.report
    assert live.generation is before
    assert live.whole({UNIT: text.replace(LOCK, LOCK + "/* open\n", 1)}, Silent()).broken == ()


def test_a_header_in_a_buffer_is_seen_by_all_units(live: LiveProgram, text: str, check_with: CheckWith) -> None:
    header = next((TREE / "include").rglob("kvm_host.h"))
    name = header.relative_to(TREE).as_posix()
    edited = header.read_text().replace("struct mutex slots_lock;", "struct mutex slots_lock, another;", 1)
    assert edited != header.read_text()
    assert live.whole({name: edited}, Silent(), saved=False).report == check_with({name: edited})
    assert live.prepare(UNIT, text, {name: edited})
    both = {name: edited, UNIT: text.replace(LOCK, LOCK.replace("slots_lock", "another"), 1)}
    assert change(live, both[UNIT]).report == check_with(both)


def test_a_function_pointer_that_goes_elsewhere_has_the_unit_linked_anew(
    live: LiveProgram, text: str, check_with: CheckWith
) -> None:
    edited = text.replace("\treturn kvm_gmem_punch_hole(", "\tlong (*way)(struct inode *, loff_t, loff_t) = "
                          "kvm_gmem_punch_hole;\n\n\treturn way(", 1)  # fmt: skip
    assert edited != text
    answer = change(live, edited)
    assert answer.how == "unit"
    assert answer.report == check_with({UNIT: edited})


def test_a_line_of_the_last_good_text_is_found_in_the_buffer(live: LiveProgram, text: str) -> None:
    change(live, text.replace(LOCK, LOCK.partition("\n")[2], 1))
    line = text[: text.index(LOCK)].count("\n") + 1
    assert live.line_now(UNIT, line + 10, text) == line + 11
    assert live.line_now(UNIT, line - 10, text) == line - 10


def test_what_earlier_texts_left_is_let_go(
    live: LiveProgram, text: str, monkeypatch: pytest.MonkeyPatch, check_with: CheckWith
) -> None:
    monkeypatch.setattr(program_module, "_MAX_STEPS", 1)
    edited = text.replace(LOCK, LOCK.partition("\n")[2], 1)
    change(live, edited)
    live.whole({UNIT: edited}, Silent())
    assert not live.is_ready(UNIT)
    assert live.prepare(UNIT, edited, {UNIT: edited})
    assert change(live, text).report == check_with({})


def test_without_a_cache_too(options: CheckOptions, text: str, check_with: CheckWith) -> None:
    import msgspec

    program = LiveProgram(msgspec.structs.replace(options, cache=None))
    program.whole({}, Silent())
    assert program.prepare(UNIT, text, {})
    edited = text.replace(LOCK, LOCK.partition("\n")[2], 1)
    assert change(program, edited).report == check_with({UNIT: edited})
    program.close()


def test_a_change_that_is_stopped_leaves_nothing_behind(live: LiveProgram, text: str, check_with: CheckWith) -> None:
    class StoppedError(Exception):
        pass

    class Stopping(Silent):
        def advance(self, parts: int = 1) -> None:
            raise StoppedError

    edited = text.replace("\tslot->gmem.pgoff = start;", "\tmutex_unlock(&kvm->slots_lock);", 1)
    before = live.generation
    with pytest.raises(StoppedError):
        live.change(UNIT, edited, Stopping())
    assert live.generation is before
    other = text.replace(LOCK, LOCK.partition("\n")[2], 1)
    assert change(live, other).report == check_with({UNIT: other})
