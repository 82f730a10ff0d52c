# SPDX-License-Identifier: GPL-2.0-only
"""A small tree of C files that the machine's own gcc preprocesses."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

FILES = {
    "include/top.h": "int top;\n",
    "include/sub/beside.h": '#include "sibling.h"\nint beside;\n',
    "include/sub/sibling.h": "int sibling;\n",
    "drivers/own.h": "int own;\n",
    "drivers/deep/up.h": '#include "../own.h"\nint up;\n',
    "drivers/a.c": '#include <top.h>\n#include "own.h"\n#include <sub/beside.h>\nint a(void) { return own; }\n',
    "drivers/deep/b.c": '#include "up.h"\nconst char *b = __FILE__;\n',
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Give a tree with a compile database for each of its C files."""
    root = tmp_path / "tree"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    write_database(root, {name: f"gcc -g -Iinclude -c -o x.o {name}" for name in FILES if name.endswith(".c")})
    return root


def write_database(root: Path, commands: Mapping[str, str]) -> None:
    entries = [
        {"directory": str(root), "file": str(root / file), "command": command} for file, command in commands.items()
    ]
    (root / "compile_commands.json").write_text(json.dumps(entries))


@pytest.fixture
def database(tree: Path) -> Callable[[Mapping[str, str]], None]:
    """Write another compile database into the tree."""
    return lambda commands: write_database(tree, commands)
