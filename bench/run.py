#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""lockspec's wall time and memory beside sparse's, on the same tree in the same run.

In: a prepared kernel tree with `compile_commands.json`. Out: a table of seconds, ratios to sparse and peak memory.

sparse runs as `make C=2` would run it: one process after another, over every C unit. lockspec runs cold (nothing
remembered), warm (nothing changed) and with one .c file edited through `--overlay`; then the analysis alone, a
comparison of two revisions beside one check, and the checker that `make C=2` calls. The thresholds are printed, not
asserted: a ratio depends on the machine, and a slow neighbour is no defect.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

#: what `make C=1` adds on x86-64 (Linux, Makefile and arch/x86/Makefile: CHECKFLAGS)
CHECKFLAGS = shlex.split(
    "-D__linux__ -Dlinux -D__STDC__ -Dunix -D__unix__ -Wbitwise -Wno-return-void -Wno-unknown-attribute "
    "-D__x86_64__ --arch=x86 -mlittle-endian -m64"
)
#: most that a run may take, as a multiple of sparse's wall time
LIMITS = {"cold": 4.0, "warm": 0.4, "one .c edited": 0.6}
#: most that any process may hold, in MiB
PEAK_LIMIT_MIB = 1024
#: exit statuses of a run that did its work: clean, findings, incomplete
DONE = (0, 1, 3)


class Measured(NamedTuple):
    """What one command took."""

    wall_s: float
    #: highest resident size of any process in it
    peak_mib: float


def measure(commands: Sequence[Sequence[str]], directory: Path | None = None, done: Sequence[int] = DONE) -> Measured:
    """Run `commands` one after another, their output thrown away. Exit where one ends with another status than `done`."""
    peak_kib = 0
    start = time.monotonic()
    for command in commands:
        process = subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert process.stderr is not None
        errors = process.stderr.read()
        # wait4() reports the process and all its children that it waited for
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        peak_kib = max(peak_kib, usage.ru_maxrss)
        if done and process.returncode not in done:
            sys.exit(f"{shlex.join(command)}\nended with status {process.returncode}: {errors.decode()[-800:]}")
    return Measured(time.monotonic() - start, peak_kib / 1024)


def sparse_commands(tree: Path) -> list[tuple[list[str], Path]]:
    """Turn the compile database into sparse's command lines."""
    commands = []
    for entry in json.loads((tree / "compile_commands.json").read_text("utf-8")):
        words = entry.get("arguments") or shlex.split(entry["command"])
        if not entry["file"].endswith(".c"):
            continue
        kept = [word for word in words[1:] if word != "-c" and not word.startswith("-Wp,-MM")]
        output = kept.index("-o")
        del kept[output : output + 2]
        commands.append((["sparse", *CHECKFLAGS, *kept], Path(entry["directory"])))
    return commands


def run_sparse(tree: Path) -> Measured:
    """Measure sparse over every unit; its own verdict does not matter."""
    runs = [measure([command], directory, done=()) for command, directory in sparse_commands(tree)]
    return Measured(sum(run.wall_s for run in runs), max(run.peak_mib for run in runs))


def edited(tree: Path, unit: str, folder: Path) -> str:
    """Make an overlay that adds a function to `unit`."""
    copy = folder / Path(unit).name
    text = (tree / unit).read_text("utf-8", "surrogateescape")
    copy.write_text(f"{text}\nvoid lockspec_bench_added(void);\nvoid lockspec_bench_added(void)\n{{\n}}\n", "utf-8")
    return f"{unit}={copy}"


def run_lockspec(tree: Path, unit: str, jobs: int) -> dict[str, Measured]:
    """Measure lockspec cold, warm and after an edit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "analyzer", "check", "--quiet", "--tree", str(tree), "--jobs", str(jobs)]
        command += ["--cache", str(folder / "cache"), "--output", "/dev/null"]
        overlay = ["--overlay", edited(tree, unit, folder)]
        runs = {
            "cold": measure([command]),
            "warm": measure([command]),
            "one .c edited": measure([[*command, *overlay]]),
        }
        for module, more in (("analysis", []), ("comparison", ["--edit", unit]), ("kbuild", [])):
            where = ["--tree", str(tree), "--cache", str(folder / "cache")]
            subprocess.run([sys.executable, "-m", f"bench.{module}", *where, *more], check=True)
        return runs


def code_state() -> tuple[tuple[str, int, int], ...]:
    """Note every file of the analyser, by name, size and time: facts are remembered under a digest of this code."""
    files = sorted((Path(__file__).resolve().parents[1] / "analyzer").rglob("*.py"))
    return tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files)


def have_sparse() -> bool:
    """Find sparse; install it where that is possible without asking."""
    if shutil.which("sparse") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing sparse")
        subprocess.run(["apt-get", "install", "-y", "-qq", "sparse"], stdout=subprocess.DEVNULL, check=False)
    return shutil.which("sparse") is not None


def show(name: str, measured: Measured, sparse: Measured | None) -> None:
    """Print one row of the table."""
    row = f"{name:<24}{measured.wall_s:>8.1f} s{measured.peak_mib:>8.0f} MiB"
    limit = LIMITS.get(name)
    if sparse is not None and limit is not None:
        ratio = measured.wall_s / sparse.wall_s
        row += f"{ratio:>8.2f} x sparse (limit {limit}): {'pass' if ratio <= limit else 'FAIL'}"
    print(row, flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tree", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--edit", default="virt/kvm/guest_memfd.c", help="the .c file that is edited")
    arguments = parser.parse_args()
    tree = arguments.tree.resolve()
    if not (tree / "compile_commands.json").is_file():
        sys.exit(f"{tree}: no compile_commands.json; `make kernel` prepares a tree, KDIR=… names one")
    sparse = None
    if have_sparse():
        sparse = run_sparse(tree)
        show(f"sparse ({len(sparse_commands(tree))} units)", sparse, None)
    else:
        print("sparse is missing (on Debian: apt-get install sparse): no ratios")
    before = code_state()
    runs = run_lockspec(tree, arguments.edit, arguments.jobs)
    if code_state() != before:
        sys.exit("analyzer/ was edited during the run, which makes what was remembered void: measure again")
    for name, measured in runs.items():
        show(name, measured, sparse)
    peak = max(measured.peak_mib for measured in runs.values())
    verdict = "pass" if peak <= PEAK_LIMIT_MIB else "FAIL"
    print(f"peak memory of any process: {peak:.0f} MiB (limit {PEAK_LIMIT_MIB}): {verdict}")


if __name__ == "__main__":
    main()
