# SPDX-License-Identifier: GPL-2.0-only
"""Small programs, linked the way a kernel tree is."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.facts.store import Store
from analyzer.pipeline.extract import extract
from analyzer.pipeline.link import Linked, link
from analyzer.pipeline.options import Silent
from analyzer.pipeline.remember import Remembered
from analyzer.program.graph import CallEdge
from analyzer.source.commands import read_units
from analyzer.spec.load import load


class Small:
    """A linked program, asked by the names of its functions."""

    def __init__(self, linked: Linked) -> None:
        self.linked = linked
        self.graph = linked.graph

    def name(self, ident: str) -> str:
        return self.linked.program.functions[ident].name

    def edges(self, caller: str) -> list[CallEdge]:
        return [edge for ident, edges in self.graph.callees.items() if self.name(ident) == caller for edge in edges]

    def calls(self, caller: str, kind: str = "") -> set[str]:
        return {self.name(edge.callee) for edge in self.edges(caller) if kind in ("", edge.kind)}

    def order(self) -> list[set[str]]:
        return [{self.name(ident) for ident in component} for component in self.graph.components()]

    def entry(self, name: str) -> object:
        return next((entry for ident, entry in self.linked.entries.items() if self.name(ident) == name), None)


Build = Callable[..., Small]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a function that links C units, each given as text, under rows about calls."""

    def make(*units: str, rows: str = "", headers: dict[str, str] | None = None) -> Small:
        files = {f"u{number}.c": text for number, text in enumerate(units)}
        for name, text in {**files, **(headers or {})}.items():
            (tmp_path / name).write_text(text, "utf-8")
        entries = [{"directory": str(tmp_path), "file": name, "command": f"gcc -c {name}"} for name in files]
        (tmp_path / "compile_commands.json").write_text(json.dumps(entries), "utf-8")
        spec = tmp_path / "rows.yaml"
        spec.write_text(f"lockspec: 1\n{rows or 'rules: []'}\n", "utf-8")
        with Store(None, version="1") as store:
            extraction = extract(read_units(tree=tmp_path), store, Silent())
            assert not extraction.failed
            return Small(link(extraction, Remembered(store), load([spec]) if rows else load()))

    return make
