# SPDX-License-Identifier: GPL-2.0-only
"""The import contracts of `pyproject.toml` hold."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINTER = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def test_every_contract_is_kept() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LINTER, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    assert f"Contracts: {len(contracts)} kept, 0 broken." in done.stdout


def test_one_door_contracts_name_every_package_but_the_door() -> None:
    packages = {f"analyzer.{path.parent.name}" for path in (ROOT / "analyzer").glob("*/__init__.py")}
    doors = {
        "pycparser": {"analyzer.frontend", "analyzer.lower"},
        "networkx": {"analyzer.program"},
        "elftools": {"analyzer.binary"},
        "yaml": {"analyzer.spec"},
        "sqlite3": {"analyzer.facts"},
        "typer": {"analyzer.cli"},
        "pygls": {"analyzer.server"},
    }
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    for module, door in doors.items():
        (contract,) = [c for c in contracts if c["name"].startswith("5") and module in c["forbidden_modules"]]
        assert set(contract["source_modules"]) == packages - door, module
