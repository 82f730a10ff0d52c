# SPDX-License-Identifier: GPL-2.0-only
"""The program in memory, and what becomes of it when a text changes.

In: options; the buffers of an editor by file name. Out: an `Answer` after each change: a report, or why there is none.

A change inside one function is answered from memory: that function is preprocessed, parsed and lowered, and what depends
on it is analysed again. Where a change may concern more, the unit's facts are linked and analysed as a whole, or all units
are looked at as `check` does.

**Invariant:** the report of a generation is the one that `check` makes of the same texts.
**Invariant:** a text that does not parse changes nothing: the generation before stays, and the answer says so.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from analyzer.base.collection import without_collection
from analyzer.base.gap import Gap, GapKind
from analyzer.facts.functions import Functions, StoredFunction
from analyzer.facts.memo import FunctionMemo
from analyzer.facts.store import Store
from analyzer.facts.unit import UnitFacts
from analyzer.findings.model import Report
from analyzer.pipeline.live.edits import edit_between
from analyzer.pipeline.live.generation import Generation, Meanwhile, analysed, concluded, replaced, stepped
from analyzer.pipeline.live.recall import Recall
from analyzer.pipeline.live.unit import LiveUnit, open_unit
from analyzer.pipeline.options import CheckOptions, Progress
from analyzer.source.commands import UnitList, read_units
from analyzer.source.mirror import Mirror
from analyzer.source.overlays import resolve_overlays

#: `function`: from what changed in one function; `unit`: one unit was read again; `whole`: as `check` does
How = Literal["function", "unit", "whole"]
#: gaps that come of a text that is not finished
BREAKING = (GapKind.UNIT, GapKind.BODY, GapKind.LOWERING, GapKind.DECLARATION)
#: texts of one unit that are read from memory before what was remembered of earlier ones is let go
_MAX_STEPS = 400


class Answer(Struct, frozen=True):
    """What a change led to."""

    report: Report
    how: How
    #: what does not parse in the new texts; then the report is that of the texts before
    broken: tuple[Gap, ...] = ()
    #: function that changed
    function: str = ""
    #: functions that were lowered, looked at again, and analysed
    n_lowered: int = 0
    n_asked: int = 0
    n_analysed: int = 0


class LiveProgram:
    """One program. Everything here happens in one thread."""

    def __init__(self, options: CheckOptions) -> None:
        self.generation: Generation | None = None
        self._options = options
        self._scratch = Path(tempfile.mkdtemp(prefix="lockspec-"))
        self._store = Store(options.cache)
        self._recall = Recall(self._store)
        self._memo = FunctionMemo(self._store.path)
        self._fresh: dict[str, StoredFunction] = {}
        self._units: dict[str, LiveUnit] = {}
        #: lines of the buffers that the generation was made of
        self._lines: dict[str, tuple[str, ...]] = {}
        self._n_steps = 0

    def close(self) -> None:
        """Let go of files."""
        self._memo.close()
        self._store.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    @property
    def unit_names(self) -> frozenset[str]:
        """Return the names of the units."""
        return frozenset(self.generation.program.units) if self.generation else frozenset()

    def is_ready(self, name: str) -> bool:
        """Tell whether changes of a unit can be answered from memory."""
        return name in self._units

    def is_read(self, name: str) -> bool:
        """Tell whether the program holds anything of a file."""
        return self.generation is not None and (
            name in self.unit_names
            or any(function.ref.location.file == name for function in self.generation.program.functions.values())
            or any(record.location.file == name for record in self.generation.program.records.values())
        )

    def whole(self, buffers: Mapping[str, str], progress: Progress, *, saved: bool = True) -> Answer:
        """Look at all units, `buffers` in the place of their files; raise `LockspecError`.

        With `saved`, a text that does not parse is what it is, as for `check`.
        """
        self._let_go()
        units = self._read_units()
        options = self._with_overlays(buffers)
        generation = analysed(options, units, self._store, self._recall, progress)
        broken = () if saved else self._broken(generation.report.gaps, buffers)
        if broken and self.generation is not None:
            return Answer(self.generation.report, "whole", broken)
        self.generation = generation
        self._lines = {name: tuple(text.split("\n")) for name, text in buffers.items()}
        return Answer(generation.report, "whole")

    def prepare(self, name: str, text: str, buffers: Mapping[str, str]) -> bool:
        """Make ready for changes of a unit's main file, which is `text` now; False where it is no unit's.

        What is ready already is checked against the generation: a header may have changed.
        """
        if self.generation is None:
            return False
        unit, facts = self._units.get(name), self.generation.unit(name)
        if unit is not None and facts is not None and unit.lines == tuple(text.split("\n")):
            is_same = _digests(unit.facts(self._memo)) == _digests(facts)
            if is_same:
                return True
        self._units.pop(name, None)
        command = next((one for one in self.generation.units.commands if one.name == name and one.arguments), None)
        if command is None:
            return False
        place = Path(tempfile.mkdtemp(dir=self._scratch))
        mirror = self._mirror(buffers, place)
        folder = self._scratch / f"unit{len(list(self._scratch.iterdir()))}"
        folder.mkdir()
        opened = open_unit(command, self.generation.units.names, text, mirror, folder)
        shutil.rmtree(place, ignore_errors=True)
        if isinstance(opened, Gap):
            return False
        opened.facts(self._memo)
        self._units[name] = opened
        return True

    def change(self, name: str, text: str, progress: Progress, meanwhile: Meanwhile = lambda _: None) -> Answer | None:
        """Answer a change of one unit's main file from memory; None where all must be looked at.

        Where the answer takes longer, `meanwhile` is told what the changed function alone says.
        """
        before, known = self.generation, self._units.get(name)
        edited = known.edited(text) if known is not None else None
        if before is None or edited is None:
            return None
        if isinstance(edited, Gap):
            return Answer(before.report, "function", (edited,))
        unit, function = edited
        facts = unit.facts(self._memo)
        new = {stored.key.hex(): stored for stored in self._memo.take_new()}
        self._fresh.update(new)
        broken = self._broken_unit(before, facts)
        if broken:
            return Answer(before.report, "function", broken, function, len(new))
        self._n_steps += 1
        self._recall.pulse = lambda: progress.advance(0)
        extraction = replaced(before, facts, self._functions(before, facts))
        with without_collection():
            generation, how = stepped(before, facts, extraction, self._recall, meanwhile), "function"
        if generation is None:
            how = "unit"
            generation = concluded(
                self._options, before.units, before.spec, extraction, self._store, self._recall, progress
            )
        self._units[name] = unit
        self.generation = generation
        self._lines[name] = unit.lines
        resolved = generation.resolved
        asked, analysed_ = (
            (resolved.n_asked, resolved.n_analysed) if resolved else (len(generation.program.functions), 0)
        )
        return Answer(generation.report, how, (), function, len(new), asked, analysed_)  # type: ignore[arg-type]

    def line_now(self, name: str, line: int, text: str) -> int:
        """Return where a line of the generation's file stands in `text`."""
        lines = self._lines.get(name)
        edit = edit_between(lines, text.split("\n")) if lines is not None else None
        return line if edit is None else edit.moved(line)

    def _functions(self, before: Generation, facts: UnitFacts) -> Functions:
        functions = before.extraction.functions.plus(self._fresh)
        missing = {ref.facts_key for ref in facts.functions if ref.facts_key} - functions.keys()
        return functions.joined(self._store.functions(sorted(missing))) if missing else functions

    def _broken(self, gaps: tuple[Gap, ...], buffers: Mapping[str, str]) -> tuple[Gap, ...]:
        """Return what in `buffers`, or because of them, does not parse and did before."""
        known = {(gap.kind, gap.text) for gap in self.generation.report.gaps} if self.generation else set()
        return tuple(
            gap
            for gap in gaps
            if gap.kind in BREAKING and (gap.kind, gap.text) not in known
            if gap.kind is GapKind.UNIT or gap.location.file in buffers
        )

    def _broken_unit(self, before: Generation, facts: UnitFacts) -> tuple[Gap, ...]:
        known = before.unit(facts.name)
        texts = {(gap.kind, gap.text) for gap in known.gaps} if known else set()
        return tuple(gap for gap in facts.gaps if gap.kind in BREAKING and (gap.kind, gap.text) not in texts)

    def _read_units(self) -> UnitList:
        options = self._options
        return read_units(
            tree=options.tree,
            build=options.build,
            compile_commands=options.compile_commands,
            preprocessed=options.preprocessed,
            under=options.under,
            units=options.units,
        )

    def _with_overlays(self, buffers: Mapping[str, str]) -> CheckOptions:
        overlays = []
        for index, (name, text) in enumerate(sorted(buffers.items())):
            file = self._scratch / f"buffer{index}"
            file.write_text(text, "utf-8", "surrogateescape", newline="")
            overlays.append((name, file))
        return replace(self._options, overlays=tuple(overlays))

    def _mirror(self, buffers: Mapping[str, str], place: Path) -> Mirror | None:
        assert self.generation is not None
        units = self.generation.units
        overlays = resolve_overlays(self._with_overlays(buffers).overlays, units.names, units.commands)
        return Mirror(place, overlays.roots, overlays.contents, overlays.absent) if overlays.contents else None

    def _let_go(self) -> None:
        """Forget what earlier texts left behind, every so often."""
        if self._n_steps < _MAX_STEPS:
            return
        from analyzer.lower.unit import forget

        self._n_steps = 0
        forget()
        self._fresh.clear()
        self._units.clear()
        self._memo.close()
        self._memo = FunctionMemo(self._store.path)
        self._recall = Recall(self._store)


def _digests(facts: UnitFacts) -> dict[str, str]:
    return {ref.name: ref.facts_key for ref in facts.functions}
