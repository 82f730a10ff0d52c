# SPDX-License-Identifier: GPL-2.0-only
"""A right specification means what its author wrote."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.base.errors import SpecError
from analyzer.base.location import Location
from analyzer.spec.documents import read_document
from analyzer.spec.effect import Effect, LockAbstract, LockArgument, ReturnTest
from analyzer.spec.expressions import parse_name, parse_predicate, parse_return_test
from analyzer.spec.load import load
from analyzer.spec.model import AllOf, AnyOf, GuardedBy, Held, MustHold, Name, SpecSet, When
from analyzer.spec.names import rule_functions, rule_names

RULES = """\
lockspec: 1
subsystem: vm
rules:
  - id: vm/state
    title: the state
    kind: guarded-by
    fields: [vm.state, vm_slot.file.pointer]
    access: write
    requires:
      any:
        - all: [{lock: vm.lock, mode: write, instance: any}, big_lock]
        - {when: "users_read(&vm->users) == 0"}
        - {when: vm->dying != 0}
    unless: [unpublished]
    severity: warning
    why: >-
      readers and writers
      meet
    source: vm.h, struct vm

  - id: vm/get-file
    kind: must-hold
    function: get_file
    requires: yes
    why: "no"
    source: "on"
"""
ROWS = """\
lockspec: 1
family: baton
types: [baton, baton_t]
waits: sleep
source: baton.h
primitives:
  - names: [take, take_nested]
    effect: acquire
    lock: arg 1
    mode: read
    recursive: true
    when: return == 0
  - name: try_take
    effect: acquire
    lock: arg 0
    when: return != 0
    attempt: true
  - name: spin_take
    effect: acquire
    lock: circle
    waits: spin
  - name: pass
    effects:
      - {effect: release, lock: arg 0}
      - {effect: establish, fact: holders(arg 2) <= -1, when: return < 0}
  - {name: make, effect: allocate, keeps: [arg 1, arg 2]}
  - {name: burn, effect: free, object: arg 1}
  - {name: look, effect: access, object: arg 0, access: read}
"""


def place(line: int, column: int) -> Location:
    return Location("x.yaml", line, column)


def test_rules() -> None:
    state, get_file = read_document(RULES, "x.yaml").rules
    users = When("users_read(&vm->users) == 0", "users_read", Name(("vm", "users")), "==", 0)
    dying = When("vm->dying != 0", "", Name(("vm", "dying")), "!=", 0)
    both = AllOf((Held(Name(("vm", "lock")), "write", "any"), Held(Name(("big_lock",)))))
    fields = (Name(("vm", "state")), Name(("vm_slot", "file", "pointer")))
    assert state.check == GuardedBy(fields, "write", AnyOf((both, users, dying)))
    assert (state.id, state.title, state.severity, state.unless) == (
        "vm/state",
        "the state",
        "warning",
        ("unpublished",),
    )
    assert (state.why, state.source, state.location) == ("readers and writers meet", "vm.h, struct vm", place(4, 9))
    assert get_file.check == MustHold(("get_file",), Held(Name(("yes",))))
    assert (get_file.why, get_file.source, get_file.severity, get_file.unless) == ("no", "on", "error", ())


def test_every_name_has_its_own_place() -> None:
    state, get_file = read_document(RULES, "x.yaml").rules
    assert [(str(name), where) for name, where in rule_names(state)] == [
        ("vm.state", place(7, 14)),
        ("vm_slot.file.pointer", place(7, 24)),
        ("vm.lock", place(11, 24)),
        ("big_lock", place(11, 62)),
        ("vm.users", place(12, 31)),
        ("vm.dying", place(13, 18)),
    ]
    assert list(rule_functions(state)) == [("users_read", place(12, 19))]
    assert list(rule_functions(get_file)) == [("get_file", place(23, 15))]


def test_a_name_in_a_folded_predicate_is_at_its_beginning() -> None:
    text = RULES.replace('"users_read(&vm->users) == 0"', '"users_read(&vm->users)\n          == 0"')
    state = read_document(text, "x.yaml").rules[0]
    assert dict(rule_functions(state)) == {"users_read": place(12, 18)}
    assert "users_read(&vm->users) == 0" in str(state.check)


def test_primitives() -> None:
    document = read_document(ROWS, "x.yaml")
    family = document.family
    assert family is not None
    assert (family.name, family.types, family.waits, family.location) == (
        "baton", ("baton", "baton_t"), "sleep", place(2, 9),
    )  # fmt: skip
    shared = Effect("acquire", LockArgument(1), "read", True, ReturnTest("==", 0), "sleep")
    assert {primitive.name: primitive.effects for primitive in document.primitives} == {
        "take": (shared,),
        "take_nested": (shared,),
        "try_take": (Effect("acquire", LockArgument(0), when=ReturnTest("!=", 0), attempt=True),),
        "spin_take": (Effect("acquire", LockAbstract("circle"), waits="spin"),),
        "pass": (
            Effect("release", LockArgument(0)),
            Effect("establish", when=ReturnTest("<", 0), fact=("holders", 2, "<=", -1)),
        ),
        "make": (Effect("allocate", keeps=(1, 2)),),
        "burn": (Effect("free", LockArgument(1)),),
        "look": (Effect("access", LockArgument(0), access="read"),),
    }
    assert document.primitives[1].location == place(7, 19)
    assert {primitive.family for primitive in document.primitives} == {"baton"}


CONTEXTS = """\
lockspec: 1
family: baton
types: [baton]
waits: spin
source: baton.h
primitives:
  - {name: take, effect: acquire, lock: arg 0}
  - {name: try_take, effect: acquire, lock: arg 0, when: return != 0, attempt: true}
  - {name: take_calmly, effect: acquire, lock: arg 0, atomic: false}
  - {name: hush, effect: acquire, lock: silence, recursive: true, nests: false}
  - {name: speak, effect: release, lock: silence, nests: false}
  - {name: nap, effect: sleep}
  - {name: make, effects: [{effect: allocate}, {effect: sleep, bits: arg 1 & 0x400}]}
  - {name: wait_for_silence, effect: wait, lock: silence}
"""


def test_sleeping_and_waiting() -> None:
    document = read_document(CONTEXTS, "x.yaml")
    rows = {primitive.name: primitive for primitive in document.primitives}
    assert document.family is not None
    assert document.family.atomic
    atomic = {name: rows[name].effects[0].atomic for name in ("take", "try_take", "take_calmly", "speak", "nap")}
    assert atomic == {"take": True, "try_take": True, "take_calmly": False, "speak": False, "nap": False}
    assert [rows[name].effects[0].nests for name in ("take", "hush", "speak")] == [True, False, False]
    assert rows["make"].effects[1] == Effect("sleep", bits=(1, 0x400))
    assert rows["wait_for_silence"].effects == (Effect("wait", LockAbstract("silence")),)
    assert [name for name, row in rows.items() if not row.is_whole] == ["nap", "wait_for_silence"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [("waits: sleep", False), ("waits: spin", True), ("waits: none", False), ("", False), ("atomic: true", True)],
)
def test_holders_of_locks_that_others_spin_for_must_not_sleep(keys: str, expected: bool) -> None:
    text = CONTEXTS.replace("waits: spin", keys)
    document = read_document(text, "x.yaml")
    assert document.family is not None
    assert (document.family.atomic, document.primitives[0].effects[0].atomic) == (expected, expected)


def test_texts_that_yaml_1_1_takes_for_booleans_stay_texts() -> None:
    rows = "".join(f"  - {{name: {word}, effect: allocate}}\n" for word in ("on", "off", "yes", "no", "y", "n"))
    text = f"%YAML 1.2\n---\nlockspec: 1\nfamily: no\nsource: off\nprimitives:\n{rows}"
    document = read_document(text, "x.yaml")
    assert document.family is not None
    assert (document.family.name, document.family.source) == ("no", "off")
    assert [primitive.name for primitive in document.primitives] == ["on", "off", "yes", "no", "y", "n"]


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + RULES.replace("\n", "\r\n").encode())
    assert [rule.id for rule in load([path]).rules] == ["vm/state", "vm/get-file"]
    assert load([path]).rules[0].location == Location(str(path), 4, 9)


def test_given_rules_replace_the_shipped_ones_and_keep_the_primitives(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/x.yaml").write_text(RULES)
    (tmp_path / "notes.txt").write_text("not a specification")
    spec = load([tmp_path])
    assert [rule.id for rule in spec.rules] == ["vm/state", "vm/get-file"]
    assert spec.primitives == load().primitives
    assert spec.families == load().families


def test_a_given_family_replaces_the_shipped_one(tmp_path: Path) -> None:
    path = tmp_path / "mutex.yaml"
    path.write_text(ROWS.replace("family: baton", "family: mutex"))
    spec = load([path])
    assert "take" in spec.primitives
    assert "mutex_lock" not in spec.primitives
    assert "spin_lock" in spec.primitives
    assert [family.location.file for family in spec.families if family.name == "mutex"] == [str(path)]


def test_rows_can_be_added_to_a_shipped_family(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(
        "lockspec: 1\nextends: mutex\nwaits: sleep\nsource: my.h\n"
        "primitives: [{name: my_lock, effect: acquire, lock: arg 0}]\n"
    )
    spec = load([path])
    assert spec.primitives["my_lock"].family == "mutex"
    assert spec.primitives["my_lock"].effects == spec.primitives["mutex_lock"].effects


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(RULES)
    assert load([path, tmp_path, path]) == load([path])


def test_the_digest_tells_texts_apart_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(RULES)
    before = load([path]).digest
    assert load([path]).digest == before
    path.write_text(RULES + "# a comment\n")
    assert load([path]).digest != before


def test_a_spec_set_survives_encoding() -> None:
    spec = load()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(spec), type=SpecSet) == spec


words = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
operators = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
spaces = st.sampled_from(["", " ", "  "])


@given(st.lists(words, min_size=1, max_size=5))
def test_names_read_as_written(parts: list[str]) -> None:
    assert parse_name(".".join(parts)) == Name(tuple(parts))


@given(words, st.lists(words, min_size=1, max_size=4), operators, st.integers(-9, 99), spaces)
def test_predicates_read_as_written(function: str, path: list[str], operator: str, value: int, space: str) -> None:
    spelled = path[0] if len(path) == 1 else path[0] + "->" + ".".join(path[1:])
    text = f"{function}{space}({space}&{space}{spelled}){space}{operator}{space}{value}"
    when, offset = parse_predicate(text)
    assert (when.function, when.field.parts, when.operator, when.value) == (function, tuple(path), operator, value)
    assert text[offset:].startswith(spelled)
    assert parse_predicate(f"{spelled} {operator} {value}")[0].field == when.field


@given(operators, st.integers(-200, 200))
def test_return_tests_read_as_written(operator: str, value: int) -> None:
    assert parse_return_test(f"return {operator} {value}") == ReturnTest(operator, value)
    assert parse_return_test(f"return{operator}0x10") == ReturnTest(operator, 16)


@given(st.text(max_size=80))
def test_any_text_is_refused_with_a_place(text: str) -> None:
    with pytest.raises(SpecError, match=r"^x\.yaml:\d+:\d+: "):
        read_document(text, "x.yaml")


@given(st.text(alphabet="lockspec: 1\n-[]{},&*!|>'\"#%@a\t", max_size=60).map(lambda tail: f"lockspec: 1\n{tail}"))
def test_any_tail_is_refused_with_a_place(text: str) -> None:
    with pytest.raises(SpecError, match=r"^x\.yaml:\d+:\d+: "):
        read_document(text, "x.yaml")


def test_a_rule_tells_what_it_is_about(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(RULES.replace("    requires: yes\n", "    requires: yes\n    about: [vm_slot.file, vm.state]\n"))
    rules = {rule.id: rule for rule in load([path]).rules}
    assert rules["vm/get-file"].about == (Name(("vm_slot", "file")), Name(("vm", "state")))
    assert [str(name) for name, _ in rule_names(rules["vm/get-file"])] == ["yes", "vm_slot.file", "vm.state"]
    assert rules["vm/state"].about == ()
