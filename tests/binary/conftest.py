# SPDX-License-Identifier: GPL-2.0-only
"""Small C files, compiled and read; and where the real tree is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from analyzer.binary.model import ObjectFacts
from analyzer.binary.read import read_object

ROOT = Path(__file__).parents[2]

Compile = Callable[..., Path]
Read = Callable[..., ObjectFacts]


@pytest.fixture
def compile_c(tmp_path: Path) -> Compile:
    """Return a function that compiles C text to an object file."""

    def run(text: str, *flags: str) -> Path:
        source, target = tmp_path / "a.c", tmp_path / "a.o"
        source.write_text(dedent(text))
        command = ["gcc", "-O2", "-g", "-fcf-protection=none", "-fno-pie", "-c", *flags, str(source), "-o", str(target)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return target

    return run


@pytest.fixture
def read(compile_c: Compile) -> Read:
    """Return a function that compiles C text and reads the object."""

    def run(
        text: str, *flags: str, fields: tuple[tuple[str, ...], ...] = (), functions: tuple[str, ...] = ()
    ) -> ObjectFacts:
        facts = read_object(compile_c(text, *flags), fields, functions)
        assert facts is not None
        return facts

    return run


@pytest.fixture(scope="session")
def tree() -> Path:
    """Return the prepared tree with its objects, or skip with the reason."""
    path = Path(os.environ.get("LOCKSPEC_KERNEL") or ROOT / ".kernel" / "linux")
    if not (path / "compile_commands.json").exists():
        pytest.skip(f"no prepared kernel at {path}: run `make kernel`, or set LOCKSPEC_KERNEL")
    return path
