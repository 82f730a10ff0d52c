# SPDX-License-Identifier: GPL-2.0-only
"""Vim and Neovim, real ones: the quickfix list has every finding and every step, and jumps to each."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.editors.conftest import Printed, program

#: with no settings at all: the recipes of docs/editors.md need none
SCRIPT = """
set nomore
cfile {messages}
let list = map(getqflist(), '[bufname(v:val.bufnr), v:val.lnum, v:val.col, v:val.valid]')
let jumps = []
for number in range(1, len(list))
  execute 'silent cc' number
  call add(jumps, [bufname('%'), line('.')])
endfor
call writefile([json_encode([list, jumps])], '{out}')
qall!
"""


@pytest.mark.parametrize("editor", ["vim", "nvim"])
def test_jumps_to_every_finding_and_every_step(editor: str, printed: Printed, tmp_path: Path) -> None:
    path = program(editor)
    script, out = tmp_path / "script.vim", tmp_path / "out"
    script.write_text(SCRIPT.format(messages=printed.path, out=out))
    modes = ["-es", "-N", "-u", "NONE", "-i", "NONE"] if editor == "vim" else ["--headless", "--clean", "-i", "NONE"]
    subprocess.run(
        [path, *modes, "-S", str(script)],
        cwd=printed.tree,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    found, jumps = json.loads(out.read_text())
    assert found == [[file, line, column, 1] for file, line, column, _ in printed.places]
    assert jumps == [[file, line] for file, line, _, _ in printed.places]
