# SPDX-License-Identifier: GPL-2.0-only
"""Rows about calls: what they mean, and what is wrong with them."""

from pathlib import Path

import pytest

from analyzer.base.errors import SpecError
from analyzer.spec.documents import read_document
from analyzer.spec.load import load
from analyzer.spec.model import ANY_LOCK, Held, Name


def read(rows: str) -> object:
    return read_document(f"lockspec: 1\n{rows}\n", "rows.yaml")


def test_one_callback_for_each_name() -> None:
    text = "callbacks:\n  - {functions: [f, g], calls: arg 1, passes: [arg 0, arg 2], runs: now, waits: arg 3, remote: true, source: x}"
    first, second = read_document(f"lockspec: 1\n{text}\n", "rows.yaml").callbacks
    assert (first.function, second.function) == ("f", "g")
    assert (first.argument, first.passes, first.runs, first.waits, first.remote) == (1, (0, 2), "now", 3, True)
    assert (first.member, first.context) == (None, "process")


def test_a_member_and_its_locks() -> None:
    text = "entries:\n  - {member: ops.open, holds: [a.b, {lock: c, mode: read}], context: softirq, source: x}"
    (entry,) = read_document(f"lockspec: 1\n{text}\n", "rows.yaml").entries
    assert entry.member == Name(("ops", "open"))
    assert entry.holds == (Held(Name(("a", "b"))), Held(Name(("c",)), "read"))
    assert entry.context == "softirq"


def test_locks_of_whoever_calls_later() -> None:
    text = "callbacks:\n  - {member: wait.func, runs: later, holds: [queue.lock, irqs_off], context: atomic, source: x}"
    (callback,) = read_document(f"lockspec: 1\n{text}\n", "rows.yaml").callbacks
    assert callback.holds == (Held(Name(("queue", "lock"))), Held(Name(("irqs_off",))))


def test_one_half_of_a_pair_leaves_locks_held() -> None:
    text = "entries:\n  - {member: ops.start, leaves: [{lock: rcu, mode: read}], source: x}"
    (entry,) = read_document(f"lockspec: 1\n{text}\n", "rows.yaml").entries
    assert (entry.holds, entry.leaves) == ((), (Held(Name(("rcu",)), "read"),))


def test_locks_that_a_row_cannot_name() -> None:
    text = "entries:\n  - {member: ops.stop, holds: any, leaves: any, source: x}"
    (entry,) = read_document(f"lockspec: 1\n{text}\n", "rows.yaml").entries
    assert (entry.holds, entry.leaves) == ((ANY_LOCK,), (ANY_LOCK,))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("callbacks:\n  - {function: f, runs: later, source: x}", "rows.yaml:3:5: .*needs the key 'calls'"),
        ("callbacks:\n  - {member: a.b, calls: arg 0, runs: later, source: x}", "'calls' beside a member"),
        ("callbacks:\n  - {member: a.b, waits: arg 0, runs: later, source: x}", "'waits' beside a member"),
        (
            "callbacks:\n  - {function: f, member: a.b, calls: arg 0, runs: now, source: x}",
            "'member' beside 'function'",
        ),
        ("callbacks:\n  - {calls: arg 0, runs: now, source: x}", "needs the key 'function' or 'functions' or 'member'"),
        (
            "callbacks:\n  - {function: f, calls: arg 0, runs: soon, source: x}",
            "'runs': found the text 'soon'; accepted: now",
        ),
        ("callbacks:\n  - {function: f, calls: 1, runs: now, source: x}", "'calls': found the integer 1"),
        ("callbacks:\n  - {function: f, calls: arg 0, runs: now}", "needs the key 'source'"),
        ("callbacks:\n  - {member: a.b, holds: [c], runs: now, source: x}", "3:19: 'holds' beside 'runs: now'"),
        ("callbacks: []", "'callbacks': found an empty list"),
        ("entries:\n  - {member: a.b, hold: [c], source: x}", "unknown key 'hold' in an entry .did you mean 'holds'"),
        ("entries:\n  - {member: a->b, source: x}", "'member': .*write 'a.b'"),
        ("entries:\n  - {member: a.b, context: user, source: x}", "accepted: process, softirq, hardirq, atomic"),
        ("entries:\n  - {member: a.b, leaves: c, source: x}", "rows.yaml:3:27: 'leaves': .*a list of locks, or any"),
        ("targets:\n  - {call: a.b, source: x}", "needs the key 'reaches'"),
        ("targets:\n  - {call: a.b, reaches: [1], source: x}", "'reaches': found the integer 1"),
        ("rules: []\ntargets: []", "rows.yaml:2:1: unknown key 'rules' in a file about calls"),
    ],
)
def test_wrong_rows(row: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read(row)


def test_a_given_row_takes_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    shipped = [row for row in load().callbacks if row.function == "vhost_task_create"]
    assert len(shipped) == 2
    given = tmp_path / "rows.yaml"
    given.write_text(
        "lockspec: 1\ncallbacks:\n  - {function: vhost_task_create, calls: arg 7, runs: now, source: x}\n", "utf-8"
    )
    callbacks = load([given]).callbacks
    assert [row.argument for row in callbacks if row.function == "vhost_task_create"] == [7]
    assert [row for row in callbacks if row.function == "call_srcu"]
