# SPDX-License-Identifier: GPL-2.0-only
"""What a unit decides by itself: a lock taken twice, with something in between that may have dropped it, or cannot have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analyzer.facts.store import Store
from analyzer.pipeline.decided import messages_of
from analyzer.pipeline.extract import extract
from analyzer.pipeline.options import Silent
from analyzer.source.commands import read_units

HEAD = """\
struct mutex { int x; };
void mutex_lock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
struct node { struct node *next; };
struct dev { struct mutex lock; int n; struct node node; };
struct port { struct dev *dev; int n; };
struct stranger;
struct leaf { int n; };
"""
#: between two acquisitions in `static int twice(struct dev *dev, …)`: declarations, the statement, is it decided?
BETWEEN = {
    "nothing": ("", "", True),
    "numbers": ("int sum(int a, int b);", "sum(1, 2);", True),
    "a record that leads nowhere": ("void use(struct leaf *leaf);", "leaf->n = 1; use(leaf);", True),
    "text": ("int printk(const char *text, ...);", 'printk("x");', True),
    "the record": ("void use(struct dev *dev);", "use(dev);", False),
    "a member of it": ("void use(int *n);", "use(&dev->n);", False),
    "a list in it": ("void use(struct node *node);", "use(&dev->node);", False),
    "a record that leads there": ("void use(struct port *port);", "use(port); port->dev->n = 1;", False),
    "a record of which nothing is known": ("void use(struct stranger *s);", "use(stranger);", False),
    "it without a type": ("void use(void *thing);", "use(dev);", False),
    "a leaf without a type": ("void use(void *thing);", "leaf->n = 1; use(leaf);", True),
    "it among further arguments": ("int printk(const char *text, ...);", 'printk("x", dev);', False),
    "a result that leads there": ("struct dev *use(void);", "use();", False),
    "a pointer to a function": ("", "call(dev);", False),
    "a pointer to a function of numbers": ("", "count(1);", True),
    "a function of this unit": ("static void use(struct dev *dev) { dev->n++; }", "use(dev);", True),
    "one that calls elsewhere": (
        "void far(struct dev *dev); static void use(struct dev *dev) { far(dev); }",
        "use(dev);",
        False,
    ),
    "one that gives way": ("__attribute__((weak)) void use(struct dev *dev) { dev->n++; }", "use(dev);", False),
    "afterwards only": ("void use(struct dev *dev);", "", True),
}


def told(tmp_path: Path, text: str) -> str:
    (tmp_path / "unit.c").write_text(text)
    entry = {"directory": str(tmp_path), "file": "unit.c", "command": "gcc -c unit.c"}
    (tmp_path / "compile_commands.json").write_text(json.dumps([entry]))
    (tmp_path / "rules.yaml").write_text(
        "lockspec: 1\nsubsystem: dev\nrules:\n  - {id: dev/balance, kind: balance, why: x., source: x}\n"
        "  - {id: dev/n, kind: guarded-by, field: dev.n, access: write, requires: dev.lock, why: x., source: x}\n"
        "  - {id: dev/order, kind: lock-order, why: x., source: x}\n"
    )
    with Store(None) as store:
        extraction = extract(read_units(tree=tmp_path), store, Silent())
        assert not extraction.failed
        return messages_of(extraction, store, (tmp_path / "rules.yaml",), ())


def taken_twice(declaration: str, between: str, after: str = "", lock: str = "dev->lock") -> str:
    return (
        f"{HEAD}{declaration}\nint twice(struct dev *dev, struct port *port, struct leaf *leaf, struct stranger *stranger,"
        " void (*call)(struct dev *), int (*count)(int))\n"
        f"{{\n\tmutex_lock(&{lock});\n\t{between}\n\tmutex_lock(&{lock});\n\t{after}\n"
        f"\tmutex_unlock(&{lock});\n\tmutex_unlock(&{lock});\n\treturn 0;\n}}\n"
    )


@pytest.mark.parametrize("name", BETWEEN)
def test_what_comes_between(tmp_path: Path, name: str) -> None:
    declaration, between, decided = BETWEEN[name]
    after = "use(dev);" if name == "afterwards only" else ""
    found = told(tmp_path, taken_twice(declaration, between, after))
    assert ("dev.lock taken while it is held [dev/balance]" in found) is decided, found


@pytest.mark.parametrize(("declaration", "decided"), [("static struct mutex big;", True), ("struct mutex big;", False)])
def test_a_lock_that_others_can_name_is_within_their_reach(tmp_path: Path, declaration: str, decided: bool) -> None:
    text = taken_twice(f"{declaration} int sum(int a, int b);", "sum(1, 2);", lock="big")
    assert ("big taken while it is held" in told(tmp_path, text)) is decided


@pytest.mark.parametrize(
    ("entry", "decided"),
    [
        ("int entered(struct dev *dev) { return add(dev); }", False),
        ("static int entered(struct dev *dev) { return add(dev); }", False),
        (("static int entered(struct dev *dev) { return add(dev); } struct ops { int (*f)(struct dev *); };"
         " struct ops ops = { .f = entered };"), False),
        (("struct work_struct { void (*func)(struct work_struct *); }; struct dev the;"
         " static void entered(struct work_struct *work) { add(&the); }"
         " struct work_struct work = { .func = entered };"), True),
    ],
)  # fmt: skip
def test_a_way_begins_where_nobody_else_can_come_from(tmp_path: Path, entry: str, decided: bool) -> None:
    found = told(tmp_path, f"{HEAD}static int add(struct dev *dev) {{ return dev->n++; }}\n{entry}\n")
    assert ("write of dev.n without dev.lock" in found) is decided, found


def test_two_orders_may_be_kept_apart_by_a_lock_of_callers(tmp_path: Path) -> None:
    one = "\tmutex_lock(&dev->lock);\n\tmutex_lock(&bus->lock);\n\tmutex_unlock(&bus->lock);\n\tmutex_unlock(&dev->lock);\n"
    other = one.replace("dev", "x").replace("bus", "dev").replace("x->", "bus->")
    text = f"{HEAD}struct bus {{ struct mutex lock; }};\n"
    for name, body in (("one", one), ("other", other)):
        text += f"void {name}(struct dev *dev, struct bus *bus)\n{{\n{body}}}\n"
    assert told(tmp_path, text) == ""
