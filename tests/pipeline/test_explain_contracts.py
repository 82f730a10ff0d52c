# SPDX-License-Identifier: GPL-2.0-only
"""What is told of a function's own contracts: each with a verdict for each call of the function."""

from __future__ import annotations

import json

import pytest

from analyzer.findings.explanation import Explanation
from analyzer.pipeline.explain import explain
from analyzer.pipeline.options import CheckOptions, Silent
from analyzer.report import NoSources, Style, render_explained_json, render_explanation
from tests.fixtures.run import FLAGS

SOURCE = """\
#include "minikvm.h"

void inside(struct kvm *vm) __must_hold(&vm->slots_lock);
void inside(struct kvm *kvm)
{
	lockdep_assert_held(&kvm->lock);
	rcu_dereference_protected(kvm->irq_routing, lockdep_is_held(&kvm->irq_lock));
}

void right(struct kvm *kvm)
{
	mutex_lock(&kvm->lock);
	mutex_lock(&kvm->slots_lock);
	mutex_lock(&kvm->irq_lock);
	inside(kvm);
	mutex_unlock(&kvm->irq_lock);
	mutex_unlock(&kvm->slots_lock);
	mutex_unlock(&kvm->lock);
}

void wrong(struct kvm *kvm)
{
	mutex_lock(&kvm->lock);
	inside(kvm);
	mutex_unlock(&kvm->lock);
}

void alone(void)
{
}
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Explanation:
    tree = tmp_path_factory.mktemp("tree")
    (tree / "a.c").write_text(SOURCE)
    command = {"directory": str(tree), "file": "a.c", "arguments": ["gcc", *FLAGS, "-c", "a.c"]}
    (tree / "compile_commands.json").write_text(json.dumps([command]))
    found = explain(CheckOptions(tree=tree, jobs=1, cache=None), "inside()", Silent())
    assert isinstance(found, Explanation)
    return found


def test_each_contract_has_a_verdict_for_each_call(told: Explanation) -> None:
    found = {claim.claim: {way.function: way.verdict for way in claim.ways} for claim in told.contracts}
    assert found == {
        "__must_hold(kvm.slots_lock (write))": {"right": "proven", "wrong": "violation"},
        "lockdep_assert_held(kvm.lock)": {"right": "proven", "wrong": "proven"},
        "RCU_LOCKDEP_WARN(kvm.irq_lock)": {"right": "proven", "wrong": "violation"},
    }


def test_contracts_are_printed_beside_the_calls(told: Explanation) -> None:
    text = render_explanation(told, NoSources(), Style())
    assert (
        "contracts\n  __must_hold(kvm.slots_lock (write))  a.c:4:6  violation\n    called by right(), a.c:15:2  proven\n"
        in text
    )
    document = json.loads(render_explained_json(told))
    assert [claim["ways"][1]["verdict"] for claim in document["contracts"]] == ["violation", "proven", "violation"]
