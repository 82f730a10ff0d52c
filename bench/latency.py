#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""How long an editor waits after a change inside one function.

In: a prepared kernel tree. Out: milliseconds of wall and processor time for changes of the program in memory, and beside
them what a look at everything takes. The exit status tells whether the slowest change keeps to the limit in processor
time: wall time counts whatever else the machine does.

Two sorts of changes: a call is gone, which callers may see; and two lines more, which move all that stands below.
"""

from __future__ import annotations

import argparse
import gc
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from analyzer.findings.model import Report
from analyzer.pipeline.live.program import LiveProgram
from analyzer.pipeline.options import CheckOptions, Silent

LIMIT_MS = 300
#: the function's lines that are changed, one after the other
UNIT, NEEDLE = "virt/kvm/guest_memfd.c", "lock("
N_CHANGES = 12


def processor_s() -> float:
    """Return the processor time of this process and of those that it waited for."""
    mine, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + others.ru_utime + others.ru_stime


def measure(work: Callable[[], object]) -> tuple[float, float]:
    """Return the wall and the processor time of `work`, in milliseconds."""
    began, cpu_began = time.monotonic(), processor_s()
    work()
    return 1000 * (time.monotonic() - began), 1000 * (processor_s() - cpu_began)


def changes(tree: Path, cache: Path) -> tuple[tuple[float, float], list[tuple[float, float]]]:
    """Return what a warm look at everything takes, and each change until its function's own findings are there."""
    program = LiveProgram(CheckOptions(tree=tree, cache=cache, jobs=1))
    program.whole({}, Silent())
    whole = measure(lambda: program.whole({}, Silent()))
    text = (tree / UNIT).read_text("utf-8")
    program.prepare(UNIT, text, {})
    gc.collect()
    gc.freeze()
    lines = text.split("\n")
    places = [n for n, line in enumerate(lines) if line.startswith("\t") and NEEDLE in line and line.endswith(";")]
    taken = []
    calls = places[:N_CHANGES]
    for n, new in [*((n, ["\t;"]) for n in calls), *((n, ["\t/*", "\t */", lines[n]]) for n in calls)]:
        first: list[tuple[float, float]] = []
        began, cpu_began = time.monotonic(), processor_s()

        def told(_: Report, first=first, began=began, cpu_began=cpu_began) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
            first.append((1000 * (time.monotonic() - began), 1000 * (processor_s() - cpu_began)))

        answer = program.change(UNIT, "\n".join([*lines[:n], *new, *lines[n + 1 :]]), Silent(), told)
        if answer is not None:
            told(answer.report)
            taken.append(first[0])
        program.change(UNIT, text, Silent())
    program.close()
    return whole, taken


def main() -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tree", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="facts of an earlier run; default: made for this one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        whole, taken = changes(arguments.tree, arguments.cache or Path(folder))
    print(f"everything, warm            {whole[0]:8.0f} ms wall {whole[1]:8.0f} ms of one core")
    ordered = sorted(taken, key=lambda one: one[1])
    for name, (wall, cpu) in (("median", ordered[len(ordered) // 2]), ("slowest", ordered[-1])):
        verdict = "pass" if cpu <= LIMIT_MS else "FAIL"
        print(f"one function, {name:<14}{wall:8.0f} ms wall {cpu:8.0f} ms of one core (limit {LIMIT_MS}): {verdict}")
    return 0 if ordered[-1][1] <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
