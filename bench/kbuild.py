# SPDX-License-Identifier: GPL-2.0-only
"""What `make C=2` spends on each unit: lockspec beside sparse, turn by turn, so that a busy machine slows both.

In: a prepared kernel tree with `compile_commands.json`. Out: seconds of processor time and ratios to sparse: cold
(nothing remembered), with another content in each unit, and where nothing changed.

Each unit takes a process of its own, as make starts them; starting it counts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.run import CHECKFLAGS, have_sparse, sparse_commands

ROOT = Path(__file__).resolve().parents[1]


def cpu_s(command: Sequence[str], directory: Path) -> float:
    """Run `command` and return the processor time that it and its children took."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "srctree": ".", "objtree": ".", "CC": "gcc"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = os.times()
    subprocess.run(
        command, cwd=directory, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def checker(cache: Path, words: Sequence[str]) -> list[str]:
    """Return the command line that Kbuild makes of `CHECK="lockspec kbuild check"`."""
    ours = [sys.executable, "-m", "analyzer", "kbuild", "check", "--cache", str(cache)]
    return [*ours, *CHECKFLAGS, "-Wp,-MMD,.unit.o.d", *words[1 + len(CHECKFLAGS) :]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tree", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="not used: every run begins with an empty one")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every N-th unit")
    arguments = parser.parse_args()
    units = sparse_commands(arguments.tree.resolve())[:: arguments.every]
    with_sparse = have_sparse()
    with tempfile.TemporaryDirectory() as name:
        for state, more in (("cold", []), ("other content", ["-DLOCKSPEC_BENCH"]), ("nothing changed", [])):
            ours = sparse = 0.0
            for words, directory in units:
                ours += cpu_s(checker(Path(name) / "cache", [*words[:-1], *more, words[-1]]), directory)
                sparse += cpu_s(words, directory) if with_sparse else 0.0
            row = f"make C=2, {state:<16}{ours:>7.1f} s, {1000 * ours / len(units):>5.0f} ms a unit"
            print(row + (f"{ours / sparse:>7.2f} x sparse ({sparse:.1f} s)" if with_sparse else ""), flush=True)


if __name__ == "__main__":
    main()
