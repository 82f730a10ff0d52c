# SPDX-License-Identifier: GPL-2.0-only
"""Errors in what the user gave.

**Invariant:** the message begins with its place (`file:line:column: `) where there is one. The command line is
the only place that catches `LockspecError`.
"""

from analyzer.base.location import Location


class LockspecError(Exception):
    """Base of all errors that are the user's to mend; ends the run with exit status 2."""

    def __init__(self, message: str, location: Location | None = None) -> None:
        super().__init__(f"{location}: {message}" if location else message)
        #: where in the user's input, if anywhere
        self.location = location


class InputError(LockspecError):
    """The kernel tree, compile database or preprocessed text cannot be used."""


class SpecError(LockspecError):
    """A lock specification is wrong."""


class SpecWarning(SpecError):  # noqa: N818 — no error: nothing ends because of it
    """A lock specification says what nobody needs."""

    def __init__(self, message: str, location: Location) -> None:
        super().__init__(f"warning: {message}", location)
