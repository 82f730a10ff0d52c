# SPDX-License-Identifier: GPL-2.0-only
"""Rules about grace periods and rows with them: what they become, and what is wrong with them."""

from pathlib import Path

import pytest

from analyzer.base.errors import SpecError
from analyzer.spec.effect import LockAbstract, LockArgument
from analyzer.spec.load import load
from analyzer.spec.model import GracePeriod, Held, Name

RULE = "lockspec: 1\nrules:\n  - {id: vm/grace, kind: grace-period, why: w, source: s%s}\n"
ROW = "lockspec: 1\nfamily: f\nsource: s\nprimitives:\n  - {name: let_go, %s}\n"
HANDED = "lockspec: 1\ncallbacks:\n  - {function: let_go_later, calls: arg 1, source: s, %s}\n"
FILTER, SRCU = Name(("vm", "filter")), Name(("vm", "srcu"))


def read(folder: Path, text: str) -> Path:
    file = folder / "a.yaml"
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize(
    ("keys", "check"),
    [
        ("", GracePeriod()),
        (", field: vm.filter, readers: vm.srcu", GracePeriod((FILTER,), SRCU)),
        (", fields: [vm.filter], readers: rcu", GracePeriod((FILTER,), Name(("rcu",)))),
        (
            ", field: vm.filter, readers: vm.srcu, updaters: vm.lock",
            GracePeriod((FILTER,), SRCU, Held(Name(("vm", "lock")))),
        ),
    ],
)
def test_rules(tmp_path: Path, keys: str, check: GracePeriod) -> None:
    (rule,) = load([read(tmp_path, RULE % keys)]).rules
    assert rule.check == check


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (", field: vm.filter", "'field' needs the key 'readers'"),
        (", fields: [vm.filter]", "'fields' needs the key 'readers'"),
        (", readers: vm.srcu", "'readers' needs the key 'field' or 'fields'"),
        (", updaters: vm.lock", "'updaters' needs the key 'field' or 'fields'"),
        (", field: vm.filter, fields: [vm.other], readers: rcu", "'field' and 'fields' together"),
    ],
)
def test_wrong_rules(tmp_path: Path, keys: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load([read(tmp_path, RULE % keys)])


def test_rows(tmp_path: Path) -> None:
    text = ROW % "effect: free, object: arg 1, after: [rcu, arg 0], contexts: [preempt_off]"
    (effect,) = load([read(tmp_path, text)]).primitives["let_go"].effects
    assert (effect.after, effect.contexts) == ((LockAbstract("rcu"), LockArgument(0)), ("preempt_off",))
    (effect,) = load([read(tmp_path, ROW % "effect: wait, lock: rcu")]).primitives["let_go"].effects
    assert effect.promised
    (effect,) = load([read(tmp_path, ROW % "effect: wait, lock: rcu, promised: false")]).primitives["let_go"].effects
    assert not effect.promised
    (effect,) = (
        load([read(tmp_path, ROW % "effect: access, object: arg 0, access: read, inside: rcu")])
        .primitives["let_go"]
        .effects
    )
    assert effect.inside == LockAbstract("rcu")


def test_callbacks(tmp_path: Path) -> None:
    rows = load([read(tmp_path, HANDED % "runs: later, after: [arg 0]")]).callbacks
    assert [row.after for row in rows if row.function == "let_go_later"] == [(LockArgument(0),)]
    with pytest.raises(SpecError, match="'after' needs functions that run later"):
        load([read(tmp_path, HANDED % "runs: now, after: [rcu]")])
