# SPDX-License-Identifier: GPL-2.0-only
"""The front end on the real tree: every declaration parses, and the index says of it what its tree says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pycparser import c_ast

from analyzer.base.gap import Gap
from analyzer.frontend.index import Declaration, DeclarationTable, ParseError
from analyzer.source.commands import read_units
from analyzer.source.preprocess import preprocess
from analyzer.source.split import split

pytestmark = pytest.mark.kernel

ROOT = Path(__file__).parents[2]


def _trees() -> Iterator[Path]:
    if "LOCKSPEC_KERNEL" in os.environ:
        yield Path(os.environ["LOCKSPEC_KERNEL"])
    yield from (ROOT / ".kernel/linux-source-6.12", ROOT / ".kernel/linux")


@pytest.fixture(scope="module")
def tables() -> dict[str, DeclarationTable]:
    for tree in _trees():
        if (tree / "compile_commands.json").is_file():
            return dict(_read(tree))
    pytest.skip("no kernel tree: run `make kernel`, or set LOCKSPEC_KERNEL")


def _read(tree: Path) -> Iterator[tuple[str, DeclarationTable]]:
    units = read_units(tree=tree)
    for command in units.commands:
        unit = preprocess(command)
        assert not isinstance(unit, Gap), unit
        yield command.name, DeclarationTable(split(unit.text, partial(_name, units.names.name, command.directory)))


def _name(name: Any, directory: str, path: str) -> str:
    return str(name(path, directory))


def distinct(tables: dict[str, DeclarationTable]) -> Iterator[tuple[DeclarationTable, Declaration]]:
    """Yield each declaration once, however many units include it."""
    seen = set()
    for table in tables.values():
        for declaration in table.declarations():
            if declaration.digest not in seen:
                seen.add(declaration.digest)
                yield table, declaration


def described(declaration: Declaration, nodes: list[Any]) -> tuple[str, tuple[str, ...]]:
    """Tell kind and names of a declaration from its tree."""
    names = tuple(node.name for node in nodes if getattr(node, "name", None))
    kinds = {type(node).__name__ for node in nodes}
    assert len(kinds) == 1
    kind = {"Typedef": "typedef", "AsmStatement": "asm", "StaticAssert": "static assert", "Decl": "ordinary"}[
        kinds.pop()
    ]
    if declaration.body >= 0:
        kind = "function"
    return ("tag" if kind == "ordinary" and not names else kind), names


def defined(node: Any) -> Iterator[str]:
    """Yield the tags and enumerators that a tree defines."""
    if isinstance(node, c_ast.Struct | c_ast.Union) and node.name and node.decls is not None:
        yield node.name
    if isinstance(node, c_ast.Enum) and node.name and node.values is not None:
        yield node.name
    if isinstance(node, c_ast.Enumerator):
        yield node.name
    for child in node:
        yield from defined(child)


def test_all_units_are_indexed_without_gaps(tables: dict[str, DeclarationTable]) -> None:
    assert len(tables) >= 45
    assert {name: table.gaps for name, table in tables.items() if table.gaps} == {}


def test_every_function_of_the_sources_parses(tables: dict[str, DeclarationTable]) -> None:
    failed = []
    n_functions = 0
    for table in tables.values():
        for function in table.functions():
            if function.depth == 0:
                n_functions += 1
                try:
                    table.parse(function)
                except ParseError as error:
                    failed.append(str(error))
    assert failed == []
    assert n_functions > 2500


def test_the_index_says_of_every_declaration_what_its_tree_says(tables: dict[str, DeclarationTable]) -> None:
    n_declarations = 0
    for table, declaration in distinct(tables):
        nodes = table.parse_signature(declaration)
        assert (declaration.kind, declaration.names) == described(declaration, nodes), declaration
        for name in {name for node in nodes for name in defined(node)}:
            assert table.tag(name) or table.enumerator(name), (name, declaration)
        n_declarations += 1
    assert n_declarations > 20_000
