# SPDX-License-Identifier: GPL-2.0-only
"""The cross-check: is everything that the compiler made of the units in the source graph?

In: options and the objects in the build directory. Out: `CrossCheck`.

**Invariant:** what is in the objects is explained by the source, or compiler-made by a documented name, or a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from analyzer.base.errors import InputError
from analyzer.binary.model import ObjectFacts
from analyzer.binary.read import read_object
from analyzer.facts.store import Store
from analyzer.findings.crosscheck import CrossCheck, Difference, Share
from analyzer.pipeline.compare import Comparison
from analyzer.pipeline.extract import extract
from analyzer.pipeline.link import link
from analyzer.pipeline.options import CheckOptions, Progress
from analyzer.pipeline.pool import Lost, Serve, answers
from analyzer.pipeline.remember import Remembered
from analyzer.pipeline.sourcegraph import SourceGraph
from analyzer.source.commands import UnitList, read_units
from analyzer.spec.load import load
from analyzer.spec.model import Mention, SpecSet


class _Question(Struct, frozen=True, array_like=True):
    """What a worker is asked about one object."""

    path: str
    fields: tuple[tuple[str, ...], ...]
    functions: tuple[str, ...]


class _Answer(Struct, frozen=True, array_like=True):
    facts: ObjectFacts | None
    error: str = ""


def crosscheck(options: CheckOptions, progress: Progress) -> CrossCheck:
    """Compare what `options` name with its objects; raise `InputError` if there are none."""
    spec = load(options.specs or None)
    units = read_units(
        tree=options.tree,
        build=options.build,
        compile_commands=options.compile_commands,
        under=options.under,
        units=options.units,
    )
    with Store(options.cache) as store:
        extraction = extract(units, store, progress, jobs=options.jobs)
        linked = link(extraction, Remembered(store), spec)
    graph = SourceGraph(linked.program, linked.flows, linked.graph, linked.facts_of)
    mentions = _mentions(spec)
    objects, skipped = _objects(options, units, mentions, progress)
    if not objects:
        raise InputError(
            f"{options.build or options.tree}: no object of an analysed unit; build it with debugging information"
        )
    comparison = Comparison(graph)
    for name in sorted(objects):
        comparison.compare(name, objects[name])
    named = tuple(_unknown_names(mentions, list(objects.values())))
    shares = (*comparison.shares(), _named(mentions, named))
    missing = [f"{name}: no object" for name in sorted(set(graph.units()) - set(objects))]
    return CrossCheck(
        len(objects),
        sum(len(facts.functions) for facts in objects.values()),
        shares,
        (*sorted(set(comparison.differences)), *named),
        comparison.aside(),
        (*skipped, *missing),
    )


def _objects(
    options: CheckOptions, units: UnitList, mentions: tuple[Mention, ...], progress: Progress
) -> tuple[dict[str, ObjectFacts], list[str]]:
    """Read the objects beside the units in the build directory; also return what was skipped and why."""
    paths = list(_paths(options, units))
    fields = tuple(m.name.parts for m in mentions if m.what != "function")
    functions = tuple(m.name.parts[0] for m in mentions if m.what == "function")
    tasks = [msgspec.msgpack.encode(_Question(str(path), fields, functions)) for path in paths]
    progress.begin("read objects", len(tasks))
    known = {command.name for command in units.commands}
    found: dict[str, ObjectFacts] = {}
    skipped: list[str] = []
    for index, answer in sorted(answers(tasks, _start, options.jobs, lambda: None), key=lambda pair: pair[0]):
        progress.advance()
        read = _Answer(None, answer.how) if isinstance(answer, Lost) else _decode(answer)
        if read.facts is None:
            skipped.append(f"{paths[index]}: {read.error or 'made of several sources, or without DWARF'}")
            continue
        name = units.names.name(read.facts.source, read.facts.directory)
        if name in known or read.facts.assembly:
            found[name] = read.facts
        else:
            skipped.append(f"{paths[index]}: {name} was not analysed")
    return found, skipped


def _paths(options: CheckOptions, units: UnitList) -> Iterator[Path]:
    """Yield the object files in the directories of the units, the largest first: they take longest."""
    build = options.build or options.tree or Path(units.names.build)
    folders = sorted({Path(command.name).parent for command in units.commands})
    found = {path.resolve() for folder in folders for path in (build / folder).glob("*.o")}
    yield from sorted(found, key=lambda path: (-path.stat().st_size, path))


def _start() -> Serve:
    def serve(task: bytes) -> bytes:
        asked = msgspec.msgpack.decode(task, type=_Question)
        try:
            answer = _Answer(read_object(Path(asked.path), asked.fields, asked.functions))
        except InputError as error:
            answer = _Answer(None, str(error))
        return msgspec.msgpack.encode(answer)

    return serve


_decode: Callable[[bytes], _Answer] = msgspec.msgpack.Decoder(_Answer).decode


def _mentions(spec: SpecSet) -> tuple[Mention, ...]:
    """Return the fields, locks in records and functions that rules name, each once."""
    found: dict[tuple[bool, tuple[str, ...]], Mention] = {}
    for rule in spec.rules:
        for mention in rule.mentions:
            if mention.what != "lock" or len(mention.name.parts) > 1:
                found.setdefault((mention.what == "function", mention.name.parts), mention)
    return tuple(found[key] for key in sorted(found))


def _unknown_names(mentions: tuple[Mention, ...], objects: list[ObjectFacts]) -> Iterator[Difference]:
    fields = {field for facts in objects for field in facts.known_fields}
    functions = {name for facts in objects for name in facts.known_functions}
    for mention in mentions:
        if mention.what == "function":
            if mention.name.parts[0] not in functions:
                yield Difference("function", "", str(mention.location), f"{mention.name}()", "not in DWARF")
        elif mention.name.parts not in fields:
            yield Difference("field", "", str(mention.location), str(mention.name), "not in DWARF")


def _named(mentions: tuple[Mention, ...], unknown: tuple[Difference, ...]) -> Share:
    return Share("fields and functions named by rules", len(mentions), len(mentions) - len(unknown))
