# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec kbuild`: what the kernel's own build calls, and what comes after it.

In: options. Out: messages of one unit; a report of all units that a build had checked; an exit status.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli import arguments, baseline, output, progress, status
from analyzer.cli.check import ExplainPath, Format, Strict, tell_failed_units
from analyzer.cli.sources import TreeSources
from analyzer.report import renderer

app = typer.Typer(help="Check as a part of the kernel's build.", rich_markup_mode=None)

CHECK_EXAMPLES = """\b
Examples:
  make C=1 CHECK="lockspec kbuild check" virt/kvm/ arch/x86/kvm/          what is compiled
  make C=2 CHECK="lockspec kbuild check" virt/kvm/ arch/x86/kvm/          every unit, compiled or not
  make C=1 CHECK="lockspec kbuild check" CF=--fail                        findings end the build
  make -C ~/linux M=$PWD C=1 CHECK="lockspec kbuild check"                an external module
"""
LINK_EXAMPLES = """\b
Examples:
  lockspec kbuild link                               in the directory where make ran
  lockspec kbuild link --build ~/out --format sarif --output lockspec.sarif
  lockspec kbuild link --baseline lockspec.baseline --under virt/kvm
"""
FORGET_EXAMPLES = """\b
Examples:
  lockspec kbuild forget --under drivers/net         what is built there has changed
"""

Output = Annotated[
    Path | None,
    typer.Option(
        "--build",
        exists=True,
        file_okay=False,
        metavar="DIR",
        help="Where make put objects: O=, M= or the tree. Default: the directory you are in.",
    ),
]
Units = Annotated[list[str] | None, typer.Argument(metavar="[UNITS]...", help="Main .c files. Default: all.")]


@app.command(
    "check",
    epilog=CHECK_EXAMPLES,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
def check(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FLAGS]... FILE", help="As make gives them; our own flags stand first."),
    ] = None,
) -> None:
    """Check one unit: make calls this for each C file, by C=1 or C=2 and CHECK="lockspec kbuild check".

    Prints what this unit decides whatever other units hold, and stores its facts for lockspec kbuild link. Flags of
    Sparse are passed over. Our own, after check or in CF=: --fail (findings and what goes wrong end the build; without
    it, the status is 0), --facts-only (print no findings), --rule GLOB, --specs PATH, --cache DIR, --no-cache.
    """
    from analyzer.cli.kbuild_check import main

    raise typer.Exit(main(words or []))


@app.command("link", epilog=LINK_EXAMPLES)
def link(
    units: Units = None,
    build: Output = None,
    specs: arguments.Specs = None,
    rule: arguments.Rules = None,
    under: arguments.Under = None,
    jobs: arguments.Jobs = None,
    cache: arguments.Cache = None,
    baseline_file: arguments.Baseline = None,
    format: Format = "text",  # noqa: A002 (the option's name)
    output_file: arguments.Output = None,
    explain_path: ExplainPath = False,
    strict: Strict = False,
    quiet: arguments.Quiet = False,
    verbose: arguments.Verbose = False,
) -> None:
    """Report on the whole program: all units that a build had checked, by the facts that were stored then.

    The same findings as those of lockspec check for these units. Units that changed since, or that were compiled beside
    them and not checked, are told and left out. Exit status: as that of lockspec check; 3 if a unit is left out.
    """
    from analyzer.pipeline.baseline import judged, read
    from analyzer.pipeline.kbuild_link import link_build

    options = arguments.check_options(_given(specs, under, jobs, cache, build), rule, units)
    output.check_writable(output_file)
    known = read(baseline_file) if baseline_file else None
    with progress.shown(quiet) as bar:
        linked = link_build(options, bar, explain_paths=explain_path)
    report, n_unused = linked.report, 0
    tell_failed_units(report)
    if linked.n_elsewhere and not quiet:
        print(f"{linked.n_elsewhere} objects of this build lie where no unit was checked", file=sys.stderr)
    if known is not None and baseline_file is not None:
        held = judged(known, report, linked.options)
        report, n_unused = held.report, len(held.unused)
        baseline.tell(held, baseline_file, quiet)
    style = output.style_for(output_file, strict=strict, quiet=quiet, verbose=verbose)
    output.write(renderer(format)(report, TreeSources(linked.options), style), output_file)
    raise typer.Exit(status.of_report(report, strict, n_unused))


@app.command("forget", epilog=FORGET_EXAMPLES)
def forget(
    units: Units = None,
    build: Output = None,
    under: arguments.Under = None,
    cache: arguments.Cache = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing.")] = False,
) -> None:
    """Drop the records of units, so that lockspec kbuild link expects them no more; their facts stay in the cache."""
    from analyzer.pipeline.kbuild_link import forget_build

    gone = forget_build(arguments.check_options(_given(None, under, None, cache, build), None, units))
    if not quiet:
        print(f"{gone} units forgotten")


def _given(
    specs: list[Path] | None, under: list[str] | None, jobs: int | None, cache: Path | None, build: Path | None
) -> arguments.Given:
    return arguments.Given(
        tree=None,
        build=build,
        compile_commands=None,
        preprocessed=None,
        specs=specs,
        under=under,
        overlays=None,
        jobs=jobs,
        cache=cache,
        no_cache=False,
    )
