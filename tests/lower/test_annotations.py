# SPDX-License-Identifier: GPL-2.0-only
"""What declarations say of the locks of a function becomes claims where it begins."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import analyzer.source

Lowered = Callable[..., str]

HEAD = "struct mutex { int owner; }; struct kvm { struct mutex lock; struct kvm *next; }; extern struct mutex all; "
FORCED = Path(analyzer.source.__file__).parent / "forced"


def claims(text: str) -> list[str]:
    return [line.strip().removeprefix("claim ") for line in text.splitlines() if "claim" in line]


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ("requires_capability(&k->lock)", ["__lockspec_held_write(&k->lock) [__must_hold]"]),
        ("__requires_capability__(&k->lock)", ["__lockspec_held_write(&k->lock) [__must_hold]"]),
        ("requires_shared_capability(&k->lock)", ["__lockspec_held(&k->lock) [__must_hold_shared]"]),
        ("locks_excluded(&k->lock)", ["!__lockspec_held(&k->lock) [__must_not_hold]"]),
        ("context(&k->lock, 1, 1)", ["__lockspec_held(&k->lock) [__must_hold]"]),
        ("context(&k->lock, 0, 1)", ["__lockspec_acquired(&k->lock) [__acquires]"]),
        ("context(k->lock, 0, 1)", ["__lockspec_acquired(&k->lock) [__acquires]"]),
        (
            "release_capability(all)",
            ["__lockspec_held_write(&all) [__releases]", "__lockspec_released_write(&all) [__releases]"],
        ),
        ("lockspec_must_hold(RCU)", ["RCU() [__must_hold]"]),
        ("context(rcu, 0, 1)", ['__lockspec_acquired("rcu") [__acquires]']),
        ("try_acquire_capability(1, &k->lock)", ['__lockspec_acquired_write(&k->lock, "!=", 0) [__cond_acquires]']),
        ("try_acquire_capability(0, &k->lock)", ['__lockspec_acquired_write(&k->lock, "==", 0) [__cond_acquires]']),
        ("lockspec_try_acquires(nonzero, &all)", ['__lockspec_acquired(&all, "!=", 0) [__cond_acquires]']),
        ("lockspec_try_acquires(&all)", ['__lockspec_acquired(&all, "!=", 0) [__cond_acquires]']),
        (
            "lockspec_must_hold(&k->lock, &all)",
            ["__lockspec_held(&k->lock) [__must_hold]", "__lockspec_held(&all) [__must_hold]"],
        ),
        ("lockspec_must_hold()", []),
        ("lockspec_must_hold(&)", []),
    ],
)
def test_what_an_attribute_says(lowered: Lowered, attribute: str, said: list[str]) -> None:
    text = lowered(HEAD + f"int f(struct kvm *k) __attribute__(({attribute})) {{ return 0; }}")
    assert claims(text) == said


def test_annotations_of_one_kind_add_up(lowered: Lowered) -> None:
    text = lowered(
        HEAD + "void f(struct kvm *k) __attribute__((context(&k->lock, 0, 1))) __attribute__((context(&all, 0, 1))) { }"
    )
    assert claims(text) == ["__lockspec_acquired(&k->lock) [__acquires]", "__lockspec_acquired(&all) [__acquires]"]


def test_a_prototype_speaks_for_the_definition_whatever_its_parameters_are_called(lowered: Lowered) -> None:
    prototypes = (
        "void f(int, struct kvm *vm) __attribute__((requires_capability(&vm->next->lock)));"
        "void f(int n, struct kvm *box) __attribute__((requires_capability(&box->next->lock)));"
    )
    text = lowered(HEAD + prototypes + "void f(int m, struct kvm *k) { }")
    assert claims(text) == ["__lockspec_held_write(&k->next->lock) [__must_hold]"]


@pytest.mark.parametrize(
    ("shared", "attribute"), [("", "lockspec_must_hold"), ("#define __must_hold_shared(x)\n", "requires_capability")]
)
def test_only_a_kernel_with_a_word_for_readers_means_writers_without_it(
    tmp_path: Path, shared: str, attribute: str
) -> None:
    header = tmp_path / "linux" / "compiler_types.h"
    header.parent.mkdir()
    header.write_text(f"#define __must_hold(x)\n{shared}")
    unit = tmp_path / "unit.c"
    unit.write_text(
        "#include <linux/compiler_types.h>\n#include <linux/compiler_types.h>\nvoid f(void) __must_hold(l);\n"
    )
    words = ["gcc", "-E", "-P", f"-I{FORCED}", f"-I{tmp_path}", str(unit)]
    found = subprocess.run(words, capture_output=True, check=True, text=True, timeout=60).stdout
    assert found.strip() == f"void f(void) __attribute__(({attribute}(l)));"
