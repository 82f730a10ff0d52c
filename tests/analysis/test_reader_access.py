# SPDX-License-Identifier: GPL-2.0-only
"""A function that a predicate asks is still an access to what it is given."""

from pathlib import Path

from analyzer.pipeline.check import check
from analyzer.pipeline.options import CheckOptions, Silent

SOURCE = """# 1 "box.c"
struct mutex { int n; };
struct box { struct mutex lock; int level; };
int peek(int *level);
int look(struct box *box) { return peek(&box->level); }
"""
SPEC = """lockspec: 1
subsystem: box
rules:
  - id: box/level
    kind: guarded-by
    field: box.level
    access: read
    requires:
      any:
        - box.lock
        - {when: "peek(&box->level) == 1"}
    why: levels change under the lock
    source: here
"""
FAMILY = """lockspec: 1
family: peek
source: here
primitives:
  - name: peek
    effect: access
    object: arg 0
    access: read
"""


def test_a_call_that_a_predicate_asks_reads_its_argument(tmp_path: Path) -> None:
    for name, text in (("box.i", SOURCE), ("rules.yaml", SPEC), ("peek.yaml", FAMILY)):
        (tmp_path / name).write_text(text)
    specs = (tmp_path / "rules.yaml", tmp_path / "peek.yaml")
    told = check(CheckOptions(preprocessed=(tmp_path / "box.i",), specs=specs), Silent())
    assert [(finding.function, finding.access) for finding in told.findings] == [("look", "read")]
