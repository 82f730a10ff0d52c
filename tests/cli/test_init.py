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
    "kbuild": ["lockspec.mk"],
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


def test_the_makefile_for_the_kernel_names_its_directories_and_is_the_one_of_the_patch(
    run: Run, tmp_path: Path
) -> None:
    assert run("init", "kbuild", "--tree", tmp_path, "--under", "virt/kvm", "--under", "arch/mini/kvm/").status == 0
    makefile = (tmp_path / "lockspec.mk").read_text()
    assert "LOCKSPEC_DIRS  ?= virt/kvm arch/mini/kvm\n" in makefile
    assert "@@" not in makefile
    ran = run("init", "kbuild", "--tree", tmp_path, "--patch")
    assert (ran.status, ran.out) == (2, "")
    assert "--tree takes a kernel's source" in ran.err
    (tmp_path / "Documentation/dev-tools").mkdir(parents=True)
    (tmp_path / "Documentation/dev-tools/index.rst").write_text("   coccinelle\n   others\n")
    (tmp_path / "Makefile").write_text("all:\n")
    assert "nothing there that the patch could stand beside" in run("init", "kbuild", "--tree", tmp_path, "--patch").err
    (tmp_path / "Makefile").write_text("help:\n\t@echo  '  coccicheck      - …'\n\ncoccicheck:\n\t@true\n\nend:\n")
    patch = run("init", "kbuild", "--tree", tmp_path, "--patch", "--under", "virt/kvm")
    assert patch.status == 0
    done = subprocess.run(["patch", "-p1"], cwd=tmp_path, input=patch.out, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "scripts/Makefile.lockspec").read_text() == makefile.replace(" arch/mini/kvm\n", "\n")
    assert "lockspec:\n\t" in (tmp_path / "Makefile").read_text()


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    """Give what looks like a kernel's tree to the makefile, with a build that says what it was asked for."""
    tree = tmp_path / "linux"
    for folder in ("drivers/net", "net/core", "virt/empty"):
        (tree / folder).mkdir(parents=True)
    for name in ("Kconfig", "drivers/net/Makefile", "net/core/Kbuild"):
        (tree / name).touch()
    (tree / "Makefile").write_text(
        "show = @echo 'BUILD checks $(KBUILD_CHECKSRC), module $(KBUILD_EXTMOD), O=$(O):' $@\n"
        "all:\n\t$(show)\n%:\n\t$(show)\n.PHONY: all drivers/net/ net/core/\n"
        "drivers/net/ net/core/:\n\t$(show)\nMakefile: ;\n"
    )
    return tree


def make(tree: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "--no-print-directory", "-f", "lockspec.mk", "lockspec", "LOCKSPEC=echo LOCKSPEC", *words],
        cwd=tree,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_target_builds_and_links_what_is_named(run: Run, kernel: Path) -> None:
    assert run("init", "kbuild", "--tree", kernel).status == 0
    where = f"--build {kernel}"
    for words in (["M=drivers/net"], ["M=drivers/net/"], [f"M={kernel}/drivers/net"], ["LOCKSPEC_DIRS=drivers/net"]):
        lines = make(kernel, *words).stdout.splitlines()
        assert [" ".join(line.split()) for line in lines] == [
            f"LOCKSPEC kbuild forget --quiet {where} --under drivers/net",
            "BUILD checks 2, module , O=: drivers/net/",
            "LOCKSPEC drivers/net",
            f"LOCKSPEC kbuild link --quiet --format gcc {where} --under drivers/net",
        ], words
    several = make(kernel, "drivers/net/", "net/core/").stdout
    assert "--under drivers/net --under net/core" in several
    assert several.count("BUILD") == 2
    assert "BUILD checks 2, module , O=: all" in make(kernel).stdout
    out = kernel.parent / "out"
    assert f"O={out}: drivers/net/" in make(kernel, f"O={out}", "M=drivers/net").stdout


def test_the_target_for_changes_compares_instead(run: Run, kernel: Path) -> None:
    run("init", "kbuild", "--tree", kernel)
    lines = make(kernel, "MODE=diff", "BASE=v1", "M=drivers/net", "LOCKSPEC_FLAGS=--strict").stdout.splitlines()
    assert lines[0] == "BUILD checks 0, module , O=: drivers/net/"
    assert " ".join(lines[-1].split()) == (
        f"LOCKSPEC diff --quiet --format gcc --tree {kernel} --build {kernel} --base v1 --under drivers/net --strict"
    )
    assert "MODE is report or diff, not odd" in make(kernel, "MODE=odd").stderr


def test_an_external_module_is_built_as_one(run: Run, kernel: Path) -> None:
    module = kernel.parent / "module"
    module.mkdir()
    run("init", "kbuild", "--tree", module)
    for words in ([f"KDIR={kernel}"], [f"KDIR={kernel}", "M=."], [f"KDIR={kernel}", f"M={module}"]):
        done = make(module, *words)
        assert f"BUILD checks 2, module {module}, O=: all" in done.stdout, words
        assert f"kbuild link --quiet --format gcc --build {module}" in done.stdout


def test_what_make_cannot_build_is_an_error_and_not_everything(run: Run, kernel: Path) -> None:
    run("init", "kbuild", "--tree", kernel)
    done = make(kernel, "M=virt/empty")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no makefile in virt/empty" in done.stderr
    assert "virt/empty" in make(kernel, "virt/empty/", "drivers/net/").stdout, "its neighbour may build it"
    assert "one external module, or directories" in make(kernel, f"M={kernel.parent}", "drivers/net/").stderr
