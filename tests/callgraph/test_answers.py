# SPDX-License-Identifier: GPL-2.0-only
"""Answers about a small program: what is told, and how it is laid out."""

import json
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from analyzer.base.errors import InputError
from analyzer.findings.callgraph import Neighbours
from analyzer.pipeline.callgraph import CallGraphView, open_call_graph
from analyzer.pipeline.options import CheckOptions, Silent
from analyzer.report import Style, render_neighbours, render_paths, render_stats, render_unresolved
from tests.callgraph.conftest import Compare


def neighbours(found: Neighbours) -> list[tuple[str, str, int, str]]:
    """Return name, kind, line and slot of every call."""
    ends = [(b.link.caller if found.direction == "callers" else b.link.callee, b.link.edges) for b in found.branches]
    return [(end.name, edge.kind, edge.site.line, edge.via) for end, edges in ends for edge in edges]


def test_callees(view: CallGraphView) -> None:
    assert neighbours(view.callees("run")) == [
        ("put", "cleanup", 29, ""),
        ("first_open", "indirect", 29, "ops.open"),
        ("second_open", "indirect", 29, "ops.open"),
        ("helper", "direct", 31, ""),
        ("patched", "static_call", 34, "static_call(work)"),
    ]


def test_callers(view: CallGraphView) -> None:
    assert neighbours(view.callers("run()")) == [("walk", "direct", 48, ""), ("start", "direct", 26, "")]
    assert neighbours(view.callers("second_open")) == [
        ("run", "indirect", 29, "ops.open"),
        ("count_second", "callback", 41, "each(): parameter 1"),
    ]
    assert view.callers("first_open").entry == ""
    assert view.callers("start").entry == "entry point: no analysed function calls it"


def test_a_function_that_is_only_declared_has_callers(view: CallGraphView) -> None:
    found = view.callers("outside")
    assert (found.function.id, found.function.defined) == ("core.h:outside", False)
    assert [name for name, *_ in neighbours(found)] == ["helper", "put"]


def test_calls_without_a_target_are_told(view: CallGraphView) -> None:
    assert [site.expression for site in view.callees("apply").unresolved] == ["visit"]
    assert [site.site.line for site in view.callees("run").unresolved] == [33]


def test_who_chooses_a_function_has_the_edge_and_who_calls_it_tells_so(view: CallGraphView) -> None:
    assert neighbours(view.callees("count_first"))[-1] == ("first_open", "callback", 36, "each(): parameter 1")
    each = view.callees("each")
    assert each.branches == ()
    assert [(site.expression, site.site.line) for site in each.unresolved] == [("visit", 31)]
    assert "callers choose among first_open(), second_open();" in each.unresolved[0].cause


def test_a_name_of_several_functions_needs_its_file(view: CallGraphView) -> None:
    with pytest.raises(InputError, match=r"2 functions; give one of core\.c:helper, vendor\.c:helper$"):
        view.callers("helper")
    assert neighbours(view.callers("vendor.c:helper")) == [("first_open", "direct", 13, "")]


def test_a_definition_that_differs_between_units_names_the_other(tmp_path: Path) -> None:
    (tmp_path / "a.h").write_text("int ask(int n);\nstatic inline int get(int n) { return ask(n) + N; }\n")
    for number in (1, 2):
        text = f'#define N {number}\n#include "a.h"\nint use{number}(int n) {{ return get(n); }}\n'
        (tmp_path / f"{number}.c").write_text(text)
    entries = [{"directory": str(tmp_path), "file": f"{n}.c", "command": f"gcc -c {n}.c"} for n in (1, 2)]
    (tmp_path / "compile_commands.json").write_text(json.dumps(entries))
    view = open_call_graph(CheckOptions(tree=tmp_path), Silent())
    with pytest.raises(InputError, match=r"2 functions; give one of a\.h:get, a\.h:get#"):
        view.callers("get")
    first = view.callers("a.h:get")
    (other,) = first.variants
    assert [name for name, *_ in neighbours(first)] == ["use1"]
    assert [name for name, *_ in neighbours(view.callers(other))] == ["use2"]
    assert f"other units see another definition of it: {other}\n" in render_neighbours(first, Style())


@pytest.mark.parametrize(
    ("wrong", "meant"), [("frist_open", "first_open"), ("applyy()", "apply"), ("core.c:wlak", "core.c:walk")]
)
def test_a_wrong_name_gets_a_near_one(view: CallGraphView, wrong: str, meant: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"{wrong} (did you mean '{meant}'?)")):
        view.callees(wrong)


def names(view: CallGraphView, limit: int, max_length: int) -> list[list[str]]:
    found = view.paths("start", "outside", limit=limit, max_length=max_length)
    return [[link.callee.name for link in path] for path in found.paths]


def test_paths_the_shortest_first(view: CallGraphView) -> None:
    assert names(view, 10, 20) == [
        ["run", "helper", "outside"],
        ["run", "put", "outside"],
        ["run", "patched", "helper", "outside"],
    ]
    assert names(view, 10, 3) == names(view, 10, 20)[:2]
    assert names(view, 1, 20) == names(view, 10, 20)[:1]


def test_paths_that_are_left_out_are_told(view: CallGraphView) -> None:
    assert view.paths("start", "outside", limit=2, max_length=20).more
    assert not view.paths("start", "outside", limit=3, max_length=20).more
    short = view.paths("start", "outside", limit=3, max_length=2)
    assert (short.paths, short.more, short.shortest) == ((), False, 3)
    assert "the shortest has 3\n" in render_paths(short, Style())
    none = view.paths("apply", "outside", limit=3, max_length=20)
    assert (none.paths, none.shortest) == ((), None)
    with pytest.raises(InputError, match="the same function"):
        view.paths("run", "core.c:run", limit=1, max_length=1)


def test_a_step_of_a_path_has_every_call(view: CallGraphView) -> None:
    path = view.paths("start", "outside", limit=1, max_length=20).paths[0]
    assert [len(link.edges) for link in path] == [1, 1, 1]
    assert [edge.kind for link in path for edge in link.edges] == ["direct", "direct", "direct"]


def test_what_hides_behind_a_call(view: CallGraphView) -> None:
    found = view.unresolved()
    assert [(site.expression, site.n_hidden, site.hidden) for site in found.sites] == [
        ("visit", 3, ("first_open", "patched", "second_open")),
        ("ops->close", 0, ()),
    ]
    assert view.unresolved(1).sites == found.sites[:1]
    assert view.unresolved(1).n_sites == 2


def test_numbers(view: CallGraphView) -> None:
    stats = view.stats()
    assert (stats.n_units, stats.n_defined, stats.n_declared) == (2, 13, 2)
    assert (stats.n_direct_sites, stats.n_external_sites, stats.n_indirect_sites) == (13, 2, 6)
    assert stats.n_outside_sites + stats.n_unresolved_sites == 2
    assert dict(stats.edges) == {"callback": 2, "cleanup": 1, "direct": 12, "indirect": 2, "static_call": 1}
    assert (stats.indirect.n_resolved, stats.indirect.median, stats.indirect.mean) == (4, 2, 1.75)
    assert 0 < stats.link_cpu_seconds < stats.link_seconds * 1.5 < 60
    assert stats.peak_bytes > 1 << 20


def test_layout(view: CallGraphView, compare: Compare) -> None:
    compare("callers.txt", render_neighbours(view.callers("outside", depth=4), Style()))
    compare("callees.txt", render_neighbours(view.callees("start", depth=3), Style()))
    compare("paths.txt", render_paths(view.paths("start", "outside", limit=2, max_length=9), Style()))
    compare("unresolved.txt", render_unresolved(view.unresolved(), Style(width=100)))
    stats = replace(view.stats(), link_seconds=0.25, link_cpu_seconds=0.125, peak_bytes=64 << 20)
    compare("stats.txt", render_stats(stats, Style()))
