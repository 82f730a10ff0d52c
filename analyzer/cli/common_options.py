# SPDX-License-Identifier: GPL-2.0-only
"""The options about input and output, for groups of commands that all take them.

In: a command whose first parameter is `Common`. Out: the command as typer wants it, with one option for each.

**Invariant:** an option may stand before or after the command's name; what stands after it wins.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import Struct, structs

from analyzer.cli import arguments, output
from analyzer.pipeline.options import CheckOptions
from analyzer.report import Style

_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
_Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show every call, not only the first three.")]


class Common(Struct, frozen=True, kw_only=True):
    """What was asked of input and output."""

    given: arguments.Given
    output: Path | None
    quiet: bool
    verbose: bool

    def after(self, earlier: Common | None) -> Common:
        """Return these options with `earlier` ones where these say nothing."""
        if earlier is None:
            return self
        before, now = structs.asdict(earlier.given), structs.asdict(self.given)
        return Common(
            given=arguments.Given(**{name: now[name] or before[name] for name in now}),
            output=self.output or earlier.output,
            quiet=self.quiet or earlier.quiet,
            verbose=self.verbose or earlier.verbose,
        )

    def options(self, rules: list[str] | None = None, units: list[str] | None = None) -> CheckOptions:
        """Return what the pipeline takes. Raise `typer.BadParameter`."""
        return arguments.check_options(self.given, rules, units)

    def style(self) -> Style:
        """Return for whom to write."""
        return output.style_for(self.output, quiet=self.quiet, verbose=self.verbose)


def _common(
    tree: arguments.Tree = None,
    build: arguments.Build = None,
    compile_commands: arguments.CompileCommands = None,
    preprocessed: arguments.Preprocessed = None,
    specs: arguments.Specs = None,
    under: arguments.Under = None,
    overlay: arguments.Overlays = None,
    jobs: arguments.Jobs = None,
    cache: arguments.Cache = None,
    no_cache: arguments.NoCache = False,
    output_file: arguments.Output = None,
    quiet: _Quiet = False,
    verbose: _Verbose = False,
) -> Common:
    given = arguments.Given(
        tree=tree,
        build=build,
        compile_commands=compile_commands,
        preprocessed=preprocessed,
        specs=specs,
        under=under,
        overlays=overlay,
        jobs=jobs,
        cache=cache,
        no_cache=no_cache,
    )
    return Common(given=given, output=output_file, quiet=quiet, verbose=verbose)


#: options of `_common` that say where and how much to print
_PRINTING = frozenset({"output_file", "verbose"})


def with_common_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with an option for each thing in `Common`, which it gets as its first argument."""
    return _with(command, frozenset())


def with_input_options(command: Callable[..., None]) -> Callable[..., None]:
    """Do the same for a command that prints no answer: without `--output` and `--verbose`."""
    return _with(command, _PRINTING)


def _with(command: Callable[..., None], left_out: frozenset[str]) -> Callable[..., None]:
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    common = inspect.signature(_common, eval_str=True).parameters
    own_names = {parameter.name for parameter in own}
    # what a command declares itself means something of its own there
    taken = [parameter for name, parameter in common.items() if name not in left_out | own_names]

    @wraps(command)
    def run(context: typer.Context, **values: Any) -> None:  # noqa: ANN401 (whatever the options hold)
        chosen = _common(**{parameter.name: values.pop(parameter.name) for parameter in taken}).after(context.obj)
        context.obj = chosen
        if "context" in own_names:
            values["context"] = context
        command(chosen, **values)

    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    parameters = [context, *(parameter for parameter in own if parameter.name != "context"), *taken]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
