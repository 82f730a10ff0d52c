# SPDX-License-Identifier: GPL-2.0-only
"""A part of a unit, preprocessed by itself: with the macros that are defined where it stands.

In: the unit once with all its `#define` lines left in, then the text of one function and its line. Out: what the
preprocessor makes of that text there, a tenth of the time later.

**Invariant:** `split` makes of the part what it makes of the whole there, but for numbers made of `__COUNTER__`.
"""

from __future__ import annotations

import os
import re
import subprocess
from bisect import bisect_left
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from analyzer.base.gap import Gap
from analyzer.source.command import CompileCommand
from analyzer.source.mirror import Mirror
from analyzer.source.preprocess import ENVIRONMENT, compiler_of, output

#: `-dD`: leave `#define` and `#undef` in
_LEAVE = ("-dD",)
_MARKER_OR_DIRECTIVE = re.compile(
    r'^#(?: (?P<line>\d+) "(?P<name>(?:[^"\\\n]|\\.)*)"(?P<flags>[ \d]*)|(?:define|undef) [^\n]*)$', re.MULTILINE
)
#: what the language's version changes for the preprocessor
_STANDARD = ("-std=", "-ansi", "-fms-extensions", "-fdollars-in-identifiers")


class Macros(Struct, frozen=True):
    """The `#define` and `#undef` lines of a unit, in order."""

    directives: tuple[str, ...]
    #: for each the line of the main file at which it stands, or at which the file with it is included
    lines: tuple[int, ...]

    def n_before(self, line: int) -> int:
        """Return how many of them stand before a line of the main file."""
        return bisect_left(self.lines, line)

    def moved(self, after: int, by: int) -> Macros:
        """Return them with those behind line `after` moved by so many lines."""
        return self if by == 0 else replace(self, lines=tuple(at + by if at > after else at for at in self.lines))


def read_macros(command: CompileCommand, mirror: Mirror | None = None) -> Macros | Gap:
    """Preprocess a unit for its macros."""
    data = output(command, mirror, _LEAVE)
    return data if isinstance(data, Gap) else _macros(data.decode("utf-8", "replace"))


def _macros(text: str) -> Macros:
    directives: list[str] = []
    lines: list[int] = []
    main, name, depth = "", "", 0
    number, since, place = 0, 0, 0
    for match in _MARKER_OR_DIRECTIVE.finditer(text):
        is_main = depth == 0 and name == main
        if is_main:
            place = number + text.count("\n", since, match.start())
        if match["line"] is None:
            directives.append(match.group())
            lines.append(place)
            continue
        name, main = match["name"], main or match["name"]
        depth += ("1" in match["flags"]) - ("2" in match["flags"] and depth > 0)
        number, since = int(match["line"]), match.end() + 1
    return Macros(tuple(directives), tuple(lines))


class Expander:
    """Preprocesses parts of one unit; `folder` is for its files."""

    def __init__(self, command: CompileCommand, macros: Macros, folder: Path) -> None:
        self.macros = macros
        self._command = command
        self._folder = folder
        self._n_written = -1

    def expand(self, text: str, line: int) -> str | None:
        """Preprocess `text`, which begins on `line` of the main file; None where that fails."""
        compiler = compiler_of(self._command)
        if isinstance(compiler, Gap):
            return None
        file = self._written(self.macros.n_before(line))
        chosen = [word for word in self._command.arguments[1:] if word.startswith(_STANDARD)]
        flags = ["-E", "-w", "-undef", "-nostdinc", "-x", "c", "-imacros", str(file), "-"]
        done = subprocess.run(
            [compiler, *chosen, *flags],
            cwd=self._command.directory,
            env=os.environ | ENVIRONMENT,
            input=f'# {line} "{self._command.source}"\n{text}\n'.encode("utf-8", "surrogateescape"),
            capture_output=True,
            check=False,
        )
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None

    def with_macros(self, macros: Macros) -> Expander:
        """Return one for the same directives at other lines."""
        other = Expander(self._command, macros, self._folder)
        other._n_written = self._n_written
        return other

    def _written(self, n: int) -> Path:
        """Return a file with the first `n` directives."""
        file = self._folder / "macros.h"
        if n != self._n_written:
            file.write_text("\n".join(self.macros.directives[:n]) + "\n", "utf-8", "replace")
            self._n_written = n
        return file
