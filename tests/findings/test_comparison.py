# SPDX-License-Identifier: GPL-2.0-only
"""What became of hand-made findings: verdicts, causes, circles, and what one side does not know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from analyzer.base.location import Location
from analyzer.findings.alignment import Alignment
from analyzer.findings.comparison import Comparison, compare
from analyzer.findings.counterparts import Side
from analyzer.findings.model import Finding, Report, RuleCount
from analyzer.ir.shape import Mark

SHAPE = tuple(Mark(line, 1, f"do {line}") for line in range(10, 20))
F = "a.c:f"


def a_finding(
    line: int = 12,
    verdict: Literal["violation", "unknown"] = "violation",
    chain: tuple[str, ...] = (F,),
    root: int = 0,
    parts: tuple[tuple[str, str], ...] = (),
) -> Finding:
    file, _, function = chain[-1].rpartition(":")
    return Finding(
        rule="vm/x",
        kind="guarded-by",
        verdict=verdict,
        severity="error",
        message="write of vm.x without vm.lock",
        location=Location(file, line, 1),
        function=function,
        object="vm.x",
        access="write",
        requires=("vm.lock",),
        held=(),
        witness=(),
        cause="",
        why="",
        source="",
        rule_location=Location("rules.yaml", 1, 1),
        chain=chain,
        root=root,
        parts=parts,
    )


def a_side(
    *findings: Finding,
    functions: Iterable[str] = (),
    shapes: dict[str, tuple[Mark, ...]] | None = None,
    parts: Iterable[tuple[str, str]] = (),
    lost: Iterable[str] = (),
    is_partial: bool = False,
    rules: tuple[str, ...] = ("vm/x",),
) -> Side:
    counts = tuple(RuleCount(rule, 1, 0, 0, 0) for rule in rules)
    known = {function for finding in findings for function in finding.chain} | set(functions) | {F}
    return Side(
        report=Report(findings, counts, (), 1, 0, 1, 0),
        shapes=shapes or {F: SHAPE},
        functions=dict.fromkeys(known, ""),
        parts=frozenset(parts),
        lost=frozenset(lost),
        is_partial=is_partial,
    )


def numbers(comparison: Comparison) -> tuple[int, int, int, int]:
    """Count introduced, fixed, pre-existing and not judged ones."""
    lists = (comparison.introduced, comparison.fixed, comparison.pre_existing, comparison.not_judged)
    return tuple(map(len, lists))  # type: ignore[return-value]


def test_an_unknown_verdict_that_becomes_a_violation_is_introduced() -> None:
    unknown, violation = a_finding(verdict="unknown"), a_finding()
    assert numbers(compare(a_side(unknown), a_side(violation), {})) == (1, 0, 0, 0)
    assert numbers(compare(a_side(violation), a_side(unknown), {})) == (0, 0, 1, 0)
    assert numbers(compare(a_side(unknown), a_side(unknown), {})) == (0, 0, 1, 0)


def test_unknown_ways_that_a_violation_hides_neither_come_nor_go() -> None:
    unknown = [a_finding(verdict="unknown", chain=(f"a.c:e{n}", F)) for n in range(3)]
    violation = a_finding(chain=("a.c:other", F))
    assert numbers(compare(a_side(*unknown), a_side(violation), {})) == (1, 0, 0, 0)
    assert numbers(compare(a_side(violation), a_side(*unknown), {})) == (0, 1, 3, 0)


def test_what_only_leads_there_makes_no_other_finding() -> None:
    before = a_finding(chain=("a.c:entry", "a.c:wrong", F), root=1)
    after = a_finding(chain=("b.c:other", "b.c:more", "a.c:wrong", F), root=2)
    assert numbers(compare(a_side(before), a_side(after), {})) == (0, 0, 1, 0)


def test_a_way_from_elsewhere_is_another_finding() -> None:
    before, after = a_finding(chain=("a.c:one", F)), a_finding(chain=("a.c:two", F))
    assert numbers(compare(a_side(before), a_side(after), {})) == (1, 1, 0, 0)
    assert numbers(compare(a_side(before), a_side(before, after), {})) == (1, 0, 1, 0)


def test_a_caller_that_comes_before_or_goes() -> None:
    short, long = a_finding(chain=("a.c:one", F)), a_finding(chain=("a.c:zero", "a.c:one", F))
    for before, after in ((short, long), (long, short)):
        assert numbers(compare(a_side(before), a_side(after), {})) == (0, 0, 1, 0)
    many = [a_finding(chain=(f"a.c:zero{n}", "a.c:one", F)) for n in range(3)]
    assert numbers(compare(a_side(short), a_side(*many), {})) == (0, 0, 3, 0)


def test_a_circle_is_the_same_whichever_place_it_is_told_by() -> None:
    ab, ba = (F, "b taken inside a"), ("a.c:g", "a taken inside b")
    one, other = a_finding(parts=(ab, ba)), a_finding(line=14, chain=("a.c:g",), parts=(ba, ab))
    sides = (a_side(one, parts=(ab, ba)), a_side(other, parts=(ab, ba)))
    assert numbers(compare(*sides, {})) == (0, 0, 1, 0)


def test_a_circle_through_another_place_is_another_one() -> None:
    ab, ba, new = (F, "b taken inside a"), ("a.c:g", "a taken inside b"), ("a.c:h", "a taken inside b")
    one, other = a_finding(parts=(ab, ba)), a_finding(parts=(ab, new))
    assert numbers(compare(a_side(one, parts=(ab, ba)), a_side(other, parts=(ab, new)), {})) == (1, 1, 0, 0)
    still = a_side(other, parts=(ab, new, ba))
    assert numbers(compare(a_side(one, parts=(ab, ba)), still, {})) == (1, 0, 0, 0), "it is hidden, not fixed"


def test_a_renamed_file_and_function() -> None:
    before = a_finding()
    moved = replace(a_finding(chain=("b.c:f",)), location=Location("b.c", 12, 1))
    after = Side(a_side(moved).report, {"b.c:f": SHAPE}, {"b.c:f": ""})
    assert numbers(compare(a_side(before), after, {"a.c": "b.c"})) == (0, 0, 1, 0)
    assert numbers(compare(a_side(before), after, {})) == (0, 0, 1, 0), "moved, under its name"
    named = replace(moved, function="g", chain=("b.c:g",))
    after = Side(a_side(named).report, {"b.c:g": (*SHAPE[:9], Mark(19, 1, "other"))}, {"b.c:g": ""})
    assert numbers(compare(a_side(before), after, {})) == (0, 0, 1, 0), "nearly the same under another name"
    after = Side(a_side(named).report, {"b.c:g": (Mark(12, 1, "do 12"),)}, {"b.c:g": ""})
    assert numbers(compare(a_side(before), after, {})) == (1, 1, 0, 0)


def test_what_a_side_does_not_know_is_not_told() -> None:
    finding = a_finding(chain=("b.c:e", F))
    assert numbers(compare(a_side(lost=["b.c"]), a_side(finding), {})) == (0, 0, 0, 1)
    assert numbers(compare(a_side(finding), a_side(lost=["b.c"]), {})) == (0, 0, 0, 0)
    new = a_finding(chain=("a.c:new",))
    assert numbers(compare(a_side(is_partial=True), a_side(new), {})) == (0, 0, 0, 1)
    assert numbers(compare(a_side(is_partial=True), a_side(a_finding()), {})) == (1, 0, 0, 0)
    assert numbers(compare(a_side(new), a_side(is_partial=True), {})) == (0, 0, 0, 0)


def test_a_rule_that_does_not_apply_any_more_fixes_nothing() -> None:
    assert numbers(compare(a_side(a_finding()), a_side(rules=()), {})) == (0, 0, 0, 0)


_lines = st.lists(st.integers(10, 19), max_size=6)
_some = st.lists(
    st.builds(
        a_finding,
        line=st.integers(10, 19),
        verdict=st.sampled_from(["violation", "unknown"]),
        chain=st.sampled_from([(F,), ("a.c:one", F), ("a.c:two", F), ("a.c:zero", "a.c:one", F)]),
    ),
    max_size=6,
    unique_by=lambda finding: (finding.location, finding.chain),
)


@given(_some, _some)
def test_every_finding_after_has_one_class(before: list[Finding], after: list[Finding]) -> None:
    done = compare(a_side(*before), a_side(*after), {})
    told = (*done.introduced, *done.pre_existing, *done.not_judged)
    assert sorted((f.location, f.chain) for f in told) == sorted((f.location, f.chain) for f in after)
    assert len(done.fixed) <= len(before)


@given(_some)
def test_nothing_comes_or_goes_where_nothing_changes(findings: list[Finding]) -> None:
    assert numbers(compare(a_side(*findings), a_side(*findings), {})) == (0, 0, len(findings), 0)


@given(_some, _lines)
def test_lines_between_change_nothing(findings: list[Finding], new: list[int]) -> None:
    shift = {line: line + sum(other <= line for other in new) for line in range(10, 20)}
    marks = [Mark(shift[mark.line], 1, mark.text) for mark in SHAPE]
    marks += [Mark(line, 1, f"new {line}") for line in range(10, 40) if line not in shift.values()]
    shape = tuple(sorted(marks, key=lambda mark: mark.line))
    moved = [replace(one, location=Location("a.c", shift[one.location.line], 1)) for one in findings]
    assert numbers(compare(a_side(*findings), a_side(*moved, shapes={F: shape}), {})) == (0, 0, len(findings), 0)


def test_what_goes_here_and_comes_there_is_two_unless_it_moved_with_others() -> None:
    def places(texts: str) -> tuple[Mark, ...]:
        return tuple(Mark(line, 1, text) for line, text in enumerate(texts))

    single = Alignment(places("axbcde"), places("abcdex"))
    assert not single.is_same(1, 5)
    assert not single.is_edited(1, 5)
    block = Alignment(places("aqxrbcdefgh"), places("abcdefghqxr"))
    assert block.is_same(2, 9)
    edited = Alignment(places("abc"), places("aXc"))
    assert (edited.is_same(1, 1), edited.is_edited(1, 1)) == (False, True)
