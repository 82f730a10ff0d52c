# SPDX-License-Identifier: GPL-2.0-only
"""The manual page is that of the commands as they are, and man takes it. `make man` writes it anew."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main

from analyzer.cli.main import app
from analyzer.cli.man import manual

PAGE = Path(__file__).parents[2] / "docs/man/lockspec.1"


def test_the_page_is_current() -> None:
    assert manual() == PAGE.read_text("utf-8"), "make man writes the page anew"


def test_every_command_and_option_is_in_it() -> None:
    text = manual().replace("\\-", "-")
    root = typer.main.get_command(app)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        for whole, one in [(f"{name} {n}", c) for n, c in inner.items()] if inner else [(name, command)]:
            assert f'.SS "lockspec {whole} ' in text
            for parameter in one.params:
                if parameter.param_type_name == "option" and parameter.name != "help":
                    assert all(f"\\fB{option}\\fR" in text for option in parameter.opts), (whole, parameter.name)


def test_man_takes_it_without_a_warning() -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("no groff: install man-db to run this test")
    done = subprocess.run(
        [groff, "-man", "-Tutf8", "-ww", "-rCHECKSTYLE=1"],
        input=manual(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "lockspec check --rule 'kvm/gmem-*' --format gcc" in done.stdout
