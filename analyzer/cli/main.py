# SPDX-License-Identifier: GPL-2.0-only
"""The `lockspec` command: its subcommands, and how a run ends.

In: `sys.argv`. Out: an exit status (`analyzer.cli.status`).

**Invariant:** each thing that the user gave wrong is one line on standard error, without a traceback, and status 2.
**Invariant:** an error of our own never looks like findings: it is a traceback and status 3.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer
import typer.completion
import typer.main
from typer.exceptions import TyperException

from analyzer import __version__
from analyzer.base.errors import LockspecError
from analyzer.cli import (
    baseline,
    callgraph,
    check,
    completion,
    crosscheck,
    diff,
    doctor,
    explain,
    init,
    kbuild,
    lsp,
    man,
    spec,
    watch,
)
from analyzer.cli.status import Status

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}

app = typer.Typer(
    name="lockspec",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=_SETTINGS,
)
app.command("check", epilog=check.EXAMPLES)(check.check)
app.command("diff", epilog=diff.EXAMPLES)(diff.diff)
app.command("explain", epilog=explain.EXAMPLES)(explain.explain)
app.add_typer(baseline.app, name="baseline")
app.add_typer(callgraph.app, name="callgraph")
app.command("crosscheck", epilog=crosscheck.EXAMPLES)(crosscheck.crosscheck)
app.add_typer(spec.app, name="spec")
app.add_typer(kbuild.app, name="kbuild")
app.add_typer(init.app, name="init")
app.command("watch", epilog=watch.EXAMPLES)(watch.watch)
app.command("lsp", epilog=lsp.EXAMPLES)(lsp.lsp)
app.command("doctor", epilog=doctor.EXAMPLES)(doctor.doctor)
app.command("completion", epilog=completion.EXAMPLES)(completion.completion)
app.command("man", epilog=man.EXAMPLES)(man.man)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"lockspec {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True, epilog="Each command has its own --help, with examples.")
def _lockspec(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 (its callback prints it)
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Check the Linux kernel's call paths against lock rules written in YAML."""
    if context.invoked_subcommand is None:
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(Status.USAGE)


def run() -> NoReturn:
    """Run the command line and leave the process."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Run one command; return its exit status."""
    if completion.VARIABLE in os.environ:
        typer.completion.completion_init()  # type: ignore[attr-defined]  # known there, not exported
    try:
        left = typer.main.get_command(app).main(args=list(arguments), prog_name="lockspec", standalone_mode=False)
    except LockspecError as error:
        return _fail(str(error))
    except TyperException as error:
        return _fail(f"lockspec: {' '.join(error.format_message().split())}")
    except (KeyboardInterrupt, typer.Abort):
        return Status.INTERRUPTED
    except Exception:  # the last resort: Python's own status 1 would say that there are findings
        traceback.print_exc()
        print("lockspec: this is an error of lockspec itself; please report it", file=sys.stderr)
        return Status.INCOMPLETE
    return left if isinstance(left, int) else Status.CLEAN


def _fail(message: str) -> Status:
    print(message, file=sys.stderr)
    return Status.USAGE
