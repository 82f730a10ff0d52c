# SPDX-License-Identifier: GPL-2.0-only
"""An edit of a function that others reach through a pointer they were given is seen by all of them, whatever is remembered."""

import json
from pathlib import Path

from analyzer.findings.model import Report
from analyzer.pipeline.check import check
from analyzer.pipeline.options import CheckOptions, Silent

CORE = """
struct mutex { int x; };
void mutex_lock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
struct dev { struct ops *ops; struct mutex lock; int state; };
struct ops { int (*set)(struct dev *); int (*get)(struct dev *); };
static int call(struct dev *dev, int (*accessor)(struct dev *)) { return accessor(dev); }
int dev_ioctl(struct dev *dev, int set) { return set ? call(dev, dev->ops->set) : call(dev, dev->ops->get); }
"""
DRIVER = """
struct mutex { int x; };
void mutex_lock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
struct dev { struct ops *ops; struct mutex lock; int state; };
struct ops { int (*set)(struct dev *); int (*get)(struct dev *); };
static int set(struct dev *dev) { mutex_lock(&dev->lock); dev->state = 1; mutex_unlock(&dev->lock); return 0; }
static int get(struct dev *dev) { return dev != 0; }
struct ops ops = { .set = set, .get = get };
"""
RULE = """
lockspec: 1
rules:
  - id: dev/state
    kind: guarded-by
    field: dev.state
    access: write
    requires: dev.lock
    why: states follow each other
    source: dev.h
"""


def run(folder: Path, overlays: tuple[tuple[str, Path], ...] = ()) -> Report:
    return check(
        CheckOptions(
            tree=folder,
            compile_commands=folder / "compile_commands.json",
            specs=(folder / "dev.yaml",),
            cache=folder / "cache",
            overlays=overlays,
        ),
        Silent(),
    )


def test_a_handler_that_loses_its_lock(tmp_path: Path) -> None:
    rows = []
    for name, text in (("core.c", CORE), ("driver.c", DRIVER)):
        (tmp_path / name).write_text(text, "utf-8")
        rows.append({"directory": str(tmp_path), "file": name, "arguments": ["gcc", "-c", name]})
    (tmp_path / "compile_commands.json").write_text(json.dumps(rows), "utf-8")
    (tmp_path / "dev.yaml").write_text(RULE, "utf-8")
    edited = tmp_path / "edited.c"
    edited.write_text(DRIVER.replace("mutex_lock(&dev->lock);", "").replace("mutex_unlock(&dev->lock);", ""), "utf-8")
    assert run(tmp_path).findings == ()
    (finding,) = run(tmp_path, (("driver.c", edited),)).findings
    assert next(step.function for step in finding.witness) == "dev_ioctl"
    assert run(tmp_path).findings == ()
