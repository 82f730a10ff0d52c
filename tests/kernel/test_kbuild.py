# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's own build calls lockspec: in the tree, with an output directory, for an external module, as a target."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel.farm import edit, grow

pytestmark = pytest.mark.kernel

ROOT = Path(__file__).parents[2]
DIRECTORIES = ("virt/kvm/", "arch/x86/kvm/")
#: a compiler for whom objects do not matter: real but for units of these directories, whose objects it leaves empty
COMPILER = """\
#!/bin/sh
for word; do file=$word; done
case " $* " in *" -c "*) case $file in *virt/kvm/*.c|*arch/x86/kvm/*.c)
	for word; do
		case $word in -Wp,-MMD,*) record=${word#-Wp,-MMD,};; esac
		[ "$before" = -o ] && object=$word
		before=$word
	done
	echo "$object: $file" >"$record"
	exec gcc -c -x c -o "$object" /dev/null;;
esac;; esac
exec gcc "$@"
"""
MODULE = {
    "Kbuild": "obj-m := turnstile.o\nturnstile-y := gate.o hall.o\n",
    "hall.h": "#include <linux/mutex.h>\nstruct hall { struct mutex gate; int visitors; };\n"
    "void hall_shut(struct hall *hall);\nvoid hall_clear(struct hall *hall);\n",
    "gate.c": '#include <linux/module.h>\n#include "hall.h"\n'
    "void hall_shut(struct hall *hall)\n{\n\tmutex_lock(&hall->gate);\n\thall->visitors = 0;\n"
    '\tmutex_unlock(&hall->gate);\n}\nMODULE_DESCRIPTION("turnstile");\nMODULE_LICENSE("GPL");\n',
    "hall.c": '#include "hall.h"\n'
    "void hall_clear(struct hall *hall)\n{\n\tmutex_lock(&hall->gate);\n\thall->visitors--;\n"
    "\tmutex_unlock(&hall->gate);\n\thall_shut(hall);\n}\n",
}


class Builder:
    """Runs make and lockspec as a user does, whose path has both."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.cache = cache
        programs = folder / "programs"
        programs.mkdir()
        self.compiler = programs / "fastcc"
        self._program(self.compiler, COMPILER)
        self._program(
            programs / "lockspec", f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m analyzer "$@"\n'
        )
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C"}
        # make has no business with the jobs of whoever runs the tests
        for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONDONTWRITEBYTECODE"):
            self.environment.pop(name, None)
        self.environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")

    def _program(self, path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def run(self, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def checker(self, *flags: str) -> str:
        return f"CHECK=lockspec kbuild check --cache {self.cache} {' '.join(flags)}"

    def assert_linked_as_checked(self, folder: Path, *where: str) -> int:
        """Compare the reports byte by byte; return the number of units."""
        common = ("--cache", str(self.cache), "--format", "json", *where)
        linked = self.run(folder, "lockspec", "kbuild", "link", "--quiet", *common)
        checked = self.run(folder, "lockspec", "check", *common)
        assert (linked.stderr, checked.stderr) == ("", "")
        assert (linked.returncode, linked.stdout) == (checked.returncode, checked.stdout)
        report = json.loads(linked.stdout)
        assert report["units"]["failed"] == 0
        assert len(report["findings"]) > 5
        return int(report["units"]["analysed"])


@pytest.fixture(scope="module")
def builder(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Builder:
    return Builder(tmp_path_factory.mktemp("builder"), cache)


@pytest.fixture(scope="module")
def farm(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a tree that looks prepared and built, and may be built in."""
    farm = tmp_path_factory.mktemp("kbuild") / "linux"
    grow(tree, farm)
    return farm


def n_units(tree: Path) -> int:
    return sum(entry["file"].endswith(".c") for entry in json.loads((tree / "compile_commands.json").read_text()))


def test_every_unit_by_the_checker_then_link_then_the_target(tree: Path, farm: Path, builder: Builder) -> None:
    done = builder.run(farm, "make", "-s", "-j2", "C=2", builder.checker(), *DIRECTORIES)
    assert done.returncode == 0, done.stderr
    assert builder.assert_linked_as_checked(farm) == n_units(tree)
    linked = builder.run(farm, "lockspec", "kbuild", "link", "--cache", str(builder.cache), "--format", "gcc")
    told = {line for line in done.stderr.splitlines() if re.search(r":\d+: (warning|error): ", line)}
    assert told <= set(linked.stdout.splitlines()), "what a unit decides by itself stays so"

    assert builder.run(farm, "lockspec", "init", "kbuild").returncode == 0
    flags = "LOCKSPEC_FLAGS=--rule kvm/memslot* --rule kvm/gmem* --rule kvm/nr-memslot*"
    target = (
        "make",
        "-s",
        "-j2",
        "-f",
        "lockspec.mk",
        "lockspec",
        f"LOCKSPEC_CACHE={builder.cache}",
        flags,
        *DIRECTORIES,
    )
    right = builder.run(farm, *target)
    assert right.returncode == 0, right.stdout + right.stderr
    name = "virt/kvm/guest_memfd.c"
    edit(farm, name, "\tmutex_lock(&kvm->slots_lock);\n\n\tfilemap_invalidate_lock", "\tfilemap_invalidate_lock")
    wrong = builder.run(farm, *target)
    assert wrong.returncode != 0
    (first, *_) = [line for line in wrong.stdout.splitlines() if ": warning: " in line]
    assert re.match(rf"{name}:\d+:\d+: warning: .* without .*slots_lock.* \[kvm/", first)
    assert "lockspec-report] Error 1" in wrong.stderr
    stale = farm / name
    stale.write_text(stale.read_text() + "\n#define LATER 1\nint later;\n")
    linked = builder.run(farm, "lockspec", "kbuild", "link", "--cache", str(builder.cache), "--rule", "kvm/dirty*")
    assert f"{name}:1: changed since it was checked" in linked.stderr
    assert linked.returncode in (1, 3)


def test_an_output_directory(tree: Path, builder: Builder, tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    grow(tree, source, clean=True)
    out.mkdir()
    shutil.copy(tree / ".config", out)
    make = ("make", "-s", "-j2", f"O={out}", f"CC={builder.compiler}")
    done = builder.run(source, *make, "C=2", builder.checker("--facts-only"), *DIRECTORIES)
    assert done.returncode == 0, done.stderr
    assert "lockspec" not in done.stderr
    assert builder.assert_linked_as_checked(source, "--build", str(out)) == n_units(tree)


def test_an_external_module(farm: Path, builder: Builder, tmp_path: Path) -> None:
    for name, text in MODULE.items():
        (tmp_path / name).write_text(text)
    make = ("make", "-s", "-C", str(farm), f"M={tmp_path}", "KBUILD_MODPOST_WARN=1")
    done = builder.run(tmp_path, *make, "C=1", builder.checker())
    assert done.returncode == 0, done.stderr
    link = ("lockspec", "kbuild", "link", "--cache", str(builder.cache), "--format", "gcc", "--quiet")
    assert builder.run(tmp_path, *link).stdout == ""
    assert builder.run(tmp_path, "lockspec", "init", "kbuild").returncode == 0
    target = (
        *("make", "-s", "-f", "lockspec.mk", "lockspec", f"KDIR={farm}", "KBUILD_MODPOST_WARN=1"),
        f"LOCKSPEC_CACHE={builder.cache}",
    )
    assert builder.run(tmp_path, *target).returncode == 0
    unlock, call = "\tmutex_unlock(&hall->gate);\n", "\thall_shut(hall);\n"
    (tmp_path / "hall.c").write_text(MODULE["hall.c"].replace(unlock + call, call + unlock))
    wrong = builder.run(tmp_path, *target)
    assert wrong.returncode != 0
    warnings = [line for line in wrong.stdout.splitlines() if ": warning: " in line]
    assert warnings == ["gate.c:5:2: warning: hall.gate taken while it is held [kernel/balance]"]
    assert "hall.c:6:2: note: called from hall_clear(), holding hall.gate" in wrong.stdout
    checked = builder.run(
        tmp_path,
        "lockspec",
        "check",
        "--tree",
        str(farm),
        "--build",
        ".",
        "--cache",
        str(builder.cache),
        "--format",
        "gcc",
    )
    assert checked.stdout == builder.run(tmp_path, *link).stdout


def test_the_patch_applies_and_gives_the_tree_a_target(
    tree: Path, farm: Path, builder: Builder, tmp_path: Path
) -> None:
    patch = builder.run(tree, "lockspec", "init", "kbuild", "--patch")
    assert patch.returncode == 0, patch.stderr
    changed = re.findall(r"^--- a/(.*)$", patch.stdout, re.MULTILINE)
    assert len(changed) == 2
    for name in changed:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tree / name, tmp_path / name)
    (tmp_path / "lockspec.patch").write_text(patch.stdout)
    done = builder.run(tmp_path, "git", "apply", "lockspec.patch")
    assert done.returncode == 0, done.stderr
    for name in ("Makefile", "scripts/Makefile.lockspec"):
        (farm / name).unlink(missing_ok=True)
        shutil.copy(tmp_path / name, farm / name)
    assert "lockspec" in builder.run(farm, "make", "help").stdout
    # a directory that make does not descend into is told, rather than everything built
    done = builder.run(farm, "make", "-s", "lockspec", "M=virt/kvm")
    assert done.returncode != 0
    assert "lockspec: no makefile in virt/kvm" in done.stderr
