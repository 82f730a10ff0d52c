# SPDX-License-Identifier: GPL-2.0-only
"""What a renderer is given beside the report: source lines, and for whom it writes.

In: the command line. Out: `Style(width=100, colour=True)`.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class SourceReader(Protocol):
    """Gives lines of the analysed source, overlays included."""

    def line(self, file: str, line: int) -> str | None:
        """Return line `line` (1-based) of `file` without its newline, or None where it cannot be had."""


class NoSources:
    """A `SourceReader` that has no line at all."""

    def line(self, file: str, line: int) -> str | None:
        """Return None."""


class Style(Struct, frozen=True, kw_only=True):
    """For whom a report is written; formats for programs ignore it."""

    #: columns of the terminal; None: lines are as long as they are
    width: int | None = None
    #: ANSI colours
    colour: bool = False
    #: unknown verdicts count like violations
    strict: bool = False
    #: findings only, no summary
    quiet: bool = False
    #: every gap, and the way to every unknown verdict
    verbose: bool = False
