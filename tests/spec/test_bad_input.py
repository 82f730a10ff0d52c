# SPDX-License-Identifier: GPL-2.0-only
"""What is wrong with a specification is said at its place, in words that help; all of it, not only the first."""

from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.base.errors import SpecError
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.kinds import rule_kinds
from analyzer.spec.load import load

KINDS = ", ".join(rule_kinds())

Write = Callable[..., Path]

RULE = """\
lockspec: 1
rules:
  - id: vm/state
    kind: guarded-by
    field: vm.state
    requires: vm.lock
    why: readers and writers meet
    source: vm.h
"""
RULE_KEYS = "id, title, kind, field, fields, access, by, requires, about, unless, severity, why, source"
FORMS = "record.member, {any: […]}, {all: […]}, {lock: …, mode: …, instance: …}, {when: …}"
FAMILY = """\
lockspec: 1
family: baton
types: [baton]
source: baton.h
primitives:
  - name: take_baton
    effect: acquire
    lock: arg 0
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def write_file(text: str | bytes, name: str = "a.yaml") -> Path:
        path = Path(name)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write_file


def errors(*paths: Path) -> list[str]:
    with pytest.raises(SpecError) as raised:
        load(paths)
    return str(raised.value).splitlines()


def changed(old: str, new: str, text: str = RULE) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


RULE_CASES = {
    "wrong key": (
        changed("field: vm.state", "feild: vm.state"),
        [
            "a.yaml:3:5: a guarded-by rule needs the key 'field' or 'fields'",
            f"a.yaml:5:5: unknown key 'feild' in a guarded-by rule (did you mean 'field'?); accepted: {RULE_KEYS}",
        ],
    ),
    "missing key": (
        changed("    why: readers and writers meet\n", ""),
        ["a.yaml:3:5: a guarded-by rule needs the key 'why' (the reason, for the reader of a finding)"],
    ),
    "two keys for one thing": (
        changed("    field: vm.state\n", "    field: vm.state\n    fields: [vm.a]\n"),
        ["a.yaml:6:5: 'fields' beside 'field' in a guarded-by rule: only one of them"],
    ),
    "a list for a text": (
        changed("why: readers and writers meet", "why: [readers, writers]"),
        ["a.yaml:7:10: 'why': found a list; accepted: a text"],
    ),
    "a number for a text": (
        changed("why: readers and writers meet", "why: 42"),
        ["a.yaml:7:10: 'why': found the integer 42 (quote it if a text is meant); accepted: a text"],
    ),
    "nothing for a text": (
        changed("why: readers and writers meet", "why:"),
        ["a.yaml:7:9: 'why': found nothing; accepted: a text"],
    ),
    "a text for a list": (
        changed("    why:", "    unless: unpublished\n    why:"),
        ["a.yaml:7:13: 'unless': found the text 'unpublished'; accepted: a list of exemptions"],
    ),
    "an unknown exemption": (
        changed("    why:", "    unless: [unpublisht]\n    why:"),
        [
            "a.yaml:7:14: 'unless': found the text 'unpublisht' (did you mean 'unpublished'?); accepted: unpublished, creation, dying",
        ],
    ),
    "a boolean for a text": (
        changed("vm.lock", "true"),
        [
            (
                "a.yaml:6:15: 'requires': found the boolean true (quote it if a text is meant); accepted: record.member, "
                "or the name of a global"
            )
        ],
    ),
    "an unknown word": (
        changed("    why:", "    severity: eror\n    why:"),
        ["a.yaml:7:15: 'severity': found the text 'eror' (did you mean 'error'?); accepted: error, warning, note"],
    ),
    "C syntax in a name": (
        changed("vm.state", "vm->state"),
        [
            (
                "a.yaml:5:12: 'field': found the text 'vm->state' (write 'vm.state'); accepted: record.member, "
                "or the name of a global"
            )
        ],
    ),
    "no name": (
        changed("vm.state", "vm..state"),
        ["a.yaml:5:12: 'field': found the text 'vm..state'; accepted: record.member, or the name of a global"],
    ),
    "an id without subsystem": (
        changed("vm/state", "state"),
        ["a.yaml:3:9: 'id': found the text 'state'; accepted: subsystem/rule in small letters"],
    ),
    "an id of another subsystem": (
        changed("rules:", "subsystem: net\nrules:"),
        ["a.yaml:4:9: rule id 'vm/state' does not begin with the file's subsystem 'net/'"],
    ),
    "an unknown rule kind": (
        changed("guarded-by", "guardedby"),
        [
            f"a.yaml:4:11: rule kind guardedby is not known (did you mean 'guarded-by'?); known: {KINDS}",
        ],
    ),
    "a rule kind that is not built": (
        changed("guarded-by", "frobnicate"),
        [f"a.yaml:4:11: rule kind frobnicate is not known; known: {KINDS}"],
    ),
    "no rule kind": (
        changed("    kind: guarded-by\n", ""),
        [f"a.yaml:3:5: a rule needs the key 'kind'; known: {KINDS}"],
    ),
    "a rule that is no mapping": (
        "lockspec: 1\nrules:\n  - vm.lock\n",
        ["a.yaml:3:5: found the text 'vm.lock'; accepted: a rule (id, kind, …)"],
    ),
    "no rules": ("lockspec: 1\nrules: []\n", ["a.yaml:2:8: 'rules': found an empty list; accepted: a list of rules"]),
    "a requirement of two kinds": (
        changed("requires: vm.lock", "requires: {any: [vm.lock], when: vm->users == 0}"),
        [f"a.yaml:6:15: 'requires': found the keys any, when together; accepted: {FORMS}"],
    ),
    "an unknown requirement": (
        changed("requires: vm.lock", "requires: {anny: [vm.lock]}"),
        [f"a.yaml:6:16: unknown key 'anny' in 'requires' (did you mean 'any'?); accepted: {FORMS}"],
    ),
    "an empty alternative": (
        changed("requires: vm.lock", "requires: {any: []}"),
        ["a.yaml:6:21: 'any': found an empty list; accepted: a list of requirements"],
    ),
    "a list as a requirement": (
        changed("requires: vm.lock", "requires: [vm.lock]"),
        [f"a.yaml:6:15: 'requires': found a list; accepted: {FORMS}"],
    ),
    "an unknown mode": (
        changed("requires: vm.lock", "requires: {lock: vm.lock, mode: shared}"),
        ["a.yaml:6:37: 'mode': found the text 'shared'; accepted: read, write"],
    ),
    "an unknown key of a lock": (
        changed("requires: vm.lock", "requires: {lock: vm.lock, mod: read}"),
        [
            (
                "a.yaml:6:31: unknown key 'mod' in a lock requirement (did you mean 'mode'?); accepted: lock, mode, "
                "instance"
            ),
        ],
    ),
    "a predicate that is forbidden": (
        changed("guarded-by", "must-not-hold").replace(
            "requires: vm.lock", "forbids: {any: [vm.lock, {when: vm->users == 0}]}"
        ),
        ["a.yaml:6:5: 'forbids': only locks can be forbidden, no predicates"],
    ),
    "nothing that makes a call stale": (
        changed("guarded-by", "preceded-by")
        .replace("requires: vm.lock", "after: {call: drain, lock: vm.lock}\n    since: {}")
        .replace("field: vm.state", "call: [stop, kill]"),
        ["a.yaml:7:5: 'since' needs the key 'call' or 'write'"],
    ),
    "wrong in several places": (
        "lockspec: 1\nrules:\n  - {id: A, kind: must-hold, function: 'f()', requires: {all: [x y, {mode: none}]}}\n",
        [
            "a.yaml:3:5: a must-hold rule needs the key 'why' (the reason, for the reader of a finding)",
            "a.yaml:3:5: a must-hold rule needs the key 'source' (where the kernel says so)",
            "a.yaml:3:10: 'id': found the text 'A'; accepted: subsystem/rule in small letters",
            "a.yaml:3:40: 'function': found the text 'f()'; accepted: the name of a function",
            "a.yaml:3:64: 'all': found the text 'x y' (write 'xy'); accepted: record.member, or the name of a global",
            f"a.yaml:3:70: unknown key 'mode' in 'all'; accepted: {FORMS}",
        ],
    ),
}

WHEN = "f(&record->member) == 0, or record->member == 0"
WHEN_CASES = {
    "f(vm->users) == 0": " (the function takes the field's address: write '&')",
    "f(&cpu->vm->users) == 0": " (begin with the tag of the record that holds the field; one '->')",
    "f(&vm->users) == 0 || vm->dying != 0": " (one comparison; combine with any: and all:)",
    "vm->users": " (compare with a number)",
    "vm->users == nobody": "",
    "f(&vm->users, 1) == 0": "",
    "vm.users == 0": "",
}


@pytest.mark.parametrize(("text", "expected"), RULE_CASES.values(), ids=RULE_CASES)
def test_a_wrong_rule(write: Write, text: str, expected: list[str]) -> None:
    assert errors(write(text)) == expected


@pytest.mark.parametrize(("text", "advice"), WHEN_CASES.items())
def test_a_wrong_predicate(write: Write, text: str, advice: str) -> None:
    path = write(changed("requires: vm.lock", f'requires: {{when: "{text}"}}'))
    assert errors(path) == [f"a.yaml:6:22: 'when': found the text '{text}'{advice}; accepted: {WHEN}"]


FAMILY_CASES = {
    "an unknown effect": (
        changed("acquire", "aquire", FAMILY),
        [
            (
                "a.yaml:7:13: 'effect': found the text 'aquire' (did you mean 'acquire'?); accepted: acquire, release, "
                "wait, sleep, establish, allocate, free, publish, access, tell, assert"
            ),
        ],
    ),
    "no effect": (
        changed("    effect: acquire\n", "", FAMILY),
        [
            (
                "a.yaml:6:5: a row needs the key 'effect' (acquire, release, wait, sleep, establish, allocate, free, "
                "publish, access, tell, assert) or 'effects'"
            ),
        ],
    ),
    "a key of another effect": (
        changed("acquire", "release", FAMILY) + "    attempt: true\n",
        [
            (
                "a.yaml:9:5: unknown key 'attempt' in a row with effect release; accepted: name, names, effect, lock, "
                "mode, when, nests, sets"
            ),
        ],
    ),
    "a lock for a sleep": (
        changed("acquire", "sleep", FAMILY),
        ["a.yaml:8:5: unknown key 'lock' in a row with effect sleep; accepted: name, names, effect, bits"],
    ),
    "a wait for nothing": (
        "lockspec: 1\nfamily: baton\nsource: baton.h\nprimitives: [{name: wait_baton, effect: wait}]\n",
        ["a.yaml:4:14: a row with effect wait needs the key 'lock' (the lock)"],
    ),
    "wrong bits": (
        (
            "lockspec: 1\nfamily: f\nsource: s\nprimitives:\n"
            "  - {name: a, effect: sleep, bits: arg 1 & __GFP_IO}\n  - {name: b, effect: sleep, bits: arg 1 & 0}\n"
        ),
        [
            "a.yaml:5:36: 'bits': found the text 'arg 1 & __GFP_IO'; accepted: arg 1 & 0x400",
            "a.yaml:6:36: 'bits': found the text 'arg 1 & 0' (no bit is in 0); accepted: arg 1 & 0x400",
        ],
    ),
    "a word for a flag": (
        FAMILY + "    atomic: spin\n",
        ["a.yaml:9:13: 'atomic': found the text 'spin'; accepted: true, false"],
    ),
    "no lock": (
        changed("    lock: arg 0\n", "", FAMILY),
        ["a.yaml:6:5: a row with effect acquire needs the key 'lock' (the lock)"],
    ),
    "a wrong argument": (
        changed("arg 0", "arg one", FAMILY),
        [
            (
                "a.yaml:8:11: 'lock': found the text 'arg one'; accepted: arg 0 (what the argument points to), "
                "arg 0->record.member, or the name of a lock that is no object (rcu)"
            ),
        ],
    ),
    "a wrong test of the return value": (
        FAMILY + "    when: ret == 0\n",
        ["a.yaml:9:11: 'when': found the text 'ret == 0'; accepted: return == 0, return != 0, …"],
    ),
    "YAML 1.1's yes": (
        FAMILY + "    recursive: yes\n",
        [
            (
                "a.yaml:9:16: 'recursive': found the text 'yes' (YAML 1.2 has no yes, no, on and off); accepted: true, "
                "false"
            ),
        ],
    ),
    "YAML 1.1's on as a key": (
        changed("family:", "on: x\nfamily:", FAMILY),
        [
            (
                "a.yaml:2:1: unknown key 'on' in a file of primitives; accepted: lockspec, family, types, waits, atomic, "
                "source, primitives"
            ),
        ],
    ),
    "no source": (
        changed("source: baton.h\n", "", FAMILY),
        ["a.yaml:1:1: a file of primitives needs the key 'source' (where the facts were read)"],
    ),
    "a family and nothing more": (
        "lockspec: 1\nfamily: baton\n",
        [
            "a.yaml:1:1: a file of primitives needs the key 'source' (where the facts were read)",
            "a.yaml:1:1: a file of primitives needs the key 'primitives' (the functions and their effects)",
        ],
    ),
    "several effects, one wrong": (
        (
            "lockspec: 1\nfamily: baton\nsource: baton.h\nprimitives:\n  - name: pass_baton\n    effects:\n"
            "      - {effect: release, lock: arg 0}\n      - {effect: establish, fact: holder(0) == 0}\n      - release\n"
        ),
        [
            "a.yaml:8:35: 'fact': found the text 'holder(0) == 0'; accepted: f(arg 0) == 0",
            (
                "a.yaml:9:9: found the text 'release'; accepted: a mapping with 'effect' (acquire, release, wait, sleep, "
                "establish, allocate, free, publish, access, tell, assert)"
            ),
        ],
    ),
}


@pytest.mark.parametrize(("text", "expected"), FAMILY_CASES.values(), ids=FAMILY_CASES)
def test_a_wrong_family(write: Write, text: str, expected: list[str]) -> None:
    assert errors(write(text)) == expected


def test_a_rule_id_that_is_there_already(write: Write) -> None:
    paths = write(RULE), write("# the same again\n" + RULE, "b.yaml")
    assert errors(*paths) == ["b.yaml:4:9: rule id 'vm/state' is defined twice; first at a.yaml:3:9"]


def test_a_primitive_that_is_there_already(write: Write) -> None:
    path = write(changed("take_baton", "mutex_lock", FAMILY))
    (error,) = errors(path)
    assert error.startswith("lockspecs/primitives/mutex.yaml:")
    assert error.endswith("primitive 'mutex_lock' is defined twice; first at a.yaml:6:11")


def test_a_family_that_is_there_already(write: Write) -> None:
    paths = write(FAMILY), write(changed("take_baton", "grab_baton", FAMILY), "b.yaml")
    assert errors(*paths) == ["b.yaml:2:9: lock family 'baton' is defined twice; first at a.yaml:2:9"]


def test_an_unknown_lock_family(write: Write) -> None:
    path = write("lockspec: 1\nextends: mutexes\nsource: x.h\nprimitives: [{name: my_lock, effect: allocate}]\n")
    (error,) = errors(path)
    assert error.startswith("a.yaml:2:10: unknown lock family 'mutexes' (did you mean 'mutex'?); known: allocation, ")


def test_every_error_of_every_file_is_reported(write: Write) -> None:
    paths = (
        write(changed("vm.lock", "vm->lock"), "a.yaml"),
        write(b"\xff\xfe", "b.yaml"),
        Path("missing.yaml"),
        write(changed("effect: acquire", "effect: take", FAMILY), "c.yaml"),
    )
    with pytest.raises(CombinedSpecError) as raised:
        load(paths)
    assert len(raised.value.errors) == 4
    assert [str(error).split(": ")[0] for error in raised.value.errors] == [
        "missing.yaml",
        "a.yaml:6:15",
        "b.yaml:1:1",
        "c.yaml:7:13",
    ]
