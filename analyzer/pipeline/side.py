# SPDX-License-Identifier: GPL-2.0-only
"""One of the two runs that a comparison holds against each other.

In: `CheckOptions`. Out: `Side`, and what was read for it.

Sides are remembered in the fact store: the base of a comparison is the base of the next one too.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

import analyzer
from analyzer.base.gap import Gap
from analyzer.facts.store import Store
from analyzer.findings.counterparts import Side, function_of
from analyzer.findings.model import Report
from analyzer.ir.shape import Mark, shape
from analyzer.pipeline.analyse import Analysis, analyse, chosen_rules
from analyzer.pipeline.check import extracted, report
from analyzer.pipeline.extract import Extraction
from analyzer.pipeline.options import CheckOptions, Progress
from analyzer.pipeline.scope import wrong
from analyzer.pipeline.verdicts import function_name
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.load import load

_encode = msgspec.msgpack.Encoder().encode
_sides = msgspec.msgpack.Decoder(Side)
_KIND = "side"
#: of a function's digest, enough to tell whether it changed
_DIGITS = 16


class Run(Struct, frozen=True):
    """A side, and what was read for it."""

    side: Side
    #: absolute paths of all files that its units are made of
    files: frozenset[str]
    #: names of its units, and of those that could not be read
    units: frozenset[str]
    failed: tuple[str, ...]
    #: of what could not be read
    gaps: tuple[Gap, ...]


def run(options: CheckOptions, store: Store, progress: Progress, *, lenient: bool, explain_paths: bool) -> Run:
    """Analyse what `options` name, unless that was done before; `lenient` leaves out rules that do not fit."""
    spec = load(options.specs or None)
    extraction = extracted(options, store, progress)
    said = (spec.digest, [str(path) for path in options.specs], options.rules, lenient, explain_paths)
    key = blake2b(_code_version() + extraction.digest + _encode(said), digest_size=16).digest()
    side = None if extraction.failed else _remembered(store, key)
    if side is None:
        rules = chosen_rules(spec, options.rules)
        analysis = analyse(extraction, store, spec, rules, progress, lenient=lenient or not options.specs)
        errors = [] if lenient else wrong(analysis.program, analysis.context.spec, analysis.rules, partial=True)
        if errors:
            raise CombinedSpecError(errors)
        side = _side(extraction, analysis, explain_paths)
        if not extraction.failed:
            _remember(store, key, side)
    gaps = tuple(sorted({*side.report.gaps, *extraction.gaps}))
    return Run(
        replace(side, report=replace(side.report, gaps=gaps)),
        extraction.files,
        frozenset(unit.name for unit in extraction.units),
        extraction.failed,
        extraction.gaps,
    )


def _side(extraction: Extraction, analysis: Analysis, explain_paths: bool) -> Side:
    """Return what the analysis says, without the gaps that are not its own."""
    whole = report(extraction, analysis, explain_paths=explain_paths)
    foreign = set(extraction.gaps)
    own = tuple(gap for gap in whole.gaps if gap not in foreign)
    program = analysis.program
    parts = (part for judged in analysis.judged.values() for part in judged.parts)
    needs_parts = any(finding.parts for finding in whole.findings)
    return Side(
        report=replace(whole, gaps=own),
        shapes=_shapes(analysis, whole),
        functions=_functions(extraction, analysis),
        parts=frozenset((function_name(program, ident), what) for ident, what in parts) if needs_parts else frozenset(),
    )


def _functions(extraction: Extraction, analysis: Analysis) -> dict[str, str]:
    """Return all functions, each with a digest of what it does; two of one name are told apart by nothing else."""
    found: dict[str, str] = {}
    for ident, function in sorted(analysis.program.functions.items()):
        name = function_name(analysis.program, ident)
        digest = extraction.functions.outline(function.ref.facts_key).digest
        found[name] = found.get(name, "") + digest[:_DIGITS]
    return found


def _shapes(analysis: Analysis, whole: Report) -> dict[str, tuple[Mark, ...]]:
    """Return what happens in the functions that findings are about."""
    wanted = set(_spoken_of(whole))
    shapes: dict[str, tuple[Mark, ...]] = {}
    for ident, function in sorted(analysis.program.functions.items()):
        name = function_name(analysis.program, ident)
        if name in wanted and name not in shapes:
            first = function.ref.first_line
            shapes[name] = tuple(
                Mark(first + mark.line, mark.column, mark.text) for mark in shape(analysis.facts_of(ident).ir)
            )
    return shapes


def _spoken_of(whole: Report) -> Iterable[str]:
    for finding in whole.findings:
        yield function_of(finding)
        yield from finding.chain[finding.root : finding.root + 1]


def _remembered(store: Store, key: bytes) -> Side | None:
    data = store.memo(_KIND, key)
    with suppress(msgspec.DecodeError):
        return _sides.decode(data) if data is not None else None
    return None


def _remember(store: Store, key: bytes, side: Side) -> None:
    with suppress(UnicodeEncodeError):  # a name of odd bytes: it is analysed again
        store.remember(_KIND, key, _encode(side))


@cache
def _code_version() -> bytes:
    """Hash all code: whatever changes may change what is found."""
    root = Path(analyzer.__file__).parent
    digest = blake2b(digest_size=16)
    for file in sorted(root.rglob("*.py")):
        digest.update(f"\0{file.relative_to(root)}\0".encode())
        digest.update(file.read_bytes())
    return digest.digest()
