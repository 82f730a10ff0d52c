# SPDX-License-Identifier: GPL-2.0-only
"""Revisions as git has them: files that come, go and are renamed, trees that lie elsewhere, clones that lack history."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from analyzer.base.errors import InputError
from analyzer.base.gap import GapKind
from analyzer.pipeline.diff import Outcome, Revisions, diff
from analyzer.pipeline.options import Silent
from tests.diff.conftest import CORE, HEADER, Tree, told

COUNT = ("dev/count", "core.c", "dev_count")
OTHER = """\
#include "dev.h"

void other_count(struct dev *dev)
{
	dev->count = 2;
}
"""


def unseen(done: Outcome) -> dict[str, str]:
    """Return what a comparison cannot see, by file."""
    return {gap.location.file: gap.text for gap in done.report.gaps if gap.kind is GapKind.CHANGE}


def test_the_base_is_where_the_head_left_it(small: Tree) -> None:
    small.git("checkout", "-q", "-b", "work")
    small.write({"other.c": OTHER})
    small.compiles(["core.c", "other.c"])
    small.commit("work")
    small.git("checkout", "-q", "main")
    small.edit(
        "core.c", ("\tdev->count++;\n", "\tmutex_lock(&dev->lock);\n\tdev->count++;\n\tmutex_unlock(&dev->lock);\n")
    )
    small.commit("meanwhile")
    new = ("introduced", "dev/count", "other.c", "other_count")
    assert told(small.diff("main", "work")) == {new}
    assert told(small.diff("main", "work", exact=True)) == {new, ("introduced", *COUNT)}


def test_the_head_need_not_be_checked_out_and_nothing_is_touched(small: Tree) -> None:
    first = small.git("rev-parse", "HEAD")
    small.edit("core.c", ("\tdev->count++;\n", ""))
    second = small.commit()
    small.edit("core.c", ("\treport(4);\n", "\treport(4);\n\tthis is no C\n"))
    index = small.path / ".git" / "index"
    status = small.git("status", "--porcelain")
    before = (index.read_bytes(), index.stat().st_mtime_ns)
    assert told(small.diff(first, second)) == {("fixed", *COUNT)}
    assert told(small.diff(second, first, exact=True)) == {("introduced", *COUNT)}
    assert before == (index.read_bytes(), index.stat().st_mtime_ns)
    assert status == small.git("status", "--porcelain")


def test_a_file_that_comes_and_one_that_goes(small: Tree) -> None:
    small.write({"other.c": OTHER})
    small.compiles(["core.c", "other.c"])
    new = ("introduced", "dev/count", "other.c", "other_count")
    done = small.diff()
    assert told(done) == {new}, "git does not know it yet"
    (small.path.parent / "link").symlink_to(small.path)
    linked = replace(small.options(), tree=small.path.parent / "link")
    assert told(diff(linked, Revisions(base="HEAD"), Silent())) == {new}, "whatever the tree is called"
    assert unseen(done) == {"other.c": "git does not track this file: it is taken for a new one"}
    second = small.commit()
    assert told(small.diff("HEAD~")) == {new}
    (small.path / "other.c").unlink()
    small.commit()
    gone = small.diff("HEAD~")
    assert told(gone) == {("fixed", "dev/count", "other.c", "other_count")}
    assert unseen(gone) == {}
    assert told(small.diff(f"{second}~", second)) == {new}, "a file that is only in git"


def test_files_that_git_was_never_told_of_are_on_both_sides(small: Tree) -> None:
    files = [f"drivers/x{number}.c" for number in range(3)]
    small.write({name: OTHER.replace("dev.h", "../dev.h").replace("other", name[8:10]) for name in files})
    small.compiles(["core.c", *files])
    done = small.diff()
    assert (told(done), len(done.comparison.pre_existing)) == (set(), 4)
    assert set(unseen(done)) == set(files)
    assert "taken to be there at the base" in unseen(done)[files[0]]
    small.git("add", files[0])
    small.git("commit", "-q", "-m", "one of them")
    small.edit(files[0], ("count = 2", "count = 3"))
    assert told(small.diff()) == set()


def test_a_new_file_without_a_compile_command_is_told(small: Tree) -> None:
    small.write({"other.c": OTHER})
    small.commit()
    done = small.diff("HEAD~")
    assert told(done) == set()
    assert "has no compile command" in unseen(done)["other.c"]
    assert "compile_commands.json" in unseen(done)["other.c"]


def test_what_moved_out_of_a_file_that_is_not_compiled_any_more_is_not_judged(small: Tree) -> None:
    small.write({"other.c": OTHER})
    small.commit()
    (small.path / "other.c").unlink()
    small.write({"core.c": CORE + OTHER.partition("\n")[2]})
    small.commit()
    done = small.diff("HEAD~")
    assert told(done) == set()
    assert [finding.function for finding in done.comparison.not_judged] == ["other_count"]
    assert "deleted" in unseen(done)["other.c"]


def test_a_renamed_file_with_its_findings(small: Tree) -> None:
    small.git("mv", "core.c", "centre.c")
    small.compiles(["centre.c"])
    second = small.commit()
    done = small.diff("HEAD~")
    assert (told(done), unseen(done), len(done.comparison.pre_existing)) == (set(), {}, 1)
    small.compiles(["core.c"])
    small.git("checkout", "-q", "HEAD~")
    done = small.diff("HEAD", second)
    assert (told(done), unseen(done), len(done.comparison.pre_existing)) == (set(), {}, 1)


def test_a_function_that_moves_to_another_file(small: Tree) -> None:
    small.write({"other.c": OTHER})
    small.compiles(["core.c", "other.c"])
    small.commit()
    small.write({"other.c": '#include "dev.h"\n', "core.c": CORE + OTHER.partition("\n")[2]})
    assert told(small.diff()) == set()


def test_headers_that_come_go_and_change(small: Tree) -> None:
    small.write({"dev.h": '#include "sub/more.h"\n', "sub/more.h": '#include "../base.h"\n', "base.h": HEADER})
    second = small.commit()
    assert told(small.diff("HEAD~")) == set()
    small.edit("base.h", ("int state;", "int state; int more;"))
    small.commit()
    assert told(small.diff("HEAD~~")) == set()
    small.git("checkout", "-q", "HEAD~~")
    assert told(small.diff("HEAD", second)) == set(), (
        "headers that are not on disk, through a directory that is not either"
    )
    assert unseen(small.diff("HEAD", second)) == {}


def test_a_base_that_does_not_compile_is_told_and_nothing_is_made_of_it(small: Tree) -> None:
    small.edit("core.c", ('#include "dev.h"', '#include "missing.h"'))
    small.commit()
    small.write({"core.c": CORE})
    small.commit()
    done = small.diff("HEAD~")
    assert told(done) == set()
    assert len(done.comparison.not_judged) == 1
    assert "missing.h" in unseen(done)["core.c"]


def test_what_is_not_looked_at_is_told(small: Tree) -> None:
    small.write(
        {"Makefile": "obj-y += core.o\n", "drivers/Kconfig": "config X\n", "idle.h": "int idle;\n", "notes.txt": "x"}
    )
    small.commit()
    assert set(unseen(small.diff("HEAD~"))) == {"Makefile", "drivers/Kconfig", "idle.h"}


def test_a_symbolic_link_that_changes_is_told(small: Tree) -> None:
    small.write({"one.h": HEADER, "two.h": HEADER})
    (small.path / "dev.h").unlink()
    (small.path / "dev.h").symlink_to("one.h")
    small.commit()
    (small.path / "dev.h").unlink()
    (small.path / "dev.h").symlink_to("two.h")
    assert unseen(small.diff()) == {"dev.h": "is or was a symbolic link: both sides read what it names on disk"}


def test_a_rule_about_what_the_base_does_not_have(small: Tree, tmp_path: Path) -> None:
    """Both sides have the rules of now; what a side lacks, it has no findings about."""
    rules = tmp_path / "more.yaml"
    text = small.options().specs[0].read_text("utf-8")
    rules.write_text(text + text[text.index("  - id: dev/count") :].replace("count", "more"), "utf-8")
    small.edit("dev.h", ("int count;", "int count; int more;"))
    small.edit("core.c", ("\tdev->count++;\n", "\tdev->count++;\n\tdev->more = 1;\n"))
    done = diff(replace(small.options(), specs=(rules,)), Revisions(base="HEAD"), Silent())
    assert told(done) == {("introduced", "dev/more", "core.c", "dev_count")}


def test_a_revision_that_is_none(small: Tree) -> None:
    for base, head, option in (("nowhere", "", "--base"), ("HEAD", "nowhere", "--head"), ("-p", "", "--base")):
        with pytest.raises(InputError, match=f"{option} .*git knows no such commit"):
            small.diff(base, head)
    tree = small.git("rev-parse", "HEAD^{tree}")
    with pytest.raises(InputError, match="no such commit"):
        small.diff(tree)


def test_a_tree_that_git_does_not_know(small: Tree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(InputError, match="git work tree"):
        diff(replace(small.options(), tree=outside), Revisions(base="HEAD"), Silent())


def test_branches_without_a_common_commit(small: Tree) -> None:
    small.git("checkout", "-q", "--orphan", "alone")
    small.commit()
    with pytest.raises(InputError, match=r"no commit in common.*--exact"):
        small.diff("main", "alone")
    assert told(small.diff("main", "alone", exact=True)) == set()


def test_a_shallow_clone(small: Tree, tmp_path: Path) -> None:
    first = small.git("rev-parse", "HEAD")
    small.edit("core.c", ("\tdev->count++;\n", ""))
    small.commit()
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{small.path}", str(clone)], check=True)
    options = replace(small.options(), tree=clone)
    with pytest.raises(InputError, match="the clone is shallow: fetch more"):
        diff(options, Revisions(base=first), Silent())


def test_a_tree_below_the_top_of_its_repository_behind_a_link(small: Tree, tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "kernel").mkdir(parents=True)
    tree = Tree(top / "kernel", specs=small.options().specs)
    tree.write({"core.c": CORE, "dev.h": '#include "../shared.h"\n', "../shared.h": HEADER})
    tree.path = top
    tree.git("init", "-q")
    tree.commit()
    tree.path = top / "kernel"
    tree.compiles(["core.c"])
    tree.edit("core.c", ("\tdev->count++;\n", "\tdev->counted++;\n"))
    tree.edit("../shared.h", ("int count;", "int counted;"))
    (tmp_path / "link").symlink_to(top)
    through = replace(tree.options(), tree=tmp_path / "link" / "kernel", specs=(tmp_path / "state.yaml",))
    text = small.options().specs[0].read_text("utf-8")
    (tmp_path / "state.yaml").write_text(text[: text.index("  - id: dev/count")], "utf-8")
    for options in (replace(tree.options(), specs=through.specs), through):
        done = diff(options, Revisions(base="HEAD"), Silent())
        assert (told(done), unseen(done), done.report.units_failed) == (set(), {}, 0)


def test_a_build_elsewhere(small: Tree, tmp_path: Path) -> None:
    build = tmp_path / "build"
    build.mkdir()
    (build / "compile_commands.json").write_text(
        small.database.read_text("utf-8")
        .replace(f'"directory": "{small.path}"', f'"directory": "{build}"')
        .replace('"core.c"', f'"{small.path}/core.c"')
    )
    small.edit("core.c", ("\tdev->count++;\n", ""))
    options = replace(small.options(), compile_commands=None, build=build)
    assert told(diff(options, Revisions(base="HEAD"), Silent())) == {("fixed", *COUNT)}


def test_no_program_of_the_repository_is_run(small: Tree, tmp_path: Path) -> None:
    harm = tmp_path / "harm"
    small.write({".gitattributes": "*.c filter=harm diff=harm\n"})
    small.commit()
    for key in (
        "filter.harm.clean",
        "filter.harm.smudge",
        "filter.harm.process",
        "diff.harm.command",
        "diff.harm.textconv",
    ):
        small.git("config", key, f"touch {harm}; cat")
    small.git("config", "filter.harm.required", "true")
    small.git("config", "core.fsmonitor", f"touch {harm}")
    harm.unlink(missing_ok=True)
    small.edit("core.c", ("\tdev->count++;\n", ""))
    assert told(small.diff()) == {("fixed", *COUNT)}
    assert not harm.exists()
