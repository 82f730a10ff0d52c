# SPDX-License-Identifier: GPL-2.0-only
"""The output formats there are, found by looking.

In: the modules beside this one. Out: `("gcc", "json", "text")`, and the `render` of one of them.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Protocol, cast

from analyzer.findings.model import Report
from analyzer.report._style import SourceReader, Style


class Renderer(Protocol):
    """What a format's module calls `render`."""

    def __call__(self, report: Report, sources: SourceReader, style: Style) -> str:
        """Return the whole report as one string that ends in a newline, or is empty."""


def format_names() -> tuple[str, ...]:
    """List the formats, in alphabetical order, without importing them."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return tuple(sorted(module.name for module in found if not module.name.startswith("_")))


def renderer(name: str) -> Renderer:
    """Import the renderer of format `name`, one of `format_names()`."""
    assert name in format_names(), name
    return cast(Renderer, importlib.import_module(f"analyzer.report.{name}").render)
