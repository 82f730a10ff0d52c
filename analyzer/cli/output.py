# SPDX-License-Identifier: GPL-2.0-only
"""Where a report goes: a file, written all or nothing, or standard output.

In: text. Out: bytes in UTF-8.

**Invariant:** a reader of the file sees the old content or the new, never a part.
**Invariant:** a reader of the pipe who leaves early is no error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from analyzer.base.errors import InputError
from analyzer.report import Style


def check_writable(output: Path | None) -> None:
    """Fail before the work rather than after it. Raise `InputError`."""
    if output is not None and not output.resolve().parent.is_dir():
        raise InputError(f"{output}: cannot be written: no such directory")


def write(text: str, output: Path | None) -> None:
    """Write `text`. Raise `InputError` where that is impossible."""
    try:
        if output is None:
            _write_standard(text)
        elif output.exists() and not output.is_file():
            output.write_text(text, "utf-8", "backslashreplace")  # a device or a pipe
        else:
            _replace(output.resolve(), text)
    except OSError as error:
        raise InputError(f"{output or 'standard output'}: cannot be written: {error.strerror}") from error


def _write_standard(text: str) -> None:
    try:
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # What Python still holds is flushed once more at exit; let it go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _replace(path: Path, text: str) -> None:
    """Write beside `path`, then put it in its place; the rights are those of any new file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("x", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def style_for(output: Path | None, *, strict: bool = False, quiet: bool = False, verbose: bool = False) -> Style:
    """Decide on colours and width: both belong to a terminal. NO_COLOR is honoured (https://no-color.org)."""
    terminal = output is None and sys.stdout.isatty()
    return Style(
        width=os.get_terminal_size(sys.stdout.fileno()).columns or None if terminal else None,
        colour=terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        strict=strict,
        quiet=quiet,
        verbose=verbose,
    )
