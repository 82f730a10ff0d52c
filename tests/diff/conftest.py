# SPDX-License-Identifier: GPL-2.0-only
"""Trees in git, and their comparison: a small one with rules of its own, and the embedded one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from analyzer.findings.model import Finding
from analyzer.pipeline.diff import Outcome, Revisions, diff
from analyzer.pipeline.options import CheckOptions, Silent
from scripts.minikvm_commands import FIXTURES, commands

HEADER = """\
struct mutex { int x; };
void mutex_lock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
struct dev { struct mutex lock; int state; int count; };
void report(int value);
"""
CORE = """\
#include "dev.h"

static void clear(struct dev *dev)
{
	report(1);
	dev->state = 0;
	report(2);
}

static void reset(struct dev *dev)
{
	clear(dev);
}

void dev_reset(struct dev *dev)
{
	mutex_lock(&dev->lock);
	reset(dev);
	mutex_unlock(&dev->lock);
}

void dev_count(struct dev *dev)
{
	report(3);
	dev->count++;
	report(4);
}
"""
RULES = """\
lockspec: 1
rules:
  - id: dev/state
    kind: guarded-by
    field: dev.state
    access: write
    requires: dev.lock
    why: states follow each other
    source: dev.h
  - id: dev/count
    kind: guarded-by
    field: dev.count
    access: write
    requires: dev.lock
    why: none is forgotten
    source: dev.h
"""
#: what a finding is called in these tests: its class, rule, file and function
Told = tuple[str, str, str, str]


class Tree:
    """A git repository with a compile database beside it."""

    def __init__(self, folder: Path, *, rules: tuple[str, ...] = (), specs: tuple[Path, ...] = ()) -> None:
        self.path = folder
        self.database = folder.parent / f"{folder.name}.json"
        self.cache = folder.parent / "cache"
        self._rules = rules
        self._specs = specs

    def git(self, *arguments: str) -> str:
        settings = ("-c", "user.name=A. Hacker", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", "-C", str(self.path), *settings, *arguments],
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.strip()

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text, "utf-8")

    def edit(self, name: str, *changes: tuple[str, str]) -> None:
        """Replace texts in a file, each of which must be there once."""
        text = (self.path / name).read_text("utf-8")
        for old, new in changes:
            assert text.count(old) == 1, (old, text.count(old))
            text = text.replace(old, new)
        self.write({name: text})

    def commit(self, message: str = "change") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def compiles(self, names: Iterable[str]) -> None:
        """Write the compile database."""
        entries = [{"directory": str(self.path), "file": name, "arguments": ["gcc", "-c", name]} for name in names]
        self.database.write_text(json.dumps(entries), "utf-8")

    def options(self) -> CheckOptions:
        return CheckOptions(
            tree=self.path,
            compile_commands=self.database,
            specs=self._specs,
            rules=self._rules,
            cache=self.cache,
        )

    def diff(self, base: str = "HEAD", head: str = "", *, exact: bool = False) -> Outcome:
        return diff(self.options(), Revisions(base=base, head=head, exact=exact), Silent())


def told(outcome: Outcome) -> set[Told]:
    """Return what was introduced and fixed; pre-existing findings are not told."""
    return {name(finding) for finding in (*outcome.comparison.introduced, *outcome.comparison.fixed)}


def name(finding: Finding) -> Told:
    return finding.change, finding.rule, finding.location.file, finding.function


@pytest.fixture
def small(tmp_path: Path) -> Tree:
    """Give a tree of one unit and one header, in which `dev_count()` breaks a rule."""
    rules = tmp_path / "dev.yaml"
    rules.write_text(RULES, "utf-8")
    tree = Tree(tmp_path / "tree", specs=(rules,))
    tree.write({"core.c": CORE, "dev.h": HEADER})
    tree.git("init", "-q", "-b", "main")
    tree.commit("begin")
    tree.compiles(["core.c"])
    return tree


@pytest.fixture
def embedded(tmp_path: Path) -> Tree:
    """Give the embedded tree in git, with the rules about guest memory."""
    folder = tmp_path / "tree"
    shutil.copytree(FIXTURES / "minikvm", folder, ignore=shutil.ignore_patterns("compile_commands.json"))
    tree = Tree(folder, rules=("kvm/gmem-*",))
    tree.database.write_text(json.dumps(commands(folder, FIXTURES / "include")), "utf-8")
    tree.git("init", "-q", "-b", "main")
    tree.commit("begin")
    return tree
