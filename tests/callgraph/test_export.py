# SPDX-License-Identifier: GPL-2.0-only
"""The whole graph in every format: golden files, and what other programs read in them."""

import io
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import networkx as nx
import pytest

from analyzer.findings.callgraph import CallGraphExport
from analyzer.pipeline.callgraph import CallGraphView, open_call_graph
from analyzer.pipeline.options import CheckOptions, Silent
from analyzer.report import graph_format_names, graph_renderer
from tests.callgraph.conftest import HOSTILE, KINDS, Compare

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "callgraph.schema.json").read_text("utf-8"))
EMPTY = CallGraphExport((), (), ())


@pytest.fixture(params=["program", "made", "empty"])
def graph(request: pytest.FixtureRequest, view: CallGraphView, made: CallGraphExport) -> CallGraphExport:
    """Give each of three graphs."""
    return {"program": view.export(), "made": made, "empty": EMPTY}[request.param]


@pytest.mark.parametrize("name", ["json", "dot", "graphml"])
def test_golden(name: str, view: CallGraphView, made: CallGraphExport, compare: Compare) -> None:
    compare(f"program.{name}", graph_renderer(name)(view.export()))
    compare(f"made.{name}", graph_renderer(name)(made))


def test_formats() -> None:
    assert graph_format_names() == ("dot", "graphml", "html", "json")


@pytest.mark.parametrize("name", graph_format_names())
def test_the_same_bytes_again(name: str, tree: Path, view: CallGraphView, tmp_path: Path) -> None:
    expected = graph_renderer(name)(view.export())
    for jobs in (1, 2):
        again = open_call_graph(CheckOptions(tree=tree, jobs=jobs, cache=tmp_path), Silent())
        assert graph_renderer(name)(again.export()) == expected


def read_json(graph: CallGraphExport) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(graph_renderer("json")(graph))
    return document


def test_json_is_as_its_schema_says(graph: CallGraphExport) -> None:
    document = read_json(graph)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    ids = [function["id"] for function in document["functions"]]
    assert len(set(ids)) == len(ids)
    named = {edge[end] for edge in document["edges"] for end in ("caller", "callee")}
    assert named | {site["caller"] for site in document["unresolved"]} <= set(ids)


def test_the_schema_refuses_what_is_wrong(made: CallGraphExport) -> None:
    for key, wrong in (("kind", "jump"), ("site", {"file": "a.c"}), ("callee", "")):
        document = read_json(made)
        document["edges"][0][key] = wrong
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(SCHEMA).validate(document)


def test_the_schema_knows_every_kind() -> None:
    assert SCHEMA["$defs"]["edge"]["properties"]["kind"]["enum"] == list(KINDS)


def test_every_call_site_is_an_edge_or_unresolved(view: CallGraphView) -> None:
    document = read_json(view.export())
    assert document["edges"].count(
        {
            "caller": "core.c:run",
            "callee": "core.c:helper",
            "kind": "direct",
            "site": {"file": "core.c", "line": 31},
            "via": "",
        }
    ) == 2  # fmt: skip
    stats = view.stats()
    written = {"direct", "indirect", "static_call", "cleanup"}
    n_edges = sum(1 for edge in document["edges"] if edge["kind"] in written)
    n_second = sum(
        1 for edge in document["edges"] if (edge["kind"], edge["callee"]) == ("indirect", "vendor.c:second_open")
    )
    assert n_second == 1, "the one site with two targets"
    n_without = len(document["unresolved"]) + 2  # both calls in each() have theirs chosen by callers
    assert n_edges - n_second + n_without == stats.n_direct_sites + stats.n_indirect_sites


def test_graphml_is_read_by_others(graph: CallGraphExport) -> None:
    read = nx.read_graphml(io.BytesIO(graph_renderer("graphml")(graph).encode()), force_multigraph=True)
    assert read.is_directed()
    assert list(read.nodes) == [function.id for function in graph.functions]
    for function in graph.functions:
        known = read.nodes[function.id]
        place = function.location
        assert (known["name"], known["defined"], known["line"]) == (function.name, function.defined, place.line)
        assert known.get("file", "") == place.file
    edges = [(a, b, d["kind"], d["site_line"], d.get("via") or "") for a, b, d in read.edges(data=True)]
    expected = [(e.caller, e.callee, e.kind, e.site.line, e.via) for e in graph.edges]
    assert sorted(edges) == sorted(expected)
    assert sum(data["unresolved"] for _, data in read.nodes(data=True)) == len(graph.unresolved)


#: a quoted string of the DOT language, by the grammar
_STRING = r'"(?:[^"\\]|\\.)*"'


def test_dot_is_a_list_of_well_formed_statements(graph: CallGraphExport) -> None:
    first, second, *statements, last = graph_renderer("dot")(graph).splitlines()
    assert (first, second, last) == ("digraph callgraph {", "\tnode [shape=box];", "}")
    attributes = rf"\[(?:\w+=(?:{_STRING}|\w+) ?)*\]"
    nodes = [s for s in statements if re.fullmatch(rf"\t{_STRING} {attributes};", s)]
    edges = [s for s in statements if re.fullmatch(rf"\t{_STRING} -> {_STRING} {attributes};", s)]
    assert len(nodes) == len(graph.functions)
    assert len(edges) == len({(edge.caller, edge.callee, edge.kind) for edge in graph.edges})
    assert len(nodes) + len(edges) == len(statements)


def test_a_page_holds_names_as_data_only(made: CallGraphExport) -> None:
    page = graph_renderer("html")(made)
    assert HOSTILE not in page
    assert page.count("</script>") == 2
    assert "<img" not in page
    inner = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert inner is not None
    assert HOSTILE in [function[1] for function in json.loads(inner[1])["functions"]]
