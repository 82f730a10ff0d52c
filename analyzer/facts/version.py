# SPDX-License-Identifier: GPL-2.0-only
"""Digest of the code that makes facts.

In: the analyzer's own files. Out: `9f2c…`, which changes whenever facts of an unchanged kernel could.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

#: the layers that facts are made by; those above only read facts
_PACKAGES = ("base", "ir", "facts", "source", "frontend", "lower")
_PARSER = "pycparser"


def extraction_version() -> str:
    """Hash the extraction's source code, the parser it builds on, and the Python that runs them."""
    root = Path(__file__).parent.parent
    folders = [root / package for package in _PACKAGES]
    # Found, not imported: this layer has no business with syntax trees.
    parser = find_spec(_PARSER)
    folders += map(Path, parser.submodule_search_locations or () if parser else ())
    return _digest(folders)


def program_version() -> str:
    """Hash all of the analyzer's source code, and the Python that runs it."""
    return _digest([Path(__file__).parent.parent])


def _digest(folders: Iterable[Path]) -> str:
    digest = blake2b(sys.version.encode(), digest_size=12)
    for folder in folders:
        # headers too: what units are made to include changes their text
        for file in sorted((*folder.rglob("*.py"), *folder.rglob("*.h"))):
            digest.update(f"\0{file.relative_to(folder)}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
