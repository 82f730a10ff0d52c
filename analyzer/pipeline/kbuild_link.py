# SPDX-License-Identifier: GPL-2.0-only
"""The units that a build had checked, linked: the whole program's findings without another look at the source.

In: the records of an output directory. Out: the report that a check of the same units gives.

A unit whose text is another now, that could not be read then, or that Kbuild compiled beside recorded ones without
having it checked, is left out and told: facts that do not fit each other prove nothing.

**Invariant:** what is left out is a gap of its unit and counts as failed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from posixpath import dirname, join

from msgspec import Struct
from msgspec.structs import replace

from analyzer.base.errors import InputError
from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.facts.stamps import Stamps
from analyzer.facts.store import Store
from analyzer.findings.model import Report
from analyzer.pipeline.analyse import analyse, chosen_rules
from analyzer.pipeline.check import report
from analyzer.pipeline.extract import extract
from analyzer.pipeline.options import CheckOptions, Progress
from analyzer.pipeline.records import Records, UnitRecord, recorded_outputs
from analyzer.pipeline.scope import wrong
from analyzer.source.commands import UnitList
from analyzer.source.kbuild import compiled_in, count_objects, is_of_the_kernel
from analyzer.source.names import FileNames
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.load import load

_AGAIN = "make C=1 CHECK='lockspec kbuild check' looks at it again"
_NEVER = "make C=2 CHECK='lockspec kbuild check' looks at every unit"


class LinkedBuild(Struct, frozen=True):
    """The report of a build, and where its files are."""

    report: Report
    #: as for a check of the same units
    options: CheckOptions
    #: objects that Kbuild built in directories where no unit was checked
    n_elsewhere: int


def link_build(options: CheckOptions, progress: Progress, *, explain_paths: bool = False) -> LinkedBuild:
    """Judge the units that the build in `options.build` had checked. Raise `InputError` where there are none."""
    output = os.path.realpath(options.build or Path())
    with Store(options.cache) as store:
        everything = Records(store, output).all()
        if not everything:
            raise InputError(_nothing(store, output))
        names = FileNames(Path(everything[0].tree), Path(everything[0].build))
        options = replace(options, tree=Path(names.tree), build=Path(names.build))
        records = selected(everything, options)
        lost = (*_unfit(records, store), *_unrecorded(everything, records, options, output))
        fit = {record.command.name: record.command for record in records} | {gap.location.file: None for gap in lost}
        commands = tuple(command for command in fit.values() if command is not None)
        spec = load(options.specs or None)
        extraction = extract(UnitList(commands, names), store, progress, jobs=options.jobs)
        failed = sorted({*extraction.failed, *(gap.location.file for gap in lost)})
        extraction = replace(extraction, gaps=tuple(sorted((*extraction.gaps, *lost))), failed=tuple(failed))
        rules = chosen_rules(spec, options.rules)
        analysis = analyse(extraction, store, spec, rules, progress, lenient=not options.specs)
        errors = wrong(analysis.program, spec, analysis.rules, partial=True)
        if errors:
            raise CombinedSpecError(errors)
        n_elsewhere = 0 if options.under or options.units else count_objects(Path(output), _folders(everything, output))
        return LinkedBuild(report(extraction, analysis, explain_paths=explain_paths), options, n_elsewhere)


def forget_build(options: CheckOptions) -> int:
    """Drop the records that `options` choose; return how many there were."""
    with Store(options.cache) as store:
        records = Records(store, os.path.realpath(options.build or Path()))
        gone = selected(records.all(), options, lenient=True)
        records.forget(gone)
        return len(gone)


def selected(records: Sequence[UnitRecord], options: CheckOptions, *, lenient: bool = False) -> tuple[UnitRecord, ...]:
    """Return the records below the directories and among the units asked for; raise `InputError` for what has none."""
    known = {record.command.name for record in records}
    for folder in options.under if not lenient else ():
        if not any(_is_below(name, (folder,)) for name in known):
            raise InputError(f"--under {folder}: no unit below it was checked; {_NEVER} that make compiles there")
    for unit in options.units if not lenient else ():
        if unit not in known:
            raise InputError(f"{unit}: no unit of this name was checked; {_NEVER}")
    return tuple(
        record
        for record in records
        if (not options.under or _is_below(record.command.name, options.under))
        and (not options.units or record.command.name in options.units)
    )


def _nothing(store: Store, output: str) -> str:
    others = recorded_outputs(store)
    told = f"; units were checked in {', '.join(others)}, which --build takes" if others else ""
    return f"{output}: no unit of a build here was checked: {_NEVER}{told}"


def _unfit(records: Sequence[UnitRecord], store: Store) -> list[Gap]:
    """Tell which units are not as they were recorded."""
    now = Stamps(store.database, 0).texts([record.command.digest for record in records])
    gaps: list[Gap] = []
    for record in records:
        command = record.command
        if record.failure:
            gaps.append(_gap(command.name, f"{record.failure} (when it was checked)"))
        elif not Path(command.directory, command.source).exists():
            gaps.append(_gap(command.name, "checked once, and gone since; lockspec kbuild forget drops it"))
        elif not record.text or now.get(command.digest) != record.text:
            gaps.append(_gap(command.name, f"changed since it was checked, or a header did; left out: {_AGAIN}"))
    return gaps


def _unrecorded(
    everything: Sequence[UnitRecord], chosen: Sequence[UnitRecord], options: CheckOptions, output: str
) -> list[Gap]:
    """Tell which units Kbuild compiled in the directories of checked ones and did not have checked."""
    if options.units:
        return []
    names = FileNames(Path(everything[0].tree), Path(everything[0].build))
    directory = everything[0].command.directory
    known = {record.command.name for record in everything}
    found = {
        name
        for folder in sorted(_folders(chosen, output))
        for file in compiled_in(Path(folder), directory)
        if (name := names.name(file, directory)) not in known and is_of_the_kernel(name)
    }
    chosen_of = (name for name in sorted(found) if not options.under or _is_below(name, options.under))
    return [_gap(name, f"compiled here and not checked; left out: {_NEVER}") for name in chosen_of]


def _folders(records: Iterable[UnitRecord], output: str) -> set[str]:
    """Return where the objects of units lie."""
    return {join(output, dirname(record.command.name)).rstrip("/") for record in records}


def _is_below(name: str, folders: Sequence[str]) -> bool:
    return any(folder == "." or name.startswith(f"{folder}/") for folder in folders)


def _gap(name: str, text: str) -> Gap:
    return Gap(GapKind.UNIT, Location(name, 1), text)
