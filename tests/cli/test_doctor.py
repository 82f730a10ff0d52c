# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec doctor`: everything that can be missing is made missing, and the command that mends it is told."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Told = dict[str, tuple[str, str, str]]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Give what looks like a configured kernel that was compiled, with everything in place."""
    tree = tmp_path / "linux"
    for name in ("Kbuild", "Kconfig"):
        tree.mkdir(exist_ok=True)
        (tree / name).write_text("")
    (tree / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 7\nEXTRAVERSION =\n")
    version = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=True, timeout=60)
    (tree / ".config").write_text(f'CONFIG_CC_VERSION_TEXT="{version.stdout.splitlines()[0]}"\nCONFIG_X=y\n')
    for name in ("config/auto.conf", *(f"generated/{n}.h" for n in ("autoconf", "bounds", "utsrelease"))):
        path = tree / "include" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    for name in ("a", "b"):
        (tree / f"{name}.c").write_text('#include "include/generated/autoconf.h"\nint x;\n')
        (tree / f".{name}.o.cmd").write_text(f"savedcmd_{name}.o := gcc -D__KERNEL__ -c -o {name}.o {name}.c\n")
    entries = [{"directory": str(tree), "file": f"{n}.c", "arguments": ["gcc", "-c", f"{n}.c"]} for n in ("a", "b")]
    (tree / "compile_commands.json").write_text(json.dumps(entries))
    return tree


def told(run: Run, tree: Path, *options: object) -> tuple[int, Told]:
    """Return the status, and for each subject its last condition with text and remedy."""
    ran = run("doctor", "--tree", tree, "--cache", tree.parent / "cache", *options)
    assert ran.err == ""
    found: Told = {}
    for line in ran.out.splitlines():
        match = re.fullmatch(r"(well|doubt|missing) +(\w+) +(.*)", line)
        if match:
            last = match[2]
            if match[1] != "well" or last not in found:
                found[last] = (match[1], match[3], "")
        else:
            found[last] = (*found[last][:2], line.strip())
    return ran.status, found


def test_all_is_well(run: Run, tree: Path) -> None:
    status, found = told(run, tree)
    assert status == 0
    assert {condition for condition, _, _ in found.values()} == {"well"}
    assert found["source"][1] == "Linux 6.12.7"
    assert found["units"][1] == f"2 in {tree}/compile_commands.json"
    assert list(found) == ["source", "configuration", "headers", "units", "compiler", "preprocessing", "rules", "cache"]
    assert run("doctor", "--tree", tree, "--quiet", "--cache", tree.parent / "cache").out == ""


def without(*names: str) -> Callable[[Path], None]:
    def remove(tree: Path) -> None:
        for name in names:
            (tree / name).unlink()

    return remove


def rewritten(name: str, old: str, new: str) -> Callable[[Path], None]:
    def rewrite(tree: Path) -> None:
        path = tree / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return rewrite


def touched(name: str) -> Callable[[Path], None]:
    def touch(tree: Path) -> None:
        os.utime(tree / name, (2e9, 2e9))

    return touch


CASES: list[tuple[str, Callable[[Path], None], str, str, str, str]] = [
    ("no config", without(".config"), "configuration", "missing", "no ", "make -C {tree} defconfig"),
    ("changed config", touched(".config"), "configuration", "doubt", "changed", "make -C {tree} olddefconfig prepare"),
    ("no headers", without("include/generated/bounds.h"), "headers", "missing", "bounds.h", "make -C {tree} prepare"),
    (
        "nothing compiled",
        without("compile_commands.json", ".a.o.cmd", ".b.o.cmd"),
        "units",
        "missing",
        "no compile database",
        'make -C {tree} -j"$(nproc)" && make -C {tree} compile_commands.json',
    ),
    (
        "a file is gone",
        without("a.c"),
        "units",
        "doubt",
        "1 no longer there: a.c",
        "make -C {tree} compile_commands.json",
    ),
    (
        "an old database",
        rewritten("compile_commands.json", "b.c", "a.c"),
        "units",
        "doubt",
        "1 compiled, but not in compile_commands.json: b.c",
        "make -C {tree} compile_commands.json",
    ),
    (
        "another compiler",
        rewritten(".config", 'TEXT="', 'TEXT="cc '),
        "compiler",
        "doubt",
        "the kernel was configured with cc ",
        "make -C {tree} CC=gcc olddefconfig prepare",
    ),
    (
        "no compiler",
        rewritten("compile_commands.json", '"gcc"', '"powerpc-gcc"'),
        "compiler",
        "missing",
        "powerpc-gcc is not installed",
        "install powerpc-gcc, or make -C {tree} CC=… olddefconfig prepare",
    ),
    (
        "a header is missing",
        rewritten("a.c", "autoconf.h", "other.h"),
        "preprocessing",
        "missing",
        "other.h: No such file or directory",
        "make -C {tree} prepare",
    ),
    (
        "a bad database",
        rewritten("compile_commands.json", "[", "{"),
        "units",
        "missing",
        "compile_commands.json",
        "make",
    ),
]


@pytest.mark.parametrize(
    ("spoil", "subject", "condition", "text", "remedy"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_is_missing_is_told_with_what_mends_it(
    run: Run, tree: Path, spoil: Callable[[Path], None], subject: str, condition: str, text: str, remedy: str
) -> None:
    spoil(tree)
    status, found = told(run, tree)
    assert status == 1
    assert found[subject][0] == condition
    assert text in found[subject][1]
    assert found[subject][2].startswith(remedy.format(tree=tree))


def test_no_tree_at_all(run: Run, tmp_path: Path) -> None:
    status, found = told(run, tmp_path)
    assert status == 1
    assert found["source"][0] == "missing"
    assert found["source"][2].startswith("lockspec doctor --tree DIR")


def test_kbuilds_own_records_do(run: Run, tree: Path) -> None:
    (tree / "compile_commands.json").unlink()
    status, found = told(run, tree)
    assert status == 0
    assert found["units"][1] == "2 in Kbuild's .cmd files"


def test_a_build_of_its_own_is_named_to_make(run: Run, tree: Path, tmp_path: Path) -> None:
    build = tmp_path / "out"
    build.mkdir()
    status, found = told(run, tree, "--build", build)
    assert status == 1
    assert found["configuration"][2] == f"make -C {tree} O={build} defconfig"


def test_rules_and_cache(run: Run, tree: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("lockspec: 1\nodd: 1\n")
    status, found = told(run, tree, "--specs", bad)
    assert status == 1
    assert found["rules"][0] == "missing"
    assert f"{bad}:1:1: " in found["rules"][1]
    ran = run("doctor", "--tree", tree, "--no-cache")
    assert ran.status == 1
    assert "every run begins anew" in ran.out


def test_the_commands_that_it_names_are_what_make_takes(run: Run, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    (tree / ".config").unlink()
    assert told(run, Path())[1]["configuration"][2] == "make defconfig"
