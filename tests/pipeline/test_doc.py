# SPDX-License-Identifier: GPL-2.0-only
"""What rules say about structures, in sentences for their headers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analyzer.base.errors import InputError
from analyzer.findings.doc import MemberDoc
from analyzer.pipeline.doc import from_rules, from_tree
from analyzer.pipeline.options import CheckOptions, Silent
from analyzer.report import render_doc_page, render_kernel_doc
from analyzer.spec.load import load
from tests.fixtures.run import FLAGS

RULES = """\
lockspec: 1
subsystem: house
rules:
  - id: house/rooms
    kind: guarded-by
    field: house.rooms
    access: write
    requires: {any: [house.lock, town.lock, {when: "house->users == 0"}]}
    unless: [unpublished]
    why: rooms are counted.
    source: house.h
  - id: house/count
    title: counting rooms
    kind: must-hold
    functions: [count_rooms, clean_rooms]
    requires: {all: [{lock: house.lock, mode: write}, rcu]}
    about: [house.rooms]
    unless: [unpublished]
    why: they come and go.
    source: house.h
  - id: house/paint
    kind: must-hold
    function: paint
    requires: town.lock
    why: one at a time.
    source: house.h, comment on struct house
  - id: house/door
    kind: only-through
    field: house.porch.door
    access: write
    functions: [open_door, shut_door]
    why: it squeaks.
    source: house.h
  - id: house/window
    kind: must-not-hold
    field: house.window
    access: any
    forbids: {any: [house.lock, streets]}
    why: wind.
    source: house.h
  - id: house/order
    kind: lock-order
    order: [town.lock, house.lock, house.porch.lock]
    why: so it is.
    source: house.h
  - id: house/leaf
    kind: lock-order
    leaves: [house.porch.lock]
    why: so it is.
    source: house.h
  - id: house/move
    kind: preceded-by
    call: sell
    after: {call: [wait_all], lock: house.lock}
    since: {write: house.rooms}
    why: somebody may be in.
    source: house.h
  - id: house/streets
    kind: guarded-by
    field: street_list
    access: any
    requires: streets
    why: a global list.
    source: house.h
"""

GRACE = """\
lockspec: 1
subsystem: house
rules:
  - id: house/map
    kind: grace-period
    field: house.map
    readers: house.srcu
    why: the old map is freed.
    source: house.h
"""

SOURCE = """\
#include "minikvm.h"

struct porch {
	struct mutex lock;
	int door;
};

struct house {
	struct mutex lock;
	int window;
	int rooms;
	struct porch porch;
	int users;
};

struct town {
	struct mutex lock;
};

int street_list;
static DEFINE_MUTEX(streets);

int count_rooms(struct house *house)
{
	return house->rooms;
}

int clean_rooms(struct house *house)
{
	return house->rooms + house->rooms;
}

void build(struct house *house)
{
	mutex_lock(&house->lock);
	house->rooms++;
	mutex_unlock(&house->lock);
	house->rooms = 0;
}

void open_door(struct house *house)
{
	house->porch.door = 1;
	mutex_lock(&streets);
	street_list++;
	mutex_unlock(&streets);
}
"""


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("doc") / "house.yaml"
    path.write_text(RULES)
    return path


@pytest.fixture(scope="module")
def options(specs: Path) -> CheckOptions:
    (specs.parent / "house.c").write_text(SOURCE)
    arguments = ["gcc", *FLAGS, "-c", "house.c", "-o", "house.o"]
    commands = specs.parent / "compile_commands.json"
    commands.write_text(json.dumps([{"directory": str(specs.parent), "file": "house.c", "arguments": arguments}]))
    return CheckOptions(tree=specs.parent, compile_commands=commands, specs=(specs,), cache=specs.parent / "cache")


def members(specs: Path) -> dict[str, MemberDoc]:
    (house,) = from_rules(load([specs]), ["house"])
    return {member.name: member for member in house.members}


def test_a_member_is_told_with_its_locks_and_what_lets_one_off(specs: Path) -> None:
    rooms = members(specs)["rooms"]
    fresh = "nobody else can reach the object yet"
    assert rooms.sentences == (
        f"Writes need either @lock or town->lock, unless house->users == 0 or {fresh}.",
        f"count_rooms() and clean_rooms() (counting rooms) need both @lock held for writing and a read side of rcu, unless {fresh}.",
        "sell() only once wait_all() of @lock has returned after a write of @rooms.",
    )
    assert rooms.locks[:2] == ("@lock", "town->lock")
    assert rooms.measured is None


def test_every_kind_about_members_has_its_sentence(specs: Path) -> None:
    known = members(specs)
    assert known["porch.door"].sentences == ("Writes only in open_door() and shut_door().",)
    assert known["window"].sentences == ("No access with @lock or streets held.",)


def test_a_member_that_readers_follow_names_their_section(tmp_path: Path) -> None:
    path = tmp_path / "grace.yaml"
    path.write_text(GRACE)
    assert members(path)["map"].sentences == ("Who reads it stays inside @srcu: updaters wait for that.",)
    assert members(path)["map"].locks == ("@srcu",)


def test_what_lets_all_off_stands_once(specs: Path, tmp_path: Path) -> None:
    path = tmp_path / "less.yaml"
    text = RULES[: RULES.index("  - id: house/paint")]
    path.write_text(text.replace(', {when: "house->users == 0"}', ""))
    rooms = members(path)["rooms"]
    assert rooms.sentences[-1] == "None of this is needed while nobody else can reach the object yet."
    assert not any("unless" in sentence for sentence in rooms.sentences)


def test_a_lock_tells_what_it_is_for_and_where_it_stands(specs: Path) -> None:
    (house,) = from_rules(load([specs]), ["house"])
    locks = {lock.name: lock for lock in house.locks}
    assert locks["lock"].guards == (("writes of", ("@rooms",)),)
    assert locks["lock"].functions == ("count_rooms()", "clean_rooms()")
    assert locks["lock"].orders == ("Taken inside town->lock.", "Taken outside @porch.lock.")
    assert locks["porch.lock"].orders == ("Taken inside town->lock and @lock.", "No lock is taken inside it.")


def test_functions_without_a_member_stand_where_their_source_says(specs: Path) -> None:
    (house,) = from_rules(load([specs]), ["house"])
    assert house.functions == ("paint() needs town->lock.",)


def test_all_structures_and_globals_of_the_rules(specs: Path) -> None:
    docs = from_rules(load([specs]), ())
    assert [doc.name for doc in docs] == ["house", "street_list", "streets", "town"]
    text = render_kernel_doc(docs)
    assert "/*\n * street_list: Reads and writes need streets.\n */\n" in text


def test_unknown_structures_are_errors_with_the_nearest_name(specs: Path) -> None:
    with pytest.raises(InputError, match=r"huose: .* \(did you mean 'house'\?\); with --tree"):
        from_rules(load([specs]), ["huose"])


def test_kernel_doc_is_no_wider_than_a_kernel_comment(specs: Path) -> None:
    text = render_kernel_doc(from_rules(load([specs]), ()))
    assert all(len(line.expandtabs(8)) <= 80 for line in text.splitlines())
    assert "/**\n * struct house - locks that its members need\n * @" in text
    assert "\n * @porch.door: Writes only in open_door() and shut_door().\n" in text


def test_a_tree_adds_who_writes_and_reads(options: CheckOptions) -> None:
    (house,) = from_tree(options, ["house"], Silent())
    rooms = next(member for member in house.members if member.name == "rooms")
    assert rooms.measured is not None
    assert [(one.function, one.n_places, one.n_violations) for one in rooms.measured.writers] == [("build", 2, 1)]
    assert [(one.function, one.n_places) for one in rooms.measured.readers] == [
        ("clean_rooms", 2),
        ("build", 1),
        ("count_rooms", 1),
    ]
    lock = next(lock for lock in house.locks if lock.name == "lock")
    assert lock.takers is not None
    assert [one.function for one in lock.takers] == ["build"]
    assert [member.name for member in house.members] == ["window", "rooms", "porch.door"]
    assert house.location is not None
    assert house.location.line == 8


def test_a_structure_inside_another_is_found_in_a_tree(options: CheckOptions) -> None:
    (porch,) = from_tree(options, ["porch"], Silent())
    assert [member.name for member in porch.members] == ["door"]
    assert [lock.name for lock in porch.locks] == ["lock"]


def test_functions_that_access_a_member_are_told_there(options: CheckOptions, tmp_path: Path) -> None:
    """Without `about`, the tree shows that the rule is about the member: one of its functions reads it."""
    path = tmp_path / "bare.yaml"
    path.write_text(RULES.replace("    about: [house.rooms]\n", "").replace("clean_rooms", "paint_rooms"))
    bare = CheckOptions(
        tree=options.tree, compile_commands=options.compile_commands, specs=(path,), cache=options.cache
    )
    (house,) = from_tree(bare, ["house"], Silent())
    rooms = next(member for member in house.members if member.name == "rooms")
    assert any(sentence.startswith("count_rooms() (counting rooms) needs both") for sentence in rooms.sentences)


def test_the_page_has_a_row_and_a_section_for_each_member(options: CheckOptions) -> None:
    page = render_doc_page(from_tree(options, ["house"], Silent()))
    assert "# struct house\n\nDeclared at house.c:8.\n" in page
    assert (
        "| `rooms` | `lock`, `town->lock`, a read side of rcu | 2 places of 1 function | 4 places of 3 functions |"
        in page
    )
    assert "Written in 2 places of 1 function: `build()` (2, 1 violation).\n" in page
    assert "* `house/rooms`: rooms are counted. After house.h.\n" in page
