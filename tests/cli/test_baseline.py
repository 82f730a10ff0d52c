# SPDX-License-Identifier: GPL-2.0-only
"""`--baseline` and `lockspec baseline`: statuses, places, and what an update leaves alone; on the embedded tree too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from analyzer.base.location import Location
from analyzer.cli.main import main
from analyzer.findings.model import Finding
from scripts.minikvm_commands import FIXTURES

Run = Callable[..., Any]


@pytest.fixture
def baseline(run: Run, pipeline: Any, violation: Finding, tmp_path: Path) -> Path:
    """Give a baseline that accepts the violation."""
    path = tmp_path / "lockspec.baseline"
    pipeline.finds(violation)
    assert run("baseline", "write", path, "--reason", "known since v1").status == 0
    return path


def test_what_is_written_is_accepted(run: Run, baseline: Path) -> None:
    ran = run("check", "--baseline", baseline)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.endswith("0 violations, 0 unknown, 1 accepted by the baseline\n")
    assert "because  known since v1" in run("check", "--baseline", baseline, "--verbose").out


def test_a_new_finding_fails_the_run(run: Run, pipeline: Any, baseline: Path, violation: Finding) -> None:
    pipeline.finds(violation, replace(violation, fingerprint="00000000000000bb", message="another"))
    ran = run("check", "--baseline", baseline, "--format", "gcc")
    assert ran.status == 1
    assert ran.out == "a.c:2:3: warning: another [vm/lock]\n"


def test_an_unused_entry_fails_the_run_with_its_place(run: Run, pipeline: Any, baseline: Path) -> None:
    pipeline.finds()
    ran = run("check", "--baseline", baseline)
    assert ran.status == 1
    first, second = ran.err.splitlines()
    assert first == f"{baseline}:4:1: unused: there is no finding 00000000000000aa [vm/lock] in f any more"
    assert second == f"lockspec baseline update {baseline} takes unused entries out"


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (["--rule", "vm/*"], 1),
        (["--rule", "other/*"], 0),
        (["--under", "drivers"], 0),
        (["--under", "."], 1),
        (["a.c"], 1),
        (["b.c"], 0),
    ],
)
def test_what_a_run_does_not_look_at_is_not_called_unused(
    run: Run, pipeline: Any, baseline: Path, options: list[str], status: int
) -> None:
    pipeline.finds()
    assert run("check", "--baseline", baseline, *options).status == status


def test_an_incomplete_run_calls_nothing_unused(run: Run, pipeline: Any, baseline: Path) -> None:
    pipeline.finds(n_failed=1)
    ran = run("check", "--baseline", baseline)
    assert ran.status == 3
    assert ran.err == f"{baseline}: 1 entry without a finding not judged: this run did not look at everything\n"
    assert run("check", "--baseline", baseline, "--quiet").err == ""


def test_a_bad_baseline_is_told_before_anything_is_analysed(run: Run, pipeline: Any, baseline: Path) -> None:
    baseline.write_text(baseline.read_text().replace("rule:", "rul:").replace("reason:", "raison:"))
    n_asked = len(pipeline.asked)
    ran = run("check", "--baseline", baseline)
    assert (ran.status, ran.out) == (2, "")
    assert [line.split(": ")[0] for line in ran.err.splitlines()][:2] == [f"{baseline}:4:1", f"{baseline}:4:1"]
    assert len(pipeline.asked) == n_asked


def test_write_wants_a_reason_and_no_file(run: Run, baseline: Path) -> None:
    other = baseline.with_name("other")
    assert run("baseline", "write", other).status == 2
    assert run("baseline", "write", other, "--reason", "  ").status == 2
    assert not other.exists()
    before = baseline.read_bytes()
    ran = run("baseline", "write", baseline, "--reason", "x")
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert baseline.read_bytes() == before


def test_update_takes_out_what_was_mended(run: Run, pipeline: Any, baseline: Path, violation: Finding) -> None:
    new = replace(violation, fingerprint="00000000000000bb", message="another", location=Location("z.c", 1))
    baseline.write_text(f"# mine\n\n{baseline.read_text()}")
    pipeline.finds(new)
    ran = run("baseline", "update", baseline)
    assert ran.status == 1
    assert ran.err.splitlines()[0] == "z.c:1: another [vm/lock]: not accepted"
    assert baseline.read_text().startswith("# mine\n")
    assert "fingerprint" not in baseline.read_text()
    assert run("baseline", "update", baseline, "--reason", "so be it").status == 0
    assert "reason: so be it\n" in baseline.read_text()
    assert run("check", "--baseline", baseline).status == 0


def test_update_keeps_reasons_and_comments(run: Run, pipeline: Any, baseline: Path, violation: Finding) -> None:
    text = baseline.read_text().replace("reason: known", "# a comment\nreason:  well,\n known")
    baseline.write_text(text)
    pipeline.finds(violation, replace(violation, fingerprint="00000000000000bb"))
    assert run("baseline", "update", baseline, "--reason", "new").status == 0
    assert baseline.read_text().startswith(text)


def test_unknown_verdicts_are_accepted_only_where_they_fail(
    run: Run, pipeline: Any, violation: Finding, tmp_path: Path
) -> None:
    pipeline.finds(replace(violation, verdict="unknown"))
    lax, strict = tmp_path / "lax", tmp_path / "strict"
    assert run("baseline", "write", lax, "--reason", "x").status == 0
    assert run("baseline", "write", strict, "--reason", "x", "--strict").status == 0
    assert run("check", "--strict", "--baseline", lax).status == 1
    assert run("check", "--strict", "--baseline", strict).status == 0
    pipeline.finds(violation)
    ran = run("check", "--baseline", strict)
    assert ran.status == 1
    assert "accepted as unknown, but it is a violation now" in ran.err
    assert run("baseline", "update", strict, "--reason", "y").status == 0
    assert "verdict" not in strict.read_text()


def swapped(text: str, function: str, old: str, new: str) -> str:
    """Exchange words in the body of one function."""
    start = text.index(f"{function}(")
    end = text.index("\n}\n", start)
    assert old in text[start:end]
    return text[:start] + text[start:end].replace(old, new) + text[end:]


def test_on_the_embedded_tree(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One bug is mended, another put in, and everything moves by a line: both are seen, and nothing else."""
    tree, file, path = FIXTURES / "minikvm", "virt/kvm/guest_memfd.c", tmp_path / "baseline"
    common = ["--tree", str(tree), "--cache", str(tmp_path / "cache")]
    assert main(["baseline", "write", str(path), "--reason", "put in on purpose", *common]) == 0
    assert main(["check", "--baseline", str(path), *common]) == 0
    capsys.readouterr()
    text = swapped((tree / file).read_text("utf-8"), "kvm_gmem_revoke", "kvm->lock", "kvm->slots_lock")
    text = swapped(text, "kvm_gmem_release", "kvm->slots_lock", "kvm->lock")
    edited = tmp_path / "edited.c"
    edited.write_text(f"/* a line */\n{text}")
    overlay = ["--overlay", f"{file}={edited}"]
    assert main(["check", "--baseline", str(path), "--format", "gcc", *common, *overlay]) == 1
    printed = capsys.readouterr()
    (warning,) = (line for line in printed.out.splitlines() if " warning: " in line)
    assert warning.endswith("write of kvm_memory_slot.gmem.file without kvm.slots_lock [kvm/gmem-file-write]")
    assert printed.out.count("kvm_gmem_release()")
    unused = [line for line in printed.err.splitlines() if ": unused: " in line]
    assert len(unused) == 1
    assert "[kvm/gmem-file-write] in kvm_gmem_revoke" in unused[0]
    assert main(["baseline", "update", str(path), "--reason", "as bad as before", *common, *overlay]) == 0
    assert main(["check", "--baseline", str(path), *common, *overlay]) == 0
