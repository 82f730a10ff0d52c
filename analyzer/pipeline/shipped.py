# SPDX-License-Identifier: GPL-2.0-only
"""The data that comes with lockspec.

In: nothing. Out: the folder of the shipped lock specifications, `…/lockspecs`.

A checkout has the data beside the package, an installed wheel below it in `_data/` (see `pyproject.toml`).
"""

from __future__ import annotations

from pathlib import Path

import analyzer

_PACKAGE = Path(analyzer.__file__).parent


def lockspecs() -> Path:
    """Find the folder of the shipped specifications."""
    return _shipped("lockspecs")


def fixtures() -> Path:
    """Find the folder that holds `minikvm/`, the embedded tree, and `include/`."""
    return _shipped("fixtures")


def _shipped(name: str) -> Path:
    installed = _PACKAGE / "_data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
