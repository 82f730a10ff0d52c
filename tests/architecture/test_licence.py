# SPDX-License-Identifier: GPL-2.0-only
"""The licence text is the licence that everything names."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_licence_is_the_gpl_version_2() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in text.split("\n", 1)[0]
    assert "Version 2, June 1991" in text
