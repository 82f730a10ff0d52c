# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec init`: what it writes is valid by the schemas of those who read it, and the shell in it does what it says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.minikvm_commands import FIXTURES, commands

Run = Callable[..., Any]

WRITTEN = {
    "vscode": [".vscode/tasks.json"],
    "github": [".github/lockspec-matcher.json", ".github/workflows/lockspec.yml"],
    "gitlab": [".gitlab-ci.yml", ".gitlab/lockspec.yml"],
}


@pytest.mark.parametrize("what", WRITTEN)
def test_files_are_written_once_and_never_overwritten_unasked(run: Run, tmp_path: Path, what: str) -> None:
    assert run("init", what, "--tree", tmp_path).status == 0
    written = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert written == WRITTEN[what]
    assert run("init", what, "--tree", tmp_path).status == 0, "the same again changes nothing"
    *others, last = (tmp_path / path for path in WRITTEN[what])
    last.write_text("mine")
    for other in others:
        other.unlink()
    ran = run("init", what, "--tree", tmp_path)
    assert (ran.status, last.read_text()) == (2, "mine")
    assert WRITTEN[what][-1] in ran.err
    assert not any(other.exists() for other in others), "all or none"
    assert run("init", what, "--tree", tmp_path, "--force").status == 0
    assert last.read_text() != "mine"


def test_print_writes_nothing(run: Run, tmp_path: Path) -> None:
    ran = run("init", "github", "--tree", tmp_path, "--print")
    assert ran.status == 0
    assert "==> .github/workflows/lockspec.yml <==\n# SPDX" in ran.out
    assert list(tmp_path.iterdir()) == []


def test_a_pipeline_that_is_there_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".gitlab-ci.yml").write_text("mine: {}\n")
    ran = run("init", "gitlab", "--tree", tmp_path)
    assert ran.status == 0
    assert "add to .gitlab-ci.yml" in ran.out
    assert (tmp_path / ".gitlab-ci.yml").read_text() == "mine: {}\n"


@pytest.mark.parametrize("folder", ["a b", "$(x)", "-x", "", 'a"b', "a\nb"])
def test_a_folder_cannot_become_more_than_one_word(run: Run, tmp_path: Path, folder: str) -> None:
    assert run("init", "github", "--tree", tmp_path, "--under", folder).status == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("what", "path", "schema"),
    [
        ("github", ".github/workflows/lockspec.yml", "vendor.github-workflows"),
        ("github", ".github/workflows/lockspec.yml", "custom.github-workflows-require-timeout"),
        ("gitlab", ".gitlab-ci.yml", "vendor.gitlab-ci"),
        ("gitlab", ".gitlab/lockspec.yml", "vendor.gitlab-ci"),
    ],
)
def test_workflows_follow_their_schemas(run: Run, tmp_path: Path, what: str, path: str, schema: str) -> None:
    assert run("init", what, "--tree", tmp_path, "--under", "virt/kvm", "--package", 'git+https://x/"y').status == 0
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "check_jsonschema", "--builtin-schema", schema, str(tmp_path / path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Give a copy of the embedded tree with its compile database."""
    tree = tmp_path / "tree"
    shutil.copytree(FIXTURES / "minikvm", tree, ignore=shutil.ignore_patterns("compile_commands.json"))
    (tree / "compile_commands.json").write_text(json.dumps(commands(tree, FIXTURES / "include")))
    return tree


def shell(script: str, tree: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as CI does, with the lockspec of this checkout on the path."""
    programs = tree.parent / "bin"
    programs.mkdir(exist_ok=True)
    shim = programs / "lockspec"
    shim.write_text(f'#!/bin/sh\nPYTHONPATH="{FIXTURES.parent}" exec "{sys.executable}" -m analyzer "$@"\n')
    shim.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(tree.parent),
        "XDG_CACHE_HOME": str(tree.parent / ".cache"),
        **variables,
    }
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_steps_of_the_workflow_for_github_work(run: Run, tree: Path) -> None:
    """The first finds and fails at its end; with a baseline it passes; facts are kept where the cache looks for them."""
    assert run("init", "github", "--tree", tree, "--under", "virt/kvm").status == 0
    workflow = yaml.safe_load((tree / ".github/workflows/lockspec.yml").read_text())
    steps = {step["name"]: step for step in workflow["jobs"]["lockspec"]["steps"] if "name" in step}
    kept = tree.parent / "environment"
    options = workflow["env"]["OPTIONS"]
    assert (options, workflow["env"]["TARGETS"]) == ("--under virt/kvm", "virt/kvm/")
    done = shell(steps["Check"]["run"], tree, OPTIONS=options, GITHUB_ENV=str(kept))
    assert done.returncode == 0, done.stderr
    assert len(json.loads((tree / "lockspec.sarif").read_text())["runs"][0]["results"]) > 0
    assert "<title>lockspec report" in (tree / "lockspec.html").read_text()
    cached = steps["Take the facts of earlier runs"]["with"]["path"].replace("~", str(tree.parent))
    assert list(Path(cached).iterdir())
    told = shell(steps["Tell"]["run"], tree, OPTIONS=options)
    assert told.returncode == 1
    assert told.stdout.startswith("::error file=virt/kvm/")
    shell("lockspec baseline write lockspec.baseline --under virt/kvm --reason x", tree)
    assert shell(steps["Check"]["run"], tree, OPTIONS=options, GITHUB_ENV=str(kept)).returncode == 0
    later = kept.read_text().splitlines()[-1].removeprefix("OPTIONS=")
    assert shell(steps["Tell"]["run"], tree, OPTIONS=later).returncode == 0
    (tree / "lockspec.baseline").write_text("odd\n")
    assert shell(steps["Check"]["run"], tree, OPTIONS=options, GITHUB_ENV=str(kept)).returncode == 2


def test_the_script_of_the_job_for_gitlab_works(run: Run, tree: Path) -> None:
    assert run("init", "gitlab", "--tree", tree).status == 0
    job = yaml.safe_load((tree / ".gitlab/lockspec.yml").read_text())["lockspec"]
    script = "\n".join(job["script"])
    done = shell(script, tree, OPTIONS=job["variables"]["OPTIONS"])
    assert done.returncode == 1, done.stderr
    assert "without kvm.slots_lock" in done.stdout
    reports = job["artifacts"]["reports"]
    findings = json.loads(shell("lockspec check --format json || true", tree).stdout)["findings"]
    n_violations = sum(finding["verdict"] == "violation" for finding in findings)
    assert len(json.loads((tree / reports["codequality"]).read_text())) == len(findings) > 0
    assert f'failures="{n_violations}"' in (tree / reports["junit"]).read_text().splitlines()[1]
    assert (tree / job["artifacts"]["paths"][0]).exists()
    shell("lockspec baseline write lockspec.baseline --reason x", tree)
    assert shell(script, tree, OPTIONS="").returncode == 0


#: a VM's file is cleared deep below an ioctl, where others may use it
BUG = ("\tr = __kvm_gmem_get_pfn(file, slot, index, pfn);\n", "\tWRITE_ONCE(slot->gmem.file, NULL);\n")
GMEM = "virt/kvm/guest_memfd.c"


@pytest.fixture
def history(tree: Path) -> Path:
    """Give the tree in git with two merged branches, the last of which brings a bug."""
    (tree / ".gitignore").write_text("compile_commands.json\n*.sarif\n*.html\n*.xml\ngl-*\n")
    settings = "git config user.name A; git config user.email a@example.org; git remote add origin nowhere"
    merge = "git checkout -q main && git merge -q --no-ff -m merge"
    begin = f"git init -q -b main; {settings}; git add -A; git commit -q -m begin; git checkout -q -b tidy"
    done = shell(f"{begin}; echo >>{GMEM}; git commit -qam tidy; {merge} tidy; git checkout -q -b bug", tree)
    assert done.returncode == 0, done.stderr
    text = (tree / GMEM).read_text()
    (tree / GMEM).write_text(text.replace(BUG[0], BUG[1] + BUG[0]))
    done = shell(f"git commit -qam bug; {merge} bug", tree)
    assert done.returncode == 0, done.stderr
    return tree


def test_a_pull_request_fails_on_what_it_brings(run: Run, history: Path) -> None:
    assert run("init", "github", "--tree", history).status == 0
    job = yaml.safe_load((history / ".github/workflows/lockspec.yml").read_text())["jobs"]["lockspec"]
    steps = {step.get("name", step.get("uses")): step for step in job["steps"]}
    assert steps["actions/checkout@v4"]["with"]["fetch-depth"] == 2
    shell("git clone -q --depth=2 file://$PWD ../clone && cp compile_commands.json ../clone", history)
    clone = history.parent / "clone"
    database = (clone / "compile_commands.json").read_text().replace(f"{history}", f"{clone}")
    (clone / "compile_commands.json").write_text(database)
    variables = {"OPTIONS": "", "GITHUB_EVENT_NAME": "pull_request"}
    told = shell(steps["Tell"]["run"], clone, **variables)
    assert told.returncode == 1, told.stderr
    assert told.stdout.startswith(f"::error file={GMEM}")
    assert told.stdout.count("::error ") == 1, "what was there before is not told"
    shell("git checkout -q HEAD~1", history)
    told = shell(steps["Tell"]["run"], history, **variables)
    assert (told.returncode, told.stdout) == (0, ""), told.stderr


def test_a_merge_request_fails_on_what_it_brings(run: Run, history: Path) -> None:
    assert run("init", "gitlab", "--tree", history).status == 0
    job = yaml.safe_load((history / ".gitlab/lockspec.yml").read_text())["lockspec"]
    script = "\n".join(job["script"])
    before, base = shell("git rev-parse HEAD~2 HEAD~1", history).stdout.split()
    shell('git clone -q --bare . ../origin.git; git remote set-url origin "file://$PWD/../origin.git"', history)
    done = shell(script, history, OPTIONS="", CI_MERGE_REQUEST_DIFF_BASE_SHA=base)
    assert done.returncode == 1, done.stderr
    assert "1 introduced, 0 fixed" in done.stdout
    shell(f"git checkout -q {base}", history)
    done = shell(script, history, OPTIONS="", CI_MERGE_REQUEST_DIFF_BASE_SHA=before)
    assert done.returncode == 0, done.stderr
    assert len(json.loads((history / job["artifacts"]["reports"]["codequality"]).read_text())) > 1


def test_the_tasks_for_vscode_run(run: Run, tree: Path) -> None:
    assert run("init", "vscode", "--tree", tree, "--under", "virt/kvm").status == 0
    check, watch = json.loads((tree / ".vscode/tasks.json").read_text())["tasks"]
    done = shell(" ".join([check["command"], *check["args"]]), tree)
    assert done.returncode == 1
    assert "virt/kvm/guest_memfd.c:140:8: warning: " in done.stdout
    assert watch["isBackground"] is True
    assert "--under" in watch["args"]
