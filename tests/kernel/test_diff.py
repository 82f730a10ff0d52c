# SPDX-License-Identifier: GPL-2.0-only
"""What a change to the real tree brings and mends, by a repository made of the files that its units read."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from analyzer.facts.store import Store
from analyzer.findings.model import Finding
from analyzer.pipeline.check import extracted
from analyzer.pipeline.diff import Outcome, Revisions, diff
from analyzer.pipeline.options import CheckOptions, Silent
from tests.kernel.edit import Change, Replace, apply, extent

GMEM = "virt/kvm/guest_memfd.c"
X86 = "arch/x86/kvm/x86.c"
ENABLE = "kvm_arch_enable_virtualization_cpu"
#: deep below the vCPU's ioctl: by then only SRCU is held
DEEP = Replace("kvm_gmem_get_pfn", r"(?=\tfolio = __kvm_gmem_get_pfn)", "\tWRITE_ONCE(slot->gmem.file, NULL);\n")
#: the two walks over the list of VMs, which are known to lack the lock
FIRST = (
    Replace(ENABLE, r"(?=\tlist_for_each_entry\([^\n]*\n\t\tkvm_for_each_vcpu)", "\tmutex_lock(&kvm_lock);\n"),
    Replace(ENABLE, r"(?=\tif \(backwards_tsc\) \{\n)", "\tmutex_unlock(&kvm_lock);\n"),
)
SECOND = (
    Replace(ENABLE, r"(?=\t\tlist_for_each_entry\([^\n]*\n\t\t\tkvm->arch)", "\t\tmutex_lock(&kvm_lock);\n"),
    Replace(ENABLE, r"(?=\n\t\}\n\treturn 0;\n)", "\t\tmutex_unlock(&kvm_lock);\n"),
)


class Repository:
    """A copy of the tree in git."""

    def __init__(self, path: Path, cache: Path) -> None:
        self.path = path
        self._cache = cache
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        settings = ("-c", "user.name=A. Hacker", "-c", "user.email=a@example.org", "-c", "gc.auto=0")
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        command = ["git", "-C", str(self.path), *settings, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    def edit(self, file: str, *changes: Change) -> None:
        text = (self.path / file).read_text("utf-8")
        (self.path / file).write_text(apply(text, changes), "utf-8")

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def diff(self, base: str, head: str = "") -> Outcome:
        options = CheckOptions(tree=self.path, cache=self._cache, jobs=len(os.sched_getaffinity(0)))
        return diff(options, Revisions(base=base, head=head, exact=True), Silent())


@pytest.fixture(scope="module")
def repository(tree: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Give the files that the units read, generated ones untracked, with their compile database."""
    place = tmp_path_factory.mktemp("git") / "linux"
    with Store(cache) as store:
        files = extracted(CheckOptions(tree=tree, cache=cache), store, Silent()).files
    for file in files:
        path = Path(file)
        if path.is_relative_to(tree):
            copy = place / path.relative_to(tree)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
    database = (tree / "compile_commands.json").read_text("utf-8")
    (place / "compile_commands.json").write_text(database.replace(f"{tree}", f"{place}"), "utf-8")
    (place / ".gitignore").write_text("generated/\ncompile_commands.json\n", "utf-8")
    made = Repository(place, cache)
    made.commit()
    return made


@pytest.fixture
def begin(repository: Repository) -> str:
    """Put the tree back, and give the commit it stands on."""
    repository.git("checkout", "-q", "-f", "main")
    repository.git("checkout", "-q", "--detach")
    return repository.git("rev-parse", "HEAD")


def told(findings: Iterable[Finding]) -> set[tuple[str, str, str]]:
    return {(finding.rule, finding.location.file, finding.function) for finding in findings}


def test_a_deep_bug_among_moved_lines_its_fix_and_nothing_else(repository: Repository, begin: str) -> None:
    text = (repository.path / X86).read_text("utf-8")
    start, _ = extent(text, "kvm_arch_vcpu_create")
    _, end = extent(text, "kvm_arch_disable_virtualization_cpu")
    assert text[start:end].count("\n") > 200
    assert ENABLE in text[start:end], "known findings are among the lines that move"
    (repository.path / X86).write_text(f"{text[:start]}{text[end:]}\n{text[start:end]}", "utf-8")
    repository.edit(GMEM, DEEP)
    bug = repository.commit()
    brought = repository.diff(begin, bug)
    assert told(brought.comparison.introduced) == {("kvm/gmem-file-write", GMEM, "kvm_gmem_get_pfn")}
    assert brought.comparison.fixed == ()
    for finding in brought.comparison.introduced:
        assert len(finding.chain) >= 5
        assert finding.touched == (f"{GMEM}:kvm_gmem_get_pfn",), "what moved did not change"
    repository.git("checkout", "-q", begin, "--", GMEM)
    mended = repository.diff(bug)
    assert told(mended.comparison.fixed) == {("kvm/gmem-file-write", GMEM, "kvm_gmem_get_pfn")}
    assert mended.comparison.introduced == ()
    assert len(mended.comparison.pre_existing) == len(brought.comparison.pre_existing) > 0


def test_a_swap_within_one_function(repository: Repository, begin: str) -> None:
    repository.edit(X86, *FIRST)
    base = repository.commit()
    repository.git("checkout", "-q", begin, "--", X86)
    repository.edit(X86, *SECOND)
    comparison = repository.diff(base).comparison
    assert told(comparison.introduced) == told(comparison.fixed) == {("kvm/vm-list", X86, ENABLE)}
    first, second = ({one.fingerprint for one in found} for found in (comparison.introduced, comparison.fixed))
    assert first == second, "the same by name and number: their places tell them apart"
