# SPDX-License-Identifier: GPL-2.0-only
"""Neovim, a real one, with the recipe of docs/editors.md: diagnostics while typing, hover, code lenses."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.minikvm_commands import FIXTURES, commands
from tests.editors.conftest import program

ROOT = Path(__file__).parents[2]
UNIT = "virt/kvm/guest_memfd.c"

#: Neovim 0.7 has all but the function that starts and attaches in one
OLDER = """
local started = false
vim.lsp.start = vim.lsp.start or function(config)
  if started then return end
  started = true
  local id = vim.lsp.start_client(config)
  vim.lsp.buf_attach_client(0, id)
  return id
end
"""
SCRIPT = """
local out, deadline = {}, 60000
local function told()
  return vim.tbl_map(function(one)
    local related = ((one.user_data or {}).lsp or {}).relatedInformation or {}
    return { one.lnum + 1, one.code or ((one.user_data or {}).lsp or {}).code, one.message, #related }
  end, vim.diagnostic.get(0))
end
local function wait_for(what, holds)
  local holds_now = vim.wait(deadline, holds, 5)
  out[#out + 1] = { what, holds_now }
end
vim.api.nvim_create_autocmd('DiagnosticChanged', {
  callback = function() vim.g.answers = (vim.g.answers or 0) + 1 end,
})
-- other files of the tree are told of first
local published, shown = false, vim.lsp.handlers['textDocument/publishDiagnostics']
vim.lsp.handlers['textDocument/publishDiagnostics'] = function(error, result, ...)
  local answer = shown(error, result, ...)
  published = published or vim.endswith(result.uri, vim.env.UNIT)
  return answer
end
-- what the server says of each answer
out.logged = {}
vim.lsp.handlers['window/logMessage'] = function(_, result) table.insert(out.logged, result.message) end
vim.cmd('edit ' .. vim.env.UNIT)
vim.cmd('set filetype=c')
wait_for('first', function() return published end)
out.first = told()
local client = vim.tbl_values(vim.lsp.get_active_clients())[1]
-- the lock is gone: what is said while the buffer is not saved
local lock = vim.fn.search('^static int kvm_gmem_release')
lock = vim.fn.search('mutex_lock(&kvm->slots_lock);')
local text = vim.fn.getline(lock)
local function answered(before)
  local count = vim.g.answers or 0
  return (vim.g.answers or 0) > before
end
out.milliseconds = {}
for round = 1, 3 do
  local before = vim.g.answers or 0
  local began = vim.loop.hrtime()
  vim.api.nvim_buf_set_lines(0, lock - 1, lock, false, { '\\t;' })
  wait_for('without', function() return answered(before) and #told() > #out.first end)
  out.milliseconds[round] = (vim.loop.hrtime() - began) / 1e6
  out.without = told()
  before = vim.g.answers
  vim.api.nvim_buf_set_lines(0, lock - 1, lock, false, { text })
  wait_for('with', function() return answered(before) and #told() == #out.first end)
end
local function request(method, params)
  local answer = client.request_sync(method, params, deadline, 0)
  return answer and answer.result
end
vim.fn.cursor(lock, 1)
vim.fn.search('slots_lock')
out.hover = request('textDocument/hover', vim.lsp.util.make_position_params()).contents.value
local lenses = request('textDocument/codeLens', { textDocument = vim.lsp.util.make_text_document_params() })
out.lenses = vim.tbl_map(function(lens) return lens.command.title end, lenses)
vim.lsp.commands['lockspec.explain'](lenses[1].command, { client_id = client.id })
wait_for('explained', function() return vim.bo.buftype == 'nofile' and vim.fn.line('$') > 1 end)
out.explained = vim.fn.getline(1, '$')
client.stop()
wait_for('stopped', function() return client.is_stopped() end)
vim.fn.writefile({ vim.json.encode({ steps = vim.list_slice(out, 1, #out), rest = {
  first = out.first, without = out.without, milliseconds = out.milliseconds, hover = out.hover, lenses = out.lenses, logged = out.logged,
  explained = out.explained } }) }, vim.env.OUT)
vim.cmd('qall!')
"""


def recipe() -> str:
    """Return what docs/editors.md tells to put into init.lua."""
    (found,) = re.findall(r"^```lua\n(.*?)^```$", (ROOT / "docs" / "editors.md").read_text(), re.DOTALL | re.MULTILINE)
    return str(found)


def drive(tree: Path, cache: Path, folder: Path, under: str) -> dict[str, Any]:
    """Let Neovim edit the unit of a tree; return what it saw."""
    editor = program("nvim")
    command = folder / "bin" / "lockspec"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m analyzer "$@" --cache "{cache}" 2>>"{folder}/errors"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    script, out = folder / "script.lua", folder / "out.json"
    script.write_text(OLDER + recipe().replace("'virt/kvm'", f"'{under}'") + SCRIPT)
    environment = {
        **os.environ,
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CACHE_HOME": str(folder / "xdg"),
        "UNIT": UNIT,
        "OUT": str(out),
    }
    done = subprocess.run(
        [editor, "--headless", "--clean", "-i", "NONE", "-n", "-c", f"luafile {script}"],
        cwd=tree,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert out.exists(), done.stderr
    found: dict[str, Any] = json.loads(out.read_text())
    assert all(holds for _, holds in found["steps"]), found["steps"]
    assert (folder / "errors").read_text() == ""
    rest: dict[str, Any] = found["rest"]
    return rest


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "linux"
    shutil.copytree(FIXTURES / "minikvm", tree)
    (tree / "compile_commands.json").write_text(json.dumps(commands(tree, FIXTURES / "include")))
    return tree


def test_neovim_shows_what_check_says(tree: Path, tmp_path: Path) -> None:
    told = drive(tree, tmp_path / "cache", tmp_path, ".")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "analyzer",
            "check",
            "--tree",
            str(tree),
            "--cache",
            str(tmp_path / "cache"),
            "-f",
            "json",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    here = [one for one in json.loads(done.stdout)["findings"] if one["location"]["file"] == UNIT]
    assert sorted((line, code, steps) for line, code, _, steps in told["first"]) == sorted(
        (one["location"]["line"], one["rule"], len(one["witness"])) for one in here
    )
    new = [one for one in told["without"] if one not in told["first"]]
    assert any("kvm_memory_slot.gmem.file without kvm.slots_lock" in message for _, _, message, _ in new)
    assert "asked for by" in told["hover"]
    assert any(title.startswith("kvm_gmem.bindings: ") for title in told["lenses"])
    assert any("rules" in line for line in told["explained"])
