# SPDX-License-Identifier: GPL-2.0-only
"""What the pipeline is asked for, given the options."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analyzer.pipeline.options import CheckOptions

Run = Callable[..., Any]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "linux"
    (folder / "virt" / "kvm").mkdir(parents=True)
    (folder / "virt" / "kvm" / "kvm_main.c").write_text("int x;\n")
    return folder


def asked(pipeline: Any) -> CheckOptions:
    (options,) = pipeline.asked
    assert isinstance(options, CheckOptions)
    return options


def test_without_input_the_tree_is_where_one_is(run: Run, pipeline: Any) -> None:
    run("check")
    assert asked(pipeline).tree == Path()


def test_with_other_input_the_tree_is_found_by_it(run: Run, pipeline: Any, tmp_path: Path) -> None:
    database = tmp_path / "compile_commands.json"
    database.write_text("[]")
    run("check", "--compile-commands", database)
    assert (asked(pipeline).tree, asked(pipeline).compile_commands) == (None, database)


def test_everything_that_repeats_repeats(run: Run, pipeline: Any, tree: Path) -> None:
    run(
        "check", "--tree", tree, "--under", "virt/kvm", "--under", "arch/x86/kvm/", "--rule", "kvm/*", "--rule", "x/*",
        "--specs", tree, "virt/kvm/kvm_main.c", tree / "virt/kvm/a.c",
    )  # fmt: skip
    options = asked(pipeline)
    assert options.under == ("virt/kvm", "arch/x86/kvm")
    assert options.rules == ("kvm/*", "x/*")
    assert options.specs == (tree,)
    assert options.units == ("virt/kvm/kvm_main.c", "virt/kvm/a.c")


@pytest.mark.parametrize("absolute", [False, True])
def test_an_overlay_is_named_relative_to_the_tree(run: Run, pipeline: Any, tree: Path, absolute: bool) -> None:
    edited = tree.parent / "edited=1.c"
    edited.write_text("int y;\n")
    path = tree / "virt/kvm/kvm_main.c" if absolute else "./virt/kvm/kvm_main.c"
    run("check", "--tree", tree, "--overlay", f"{path}={edited}")
    assert asked(pipeline).overlays == (("virt/kvm/kvm_main.c", edited),)


def test_an_overlay_of_nothing_is_refused(run: Run, pipeline: Any, tree: Path) -> None:
    ran = run("check", "--tree", tree, "--overlay", f"virt/kvm/kvm_mian.c={tree / 'virt/kvm/kvm_main.c'}")
    assert ran.status == 2
    assert "virt/kvm/kvm_mian.c" in ran.err
    assert pipeline.asked == []


def test_jobs_are_as_many_as_cpus_unless_told(run: Run, pipeline: Any) -> None:
    run("check")
    assert asked(pipeline).jobs == len(os.sched_getaffinity(0))
    run("check", "-j", 7)
    assert pipeline.asked[-1].jobs == 7


def test_the_cache_is_the_users(run: Run, pipeline: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    run("check")
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    run("check")
    run("check", "--cache", tmp_path / "c")
    run("check", "--no-cache")
    caches = [options.cache for options in pipeline.asked]
    assert caches == [tmp_path / "lockspec", tmp_path / "home/.cache/lockspec", tmp_path / "c", None]


def test_explain_passes_its_target_on(run: Run, pipeline: Any) -> None:
    ran = run("explain", "kvm_memory_slot.gmem.file")
    assert pipeline.targets == ["kvm_memory_slot.gmem.file"]
    assert ran.out.startswith("kvm_memory_slot.gmem.file\n")


def test_paths_are_explained_if_asked(run: Run, pipeline: Any) -> None:
    run("check")
    assert not pipeline.explained
    run("check", "--explain-path")
    assert pipeline.explained
