# SPDX-License-Identifier: GPL-2.0-only
"""Names that the program does not have are reported at their own place, with the nearest that it has."""

from collections.abc import Collection, Mapping

import pytest
from msgspec.structs import replace

from analyzer.spec.documents import read_document
from analyzer.spec.load import load
from analyzer.spec.names import abstract_locks, wrong_names

RECORDS = {
    "vm": {"lock": "mutex", "users": "refcount_struct", "slots": "slot", "note": ""},
    "slot": {"file": "slot.file"},
    "slot.file": {"pointer": ""},
    "mutex": {"owner": ""},
    "refcount_struct": {},
}


class Program:
    """A small program."""

    def records(self) -> Collection[str]:
        return RECORDS

    def members(self, record: str) -> Mapping[str, str] | None:
        return RECORDS.get(record)

    def globals(self) -> Mapping[str, str]:
        return {"vm_lock": "mutex", "vm_list": "list_head"}

    def functions(self) -> Collection[str]:
        return {"refcount_read", "get_file"}


def problems(field: str, requires: str, kind: str = "guarded-by", key: str = "field") -> list[str]:
    text = f"""\
lockspec: 1
rules:
  - id: vm/x
    kind: {kind}
    {key}: {field}
    requires: {requires}
    why: because
    source: vm.h
"""
    spec = replace(load(), rules=read_document(text, "x.yaml").rules)
    return [str(error) for error in wrong_names(spec, Program())]


@pytest.mark.parametrize(
    ("field", "requires"),
    [
        ("vm.slots.file.pointer", "{any: [vm.lock, vm_lock, rcu]}"),
        ("vm_list", '{all: [vm_lock, {when: "refcount_read(&vm->users) == 0"}]}'),
        ("vm.slots", "{lock: vm.lock, mode: read}"),
    ],
)
def test_right_names(field: str, requires: str) -> None:
    assert problems(field, requires) == []


@pytest.mark.parametrize(
    ("field", "requires", "expected"),
    [
        ("vm.slot", "vm.lock", "x.yaml:5:12: vm has no member 'slot' (did you mean 'slots'?)"),
        ("slot.file.pinter", "vm_lock", "x.yaml:5:12: slot.file has no member 'pinter' (did you mean 'pointer'?)"),
        ("vm.note.x", "vm.lock", "x.yaml:5:12: vm.note has no members: it is not a record here"),
        ("slots.file", "vm.lock", "x.yaml:5:12: no record 'slots' in the analysed units (did you mean 'slot'?)"),
        ("vm_lists", "vm.lock", "x.yaml:5:12: no global variable 'vm_lists' (did you mean 'vm_list'?)"),
        ("vm", "vm.lock", "x.yaml:5:12: 'vm' is a record: name a member of it"),
        ("vm.note", "vm.lok", "x.yaml:6:15: vm has no member 'lok' (did you mean 'lock'?)"),
        ("vm.note", "rcuu", "x.yaml:6:15: no global variable or abstract lock 'rcuu' (did you mean 'rcu'?)"),
        (
            "vm.note",
            "{any: [vm.lock, vm.users]}",
            "x.yaml:6:31: vm.users is not a lock: its type is 'refcount_struct', which belongs to no lock family",
        ),
        (
            "vm.note",
            "vm.note",
            "x.yaml:6:15: vm.note is not a lock: its type is no record, which belongs to no lock family",
        ),
        (
            "vm.note",
            '{when: "refcont_read(&vm->users) == 0"}',
            "x.yaml:6:23: no function 'refcont_read' (did you mean 'refcount_read'?)",
        ),
        (
            "vm.note",
            '{when: "refcount_read(&vm->user) == 0"}',
            "x.yaml:6:38: vm has no member 'user' (did you mean 'users'?)",
        ),
    ],
)
def test_wrong_names(field: str, requires: str, expected: str) -> None:
    assert problems(field, requires) == [expected]


def test_a_function_that_is_not_there() -> None:
    expected = ["x.yaml:5:15: no function 'get_fil' (did you mean 'get_file'?)"]
    assert problems("get_fil", "vm.lock", "must-hold", "function") == expected


def test_abstract_locks_come_from_primitives_and_entries() -> None:
    assert abstract_locks(load()) == {
        "atomic", "bh_off", "cpu_hotplug_lock", "hardirq", "irqs_off", "mmu_notifier", "non_block", "page_table_lock", "preempt_off", "rcu", "rcu_bh", "rcu_sched",
        "rcu_trace", "softirq",
    }  # fmt: skip
