# SPDX-License-Identifier: GPL-2.0-only
"""One piece of C as a unit: lowered functions as text, and whole UnitFacts."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from textwrap import dedent

import msgspec
import pytest

from analyzer.facts.unit import FunctionFacts, UnitFacts
from analyzer.ir.dump import dump
from analyzer.ir.verify import verify
from analyzer.lower.unit import extract_unit
from analyzer.source.segment import Segment


class Memo:
    """A memo in memory that counts what it could not find."""

    def __init__(self) -> None:
        self.facts: dict[str, FunctionFacts] = {}
        self.traces: dict[str, tuple[tuple[str, str], ...]] = {}
        self.texts: dict[str, list[str]] = {}
        self.n_lowered = 0

    def find(self, text_digest: str, resolve: Callable[[str], str]) -> str | None:
        for key in self.texts.get(text_digest, []):
            if all(resolve(name) == digest for name, digest in self.traces[key]):
                return key
        return None

    def outline(self, key: str) -> FunctionFacts:
        return self.facts[key]

    def keep(self, text_digest: str, trace: tuple[tuple[str, str], ...], facts: FunctionFacts) -> str:
        self.n_lowered += 1
        content = msgspec.msgpack.encode((text_digest, trace, facts))
        key = blake2b(content, digest_size=16).hexdigest()
        self.facts[key], self.traces[key] = facts, trace
        self.texts.setdefault(text_digest, []).append(key)
        return key


class Unit:
    """An extracted unit with its functions."""

    def __init__(self, facts: UnitFacts, memo: Memo) -> None:
        self.facts = facts
        self._keys = {ref.name: ref.facts_key for ref in facts.functions}
        self._memo = memo

    def __getitem__(self, name: str) -> FunctionFacts:
        return self._memo.facts[self._keys[name]]

    def __contains__(self, name: str) -> bool:
        return name in self._keys

    def trace(self, name: str) -> dict[str, str]:
        return dict(self._memo.traces[self._keys[name]])


def segment(text: str, file: str = "a.c", depth: int = 0) -> Segment:
    text = dedent(text)
    return Segment(file, 1, text, blake2b(text.encode(), digest_size=16).hexdigest(), depth)


Extract = Callable[..., Unit]
Lowered = Callable[..., str]


@pytest.fixture
def memo() -> Memo:
    return Memo()


@pytest.fixture
def extract(memo: Memo) -> Extract:
    """Extract a unit from a main file, with a header before it if there is one."""

    def run(text: str, header: str = "", *, memo: Memo = memo) -> Unit:
        segments = [segment(header, "a.h", 1)] if header else []
        unit = Unit(extract_unit("a.c", [*segments, segment(text)], memo), memo)
        for ref in unit.facts.functions:
            if ref.facts_key:
                assert verify(unit[ref.name].ir) == []
        return unit

    return run


@pytest.fixture
def lowered(extract: Extract) -> Lowered:
    """Lower the function `f` of a unit and show its body, without the line that names it."""

    def run(text: str, name: str = "f", *, records: bool = False, gaps: int = 0) -> str:
        unit = extract(text)
        assert unit.facts.gaps == ()
        facts = unit[name]
        assert len(facts.gaps) == gaps, facts.gaps
        return "\n" + dump(facts.ir, records=records).partition("\n")[2]

    return run
