# SPDX-License-Identifier: GPL-2.0-only
"""Files that set lockspec up in an editor or a CI system.

In: which, and what is to be checked. Out: paths relative to the tree with their texts, and what is left to do by hand.

The templates stand in `_scaffold/`, with places to put something in between double at signs.

**Invariant:** what is put in is one JSON text, which is one YAML value too: nothing can end its place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from analyzer import __version__

_FOLDER = Path(__file__).parent / "_scaffold"
#: what pip is to install
PACKAGE = f"lockspec=={__version__}"
#: a line of the `gcc` format: file, line, perhaps column, severity, text, perhaps the rule
MESSAGE = r"^(.+?):(\d+)(?::(\d+))?: (warning|error|note): (.*?)(?: \[([^\]\s]+)\])?$"
#: GitHub's runner knows no severity `note`; a matcher of its own gives it the one it knows
_GITHUB = {
    "lockspec": ("warning", MESSAGE.replace("|note", "")),
    "lockspec-note": ("notice", MESSAGE.replace("(warning|error|note)", "note")),
}


class Choice(Struct, frozen=True, kw_only=True):
    """What is to be checked, and with which lockspec."""

    #: directories of the tree; empty: everything
    under: tuple[str, ...] = ()
    #: what pip installs
    package: str = PACKAGE


class Scaffold(Struct, frozen=True):
    """Files to be written."""

    files: Mapping[str, str]
    #: one line each, for people
    hints: tuple[str, ...] = ()


def vscode(choice: Choice) -> Scaffold:
    """Return tasks for Visual Studio Code: check, and watch, with a matcher for findings and their steps."""
    under = [word for folder in choice.under for word in ("--under", folder)]
    keys = {"regexp": 0, "file": 1, "line": 2, "column": 3, "severity": 4, "message": 5, "code": 6}
    pattern = {key: number or MESSAGE for key, number in keys.items()}
    parts = {
        "check": ["check", "--quiet", "--format", "gcc", *under],
        "watch": ["watch", "--quiet", *under],
        "pattern": pattern,
    }
    hints = ("Terminal > Run Task… > lockspec: watch; findings and their steps stand in the Problems view",)
    return Scaffold({".vscode/tasks.json": _filled("tasks.json", parts)}, hints)


def github(choice: Choice) -> Scaffold:
    """Return a workflow for GitHub, and a matcher for jobs that print the `gcc` format."""
    matchers = [_github_matcher(owner, *told) for owner, told in _GITHUB.items()]
    files = {
        ".github/workflows/lockspec.yml": _filled("github.yml", _ci_parts(choice)),
        ".github/lockspec-matcher.json": json.dumps({"problemMatcher": matchers}, indent=1) + "\n",
    }
    hints = (
        "CONFIG and TARGETS in the workflow say how the kernel is configured and what is compiled",
        'elsewhere, echo "::add-matcher::.github/lockspec-matcher.json" lets the runner read --format gcc',
    )
    return Scaffold(files, hints)


def gitlab(choice: Choice, *, included: bool) -> Scaffold:
    """Return a job for GitLab; `included`: there is a pipeline already, which must include it."""
    files = {".gitlab/lockspec.yml": _filled("gitlab.yml", _ci_parts(choice))}
    hints = ["CONFIG and TARGETS in the job say how the kernel is configured and what is compiled"]
    if included:
        hints.append("add to .gitlab-ci.yml, below include:   - local: .gitlab/lockspec.yml")
    else:
        files[".gitlab-ci.yml"] = _filled("gitlab-ci.yml", {})
    return Scaffold(files, tuple(hints))


def _ci_parts(choice: Choice) -> dict[str, object]:
    return {
        "package": choice.package,
        "targets": " ".join(f"{folder}/" for folder in choice.under) or "all",
        "options": " ".join(f"--under {folder}" for folder in choice.under),
    }


def _github_matcher(owner: str, severity: str, pattern: str) -> dict[str, object]:
    names = ["file", "line", "column", "severity", "message", "code"]
    if owner != "lockspec":
        names.remove("severity")
    groups: dict[str, object] = {name: number for number, name in enumerate(names, 1)}
    return {"owner": owner, "severity": severity, "pattern": [{"regexp": pattern, **groups}]}


def _filled(name: str, parts: Mapping[str, object]) -> str:
    """Fill a template; each part becomes JSON."""
    head, *rest = (_FOLDER / name).read_text("utf-8").split("@@")
    texts = (json.dumps(parts[part], ensure_ascii=False) if n % 2 == 0 else part for n, part in enumerate(rest))
    return head + "".join(texts)
