# SPDX-License-Identifier: GPL-2.0-only
"""Time of the analysis alone: all summaries and verdicts over the linked program, no summary being remembered.

In: a prepared tree and a cache that an earlier run filled. Out: one line with processor time, which is one core's, for all
rules and for those that every lock of the kernel obeys.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from analyzer.facts.store import Store
from analyzer.pipeline import analyse as pipeline
from analyzer.pipeline.analyse import chosen_rules
from analyzer.pipeline.extract import Extraction, extract
from analyzer.pipeline.link import Linked
from analyzer.pipeline.link import link as real_link
from analyzer.pipeline.options import Silent
from analyzer.pipeline.remember import Remembered
from analyzer.source.commands import read_units
from analyzer.spec.load import load
from analyzer.spec.model import SpecSet

LIMIT_S = 6.0


class Forgetful(Remembered):
    """Finds flows, which are facts, and no summaries."""

    def find(self, key: bytes) -> bytes | None:  # noqa: ARG002 — as the others do
        """Find nothing."""
        return None

    def flush(self) -> None:
        """Keep nothing."""


def seconds(tree: Path, cache: Path, globs: tuple[str, ...]) -> float:
    """Return the processor time of one analysis."""
    spec = load(None)
    with Store(cache) as store:
        extraction = extract(read_units(tree=tree), store, Silent(), jobs=1, overlays=())
        pipeline.Remembered = Forgetful  # type: ignore[misc]
        linked: list[float] = []

        def link(extraction: Extraction, remembered: Remembered, spec: SpecSet, *, partial: bool = False) -> Linked:
            program = real_link(extraction, remembered, spec, partial=partial)
            linked.append(time.process_time())
            return program

        pipeline.link = link  # type: ignore[attr-defined]
        pipeline.analyse(extraction, store, spec, chosen_rules(spec, globs), Silent(), lenient=True)
        return time.process_time() - linked[0]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tree", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    arguments = parser.parse_args()
    for name, globs in (("kernel/* rules", ("kernel/*",)), ("all rules", ())):
        taken = seconds(arguments.tree, arguments.cache, globs)
        verdict = "pass" if taken <= LIMIT_S else "FAIL"
        print(f"analysis alone, {name:<16}{taken:>8.1f} s of one core (limit {LIMIT_S:.0f}): {verdict}", flush=True)


if __name__ == "__main__":
    main()
