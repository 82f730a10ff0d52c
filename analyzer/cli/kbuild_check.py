# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec kbuild check`: what make calls for each C file, by `C=1 CHECK="lockspec kbuild check"`.

In: our options, Sparse's flags, the compiler's flags, a file. Out: messages on standard error, as a compiler gives them.

typer is not asked: it takes longer to start than a unit that did not change takes to check.

**Invariant:** what one unit has to say is written in one piece: messages of `make -j` stay together.
**Invariant:** nothing that goes wrong here ends the build unless that is asked for; all of it is told.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from analyzer.base.errors import InputError, LockspecError
from analyzer.facts.store import default_directory
from analyzer.pipeline.unit_check import UnitAnswer, UnitOptions, check_unit
from analyzer.source.checker import CheckerCall, read_call

#: options with an operand, as `--cache DIR` or `--cache=DIR`
_WITH_OPERAND = ("--cache", "--specs", "--rule")
_FLAGS = ("--fail", "--facts-only", "--no-cache")
#: Sparse's way of asking for `--fail`
_SPARSE_FAIL = "-Wsparse-error"
#: the only options of Sparse with two dashes
_SPARSE = ("--arch=",)
_CLEAN, _FINDINGS, _USAGE, _INCOMPLETE, _INTERRUPTED = 0, 1, 2, 3, 130


class _Given(Struct):
    """Our options among the flags before the compiler's."""

    cache: Path | None
    specs: list[Path]
    rules: list[str]
    fail: bool = False
    facts_only: bool = False
    #: what is no option of anybody
    unknown: list[str] = []


def main(words: Sequence[str]) -> int:
    """Check one unit; return the exit status that make is to see."""
    try:
        call = read_call(words, os.environ, str(Path.cwd()))
        given = _read(call.flags)
    except InputError as error:
        print(f"lockspec kbuild check: {error}", file=sys.stderr)
        return _USAGE
    name, fail = call.command.name, given.fail
    try:
        answer = _checked(call, given)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except LockspecError as error:
        answer = UnitAnswer("", (str(error),))
    except Exception:  # an error of our own must not end somebody's build
        traceback.print_exc()
        answer = UnitAnswer("", ("this is an error of lockspec itself; please report it",))
    _tell(answer, name)
    if not fail:
        return _CLEAN
    return _FINDINGS if answer.messages else _INCOMPLETE if answer.failures else _CLEAN


def _checked(call: CheckerCall, given: _Given) -> UnitAnswer:
    unknown = tuple(f"unknown option {word}, which was not heeded" for word in given.unknown)
    if not call.is_of_the_kernel:
        return UnitAnswer("", unknown)
    options = UnitOptions(
        cache=given.cache, specs=tuple(given.specs), rules=tuple(given.rules), facts_only=given.facts_only
    )
    answer = check_unit(call, options)
    return UnitAnswer(answer.messages, (*unknown, *answer.failures))


def _read(flags: Sequence[str]) -> _Given:
    """Find our options; what is not ours is Sparse's."""
    given = _Given(default_directory(), [], [])
    rest = iter(flags)
    for word in rest:
        option, equals, operand = word.partition("=")
        if option in _WITH_OPERAND:
            _take(given, option, operand if equals else next(rest, ""))
        elif word in _FLAGS or word == _SPARSE_FAIL:
            given.fail = given.fail or word in ("--fail", _SPARSE_FAIL)
            given.facts_only = given.facts_only or word == "--facts-only"
            given.cache = None if word == "--no-cache" else given.cache
        elif word.startswith("--") and not word.startswith(_SPARSE):
            given.unknown.append(word)
    return given


def _take(given: _Given, option: str, operand: str) -> None:
    if not operand:
        raise InputError(f"{option} needs an operand")
    match option:
        case "--cache":
            given.cache = Path(operand)
        case "--specs":
            given.specs.append(Path(operand))
        case "--rule":
            given.rules.append(operand)


def _tell(answer: UnitAnswer, name: str) -> None:
    failures = "".join(f"{name}:1: warning: lockspec: {line}\n" for line in answer.failures)
    text = (answer.messages + failures).encode("utf-8", "backslashreplace")
    sys.stderr.flush()
    while text:
        text = text[os.write(sys.stderr.fileno(), text) :]
