# SPDX-License-Identifier: GPL-2.0-only
"""What is told about a lock: where it is taken, what it is for, what happens under it."""

from __future__ import annotations

import json

import pytest

from analyzer.findings.explanation import Explanation
from analyzer.findings.lock import LockExplanation, Other, Taken
from analyzer.pipeline.explain import explain
from analyzer.pipeline.options import CheckOptions, Silent
from analyzer.report import NoSources, Style, render_explained_json, render_lock
from tests.fixtures.run import FLAGS

SOURCE = """\
#include "minikvm.h"

static DEFINE_MUTEX(rooms_lock);

static int count(struct kvm *kvm)
{
	return kvm->created_vcpus;
}

static void hold(struct mutex *lock)
{
	mutex_lock(lock);
}

int twice(struct kvm *kvm)
{
	int n;

	mutex_lock(&kvm->lock);
	n = count(kvm);
	mutex_unlock(&kvm->lock);
	hold(&kvm->lock);
	n += count(kvm);
	mutex_unlock(&kvm->lock);
	return n;
}

static void inside(struct kvm *kvm)
{
	lockdep_assert_held(&kvm->lock);
	mutex_lock(&kvm->slots_lock);
	mutex_unlock(&kvm->slots_lock);
}

int nest(struct kvm *kvm)
{
	if (!mutex_trylock(&kvm->lock))
		return 0;
	inside(kvm);
	synchronize_srcu(&kvm->srcu);
	mutex_unlock(&kvm->lock);
	return 1;
}

int read_side(struct kvm_vcpu *vcpu)
{
	int n;

	kvm_vcpu_srcu_read_lock(vcpu);
	n = count(vcpu->kvm);
	kvm_vcpu_srcu_read_unlock(vcpu);
	return n + count(vcpu->kvm);
}

void rooms(void)
{
	mutex_lock(&rooms_lock);
	mutex_unlock(&rooms_lock);
}
"""

RULES = """\
lockspec: 1
subsystem: test
rules:
  - id: test/created
    kind: guarded-by
    field: kvm.created_vcpus
    access: read
    requires: {any: [{all: [kvm.lock, kvm.slots_lock]}, kvm.srcu]}
    why: it may change.
    source: here
  - id: test/order
    kind: lock-order
    order: [kvm.lock, kvm.slots_lock]
    why: so it is.
    source: here
"""


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> CheckOptions:
    place = tmp_path_factory.mktemp("locks")
    source = place / "locks.c"
    source.write_text(SOURCE)
    specs = place / "rules.yaml"
    specs.write_text(RULES)
    arguments = ["gcc", *FLAGS, "-c", "locks.c", "-o", "locks.o"]
    commands = place / "compile_commands.json"
    commands.write_text(json.dumps([{"directory": str(place), "file": "locks.c", "arguments": arguments}]))
    return CheckOptions(tree=place, compile_commands=commands, specs=(specs,), cache=place / "cache")


def told(options: CheckOptions, target: str) -> LockExplanation:
    found = explain(options, target, Silent())
    assert isinstance(found, LockExplanation)
    return found


def places(taken: tuple[Taken, ...], function: str) -> list[tuple[str, tuple[int, ...], tuple[str, ...], bool]]:
    return [
        (one.mode, tuple(place.line for place in one.locations), one.through, one.attempt)
        for one in taken
        if one.function == function
    ]


def line(text: str, nth: int = 1) -> int:
    found = [number for number, one in enumerate(SOURCE.splitlines(), 1) if text in one]
    return found[nth - 1]


def test_every_place_is_told_with_the_function_that_knows_the_lock(options: CheckOptions) -> None:
    lock = told(options, "kvm.lock")
    assert places(lock.taken, "twice") == [
        ("write", (line("mutex_lock(&kvm->lock)"),), (), False),
        ("write", (line("hold(&kvm->lock)"),), ("hold",), False),
    ]
    assert places(lock.taken, "nest") == [("write", (line("mutex_trylock"),), (), True)]
    assert {one.function for one in lock.taken} == {"twice", "nest"}


def test_read_sides_and_grace_periods_are_kept_apart(options: CheckOptions) -> None:
    lock = told(options, "kvm.srcu")
    at = line("kvm_vcpu_srcu_read_lock(vcpu)")
    assert places(lock.taken, "read_side") == [("read", (at,), ("kvm_vcpu_srcu_read_lock",), False)]
    assert places(lock.taken, "nest") == [("wait", (line("synchronize_srcu"),), (), False)]
    assert [(one.lock, one.functions) for one in lock.waited] == [("kvm.lock", ("nest",))]


def test_what_is_taken_under_it_is_told_with_the_way(options: CheckOptions) -> None:
    outer = told(options, "kvm.lock").inner
    assert [(one.lock, one.what, one.functions) for one in outer] == [
        ("kvm.srcu", "grace", ("nest",)),
        ("kvm.slots_lock", "lock", ("nest", "inside")),
    ]
    (inner,) = told(options, "kvm.slots_lock").outer
    assert isinstance(inner, Other)
    assert (inner.lock, inner.functions, inner.location.line) == (
        "kvm.lock",
        ("nest", "inside"),
        line("mutex_lock(&kvm->slots_lock)"),
    )


def test_calls_under_it_end_where_it_is_dropped(options: CheckOptions) -> None:
    lock = told(options, "kvm.lock")
    assert {holder.function: holder.calls for holder in lock.holders} == {"nest": ("inside",), "twice": ("count",)}
    assert set(lock.reached) == {"inside", "count"}
    assert told(options, "rooms_lock").holders == ()


def test_rules_say_what_it_is_for(options: CheckOptions) -> None:
    lock = told(options, "kvm.lock")
    (rule,) = lock.protects
    assert (rule.about, rule.count and rule.count.sites) == (("kvm.created_vcpus",), 1)
    assert rule.note.requirement == "read needs (kvm.lock and kvm.slots_lock) or kvm.srcu"
    assert [one.note.requirement for one in lock.orders] == ["kvm.lock outside kvm.slots_lock"]
    assert told(options, "rooms_lock").protects == ()


def test_what_the_source_claims_of_it_is_told(options: CheckOptions) -> None:
    (claim,) = told(options, "kvm.lock").asserted
    assert (claim.function, claim.says, claim.location.line) == ("inside", "kvm.lock", line("lockdep_assert_held"))
    assert told(options, "rooms_lock").asserted == ()


def test_a_field_is_no_lock(options: CheckOptions) -> None:
    assert isinstance(explain(options, "kvm.created_vcpus", Silent()), Explanation)


def test_text_and_json_say_the_same(options: CheckOptions) -> None:
    lock = told(options, "kvm.lock")
    text = render_lock(lock, NoSources(), Style())
    assert "taken     in 3 places of 2 functions, 1 of them tries\n" in text
    assert "protects  1 field by 1 rule\n" in text
    data = json.loads(render_explained_json(lock))
    assert (data["about"], data["lock"]) == ("lock", "kvm.lock")
    told_of = {(one["rule"], one["location"]["function"]) for one in data["findings"]}
    assert told_of == {("test/created", "count")}
    assert all(one["witness"][-1]["text"].startswith("reads kvm.created_vcpus") for one in data["findings"])
    assert data["protects"][0]["places"] == {"sites": 1, "proven": 0, "violations": 1, "unknown": 0}
    assert [one["function"] for one in data["taken"]] == ["twice", "twice", "nest"]
