# SPDX-License-Identifier: GPL-2.0-only
"""What a run depends on, and when any of it changes.

In: `CheckOptions`, after a run. Out: the files that were read: sources, headers, specifications, the compile database.

A file is looked at by its size and times, as often as asked. That costs a system call for each of some thousand files,
and nothing that has to be installed or that a network file system does not tell.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from analyzer.base.errors import LockspecError
from analyzer.facts.stamps import Stamps
from analyzer.facts.store import Store
from analyzer.pipeline.options import CheckOptions
from analyzer.source.commands import read_units
from analyzer.spec.files import given_files, shipped_files

#: between two looks
INTERVAL_S = 0.5
#: an editor or git writes several files: nothing must have changed for so long
SETTLE_S = 0.2

State = tuple[int, int, int] | None


def watched(options: CheckOptions) -> tuple[str, ...]:
    """Return the files that a run with `options` reads, as far as its cache knows; never raises."""
    files = {str(path.absolute()) for path in _given(options)}
    try:
        files.update(str(file.path) for file in (given_files(options.specs) if options.specs else shipped_files()))
        units = read_units(
            tree=options.tree,
            build=options.build,
            compile_commands=options.compile_commands,
            preprocessed=options.preprocessed,
            under=options.under,
            units=options.units,
        )
        files.update(os.path.join(command.directory, command.source) for command in units.commands)  # noqa: PTH118
        with Store(options.cache) as store:
            files.update(Stamps(store.database, 0).files([command.digest for command in units.commands]))
    except LockspecError:
        pass  # the run has told it; what is known is watched
    return tuple(sorted(files))


def _given(options: CheckOptions) -> Iterable[Path]:
    yield from options.specs
    yield from (path for _, path in options.overlays)
    base = options.build or options.tree
    if options.compile_commands is not None:
        yield options.compile_commands
    elif base is not None:
        yield base / "compile_commands.json"


def wait_for_change(
    files: Iterable[str], begun_ns: int, sleep: Callable[[float], None] = time.sleep
) -> tuple[str, ...]:
    """Wait until files change; return which. One that changed since `begun_ns`, when they were read, has changed."""
    before = {file: _state(file) for file in files}
    now_ns = time.time_ns()  # a time that is yet to come says nothing about when the file was written
    changed = {file for file, state in before.items() if state is not None and begun_ns <= state[1] <= now_ns}
    while not changed:
        sleep(INTERVAL_S)
        changed = {file for file, state in before.items() if _state(file) != state}
    while True:
        now = {file: _state(file) for file in before}
        sleep(SETTLE_S)
        more = {file for file, state in now.items() if _state(file) != state}
        if not more:
            return tuple(sorted(changed))
        changed |= more


def _state(file: str) -> State:
    try:
        status = os.stat(file)  # noqa: PTH116 - thousands of them
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns
