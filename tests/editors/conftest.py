# SPDX-License-Identifier: GPL-2.0-only
"""What the command prints for the embedded tree and for two threads, and where each of its lines leads."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import Struct

from scripts.minikvm_commands import FIXTURES

TREE = FIXTURES / "minikvm"


class Printed(Struct, frozen=True):
    """Compiler messages in a file, and what stands in them."""

    path: Path
    tree: Path
    #: (file, line, column or 0, severity) of each line
    places: tuple[tuple[str, int, int, str], ...]


@pytest.fixture(scope="session")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Printed:
    """Let the real command check the embedded tree, and read what it prints by the report for programs."""
    folder = tmp_path_factory.mktemp("printed")
    texts = {}
    for name in ("gcc", "json"):
        command = [sys.executable, "-m", "analyzer", "check", "--tree", str(TREE), "--cache", str(folder / "cache")]
        done = subprocess.run([*command, "--format", name], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 1, done.stderr
        texts[name] = done.stdout
    path = folder / "messages"
    path.write_text(texts["gcc"])
    read = [re.match(r"([^:]+):(\d+):(?:(\d+):)? (\w+): ", line) for line in texts["gcc"].splitlines()]
    places = tuple((m[1], int(m[2]), int(m[3] or 0), m[4]) for m in read if m)
    assert len(places) == len(texts["gcc"].splitlines())
    findings = json.loads(texts["json"])["findings"]
    n_steps = sum(len(finding["witness"]) for finding in findings)
    assert {(p[0], p[1]) for p in places if p[3] == "warning"} == {
        (f["location"]["file"], f["location"]["line"]) for f in findings
    }
    assert len(places) == n_steps, "each step is a line, the last one the finding's own"
    return Printed(path, TREE, places)


def program(*names: str) -> str:
    """Return a program that is installed, or skip with the reason."""
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no {names[0]}: install it to run this test")
    return found
