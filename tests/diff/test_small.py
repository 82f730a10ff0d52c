# SPDX-License-Identifier: GPL-2.0-only
"""What a change to one small unit brings and mends, whatever else it does to the text."""

from __future__ import annotations

from tests.diff.conftest import CORE, HEADER, Tree, told

STATE = ("dev/state", "core.c", "clear")
COUNT = ("dev/count", "core.c", "dev_count")
#: `dev_reset()` forgets the lock
FORGETS = ("\tmutex_lock(&dev->lock);\n\treset(dev);\n\tmutex_unlock(&dev->lock);\n", "\treset(dev);\n")
MENDS = ("\tdev->count++;\n", "\tmutex_lock(&dev->lock);\n\tdev->count++;\n\tmutex_unlock(&dev->lock);\n")


def test_no_change_brings_nothing(small: Tree) -> None:
    done = small.diff()
    assert told(done) == set()
    assert [finding.change for finding in done.comparison.pre_existing] == ["pre-existing"]
    assert done.report.findings == ()


def test_a_bug_far_from_its_place_and_its_fix(small: Tree) -> None:
    small.edit("core.c", FORGETS)
    assert told(small.diff()) == {("introduced", *STATE)}
    small.commit()
    brought = small.diff("HEAD~", "HEAD")
    assert told(brought) == {("introduced", *STATE)}
    assert [finding.touched for finding in brought.report.findings] == [("core.c:dev_reset",)]
    assert told(small.diff("HEAD", "HEAD~", exact=True)) == {("fixed", *STATE)}


def test_lines_that_move_and_locals_that_are_renamed(small: Tree) -> None:
    (before,) = small.diff().comparison.pre_existing
    small.edit(
        "core.c",
        ("#include", "/* A new\n * comment.\n */\n#include"),
        ("void dev_count(struct dev *dev)\n{\n\treport(3);\n\tdev->count++;",
         "void dev_count(struct dev *device)\n{\n\tint unrelated = 3;\n\n\treport(unrelated);\n\n\tdevice\n\t\t->count++;"),
    )  # fmt: skip
    done = small.diff()
    assert told(done) == set()
    (after,) = done.comparison.pre_existing
    assert (after.fingerprint, after.location.line > before.location.line) == (before.fingerprint, True)


def test_functions_that_change_places(small: Tree) -> None:
    first, _, rest = CORE.partition("static void clear")
    body, _, last = rest.partition("void dev_count")
    small.write({"core.c": f"{first}void dev_count{last}\nstatic void clear{body}"})
    done = small.diff()
    assert told(done) == set()
    assert len(done.comparison.pre_existing) == 1


def test_a_swap_is_seen_as_both(small: Tree) -> None:
    small.edit("core.c", MENDS, FORGETS)
    assert told(small.diff()) == {("introduced", *STATE), ("fixed", *COUNT)}


def test_a_swap_of_two_alike_in_one_function(small: Tree) -> None:
    """The first write is mended and the second one loses its lock: the same function, field and number of findings."""
    locked = "\tmutex_lock(&dev->lock);\n\tdev->count = 0;\n\tmutex_unlock(&dev->lock);\n"
    small.edit("core.c", ("\treport(4);\n", f"\treport(4);\n{locked}\treport(5);\n"))
    small.commit()
    assert told(small.diff()) == set()
    small.edit("core.c", MENDS, (locked, "\tdev->count = 0;\n"))
    before, after = small.diff().comparison.fixed, small.diff().comparison.introduced
    assert [finding.fingerprint for finding in before] == [finding.fingerprint for finding in after]
    assert told(small.diff()) == {("introduced", *COUNT), ("fixed", *COUNT)}


def test_a_swap_of_one_statement_that_goes_and_comes(small: Tree) -> None:
    small.edit("core.c", ("\treport(4);\n", "".join(f"\treport({number});\n" for number in range(40, 45))))
    small.commit()
    small.edit("core.c", ("\tdev->count++;\n", ""), ("\treport(44);\n", "\treport(44);\n\tdev->count++;\n"))
    assert told(small.diff()) == {("introduced", *COUNT), ("fixed", *COUNT)}


def test_a_block_that_moves_within_its_function(small: Tree) -> None:
    small.edit("core.c", ("\tdev->count++;\n", "\treport(6);\n\treport(7);\n\tdev->count++;\n\treport(8);\n"))
    small.edit("core.c", ("\treport(3);\n", "\treport(3);\n" + "".join(f"\treport({n});\n" for n in range(20, 30))))
    small.commit()
    block = "\treport(6);\n\treport(7);\n\tdev->count++;\n\treport(8);\n"
    small.edit("core.c", (block, ""), ("\treport(3);\n", f"\treport(3);\n{block}"))
    assert told(small.diff()) == set()


def test_an_edited_statement_is_the_same(small: Tree) -> None:
    small.edit("core.c", ("\tdev->count++;\n", "\tdev->count += 2;\n"))
    assert told(small.diff()) == set()


def test_a_place_that_is_carried_into_a_new_function(small: Tree) -> None:
    small.edit(
        "core.c",
        ("void dev_count(", "static void count_one(struct dev *d)\n{\n\td->count++;\n}\n\nvoid dev_count("),
        ("\treport(3);\n\tdev->count++;\n", "\treport(3);\n\tcount_one(dev);\n"),
    )
    assert told(small.diff()) == set()
    small.commit()
    assert told(small.diff("HEAD", "HEAD~", exact=True)) == set(), "nor back"


def test_a_new_caller_of_an_entry_point_makes_no_finding_new(small: Tree) -> None:
    small.edit("core.c", ("void dev_count", "static void dev_count"))
    small.write(
        {"core.c": (small.path / "core.c").read_text() + "\nvoid count_all(struct dev *d)\n{\n\tdev_count(d);\n}\n"}
    )
    done = small.diff()
    assert told(done) == set()
    assert done.comparison.pre_existing[0].chain[0].endswith("count_all")
    small.commit()
    assert told(small.diff("HEAD", "HEAD~", exact=True)) == set()


def test_a_second_way_without_the_lock_is_news(small: Tree) -> None:
    small.edit("core.c", FORGETS)
    small.commit()
    small.write({"core.c": (small.path / "core.c").read_text() + "\nvoid again(struct dev *d)\n{\n\treset(d);\n}\n"})
    done = small.diff()
    assert told(done) == {("introduced", *STATE)}
    assert [finding.chain[0] for finding in done.report.findings] == ["core.c:again"]
    assert len(done.comparison.pre_existing) == 2


def test_a_header_that_changes(small: Tree) -> None:
    inline = "static inline void set(struct dev *dev)\n{\n\tdev->state = 1;\n}\n"
    small.write({"dev.h": HEADER + inline})
    small.edit("core.c", ("\treport(3);\n", "\treport(3);\n\tset(dev);\n"))
    small.commit()
    (found,) = small.diff("HEAD~", "HEAD").comparison.introduced
    assert (found.location.file, found.function) == ("dev.h", "set")
    small.write({"dev.h": (HEADER + inline).replace("\tdev->state", "\tmutex_lock(&dev->lock);\n\tdev->state")})
    small.edit("dev.h", ("state = 1;\n", "state = 1;\n\tmutex_unlock(&dev->lock);\n"))
    assert told(small.diff()) == {("fixed", "dev/state", "dev.h", "set")}
