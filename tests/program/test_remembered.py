# SPDX-License-Identifier: GPL-2.0-only
"""Summaries from an earlier run, after a handler has changed that only its providers' callees call."""

import json
from pathlib import Path

import pytest

from analyzer.findings.model import Report
from analyzer.pipeline.check import check
from analyzer.pipeline.options import CheckOptions, Silent

RULES = """
lockspec: 1
rules:
  - {id: box/lid, kind: guarded-by, field: box.lid, access: write, requires: box.lock, why: here, source: here}
"""
HEAD = """
struct mutex { int held; };
struct box { struct mutex lock; int lid; int colour; };
extern void mutex_lock(struct mutex *); extern void mutex_unlock(struct mutex *);
"""
HANDED_DOWN = """
struct walk { void (*step)(struct box *); struct box *box; };
static void walk(struct walk *w) { w->step(w->box); }
static void paint(struct box *b) { b->lid = 1; }
static void handler(struct box *b) { BODY }
void first(struct box *b) { struct walk w = { paint, b }; mutex_lock(&b->lock); walk(&w); mutex_unlock(&b->lock); }
void second(struct box *b) { struct walk w = { handler, b }; walk(&w); }
void third(struct box *b) { struct walk w = { handler, b }; mutex_lock(&b->lock); walk(&w); mutex_unlock(&b->lock); }
"""
RUN_AT_ONCE = """
extern int smp_call_function_single(int cpu, void (*f)(void *), void *data, int wait);
static void handler(void *data) { struct box *b = data; BODY }
void second(struct box *b) { smp_call_function_single(0, handler, b, 1); }
"""


@pytest.mark.parametrize("text", [HANDED_DOWN, RUN_AT_ONCE])
def test_a_changed_handler_is_seen(tmp_path: Path, text: str) -> None:
    spec = tmp_path / "rules.yaml"
    spec.write_text(RULES, "utf-8")
    (tmp_path / "compile_commands.json").write_text(
        json.dumps([{"directory": str(tmp_path), "file": "u.c", "command": "gcc -c u.c"}]), "utf-8"
    )

    def run(body: str, cache: Path) -> Report:
        (tmp_path / "u.c").write_text(HEAD + text.replace("BODY", body), "utf-8")
        options = CheckOptions(tree=tmp_path, specs=(spec,), cache=cache)
        return check(options, Silent())

    locked = "mutex_lock(&b->lock); b->lid = 2; mutex_unlock(&b->lock);"
    harmless, harmful = locked, "b->lid = 2;"
    assert not run(harmless, tmp_path / "warm").findings
    found = run(harmful, tmp_path / "warm").findings
    assert [finding.witness[0].function for finding in found] == ["second"]
    assert found == run(harmful, tmp_path / "cold").findings
    assert not run(harmless, tmp_path / "warm").findings
