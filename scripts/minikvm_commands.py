# SPDX-License-Identifier: GPL-2.0-only
"""The compile database of the embedded tree, which names this machine's paths and is therefore made, not kept.

In: `fixtures/minikvm`. Out: `fixtures/minikvm/compile_commands.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


def commands(tree: Path, headers: Path) -> list[dict[str, object]]:
    """Return one entry for each C file below `tree`, in the form that Kbuild's own script writes."""
    flags = ["-std=gnu11", "-nostdinc", f"-I{tree / 'include'}", f"-I{headers}", "-Wall", "-Wextra"]
    units = sorted(unit.relative_to(tree).as_posix() for unit in tree.rglob("*.c"))
    return [
        {"directory": str(tree), "file": unit, "arguments": ["gcc", *flags, "-c", unit, "-o", f"{unit[:-2]}.o"]}
        for unit in units
    ]


def main(tree: Path) -> None:
    """Write the database into `tree`, unless it is there and right: its time stamp means something to caches."""
    path = tree / "compile_commands.json"
    text = json.dumps(commands(tree, FIXTURES / "include"), indent=1) + "\n"
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if sys.argv[1:] else FIXTURES / "minikvm")
