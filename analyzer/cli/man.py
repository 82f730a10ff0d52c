# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec man`: the manual page, made from the commands as they are.

In: the commands, their options and help texts. Out: a page for man(1), in the macros of man(7).

**Invariant:** the page depends on the commands and the version alone: no date, no terminal, no home directory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
import typer.main

from analyzer import __version__
from analyzer.cli import arguments, output

EXAMPLES = """\b
Examples:
  lockspec man | man -l -
  lockspec man --output ~/.local/share/man/man1/lockspec.1
"""
_STATUSES = (
    ("0", "Nothing to report."),
    ("1", "Findings; entries of a baseline that accept nothing; something for lockspec doctor to mend."),
    ("2", "Wrong usage, unreadable input or a bad specification."),
    ("3", "The analysis is incomplete, and nothing worse was found."),
)
_FILES = (
    ("~/.cache/lockspec", "Facts of earlier runs; below XDG_CACHE_HOME where that is set. May be removed at any time."),
    ("lockspec.baseline", "By custom, the findings that are accepted, each for a reason."),
)


def man(output_file: arguments.Output = None) -> None:
    """Print the manual page, made from these very commands."""
    output.check_writable(output_file)
    output.write(manual(), output_file)


def manual() -> str:
    """Return the page."""
    from analyzer.cli.main import app  # it knows us, as it knows every command

    root = typer.main.get_command(app)
    lines = [
        '.\\" SPDX-License-Identifier: GPL-2.0-only',
        '.\\" Made by `lockspec man`.',
        f'.TH LOCKSPEC 1 "" "lockspec {__version__}" "User Commands"',
        ".SH NAME",
        f"lockspec \\- {_text(_summary(root))}",
        ".SH SYNOPSIS",
        ".B lockspec",
        "[\\fB\\-\\-version\\fR] \\fICOMMAND\\fR [\\fIOPTION\\fR]...",
        ".SH COMMANDS",
    ]
    for name, command in _commands(root, ""):
        lines += _command(name, command)
    lines += [".SH EXIT STATUS", *_definitions(_STATUSES), ".SH FILES", *_definitions(_FILES)]
    lines += [".SH SEE ALSO", ".BR sparse (1)"]
    return "".join(f"{line}\n" for line in lines)


def _commands(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 (typer gives no type for it)
    """Yield every command that does something, with its whole name."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def _command(name: str, command: Any) -> list[str]:  # noqa: ANN401 (as above)
    given = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    words = " ".join(["lockspec", name, "[OPTION]...", *map(_argument, given)])
    lines = [f'.SS "{_text(words)}"']
    for number, paragraph in enumerate(_paragraphs(command.help or "")):
        lines += [".PP"] * (number > 0) + [_text(paragraph)]
    for parameter in given:
        if getattr(parameter, "help", None):
            lines += [".TP", f"\\fI{_text(_argument(parameter))}\\fR", _text(parameter.help)]
    for option in options:
        if option.name != "help":
            lines += [".TP", _names(option), _text(option.help or "")]
    examples = [line for line in (command.epilog or "").split("\n") if line.startswith("  ")]
    if examples:
        lines += [".PP", "Examples:", ".PP", ".nf", *map(_text, examples), ".fi"]
    return [line for line in lines if line]


def _summary(command: Any) -> str:  # noqa: ANN401 (as above)
    text = str(_paragraphs(command.help or "")[0]).rstrip(".")
    return text[:1].lower() + text[1:]


def _paragraphs(text: str) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip()] or [""]


def _argument(parameter: Any) -> str:  # noqa: ANN401 (as above)
    """Return how an argument is written: `UNITS...`, `FILE`."""
    shown = str(parameter.metavar or parameter.name.upper())
    return shown.strip("[]{}").replace("]...", "...")


def _names(option: Any) -> str:  # noqa: ANN401 (as above)
    """Return an option's names with what it takes."""
    names = ", ".join(f"\\fB{_text(name)}\\fR" for name in (*option.opts, *option.secondary_opts))
    if option.is_flag or option.count:
        return names
    metavar = str(option.metavar or option.type.name.upper())
    return f"{names} \\fI{_text(metavar)}\\fR"


def _definitions(pairs: tuple[tuple[str, str], ...]) -> list[str]:
    return [line for name, text in pairs for line in (".TP", f"\\fB{_text(name)}\\fR", _text(text))]


def _text(text: str) -> str:
    """Write text so that roff takes it as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    text = text.replace("~", "\\(ti").replace("^", "\\(ha").replace('"', "\\(dq")
    text = "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in text)
    return f"\\&{text}" if text.startswith((".", " ")) else text
