# SPDX-License-Identifier: GPL-2.0-only
"""What a run would need, looked at before it: is it there, does it fit together, and what mends it.

In: `CheckOptions`. Out: a `Diagnosis` for each thing, in the order in which they are to be mended.

**Invariant:** nothing is written but what a run would write into its cache, and nothing raises: what cannot be looked at
is a diagnosis.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

from analyzer.base.errors import LockspecError
from analyzer.base.gap import Gap
from analyzer.facts.store import Store
from analyzer.findings.diagnosis import Diagnosis
from analyzer.pipeline.options import CheckOptions
from analyzer.source import kbuild
from analyzer.source.command import CompileCommand
from analyzer.source.commands import UnitList, read_units
from analyzer.source.preprocess import preprocess
from analyzer.spec.load import load

#: what the top of every kernel's source has
_TREE = ("Makefile", "Kbuild", "Kconfig")
#: what `make prepare` makes, and units include
_GENERATED = ("autoconf.h", "bounds.h", "utsrelease.h")
_DATABASE = "compile_commands.json"
#: units that are preprocessed, to see whether they can be
N_TRIED = 3
_TIMEOUT_S = 30


def diagnose(options: CheckOptions) -> Iterator[Diagnosis]:
    """Look at everything."""
    tree = options.tree or Path()
    build = options.build or tree
    make = _make(tree, build)
    units, told = _units(options, build, make)
    if not options.preprocessed:
        source = _source(tree)
        if source.condition == "well":
            yield from (source, _configuration(build, make), _headers(build, make))
        elif units is not None:
            yield Diagnosis("source", "well", f"{tree.resolve()}; no kernel, taken as it is")
        else:
            yield source
    yield told
    if units is not None:
        yield from _sources(units, options, make)
        yield from _compilers(units, build, make)
        yield _tried(units, make)
    yield _specifications(options)
    yield _cache(options)


def _make(tree: Path, build: Path) -> str:
    """Return how make is called for this tree."""
    words = ["make"]
    if tree.resolve() != Path.cwd():
        words += ["-C", str(tree)]
    if build.resolve() != tree.resolve():
        words.append(f"O={build.resolve()}")
    return shlex.join(words)


def _source(tree: Path) -> Diagnosis:
    missing = [name for name in _TREE if not (tree / name).is_file()]
    if missing:
        text = f"{tree.resolve()} is no kernel source: it has no {' and no '.join(missing)}"
        return Diagnosis("source", "missing", text, "lockspec doctor --tree DIR, with the top directory of the source")
    parts = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL) *= *(\S*)", _text(tree / "Makefile"), re.MULTILINE))
    version = ".".join(filter(None, (parts.get(name) for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))))
    return Diagnosis("source", "well", f"Linux {version}".strip())


def _configuration(build: Path, make: str) -> Diagnosis:
    path, made = build / ".config", build / "include/config/auto.conf"
    if not path.is_file():
        return Diagnosis("configuration", "missing", f"no {path}", f"{make} defconfig")
    if not made.is_file() or made.stat().st_mtime < path.stat().st_mtime:
        text = f"{path} was changed since it was last taken over"
        return Diagnosis("configuration", "doubt", text, f"{make} olddefconfig prepare")
    n_set = len(re.findall(r"^CONFIG_\w+=[ym]$", _text(path), re.MULTILINE))
    return Diagnosis("configuration", "well", f"{path}, {n_set:,} options set")


def _headers(build: Path, make: str) -> Diagnosis:
    folder = build / "include/generated"
    missing = [name for name in _GENERATED if not (folder / name).is_file()]
    if missing:
        return Diagnosis("headers", "missing", f"no {' and no '.join(missing)} in {folder}", f"{make} prepare")
    return Diagnosis("headers", "well", f"generated in {folder}")


def _units(options: CheckOptions, build: Path, make: str) -> tuple[UnitList | None, Diagnosis]:
    subject = "units"
    try:
        units = read_units(
            tree=options.tree,
            build=options.build,
            compile_commands=options.compile_commands,
            preprocessed=options.preprocessed,
            under=options.under,
            units=options.units,
        )
    except LockspecError as error:
        remedy = "" if options.preprocessed else f'{make} -j"$(nproc)" && {make} {_DATABASE}'
        return None, Diagnosis(subject, "missing", str(error), remedy)
    database = options.compile_commands or build / _DATABASE
    from_database = not options.preprocessed and database.exists()
    where = str(database) if from_database else "preprocessed files" if options.preprocessed else "Kbuild's .cmd files"
    if not units.commands:
        return None, Diagnosis(subject, "missing", f"{where} names no C file", f'{make} -j"$(nproc)" {_DATABASE}')
    return units, Diagnosis(subject, "well", f"{len(units.commands):,} in {where}")


def _sources(units: UnitList, options: CheckOptions, make: str) -> Iterator[Diagnosis]:
    """Hold the compile database against the files there are, and against what was compiled."""
    gone = [command.name for command in units.commands if not (Path(command.directory) / command.source).is_file()]
    if gone:
        yield Diagnosis("units", "doubt", _some(gone, "no longer there"), f"{make} {_DATABASE}")
    build = options.build or options.tree or Path()
    if options.preprocessed or options.compile_commands or not (build / _DATABASE).exists():
        return
    compiled, _ = kbuild.read_cmd_files(build, options.under)
    names = {units.names.name(one.file, one.directory) for one in compiled}
    new = sorted(names - {command.name for command in units.commands})
    if new and not options.units:
        yield Diagnosis("units", "doubt", _some(new, f"compiled, but not in {_DATABASE}"), f"{make} {_DATABASE}")


def _some(names: list[str], what: str) -> str:
    return f"{len(names):,} {what}: {', '.join(names[:3])}{', …' * (len(names) > 3)}"


def _compilers(units: UnitList, build: Path, make: str) -> Iterator[Diagnosis]:
    """Hold the compilers that the units are compiled with against the one that the kernel was configured with."""
    configured = re.search(r'^CONFIG_CC_VERSION_TEXT="(.*)"$', _text(build / ".config"), re.MULTILINE)
    for compiler, directory in dict.fromkeys((c.arguments[0], c.directory) for c in units.commands if c.arguments):
        version = _version(compiler, directory)
        if not version:
            text = f"{compiler} is not installed, or does not run"
            yield Diagnosis("compiler", "missing", text, f"install {compiler}, or {make} CC=… olddefconfig prepare")
        elif configured and configured[1] != version:
            text = f"{compiler} is {version}; the kernel was configured with {configured[1]}"
            yield Diagnosis("compiler", "doubt", text, f"{make} CC={shlex.quote(compiler)} olddefconfig prepare")
        else:
            yield Diagnosis("compiler", "well", f"{version}{', as configured' * bool(configured)}")


def _version(compiler: str, directory: str) -> str:
    """Return the first line that a compiler says about itself."""
    try:
        done = subprocess.run(
            [compiler, "--version"],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").partition("\n")[0].strip() if done.returncode == 0 else ""


def _tried(units: UnitList, make: str) -> Diagnosis:
    """Preprocess some units: what a run does first."""
    commands = units.commands
    some: dict[str, CompileCommand] = {c.name: c for c in (commands[0], commands[len(commands) // 2], commands[-1])}
    for command in some.values():
        done = preprocess(command)
        if isinstance(done, Gap):
            text = f"{command.name}: {done.text.removesuffix('; the unit is skipped')}"
            remedy = f"{make} prepare" if command.arguments else ""
            return Diagnosis("preprocessing", "missing", text, remedy)
    return Diagnosis("preprocessing", "well", f"tried with {', '.join(some)}")


def _specifications(options: CheckOptions) -> Diagnosis:
    try:
        spec = load(options.specs or None)
    except LockspecError as error:
        return Diagnosis("rules", "missing", str(error).partition("\n")[0], "lockspec spec lint")
    return Diagnosis("rules", "well", f"{len(spec.rules):,}, and {len(spec.primitives):,} primitives")


def _cache(options: CheckOptions) -> Diagnosis:
    if options.cache is None:
        return Diagnosis("cache", "doubt", "--no-cache: every run begins anew", "leave --no-cache out")
    with Store(options.cache) as store:
        if store.note or store.path is None:
            return Diagnosis("cache", "doubt", store.note, "lockspec check --cache DIR, with a directory of yours")
        return Diagnosis("cache", "well", f"{options.cache}, {store.path.stat().st_size / 1e6:,.0f} MB")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
