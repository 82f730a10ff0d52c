# SPDX-License-Identifier: GPL-2.0-only
"""What a worker process does with one translation unit.

In: an encoded `CompileCommand`. Out: an encoded `UnitResult`: facts, or the gap that says why there are none.

**Invariant:** nothing of a unit stays in the worker but what its memo and the front end's caches share between units.
"""

from __future__ import annotations

import gc
import resource
import tempfile
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec import Struct

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.facts.codec import encode_unit
from analyzer.facts.memo import FunctionMemo
from analyzer.facts.store import StoredUnit, unit_key
from analyzer.lower.unit import extract_unit
from analyzer.source.command import CompileCommand
from analyzer.source.mirror import Mirror
from analyzer.source.names import FileNames
from analyzer.source.overlays import Overlays
from analyzer.source.preprocess import Preprocessed, preprocess
from analyzer.source.split import split

_encoder = msgspec.msgpack.Encoder()
_commands = msgspec.msgpack.Decoder(CompileCommand)


class UnitResult(Struct, frozen=True):
    """What became of one unit."""

    #: why there are no facts, else None
    gap: Gap | None = None
    unit: StoredUnit | None = None
    #: digest of the preprocessed text
    text: bytes = b""
    #: see `Preprocessed`
    dependencies: tuple[str, ...] = ()
    #: the most memory that this worker has ever taken
    peak_bytes: int = 0


class UnitWorker:
    """Extracts units, one after the other."""

    def __init__(self, names: FileNames, overlays: Overlays, store: Path | None, scratch: Path | None) -> None:
        # Syntax trees have no cycles to speak of: the default would look through all of them every 700 objects.
        # Measured: a tenth of the time, for a tenth more memory.
        gc.freeze()
        gc.set_threshold(100_000, 50, 1000)
        self._names = names
        self._memo = FunctionMemo(store)
        self._mirror: Mirror | None = None
        if overlays and scratch is not None:
            place = Path(tempfile.mkdtemp(dir=scratch))
            self._mirror = Mirror(place, overlays.roots, overlays.contents, overlays.absent)

    def serve(self, task: bytes) -> bytes:
        """Answer one task."""
        command = _commands.decode(task)
        try:
            result = self._extract(command)
        except (Exception, RecursionError, MemoryError) as error:
            # The front end never raises on bad C; should it, one unit is lost and says so, not the run.
            text = f"internal error: {type(error).__name__}: {_one_line(error)}; the unit is skipped"
            result = UnitResult(Gap(GapKind.UNIT, Location(command.name, 1), text))
            self._memo.take_new()
        return _encoder.encode(msgspec.structs.replace(result, peak_bytes=_peak_bytes()))

    def _extract(self, command: CompileCommand) -> UnitResult:
        text = preprocess(command, self._mirror if command.arguments else None)
        if not isinstance(text, Preprocessed):
            return UnitResult(text)
        digest = blake2b(text.text.encode(), digest_size=16)
        digest.update(_encoder.encode(text.gaps))
        segments = split(text.text, lambda path: self._names.name(path, command.directory))
        dependencies, gaps = text.dependencies, text.gaps
        del text
        facts = extract_unit(command.name, segments, self._memo)
        facts = msgspec.structs.replace(facts, gaps=tuple(sorted((*facts.gaps, *gaps))))
        key = unit_key(command.name, digest.digest())
        unit = StoredUnit(key, encode_unit(facts), self._memo.take_new())
        return UnitResult(None, unit, digest.digest(), dependencies)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
