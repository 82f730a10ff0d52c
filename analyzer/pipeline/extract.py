# SPDX-License-Identifier: GPL-2.0-only
"""Extraction: facts of all translation units, in parallel, and only of those that changed.

In: compile commands and the store. Out: `Extraction(units=(UnitFacts(…), …), functions=…)`.

**Invariant:** the result depends on commands, files and overlays alone: not on `jobs`, nor on what the store knew.
**Invariant:** a unit that cannot be extracted is a gap and a name in `failed`; the others are extracted.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path
from posixpath import join

import msgspec
from msgspec import Struct

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.facts.codec import DamagedError, decode_unit
from analyzer.facts.functions import Functions
from analyzer.facts.stamps import Stamps
from analyzer.facts.store import Store, unit_key
from analyzer.facts.unit import UnitFacts
from analyzer.pipeline.options import Progress
from analyzer.pipeline.pool import Lost, Serve, answers
from analyzer.source.command import CompileCommand
from analyzer.source.commands import UnitList
from analyzer.source.overlays import Overlays, resolve_overlays
from analyzer.source.snapshot import Snapshot, units_at

_STAGE = "extract"


class Extraction(Struct, frozen=True):
    """Facts of the units that were asked for."""

    #: in the order of their names
    units: tuple[UnitFacts, ...]
    #: all that `FunctionRef.facts_key` of the units refer to
    functions: Functions
    #: why units are missing
    gaps: tuple[Gap, ...]
    #: names of the missing units
    failed: tuple[str, ...]
    #: how many units were taken from the store as they were
    n_reused: int = 0
    #: the most memory that any worker took
    peak_bytes: int = 0
    #: absolute paths of the files that the units were made of
    files: frozenset[str] = frozenset()
    #: digest of the units' texts: two extractions of equal units have equal ones
    digest: bytes = b""


def extract(
    units: UnitList,
    store: Store,
    progress: Progress,
    *,
    jobs: int = 1,
    overlays: Sequence[tuple[str, Path]] = (),
    snapshot: Snapshot | None = None,
) -> Extraction:
    """Extract all units; raise `InputError` for an overlay that cannot be."""
    units = units_at(units, snapshot)
    resolved = resolve_overlays(overlays, units.names, units.commands, snapshot)
    try:
        found = _Run(units, store, progress, jobs, resolved).extract()
    except DamagedError:
        store.rebuild()
        found = _Run(units, store, progress, jobs, resolved).extract()
    idle = tuple(_idle(name) for name, _ in overlays if not _is_read(name, units, resolved, found))
    return msgspec.structs.replace(found, gaps=tuple(sorted((*found.gaps, *idle)))) if idle else found


def _is_read(name: str, units: UnitList, overlays: Overlays, found: Extraction) -> bool:
    """Tell whether any unit reads a file; one that could not be read counts as having tried to."""
    path = units.names.locate(name)
    name = units.names.name(str(path), units.names.tree)
    return name in found.failed or not found.files.isdisjoint(overlays.spelled(str(path)))


def _idle(name: str) -> Gap:
    return Gap(
        GapKind.OVERLAY, Location(name, 1), "no unit that is analysed reads this file: its overlay has no effect"
    )


class _Run:
    """One extraction, as far as it came."""

    def __init__(self, units: UnitList, store: Store, progress: Progress, jobs: int, overlays: Overlays) -> None:
        self._units = units
        self._store = store
        self._progress = progress
        self._jobs = jobs
        self._overlays = overlays
        self._begun_ns = time.time_ns()
        self._stamps = Stamps(store.database, self._begun_ns // 1_000_000_000, overlays.spellings)
        self._facts: dict[str, UnitFacts] = {}
        self._gaps: dict[str, Gap] = {}
        self._keys: dict[str, bytes] = {}
        self._peak_bytes = 0

    def extract(self) -> Extraction:
        """Take what is known from the store, extract the rest."""
        commands = self._units.commands
        self._progress.begin(_STAGE, len(commands))
        functions = self._take_known(commands)
        n_reused = len(self._facts)
        self._progress.advance(n_reused)
        if n_reused < len(commands):
            self._extract([command for command in commands if command.name not in self._facts], self._store.path)
            functions = self._functions()
            pruned = self._lacking(functions)
            if pruned:
                # Another run pruned the store meanwhile: these units are extracted without its help.
                self._extract([command for command in commands if command.name in pruned], None)
                functions = self._functions()
        gaps = tuple(sorted((*self._units.gaps, *self._gaps.values())))
        facts = tuple(self._facts[name] for name in sorted(self._facts))
        digest = blake2b(b"".join(self._keys[unit.name] for unit in facts), digest_size=16).digest()
        files = frozenset(self._stamps.read)
        return Extraction(facts, functions, gaps, tuple(sorted(self._gaps)), n_reused, self._peak_bytes, files, digest)

    def _take_known(self, commands: Sequence[CompileCommand]) -> Functions:
        """Take the facts of the units whose text is known without preprocessing; return their functions."""
        digests = {command.name: command.digest for command in commands}
        texts = self._stamps.texts(list(digests.values()))
        keys = {
            name: unit_key(name, text) for name, digest in digests.items() if (text := texts.get(digest)) is not None
        }
        found = self._store.units(list(keys.values()))
        self._facts = {name: found[key] for name, key in keys.items() if key in found}
        self._keys = keys
        functions = self._functions()
        for name in self._lacking(functions):
            del self._facts[name]
        return functions

    def _functions(self) -> Functions:
        return self._store.functions(sorted(set[str]().union(*map(_keys, self._facts.values()))))

    def _lacking(self, functions: Functions) -> list[str]:
        """Return the names of the units of which functions are gone from the store."""
        return [name for name, unit in self._facts.items() if not _keys(unit) <= functions.keys()]

    def _extract(self, commands: Sequence[CompileCommand], known: Path | None) -> None:
        """Extract units in worker processes, the biggest first, so that the last one to end is a small one."""
        if not commands:
            return
        commands = sorted(commands, key=lambda command: (-_size_bytes(command), command.name))
        with ExitStack() as stack:
            scratch = None
            if self._overlays:
                scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lockspec-")))
            start = self._starter(known, scratch)
            tasks = [msgspec.msgpack.encode(command) for command in commands]
            for index, answer in answers(tasks, start, self._jobs, self._store.database.disconnect):
                self._take(commands[index], answer)
                self._progress.advance()

    def _starter(self, known: Path | None, scratch: Path | None) -> Callable[[], Serve]:
        """Return what a worker process begins with."""
        # Imported here: a run that finds all facts in the store needs no parser. Before the fork: workers share it.
        from analyzer.pipeline.worker import UnitWorker

        names, overlays = self._units.names, self._overlays
        return lambda: UnitWorker(names, overlays, known, scratch).serve

    def _take(self, command: CompileCommand, answer: bytes | Lost) -> None:
        """Keep what a worker found out about a unit."""
        from analyzer.pipeline.worker import UnitResult

        if isinstance(answer, Lost):
            text = f"the worker process {answer.how}; the unit is skipped"
            self._gaps[command.name] = Gap(GapKind.UNIT, Location(command.name, 1), text)
            return
        result = msgspec.msgpack.decode(answer, type=UnitResult)
        self._peak_bytes = max(self._peak_bytes, result.peak_bytes)
        if result.unit is None:
            assert result.gap is not None
            self._gaps[command.name] = result.gap
            return
        self._facts[command.name] = decode_unit(result.unit.facts)
        self._keys[command.name] = result.unit.key
        self._store.keep(result.unit)
        self._stamps.keep(command.digest, result.dependencies, result.text, self._begun_ns)


def _keys(unit: UnitFacts) -> set[str]:
    """Return the keys of the functions that were lowered."""
    keys = {ref.facts_key for ref in unit.functions}
    keys.discard("")
    return keys


def _size_bytes(command: CompileCommand) -> int:
    try:
        return os.stat(join(command.directory, command.source)).st_size  # noqa: PTH116 - source is no Path
    except OSError:
        return 0
