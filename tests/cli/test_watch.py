# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec watch`: a real process, told of changes by the files alone."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60

SOURCE = """\
#include "vm.h"
void mutex_lock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
void set(struct vm *vm)
{
	mutex_lock(&vm->lock);
	mutex_unlock(&vm->lock);
	vm->x = 1;
}
"""
HEADER = "struct mutex { int x; };\nstruct vm { struct mutex lock; int x; };\n"
RULES = """\
lockspec: 1
subsystem: vm
rules:
  - id: vm/x
    kind: guarded-by
    field: vm.x
    access: write
    requires: vm.lock
    why: two writers race otherwise
    source: vm.h
"""
WARNING = "a.c:8:2: warning: write of vm.x without vm.lock [vm/x]\n"


class Watch:
    """A running watch."""

    def __init__(self, tree: Path) -> None:
        self._lines: queue.Queue[str] = queue.Queue()
        command = [sys.executable, "-m", "analyzer", "watch", "--tree", str(tree), "--cache", str(tree / "cache")]
        specs = ["--specs", str(tree / "rules.yaml"), "--specs", str(ROOT / "lockspecs" / "primitives")]
        self.process = subprocess.Popen(
            [*command, *specs],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)

    def end(self) -> None:
        """End it, however it is."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()

    def line(self, timeout_s: float = DEADLINE_S) -> str:
        """Return the next line."""
        return self._lines.get(timeout=timeout_s)

    def round(self) -> list[str]:
        """Return what one check said, without the lines around it."""
        assert self.line() == "lockspec: checking\n"
        lines = []
        while not (line := self.line()).startswith("lockspec: done"):
            lines.append(line)
        return [*lines, line]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "a.c").write_text(SOURCE)
    (tmp_path / "vm.h").write_text(HEADER)
    (tmp_path / "rules.yaml").write_text(RULES)
    entry = {"directory": str(tmp_path), "file": "a.c", "arguments": ["gcc", "-c", "a.c"]}
    (tmp_path / "compile_commands.json").write_text(json.dumps([entry]))
    return tmp_path


@pytest.fixture
def watch(tree: Path) -> Iterator[Watch]:
    watch = Watch(tree)
    yield watch
    watch.end()


def test_it_checks_again_when_a_source_a_header_or_a_rule_changes(watch: Watch, tree: Path) -> None:
    warning, *_, last = watch.round()
    assert (warning, last) == (WARNING, "lockspec: done: 1 violation\n")
    mended = SOURCE.replace("\tmutex_unlock(&vm->lock);\n\tvm->x = 1;\n", "\tvm->x = 1;\n\tmutex_unlock(&vm->lock);\n")
    (tree / "a.c").write_text(mended)
    assert watch.round() == ["lockspec: done: 0 violations\n"]
    (tree / "vm.h").write_text(HEADER.replace("struct mutex lock;", "struct mutex lock, other;"))
    (tree / "rules.yaml").write_text(RULES.replace("vm.lock", "vm.other"))
    assert watch.round()[-1] == "lockspec: done: 1 violation\n"


def test_what_is_wrong_is_told_and_may_be_mended(watch: Watch, tree: Path) -> None:
    watch.round()
    (tree / "rules.yaml").write_text(RULES.replace("field:", "feild:"))
    *errors, last = watch.round()
    assert any("rules.yaml:6:5: " in error for error in errors)
    assert last == "lockspec: done: nothing could be checked\n"
    (tree / "rules.yaml").write_text(RULES)
    assert watch.round()[0] == WARNING


def test_a_file_from_the_future_is_no_reason_to_check_for_ever(tree: Path) -> None:
    os.utime(tree / "vm.h", (4e9, 4e9))
    watch = Watch(tree)
    watch.round()
    with pytest.raises(queue.Empty):
        watch.line(timeout_s=3)
    watch.end()


def test_it_ends_when_it_is_interrupted(watch: Watch) -> None:
    watch.round()
    watch.process.send_signal(signal.SIGINT)
    assert watch.process.wait(DEADLINE_S) == 130
