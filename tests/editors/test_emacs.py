# SPDX-License-Identifier: GPL-2.0-only
"""Emacs, the real one: `next-error` in a compilation buffer stops at every finding and every step."""

from __future__ import annotations

import subprocess
from itertools import groupby
from pathlib import Path

from tests.editors.conftest import Printed, program

SCRIPT = Path(__file__).with_name("jump.el")


def test_jumps_to_every_finding_and_every_step(printed: Printed) -> None:
    done = subprocess.run(
        [program("emacs"), "--batch", "-Q", "-l", str(SCRIPT), str(printed.path)],
        cwd=printed.tree,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    places = [f"{file}:{line}" for file, line, _, _ in printed.places]
    # next-error does not stop twice at one place in a row
    assert [place for place, _ in groupby(done.stdout.splitlines())] == [place for place, _ in groupby(places)]
