# SPDX-License-Identifier: GPL-2.0-only
"""Time of a comparison of two revisions beside one check, where one .c file differs and all other facts are known.

In: a prepared tree and a cache that an earlier run filled. Out: one line with both times and their ratio.

The tree need not be in git: a repository is made beside it, whose work tree it is.

**Invariant:** the tree is not written to.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from analyzer.facts.store import Store
from analyzer.pipeline.check import extracted
from analyzer.pipeline.options import CheckOptions, Silent

#: most that a comparison may take, as a multiple of one check of such a change
LIMIT = 1.5


class Revisions:
    """A repository in the directory `place`, which is made."""

    def __init__(self, tree: Path, place: Path) -> None:
        self._tree = tree
        self.environment = {
            "GIT_DIR": str(place),
            "GIT_WORK_TREE": str(tree),
            **{f"GIT_{who}_{what}": "bench" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        self._git("init", "--quiet")

    def commit(self, files: Iterable[Path]) -> str:
        """Commit files of the tree as they are."""
        names = "\0".join(str(file.relative_to(self._tree)) for file in files)
        self._git("update-index", "--add", "-z", "--stdin", given=names)
        return self._commit()

    def change(self, name: str, text: str) -> str:
        """Commit another content of one file."""
        blob = self._git("hash-object", "-w", "--stdin", given=text)
        self._git("update-index", "--cacheinfo", f"100644,{blob},{name}")
        return self._commit()

    def _commit(self) -> str:
        self._git("commit", "--quiet", "--message=change")
        return self._git("rev-parse", "HEAD")

    def _git(self, *arguments: str, given: str = "") -> str:
        command = ["git", "-C", str(self._tree), "-c", "commit.gpgsign=false", "-c", "gc.auto=0", *arguments]
        environment = os.environ | self.environment
        done = subprocess.run(command, env=environment, input=given, capture_output=True, text=True, check=True)
        return done.stdout.strip()


def files_read(tree: Path, cache: Path) -> list[Path]:
    """Return the files of the tree that its units read, as a cache knows that an earlier run filled."""
    with Store(cache) as store:
        found = extracted(CheckOptions(tree=tree, cache=cache), store, Silent()).files
    return sorted(path for path in map(Path, found) if path.is_relative_to(tree))


def edited(tree: Path, unit: str, name: str) -> str:
    """Return the text of `unit` with another function in it."""
    text = (tree / unit).read_text("utf-8", "surrogateescape")
    return f"{text}\nvoid {name}(void);\nvoid {name}(void)\n{{\n}}\n"


def seconds(command: list[str], environment: Mapping[str, str]) -> float:
    """Run lockspec; return how long it took."""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", *command],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode not in (0, 1):
        sys.exit(f"lockspec {' '.join(command)} ended with status {done.returncode}")
    return time.monotonic() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tree", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--edit", default="virt/kvm/guest_memfd.c", help="the .c file that differs")
    arguments = parser.parse_args()
    tree, unit = arguments.tree.resolve(), arguments.edit
    options = ["--quiet", "--tree", str(tree), "--cache", str(arguments.cache)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        revisions = Revisions(tree, folder / "git")
        base = revisions.commit(files_read(tree, arguments.cache))
        head = revisions.change(unit, edited(tree, unit, "lockspec_bench_compared"))
        copy = folder / Path(unit).name
        copy.write_text(edited(tree, unit, "lockspec_bench_checked"), "utf-8", "surrogateescape")
        check = seconds(["check", *options, "--overlay", f"{unit}={copy}"], {})
        diff = seconds(["diff", *options, "--base", base, "--head", head], revisions.environment)
    ratio, verdict = diff / check, "pass" if diff <= LIMIT * check else "FAIL"
    print(
        f"one .c differs: check {check:.1f} s, diff {diff:.1f} s: {ratio:.2f} x (limit {LIMIT}): {verdict}", flush=True
    )


if __name__ == "__main__":
    main()
