# SPDX-License-Identifier: GPL-2.0-only
"""Extraction of whole trees: what is done again, and what becomes of units that cannot be extracted."""

import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from analyzer.base.gap import GapKind
from analyzer.facts.store import Store
from analyzer.facts.unit import UnitFacts
from analyzer.lower.unit import extract_unit
from analyzer.pipeline import worker
from analyzer.pipeline.extract import Extraction, extract
from analyzer.pipeline.options import Silent
from analyzer.source.commands import read_units
from analyzer.source.segment import Segment

HEADER = "struct box { int lid; };\nstatic inline void shut(struct box *b) { b->lid = 0; }\n"
SOURCES = {
    "a.c": '#include "box.h"\nvoid a(struct box *b) { shut(b); }\n',
    "b.c": '#include "box.h"\nint b(struct box *b) { shut(b); return b->lid; }\n',
    "c.c": "int c(void) { return 1; }\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Give a tree of three units, two with a header in common."""
    root = tmp_path / "tree"
    root.mkdir()
    for name, text in {"box.h": HEADER, **SOURCES}.items():
        (root / name).write_text(text)
        os.utime(root / name, ns=(10**18, 10**18))
    entries = [{"directory": str(root), "file": name, "command": f"gcc -c {name}"} for name in SOURCES]
    (root / "compile_commands.json").write_text(json.dumps(entries))
    return root


def run(tree: Path, cache: Path | None, *, jobs: int = 2, **given: Any) -> Extraction:
    overlays: Sequence[tuple[str, Path]] = given.pop("overlays", ())
    with Store(cache, version="1") as store:
        return extract(read_units(tree=tree, **given), store, Silent(), jobs=jobs, overlays=overlays)


def everything(extraction: Extraction) -> tuple[object, ...]:
    return extraction.units, dict(extraction.functions), extraction.gaps, extraction.failed


def functions(extraction: Extraction) -> dict[str, list[str]]:
    return {unit.name: sorted(ref.name for ref in unit.functions) for unit in extraction.units}


def test_all_units_and_the_functions_they_reach(tree: Path) -> None:
    extraction = run(tree, None)
    assert functions(extraction) == {"a.c": ["a", "shut"], "b.c": ["b", "shut"], "c.c": ["c"]}
    assert (extraction.gaps, extraction.failed, extraction.n_reused) == ((), (), 0)
    # workers are forked from this process: how much it took before is theirs too
    assert extraction.peak_bytes > 0
    shut = {ref.facts_key for unit in extraction.units for ref in unit.functions if ref.name == "shut"}
    assert len(shut) == 1
    assert extraction.functions[shut.pop()].fields == ("box.lid",)


def test_the_result_is_the_same_for_all_jobs_and_warm_or_cold(tree: Path, tmp_path: Path) -> None:
    results = [run(tree, None, jobs=1), run(tree, tmp_path / "c"), run(tree, tmp_path / "c", jobs=1)]
    assert [result.n_reused for result in results] == [0, 0, 3]
    assert all(everything(result) == everything(results[0]) for result in results)


def test_preprocessed_files_give_the_same_facts(tree: Path, tmp_path: Path) -> None:
    folder = tmp_path / "i"
    folder.mkdir()
    for name in SOURCES:
        assert os.system(f"cd {tree} && gcc -g -E {name} -o {folder}/{name}.i") == 0  # noqa: S605 - the test's own
    result = run(tree, tmp_path / "c", preprocessed=[folder])
    assert everything(result) == everything(run(tree, None))
    assert run(tree, tmp_path / "c", preprocessed=[folder]).n_reused == 3


@pytest.mark.parametrize(("file", "n_reused"), [("a.c", 2), ("box.h", 1), ("c.c", 2)])
def test_only_the_units_that_an_edit_touches_are_extracted(
    tree: Path, tmp_path: Path, file: str, n_reused: int
) -> None:
    run(tree, tmp_path / "c")
    with (tree / file).open("a") as source:
        source.write("int more;\n")
    os.utime(tree / file, ns=(10**18, 10**18 + 1))
    again = run(tree, tmp_path / "c")
    assert again.n_reused == n_reused
    assert everything(again) == everything(run(tree, None))
    assert run(tree, tmp_path / "c").n_reused == 3


def test_another_command_makes_a_unit_anew(tree: Path, tmp_path: Path) -> None:
    run(tree, tmp_path / "c")
    database = tree / "compile_commands.json"
    database.write_text(database.read_text().replace("gcc -c a.c", "gcc -DX -c a.c"))
    assert run(tree, tmp_path / "c").n_reused == 2


def test_an_overlaid_header_reaches_all_its_units_and_leaves_the_others(tree: Path, tmp_path: Path) -> None:
    plain = run(tree, tmp_path / "c")
    content = tmp_path / "x.h"
    content.write_text(HEADER.replace("b->lid = 0", "b->lid = 1; slam(b)"))
    overlaid = run(tree, tmp_path / "c", overlays=[("box.h", content)])
    assert overlaid.n_reused == 1
    calls = {name for facts in overlaid.functions.values() for name in facts.calls}
    assert "slam" in calls
    assert run(tree, tmp_path / "c", overlays=[("box.h", content)]).n_reused == 3
    again = run(tree, tmp_path / "c")
    assert again.n_reused == 3
    assert everything(again) == everything(plain)
    content.write_text(HEADER)
    same = run(tree, tmp_path / "c", overlays=[("box.h", content)])
    assert same.n_reused == 3
    assert everything(same) == everything(plain)


def test_a_unit_that_does_not_preprocess_is_a_gap_and_the_others_go_on(tree: Path, tmp_path: Path) -> None:
    (tree / "b.c").write_text("#error no\n")
    result = run(tree, tmp_path / "c")
    assert sorted(functions(result)) == ["a.c", "c.c"]
    assert result.failed == ("b.c",)
    (gap,) = result.gaps
    assert (gap.kind, gap.text) == (GapKind.UNIT, "gcc failed: b.c:1:2: #error no; the unit is skipped")
    (tree / "b.c").write_text(SOURCES["b.c"])
    assert everything(run(tree, tmp_path / "c")) == everything(run(tree, None))


def test_bytes_that_are_not_utf_8_are_told_in_every_run(tree: Path, tmp_path: Path) -> None:
    (tree / "c.c").write_bytes(b'const char *c = "\xe4";\n')
    for n_reused in (0, 3):
        result = run(tree, tmp_path / "c")
        assert result.n_reused == n_reused
        gaps = [gap for unit in result.units for gap in unit.gaps]
        assert [gap.kind for gap in gaps] == [GapKind.ENCODING]


def stub(name: str, segments: Sequence[Segment], memo: Any) -> UnitFacts:
    """Extract, but for one unit whose worker is killed and one whose extraction is broken."""
    if name == "a.c":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "b.c":
        raise KeyError("a bug\nof ours")
    return extract_unit(name, segments, memo)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_worker_and_a_bug_cost_one_unit_each(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(worker, "extract_unit", stub)
        result = run(tree, tmp_path / "c", jobs=jobs)
    assert sorted(functions(result)) == ["c.c"]
    assert result.failed == ("a.c", "b.c")
    assert [gap.text for gap in result.gaps] == [
        "the worker process was ended by signal 9 (Killed); the unit is skipped",
        "internal error: KeyError: 'a bug\\nof ours'; the unit is skipped",
    ]
    assert everything(run(tree, tmp_path / "c")) == everything(run(tree, None))


@pytest.mark.parametrize("page", range(1, 14))
def test_a_damaged_store_never_changes_the_result(tree: Path, tmp_path: Path, page: int) -> None:
    cold = run(tree, tmp_path / "c")
    (path,) = (tmp_path / "c").glob("*.sqlite3")
    with path.open("r+b") as file:
        file.seek(page * 4096)
        file.write(b"\xa5" * 4096)
    assert everything(run(tree, tmp_path / "c")) == everything(cold)
    assert everything(run(tree, tmp_path / "c")) == everything(cold)


def test_functions_pruned_from_the_store_are_lowered_again(tree: Path, tmp_path: Path) -> None:
    cold = run(tree, tmp_path / "c")
    with Store(tmp_path / "c", version="1") as store:
        store.database.write(lambda connection: connection.execute("DELETE FROM function WHERE rowid % 2"))
    again = run(tree, tmp_path / "c")
    assert again.n_reused < 3
    assert everything(again) == everything(cold)


def test_no_mirror_is_left_behind(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    run(tree, None, overlays=[("box.h", tree / "box.h")])
    assert list(scratch.iterdir()) == []


def test_an_overlay_that_no_unit_reads_is_told_and_others_are_not(tree: Path, tmp_path: Path) -> None:
    (tree / "idle.h").write_text("int idle;\n")
    (tree / "sub").mkdir()
    (tree / "sub" / "linked.h").symlink_to(tree / "box.h")
    content = tmp_path / "content.h"
    content.write_text(HEADER + "int more;\n")
    for cache in (None, tmp_path / "c", tmp_path / "c"):
        idle = run(tree, cache, overlays=[("idle.h", content), ("box.h", content)])
        assert [(gap.kind, gap.location.file) for gap in idle.gaps] == [(GapKind.OVERLAY, "idle.h")]
        assert "no effect" in idle.gaps[0].text
    assert run(tree, None, overlays=[("c.c", content)]).gaps == ()
    assert run(tree, None, units=["c.c"], overlays=[("box.h", content)]).gaps[0].location.file == "box.h"


def test_an_overlay_of_a_unit_that_cannot_be_read_then_has_its_effect(tree: Path, tmp_path: Path) -> None:
    content = tmp_path / "content.c"
    content.write_text("#error broken\n")
    assert [gap.kind for gap in run(tree, None, overlays=[("c.c", content)]).gaps] == [GapKind.UNIT]


def test_equal_units_have_equal_digests_and_others_not(tree: Path, tmp_path: Path) -> None:
    first = run(tree, tmp_path / "c")
    assert first.digest == run(tree, tmp_path / "c").digest == run(tree, None).digest
    assert {path.rpartition("/")[2] for path in first.files} >= {"a.c", "b.c", "c.c", "box.h"}
    assert run(tree, tmp_path / "c").files == first.files
    (tree / "c.c").write_text("int c(void) { return 2; }\n")
    assert run(tree, tmp_path / "c").digest != first.digest
