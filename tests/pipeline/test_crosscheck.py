# SPDX-License-Identifier: GPL-2.0-only
"""The cross-check: objects that agree with the source, objects of another source, and the real tree."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from analyzer.base.errors import InputError
from analyzer.findings.crosscheck import CrossCheck
from analyzer.pipeline.crosscheck import crosscheck
from analyzer.pipeline.options import CheckOptions, Silent

ROOT = Path(__file__).parents[2]
FLAGS = ("-O2", "-g", "-fno-pie", "-fno-asynchronous-unwind-tables")

FIRST = """
struct ops { int (*open)(int); int (*close)(int); };
int outside(int);
int second(int);
static inline int inlined(int x) { return outside(x) + 1; }
static int opens(int x) { return inlined(x); }
static int closes(int x) { return second(x); }
struct ops ops = { .open = opens, .close = closes };
int both(int x, int (*f)(int)) { return ops.open(x) + f(x) + second(x); }
int passes(int x) { return both(x, outside); }
"""
SECOND = """
static __attribute__((noinline)) int part(int x) { asm(""); return x; }
int second(int x) { return part(x)  + 1; }
"""


def build(tree: Path, files: dict[str, str]) -> None:
    """Write and compile `files`."""
    entries = []
    for name, text in files.items():
        (tree / name).write_text(text)
        command = ["gcc", *FLAGS, "-c", "-o", name.replace(".c", ".o"), name]
        subprocess.run(command, cwd=tree, check=True, timeout=60)
        entries.append({"directory": str(tree), "file": name, "arguments": command})
    (tree / "compile_commands.json").write_text(json.dumps(entries))


def run(tree: Path, **options: object) -> CrossCheck:
    return crosscheck(CheckOptions(tree=tree, jobs=2, **options), Silent())  # type: ignore[arg-type]


def differences(check: CrossCheck) -> set[tuple[str, str, str]]:
    return {(d.kind, d.where, d.what) for d in check.differences if d.kind not in {"field", "function"}}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    build(tmp_path, {"first.c": FIRST, "second.c": SECOND})
    return tmp_path


def test_what_was_compiled_is_in_the_source_graph(built: Path) -> None:
    found = run(built)
    assert differences(found) == set()
    assert found.missing == ()
    assert found.n_objects == 2
    shares = {share.name: (share.found, share.total) for share in found.shares}
    assert shares["distinct call edges"] == (5, 5)
    assert shares["functions inlined into others"] == (2, 2)
    assert shares["function addresses in data"] == (2, 2)
    assert shares["slots of variables"] == (2, 2)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("+ second(x); }", "; }", {("call", "both", "second")}),
        (
            "return inlined(x)",
            "return 1",
            {("inlined", "opens", "inlined")},
        ),
        (".close = closes", ".close = opens", {("slot", "ops.close", "closes"), ("address", "ops", "closes")}),
        (".open = opens, .close = closes", ".open = closes, .close = opens", {("slot", "ops.close", "closes"), ("slot", "ops.open", "opens")}),
        ("both(x, outside)", "both(x, 0)", {("call", "both", "outside")}),
    ],
)  # fmt: skip
def test_what_the_source_lost_since_is_a_difference(
    built: Path, old: str, new: str, expected: set[tuple[str, str, str]]
) -> None:
    assert FIRST.count(old) == 1
    (built / "first.c").write_text(FIRST.replace(old, new))
    found = run(built)
    assert differences(found) == expected
    assert {(d.kind, d.where, d.what) for d in found.missing} == expected


def test_names_in_rules_are_looked_up_in_dwarf(built: Path, tmp_path: Path) -> None:
    spec = tmp_path / "rules.yaml"
    spec.write_text(
        """
lockspec: 1
rules:
  - {id: t/known, kind: guarded-by, field: ops.open, access: write, requires: ops.close, why: A test., source: none}
  - {id: t/unknown, kind: must-hold, function: nobody, requires: ops.lock, why: A test., source: none}
"""
    )
    found = run(built, specs=(spec,))
    assert [(d.kind, d.what) for d in found.differences] == [("field", "ops.lock"), ("function", "nobody()")]
    assert found.missing == ()


def test_without_objects_there_is_nothing_to_compare(built: Path) -> None:
    for path in built.glob("*.o"):
        path.unlink()
    with pytest.raises(InputError, match="no object of an analysed unit"):
        run(built)


def test_objects_that_were_not_made_of_a_unit_are_named(built: Path) -> None:
    (built / "other.o").write_bytes(b"nothing")
    (built / "second.o").unlink()
    found = run(built)
    assert len(found.skipped) == 2
    assert "other.o" in found.skipped[0]
    assert found.skipped[1] == "second.c: no object"


@pytest.mark.kernel
def test_everything_in_the_real_objects_is_in_the_source_graph(pytestconfig: pytest.Config) -> None:
    tree = Path(os.environ.get("LOCKSPEC_KERNEL") or ROOT / ".kernel" / "linux")
    if not (tree / "virt/kvm/kvm_main.o").exists():
        pytest.skip(f"no built kernel at {tree}: run `make kernel`, or set LOCKSPEC_KERNEL")
    assert pytestconfig.cache is not None
    found = run(tree, cache=pytestconfig.cache.mkdir("kernel-facts"))
    assert found.differences == ()
    assert found.skipped == ()
    assert found.n_objects == 47
    totals = {share.name: share.total for share in found.shares}
    assert totals["call sites"] > 10_000
    assert totals["distinct call edges"] > 5_900
    assert totals["functions inlined into others"] > 10_000
    assert totals["function addresses in data"] > 2_000
    assert totals["slots of variables"] > 1_800
