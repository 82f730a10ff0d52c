# SPDX-License-Identifier: GPL-2.0-only
"""Rules about the order of locks and about interrupts: what they become, and what is wrong with them."""

from pathlib import Path

import pytest

from analyzer.base.errors import SpecError
from analyzer.spec.load import load
from analyzer.spec.model import IrqSafety, LockOrder, Name

HEAD = "lockspec: 1\nrules:\n  - {id: vm/order, kind: %s, why: w, source: s%s}\n"


def read(folder: Path, kind: str, keys: str) -> object:
    file = folder / "a.yaml"
    file.write_text(HEAD % (kind, f", {keys}" if keys else ""), "utf-8")
    (rule,) = load([file]).rules
    return rule.check


def test_orders(tmp_path: Path) -> None:
    outer, inner = Name(("vm", "lock")), Name(("vm", "irq_lock"))
    assert read(tmp_path, "lock-order", "order: [vm.lock, vm.irq_lock]") == LockOrder((outer, inner))
    assert read(tmp_path, "lock-order", "inside: [vm.lock], never: [vm.irq_lock]") == LockOrder((), (outer,), (inner,))
    assert read(tmp_path, "lock-order", "leaves: [vm.lock]") == LockOrder(leaves=(outer,))
    assert read(tmp_path, "lock-order", "") == LockOrder()


def test_interrupts(tmp_path: Path) -> None:
    off = (Name(("irqs_off",)),)
    assert read(tmp_path, "irq-safety", "hardirq: [irqs_off]") == IrqSafety(off)
    assert read(tmp_path, "irq-safety", "softirq: [irqs_off]") == IrqSafety((), off)


@pytest.mark.parametrize(
    ("kind", "keys", "message"),
    [
        ("lock-order", "order: [vm.lock]", "'order': accepted: two or more locks, each once"),
        ("lock-order", "order: [vm.lock, vm.lock]", "'order': accepted: two or more locks, each once"),
        ("lock-order", "inside: [vm.lock]", "a lock-order rule with 'inside' needs the key 'never'"),
        ("lock-order", "never: [vm.lock]", "a lock-order rule with 'never' needs the key 'inside'"),
        (
            "lock-order",
            "leaves: [vm.lock], order: [vm.lock, vm.irq_lock]",
            "'leaves' beside 'order' in a lock-order rule: only one of them",
        ),
        ("irq-safety", "", "an irq-safety rule needs the key 'hardirq' or 'softirq'"),
    ],
)
def test_wrong(tmp_path: Path, kind: str, keys: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read(tmp_path, kind, keys)
