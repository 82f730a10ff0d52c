# SPDX-License-Identifier: GPL-2.0-only
"""What lockspec says of a generated program, by its own front end and analysis.

In: `Printed` and the points. Out: `Told`: for each point and lock class a verdict, and locksets at points and calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from analyzer.analysis.names import NameResolver
from analyzer.analysis.summary import FunctionSummary
from analyzer.analysis.watch import Watch
from analyzer.facts.functions import Functions
from analyzer.facts.memo import FunctionMemo
from analyzer.facts.store import Store
from analyzer.lower.unit import extract_unit
from analyzer.pipeline.analyse import Analysis, analyse
from analyzer.pipeline.extract import Extraction
from analyzer.pipeline.options import Silent
from analyzer.source.split import split
from analyzer.spec.load import load
from analyzer.spec.model import AllOf, Held, Name, SpecSet
from tests.properties import program as p

#: every lock class of a program with the modes in which it can be asked for
CLASSES = (
    *((name, ("write",) if sort == "mutex" else ("read", "write")) for name, sort in p.GLOBAL_LOCKS.items()),
    *((f"box.{name}", ("write",) if sort == "mutex" else ("read", "write")) for name, sort in p.MEMBER_LOCKS.items()),
    ("rcu", ("read",)),
)
#: asks for nothing: its place is there whatever is held
OBSERVER = "observer"


@cache
def specification() -> SpecSet:
    """Return the shipped primitives without any rule."""
    return load()


def analysed(text: str, points: list[p.Point]) -> Analysis:
    """Analyse a program with a watch for each point, class and mode."""
    memo = FunctionMemo(None)
    facts = extract_unit("p.c", split(f'# 1 "p.c"\n{text}', lambda path: path), memo)
    assert facts.gaps == (), facts.gaps
    functions = Functions({one.key.hex(): one for one in memo.take_new()})
    with Store(None) as store:
        extraction = Extraction((facts,), functions, (), ())
        return analyse(extraction, store, specification(), (), Silent(), lambda names: watches(points, names))


def rule(name: str, mode: str) -> str:
    """Name the watch of a class and mode."""
    return f"{name}/{mode}"


def watches(points: list[p.Point], names: NameResolver) -> Iterator[Watch]:
    """Yield a watch for every point, lock class and mode."""
    for point in points:
        name = f"p{point.number}"
        cell = ("box", name) if point.pointer else ("", name)
        spelled = f"box.{name}" if point.pointer else name
        yield Watch(OBSERVER, cell, "", spelled, "write", AllOf(()))
        for lock, modes in CLASSES:
            # the lock of the box that the point lies in, where it lies in one
            instance = "same" if point.pointer and lock.startswith("box.") else "any"
            for mode in modes:
                held = Held(Name(tuple(lock.split("."))), mode, instance)
                yield Watch(rule(lock, mode), cell, "", spelled, "write", held)


def verdicts(analysis: Analysis) -> dict[tuple[int, str], str]:
    """Return the verdict of each point and rule."""
    found: dict[tuple[int, str], str] = {}
    for function, summary in _summaries(analysis):
        for own in summary.own:
            number = int(own.object.rpartition("p")[2])
            trails = [
                trail
                for place, ways in analysis.trails.items()
                if place.function == function and place.own == own
                for trail in ways
            ]
            found[(number, own.rule)] = trails[0].verdict if trails else "proven"
    return found


def _summaries(analysis: Analysis) -> Iterator[tuple[str, FunctionSummary]]:
    for ident in sorted(analysis.program.functions):
        yield ident, analysis.context.summaries[ident]
