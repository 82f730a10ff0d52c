# SPDX-License-Identifier: GPL-2.0-only
"""Every edit is C that the unit's own compiler takes without a warning: what does not compile shows nothing."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.kernel.cases import Case
from tests.kernel.edit import apply
from tests.kernel.edits import BREAKING, HARMLESS, sample

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def commands(tree: Path) -> dict[str, tuple[list[str], Path]]:
    """Return how each unit is compiled, by its file below the tree."""
    found = {}
    for entry in json.loads((tree / "compile_commands.json").read_text("utf-8")):
        directory = Path(entry["directory"])
        words = entry.get("arguments") or shlex.split(entry["command"])
        kept = [word for word in words[:-1] if word != "-c" and not word.startswith("-Wp,-MM")]
        output = kept.index("-o")
        del kept[output : output + 2]
        found[str((directory / entry["file"]).resolve().relative_to(tree.resolve()))] = (kept, directory)
    return found


@pytest.mark.parametrize("case", sample((*BREAKING, *HARMLESS)), ids=lambda case: case.name)
def test_compiles(case: Case, tree: Path, commands: dict[str, tuple[list[str], Path]], tmp_path: Path) -> None:
    for file, changes in case.changes:
        before = (tree / file).read_text("utf-8")
        after = apply(before, changes)
        assert after != before
        edited = tmp_path / Path(file).name
        edited.write_text(after, "utf-8")
        words, directory = commands[file]
        folder = str((tree / file).parent)
        run = subprocess.run(
            [*words, "-iquote", folder, "-I", folder, "-fsyntax-only", str(edited)],
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
