# SPDX-License-Identifier: GPL-2.0-only
"""What a renderer is given beside the report: source lines, and for whom it writes.

In: the command line. Out: `Style(width=100, colour=True)`.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class Blame(Struct, frozen=True):
    """Who wrote a line, as version control tells."""

    #: 1-based
    line: int
    #: 12 hex digits; zeros: changed and not committed
    commit: str
    author: str
    #: `2024-10-21`
    date: str
    text: str


class SourceReader(Protocol):
    """Gives lines of the analysed source, overlays included, and their history."""

    def line(self, file: str, line: int) -> str | None:
        """Return line `line` (1-based) of `file` without its newline, or None where it cannot be had."""

    def blame(self, file: str, first: int, last: int) -> tuple[Blame, ...]:
        """Tell who wrote lines `first` to `last` of `file`; nothing where there is no history."""

    def revision(self) -> str:
        """Name the version of the source, `a1b2c3d4e5f6 ("KVM: fix it")`; empty where it is not known."""


class NoSources:
    """A `SourceReader` that has no line at all."""

    def line(self, file: str, line: int) -> str | None:
        """Return None."""

    def blame(self, file: str, first: int, last: int) -> tuple[Blame, ...]:  # noqa: ARG002 (as the protocol has it)
        """Return nothing."""
        return ()

    def revision(self) -> str:
        """Return nothing."""
        return ""


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
