# SPDX-License-Identifier: GPL-2.0-only
"""A small C program, linked; and a graph made by hand, with kinds and names that C would not give."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.base.location import Location
from analyzer.findings.callgraph import CallGraphExport, GraphEdge, GraphFunction, UnresolvedSite
from analyzer.pipeline.callgraph import CallGraphView, open_call_graph
from analyzer.pipeline.options import CheckOptions, Silent

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"

Compare = Callable[[str, str], None]


@pytest.fixture
def compare() -> Compare:
    """Give a way to compare text with a golden file. `UPDATE_GOLDEN=1 pytest` writes them anew."""

    def compare_with(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("UPDATE_GOLDEN"):
            path.write_text(text, "utf-8")
        assert text == path.read_text("utf-8")

    return compare_with


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a tree of the program's two units."""
    root = tmp_path_factory.mktemp("program")
    for source in sorted((HERE / "program").iterdir()):
        shutil.copy(source, root)
    units = sorted(path.name for path in root.glob("*.c"))
    entries = [{"directory": str(root), "file": unit, "command": f"gcc -c {unit}"} for unit in units]
    (root / "compile_commands.json").write_text(json.dumps(entries))
    return root


@pytest.fixture(scope="session")
def view(tree: Path) -> CallGraphView:
    """Give the program's call graph."""
    return open_call_graph(CheckOptions(tree=tree), Silent())


HOSTILE = '</script><img src=http://127.0.0.1:9/x onerror="document.title=1">&amp;\\'
KINDS = ("direct", "indirect", "static_call", "callback", "deferred", "remote", "cleanup")


@pytest.fixture(scope="session")
def made() -> CallGraphExport:
    """Give a graph with an edge of every kind, and with names that are markup."""
    root = GraphFunction("a.c:root", "root", Location("a.c", 1), True)
    evil = GraphFunction(f"{HOSTILE}.c:{HOSTILE}", HOSTILE, Location(f"{HOSTILE}.c", 7), True)
    leaves = [GraphFunction(f"b.c:leaf_{kind}", f"leaf_{kind}", Location("b.c", 1), True) for kind in KINDS]
    edges = [
        GraphEdge("a.c:root", leaf.id, kind, Location("a.c", line), "" if kind == "direct" else f"ops.{kind}")
        for line, (leaf, kind) in enumerate(zip(leaves, KINDS, strict=True), 2)
    ]
    edges += [
        GraphEdge("a.c:root", evil.id, "indirect", Location("a.c", 20), HOSTILE),
        GraphEdge(evil.id, "a.c:root", "direct", Location(f"{HOSTILE}.c", 8)),
    ]
    unresolved = UnresolvedSite(evil.id, Location(f"{HOSTILE}.c", 9), HOSTILE, "the pointer is computed \x1b")
    return CallGraphExport((root, *leaves, evil), tuple(edges), (unresolved,))
