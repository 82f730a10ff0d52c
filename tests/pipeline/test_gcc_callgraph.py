# SPDX-License-Identifier: GPL-2.0-only
"""Every direct edge of gcc's own call graph, before it inlines anything, is in ours.

`-fdump-ipa-cgraph` writes the symbol table several times; the first, "Initial Symbol table", is the source as parsed.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from analyzer.facts.store import Store
from analyzer.pipeline.extract import extract
from analyzer.pipeline.link import Linked, link
from analyzer.pipeline.options import Silent
from analyzer.pipeline.remember import Remembered
from analyzer.pipeline.sourcegraph import SourceGraph
from analyzer.source.command import CompileCommand
from analyzer.source.commands import read_units

pytestmark = pytest.mark.kernel

_SYMBOL = re.compile(r"^(\S+)/\d+ \(")
_CALLED = re.compile(r"(\S+)/\d+")
#: builtins by their own name or by that of the library function that stands for them, and what BUILD_BUG_ON() declares
_MADE = re.compile(r"__builtin_\w+|ffs|__compiletime_assert_\d+")


@pytest.fixture
def tree() -> Path:
    """Return the prepared tree, or skip with the reason."""
    path = Path(os.environ.get("LOCKSPEC_KERNEL") or Path(__file__).parents[2] / ".kernel" / "linux")
    if not (path / "compile_commands.json").exists():
        pytest.skip(f"no prepared kernel at {path}: run `make kernel`, or set LOCKSPEC_KERNEL")
    return path


def initial_edges(text: str) -> set[tuple[str, str]]:
    """Read caller and callee of every direct call from a dump."""
    begin = text.index("Initial Symbol table:")
    found = set()
    caller = ""
    for line in text[begin : text.index("Reclaimed Symbol table:", begin)].splitlines():
        symbol = _SYMBOL.match(line)
        if symbol:
            caller = symbol[1]
        elif line.startswith("  Calls: "):
            found.update((caller, callee) for callee in _CALLED.findall(line[9:]))
    return found


def dump(command: CompileCommand, folder: Path) -> tuple[str, set[tuple[str, str]]]:
    """Compile a unit for its dump alone."""
    path = folder / command.name.replace("/", "-")
    flags = [flag for flag in command.arguments if not flag.startswith(("-g", "-Werror"))]
    run = [*flags, "-S", "-o", "/dev/null", f"-fdump-ipa-cgraph={path}", command.source]
    subprocess.run(run, cwd=command.directory, check=True, capture_output=True, timeout=300)
    return command.name, initial_edges(path.read_text("utf-8", "replace"))


def source_graph(linked: Linked) -> SourceGraph:
    return SourceGraph(linked.program, linked.flows, linked.graph, linked.facts_of)


def test_reading_a_dump(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text(
        "int g(int); static int h(int x) { return g(x); } int f(int x) { return h(x) + g(x); }"
    )
    command = CompileCommand("a.c", "a.c", str(tmp_path), ("gcc", "-O2"))
    assert dump(command, tmp_path) == ("a.c", {("f", "g"), ("f", "h"), ("h", "g")})


def test_every_direct_edge_of_gcc_is_ours(
    tree: Path, tmp_path: Path, pytestconfig: pytest.Config, record_property: Callable[[str, object], None]
) -> None:
    units = read_units(tree=tree)
    assert pytestconfig.cache is not None
    with Store(pytestconfig.cache.mkdir("kernel-facts")) as store:
        linked = link(extract(units, store, Silent(), jobs=2), Remembered(store))
    graph, program = source_graph(linked), linked.program
    total = made = 0
    missing = []
    with ThreadPoolExecutor(2) as pool:
        for unit, edges in pool.map(partial(dump, folder=tmp_path), units.commands):
            for caller, callee in sorted(edges):
                ident = program.resolve(unit, caller)
                assert ident is not None, (unit, caller)
                if program.functions[ident].ref.location.file.endswith(".c"):
                    total += 1
                    if graph.has(unit, caller, callee):
                        continue
                    if _MADE.fullmatch(callee):
                        made += 1
                    else:
                        missing.append((unit, caller, callee))
    record_property("direct edges of gcc from .c files", total)
    record_property("compiler-made", made)
    assert missing == []
    assert total > 12_000
    assert made < 0.06 * total
