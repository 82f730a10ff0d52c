# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec kbuild`, called as Kbuild calls a checker: what a unit decides, what link makes of all, what is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.minikvm_commands import FIXTURES, commands

#: Sparse's, as the kernel's makefile passes them
CHECKFLAGS = ["-D__linux__", "-D__STDC__", "-Wbitwise", "-Wno-return-void", "--arch=x86", "-mlittle-endian", "-m64"]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


class Build:
    """A directory that is built by calling the checker as make does."""

    def __init__(self, tree: Path, flags: list[str]) -> None:
        self.tree = tree
        self.flags = flags
        self.cache = tree.parent / "cache"

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(FIXTURES.parent), "srctree": ".", "objtree": ".", "CC": "gcc"}
        return subprocess.run(
            [sys.executable, "-m", "analyzer", *words],
            cwd=self.tree,
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def check(self, file: str, *ours: str, **variables: str) -> subprocess.CompletedProcess[str]:
        words = ["--cache", str(self.cache), *ours, *CHECKFLAGS, f"-Wp,-MMD,.{Path(file).stem}.o.d", *self.flags, file]
        return self.run("kbuild", "check", *words, **variables)

    def link(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("kbuild", "link", "--cache", str(self.cache), *words)

    def compiled(self, file: str) -> None:
        """Leave the record that Kbuild leaves."""
        path = self.tree / file
        record = f"savedcmd_{file[:-2]}.o := gcc {' '.join(self.flags)} -D__KERNEL__ -c -o {file[:-2]}.o {file}\n"
        (path.parent / f".{path.stem}.o.cmd").write_text(record)


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Give three units: one is wrong whatever the others do, one is right if its caller is."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "vm.h").write_text(
        "struct mutex { int x; };\n"
        "void mutex_lock(struct mutex *lock);\nvoid mutex_unlock(struct mutex *lock);\n"
        "struct vm { struct mutex lock; int n; };\n"
        "void vm_add(struct vm *vm);\nvoid vm_elsewhere(struct vm *vm);\nint printk(const char *text, ...);\n"
    )
    (tree / "own.c").write_text(
        '#include "vm.h"\n'
        'static int twice(struct vm *vm)\n{\n\tmutex_lock(&vm->lock);\n\tprintk("x");\n\tmutex_lock(&vm->lock);\n'
        "\tmutex_unlock(&vm->lock);\n\tmutex_unlock(&vm->lock);\n\treturn 0;\n}\n"
        "int own(struct vm *vm)\n{\n\treturn twice(vm);\n}\n"
        "int given_away(struct vm *vm)\n{\n\tmutex_lock(&vm->lock);\n\tvm_elsewhere(vm);\n\tmutex_lock(&vm->lock);\n"
        "\tmutex_unlock(&vm->lock);\n\treturn 0;\n}\n"
    )
    (tree / "add.c").write_text('#include "vm.h"\nvoid vm_add(struct vm *vm)\n{\n\tvm->n++;\n}\n')
    (tree / "elsewhere.c").write_text(
        '#include "vm.h"\nvoid vm_elsewhere(struct vm *vm)\n{\n\tmutex_unlock(&vm->lock);\n}\n'
        "void call(struct vm *vm)\n{\n\tmutex_lock(&vm->lock);\n\tvm_add(vm);\n\tmutex_unlock(&vm->lock);\n}\n"
    )
    (tree / "vm.yaml").write_text(
        "lockspec: 1\nsubsystem: vm\nrules:\n"
        "  - id: vm/n\n    kind: guarded-by\n    field: vm.n\n    requires: vm.lock\n    why: x.\n    source: vm.h\n"
        "  - id: vm/balance\n    kind: balance\n    why: x.\n    source: vm.h\n"
    )
    return Build(tree, ["-nostdinc", "-I.", '-DKBUILD_BASENAME="x"'])


SPECS = ("--specs", "vm.yaml")
UNITS = ("own.c", "add.c", "elsewhere.c")


def test_a_unit_tells_what_it_decides_and_nothing_that_callers_or_callees_elsewhere_may_mend(build: Build) -> None:
    done = build.check("own.c", *SPECS)
    assert (done.returncode, done.stdout) == (0, "")
    lines = done.stderr.splitlines()
    assert lines[0] == "own.c:6:2: warning: vm.lock taken while it is held [vm/balance]"
    assert [line for line in lines if "warning" in line] == lines[:1], "vm_elsewhere() may drop the lock"
    assert all(line.startswith("own.c:") for line in lines)
    assert build.check("add.c", *SPECS).stderr == "", "its callers may hold the lock"
    assert build.check("own.c", *SPECS).stderr == done.stderr, "what is remembered is told again"


def test_link_tells_what_check_tells_of_the_same_units(build: Build) -> None:
    for unit in UNITS:
        assert build.check(unit, *SPECS, "--facts-only").stderr == ""
        build.compiled(unit)
    linked = build.link(*SPECS, "--format", "json")
    checked = build.run("check", "--cache", str(build.cache), *SPECS, "--format", "json")
    assert (linked.returncode, linked.stderr) == (1, "")
    assert linked.stdout == checked.stdout
    (finding,) = json.loads(linked.stdout)["findings"]
    assert finding["location"]["line"] == 6


def test_findings_and_failures_end_the_build_only_if_asked(build: Build) -> None:
    assert build.check("own.c", *SPECS, "--fail").returncode == 1
    assert build.check("own.c", *SPECS, "-Wsparse-error").returncode == 1
    assert build.check("add.c", *SPECS, "--fail").returncode == 0
    (build.tree / "add.c").write_text("#include <no-such-file.h>\n")
    done = build.check("add.c", *SPECS)
    assert done.returncode == 0
    assert done.stderr.startswith("add.c:1: warning: lockspec: gcc failed: add.c:1:10: no-such-file.h")
    assert build.check("add.c", *SPECS, "--fail").returncode == 3
    linked = build.link(*SPECS, "--format", "gcc")
    assert "add.c:1: gcc failed" in linked.stderr
    (build.tree / "vm.yaml").write_text("odd: 1\n")
    done = build.check("own.c", *SPECS)
    assert done.returncode == 0
    assert "own.c:1: warning: lockspec: vm.yaml" in done.stderr


def test_link_tells_of_units_that_changed_that_are_gone_and_that_were_never_checked(build: Build) -> None:
    for unit in UNITS:
        build.check(unit, *SPECS)
        build.compiled(unit)
    (build.tree / "late.c").write_text("int late;\n")
    build.compiled("late.c")
    with (build.tree / "own.c").open("a") as file:
        file.write("int more;\n")
    (build.tree / "add.c").unlink()
    linked = build.link(*SPECS, "--format", "json")
    assert linked.returncode == 3
    told = [line.split(";")[0] for line in linked.stderr.splitlines()]
    assert told == [
        "add.c:1: checked once, and gone since",
        "late.c:1: compiled here and not checked",
        "own.c:1: changed since it was checked, or a header did",
    ]
    assert json.loads(linked.stdout)["units"] == {"analysed": 1, "failed": 3}
    (build.tree / ".add.o.cmd").unlink()
    assert build.run("kbuild", "forget", "--cache", str(build.cache), "add.c").stdout == "1 units forgotten\n"
    time.sleep(0.01)
    build.check("own.c", *SPECS)
    build.check("late.c", *SPECS)
    linked = build.link(*SPECS, "--format", "gcc")
    assert (linked.returncode, linked.stderr) == (1, "")


def test_a_header_that_changed_makes_stale_what_includes_it_but_a_touched_one_does_not(build: Build) -> None:
    for unit in UNITS:
        build.check(unit, *SPECS)
    (build.tree / "vm.h").touch()
    assert build.link(*SPECS).returncode == 1
    with (build.tree / "vm.h").open("a") as file:
        file.write("int more;\n")
    linked = build.link(*SPECS)
    assert linked.returncode == 2, "nothing is left to judge"
    assert linked.stderr.count("changed since it was checked") == 3


def test_where_nothing_was_checked_link_says_what_to_do(build: Build) -> None:
    linked = build.link()
    assert linked.returncode == 2
    assert "no unit of a build here was checked: make C=2 CHECK=" in linked.stderr
    build.check("own.c")
    linked = build.run("kbuild", "link", "--cache", str(build.cache), "--build", str(build.tree.parent))
    assert f"units were checked in {build.tree.resolve()}, which --build takes" in linked.stderr
    assert "--under odd: no unit below it was checked" in build.link("--under", "odd").stderr


def test_many_at_once_lose_nothing(build: Build) -> None:
    names = [f"unit{n}.c" for n in range(12)]
    for name in names:
        shutil.copy(build.tree / "own.c", build.tree / name)
    environment = {**os.environ, "PYTHONPATH": str(FIXTURES.parent), "CC": "gcc"}
    command = [sys.executable, "-m", "analyzer", "kbuild", "check", "--cache", str(build.cache), "--facts-only"]
    running = [
        subprocess.Popen(
            [*command, "-Wp,-MMD,.x.d", *build.flags, name],
            cwd=build.tree,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    assert [process.communicate(timeout=300)[1] for process in running] == [""] * len(names)
    linked = build.link("--format", "json")
    assert (json.loads(linked.stdout)["units"], linked.stderr) == ({"analysed": 12, "failed": 0}, "")


def test_an_external_module_is_called_by_its_own_names(build: Build, tmp_path: Path) -> None:
    kernel = tmp_path / "kernel"
    kernel.mkdir()
    done = build.check("own.c", *SPECS, srctree=str(kernel), objtree=str(kernel), KBUILD_EXTMOD=str(build.tree))
    assert done.stderr.startswith("own.c:6:2: warning: ")
    assert build.link(*SPECS, "--format", "gcc").stdout.startswith("own.c:")


def test_what_is_no_call_of_make_is_told(build: Build) -> None:
    assert build.run("kbuild", "check").returncode == 2
    assert "no C file given" in build.run("kbuild", "check", "-Wall").stderr
    assert "unknown option --fial, which was not heeded" in build.check("add.c", *SPECS, "--fial").stderr
    assert build.run("kbuild", "check", "--help").returncode == 0


def test_the_embedded_tree_tells_link_what_it_tells_check(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(FIXTURES / "minikvm", tree, ignore=shutil.ignore_patterns("compile_commands.json"))
    entries = commands(tree, FIXTURES / "include")
    (tree / "compile_commands.json").write_text(json.dumps(entries))
    build = Build(tree, [])
    for entry in entries:
        words = entry["arguments"]
        assert isinstance(words, list)
        build.flags = words[1 : words.index("-c")]
        done = build.check(str(entry["file"]), "--facts-only")
        assert (done.returncode, done.stderr) == (0, "")
    linked = build.link("--format", "json")
    checked = build.run("check", "--cache", str(build.cache), "--format", "json")
    assert linked.stdout == checked.stdout
    assert len(json.loads(linked.stdout)["findings"]) > 5
