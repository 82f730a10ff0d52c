# SPDX-License-Identifier: GPL-2.0-only
"""Names in rules, held against a program: each wrong one is told where it stands."""

from pathlib import Path

import pytest

from analyzer.base.errors import SpecError
from analyzer.pipeline.check import check
from analyzer.pipeline.lint import lint
from analyzer.pipeline.options import CheckOptions, Silent

SOURCE = """
struct mutex { int n; };
void mutex_lock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
struct box { struct mutex lock; struct { int level; } inner; };
void fill(struct box *box) { mutex_lock(&box->lock); box->inner.level = 1; mutex_unlock(&box->lock); }
"""
SPEC = """lockspec: 1
subsystem: box
rules:
  - id: box/level
    kind: guarded-by
    field: box.iner.level
    requires: box.lok
    why: levels are counted
    source: here
  - id: box/drain
    kind: must-hold
    function: drain
    requires: box.lock
    why: draining twice is an error
    source: here
"""


@pytest.fixture
def options(tmp_path: Path) -> CheckOptions:
    unit, spec = tmp_path / "box.i", tmp_path / "box.yaml"
    unit.write_text('# 1 "box.c"\n' + SOURCE)
    spec.write_text(SPEC)
    return CheckOptions(preprocessed=(unit,), specs=(spec,))


def test_check_tells_all_wrong_members_at_their_places(options: CheckOptions) -> None:
    with pytest.raises(SpecError) as caught:
        check(options, Silent())
    spec = options.specs[0]
    assert str(caught.value).splitlines() == [
        f"{spec}:6:12: box has no member 'iner' (did you mean 'inner'?)",
        f"{spec}:7:15: box has no member 'lok' (did you mean 'lock'?)",
    ]


def test_lint_tells_missing_functions_and_rules_without_a_place_too(options: CheckOptions) -> None:
    texts = [str(error).split(": ", 1)[1] for error in lint(options, Silent())]
    assert "no function 'drain'" in texts
    assert "rule 'box/drain' matches no call in these units" in texts
