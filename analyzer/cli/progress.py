# SPDX-License-Identifier: GPL-2.0-only
"""A progress bar on standard error.

In: stages and parts of work. Out: one line that moves, gone when the work is done.

**Invariant:** nothing is written unless standard error is a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from analyzer.pipeline.options import Progress, Silent


class _Bar:
    """A `Progress` in rich's hands: one bar, a stage at a time."""

    def __init__(self, bar: object) -> None:
        from rich.progress import Progress as RichProgress

        assert isinstance(bar, RichProgress)
        self._bar = bar
        self._task = bar.add_task("", total=None, visible=False)

    def begin(self, stage: str, total: int) -> None:
        """Show the stage with an empty bar."""
        self._bar.reset(self._task, description=stage, total=total, visible=True)

    def advance(self, parts: int = 1) -> None:
        """Move the bar."""
        self._bar.advance(self._task, parts)


@contextmanager
def shown(quiet: bool) -> Iterator[Progress]:
    """Give a `Progress` that is seen where somebody can see it."""
    if quiet or not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar)
