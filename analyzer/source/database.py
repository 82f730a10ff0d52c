# SPDX-License-Identifier: GPL-2.0-only
"""Compilations that a compile database records.

In: `compile_commands.json`. Out: the C ones in the file's order, and how many others there were.

**Source:** https://clang.llvm.org/docs/JSONCompilationDatabase.html
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
from msgspec import Struct

from analyzer.base.errors import InputError
from analyzer.base.location import Location
from analyzer.source.command import Compilation, split_words

_REMEDY = "write it anew with make compile_commands.json, or scripts/clang-tools/gen_compile_commands.py of the kernel"


class _Entry(Struct):
    """One object of the database."""

    directory: str
    file: str
    command: str = ""
    arguments: tuple[str, ...] = ()


def read_database(path: Path) -> tuple[list[Compilation], int]:
    """Read `path`; raise `InputError` where it is missing, malformed or without entries."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; {_REMEDY}") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; --compile-commands takes a compile_commands.json") from None
    try:
        entries = msgspec.json.decode(data, type=list[_Entry])
    except msgspec.ValidationError as error:
        raise InputError(
            f"not a compile database: {_in_words(str(error))}; {_REMEDY}", Location(str(path), 1)
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _syntax_error(path, data) from None
    if not entries:
        raise InputError(f"the compile database has no entries; {_REMEDY}", Location(str(path), 1, 1))
    compilations = [_compilation(path, number, entry) for number, entry in enumerate(entries) if _is_c(entry)]
    if not compilations:
        raise InputError(f"none of the {len(entries)} entries compiles a C file; {_REMEDY}", Location(str(path), 1, 1))
    return compilations, len(entries) - len(compilations)


def _is_c(entry: _Entry) -> bool:
    return entry.file.endswith(".c")


def _compilation(path: Path, number: int, entry: _Entry) -> Compilation:
    words = entry.arguments or split_words(entry.command)
    if not words:
        raise InputError(f"entry {number + 1} ({entry.file}) has no command; {_REMEDY}", Location(str(path), 1))
    directory = entry.directory if entry.directory.startswith("/") else str(path.parent.resolve() / entry.directory)
    return Compilation(entry.file, directory, words)


def _in_words(message: str) -> str:
    """Turn msgspec's `… - at `$[3].file`` into `entry 4, key "file": …`."""
    match = re.fullmatch(r"(.*?)(?: - at `\$(?:\[(\d+)\])?(?:\.(\w+))?.*`)?", message, re.DOTALL)
    assert match is not None
    entry = f"entry {int(match[2]) + 1}" if match[2] else ""
    key = f'key "{match[3]}"' if match[3] else ""
    place = ", ".join(filter(None, (entry, key)))
    text = match[1].replace("`", "")
    return f"{place}: {text}" if place else text


def _syntax_error(path: Path, data: bytes) -> InputError:
    """Find line and column of what is not JSON; the fast decoder tells only a byte offset."""
    try:
        text = data.decode()
        json.loads(text)
    except UnicodeDecodeError as error:
        head = data[: error.start]
        line, column = head.count(b"\n") + 1, error.start - head.rfind(b"\n")
        return InputError(f"not JSON: byte {data[error.start]:#04x} is not UTF-8; {_REMEDY}",
                          Location(str(path), line, column))  # fmt: skip
    except json.JSONDecodeError as error:
        return InputError(f"not JSON: {error.msg}; {_REMEDY}", Location(str(path), error.lineno, error.colno))
    except RecursionError:
        pass
    return InputError(f"not JSON that can be read; {_REMEDY}", Location(str(path), 1, 1))
