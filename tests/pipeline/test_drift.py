# SPDX-License-Identifier: GPL-2.0-only
"""What rules and the source say differently about one field or function; and that what agrees is silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.findings.drift import Drift, DriftReport
from analyzer.pipeline.drift import drift
from analyzer.pipeline.options import CheckOptions, Silent
from analyzer.report import Style, render_drift, render_drift_json

LOCKDEP = """\
#define lockdep_assert_held(l) do { (void)(l); } while (0)
#define lockdep_assert_held_read(l) do { (void)(l); } while (0)
#define lockdep_assert_held_write(l) do { (void)(l); } while (0)
#define lockdep_assert_not_held(l) do { (void)(l); } while (0)
#define lockdep_assert_once(c) do { } while (0)
"""
HEAD = """\
#include <linux/lockdep.h>
#define __rcu
#define __guarded_by(x)
struct mutex { int owner; };
typedef struct { int count; } rwlock_t;
struct srcu_struct { int idx; };
void mutex_lock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
void _raw_write_lock(rwlock_t *lock);
"""
DECLARED = """\
struct vm;
/*
 * struct vm - a machine
 * @named: protected by slots_lock
 */
struct vm {
    struct mutex lock;
    struct mutex slots_lock;
    rwlock_t mmu_lock;
    struct srcu_struct srcu;
    /* Protected by lock. */
    int plain;
    /*
     * Writes protected by vm->slots_lock.  Calls of
     * taker() are protected by either vm->slots_lock or vm->srcu.
     */
    int written;
    int trailing;    /* Protected by slots_lock */
    struct {
        int inner;    /* Protected by vm->lock. */
    } part;
    int annotated __guarded_by(lock);
    int __rcu *pointer;
    int named;
    /* other is protected by lock; it is not protected by slots_lock */
    int several;
    int other;
};
struct vm *machine;
"""
RULE = """\
  - id: test/{id}
    kind: {kind}
    {about}
    why: so it is.
    source: {source}
"""

STATEMENT = "  - {{source: 'vm.h:{line}', says: something, unstated: a test}}\n"
Compare = Callable[..., list[Drift]]


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """Give a way to compare rules with a unit; returns the disagreements, with those that are notes on demand."""
    (tmp_path / "include" / "linux").mkdir(parents=True)
    (tmp_path / "include/linux/lockdep.h").write_text(LOCKDEP)

    def run(body: str, *rules: str, notes: bool = False, statements: str = "", document: str = "") -> list[Drift]:
        (tmp_path / "vm.h").write_text(HEAD + DECLARED)
        (tmp_path / "locks.rst").write_text(document)
        uses = "int use(struct vm *vm) { mutex_lock(&vm->lock); return vm->plain + vm->part.inner + vm->srcu.idx; }"
        (tmp_path / "vm.c").write_text(f'#include "vm.h"\n{body}\n{uses}\n')
        specs = tmp_path / "rules.yaml"
        specs.write_text("lockspec: 1\nsubsystem: test\nrules:\n" + "".join(rules or [guarded("several", "vm.lock")]))
        (tmp_path / "said.yaml").write_text("lockspec: 1\nstatements:\n" + (statements or STATEMENT.format(line=1)))
        arguments = ["gcc", "-nostdinc", "-Iinclude", "-c", "vm.c", "-o", "vm.o"]
        commands = tmp_path / "compile_commands.json"
        commands.write_text(json.dumps([{"directory": str(tmp_path), "file": "vm.c", "arguments": arguments}]))
        options = CheckOptions(
            tree=tmp_path, compile_commands=commands, specs=(specs, tmp_path / "said.yaml"), cache=None
        )
        found: DriftReport = drift(options, Silent())
        return [one for one in found.drifts if one.is_note == notes]

    return run


def guarded(field: str, requires: str, access: str = "any", ident: str = "field") -> str:
    about = f"field: vm.{field}\n    access: {access}\n    requires: {requires}"
    return RULE.format(id=ident, kind="guarded-by", about=about, source="vm.h, struct vm")


def must(requires: str, function: str = "f", ident: str = "call") -> str:
    about = f"function: {function}\n    requires: {requires}"
    return RULE.format(id=ident, kind="must-hold", about=about, source="vm.c")


def kinds(found: list[Drift]) -> list[tuple[str, str]]:
    return [(one.kind, one.about) for one in found]


# -- functions --------------------------------------------------------------------------------------------------------


def body(*asserted: str, comment: str = "", before: str = "") -> str:
    text = "".join(f"\t{one};\n" for one in asserted)
    return f"{comment}void f(struct vm *vm)\n{{\n{before}{text}}}\n"


@pytest.mark.parametrize(
    ("asserted", "requires"),
    [
        ("lockdep_assert_held(&vm->slots_lock)", "vm.slots_lock"),
        ("lockdep_assert_held_write(&vm->mmu_lock)", "{lock: vm.mmu_lock, mode: write}"),
        ("lockdep_assert_held_read(&vm->mmu_lock)", "{lock: vm.mmu_lock, mode: read}"),
    ],
)
def test_a_rule_that_says_what_is_asserted_is_silent(compare: Compare, asserted: str, requires: str) -> None:
    assert compare(body(asserted), must(requires)) == []
    assert compare(body(asserted), must(requires), notes=True) == []


def test_another_lock(compare: Compare) -> None:
    (found,) = compare(body("lockdep_assert_held(&vm->slots_lock)"), must("vm.lock"))
    assert (found.kind, found.about) == ("assertion", "f()")
    assert found.message == "the rule and the assertion name different locks"
    rule, assertion = found.sayings
    assert (rule.voice, rule.text) == ("rule", "test/call: call needs vm.lock")
    assert (assertion.voice, assertion.location.file, assertion.location.line) == ("assertion", "vm.c", 4)


@pytest.mark.parametrize(
    ("asserted", "requires", "contradicts"),
    [
        ("lockdep_assert_held_write(&vm->mmu_lock)", "vm.mmu_lock", True),
        ("lockdep_assert_held_read(&vm->mmu_lock)", "{lock: vm.mmu_lock, mode: write}", True),
        ("lockdep_assert_held(&vm->mmu_lock)", "{lock: vm.mmu_lock, mode: write}", False),
    ],
)
def test_another_mode(compare: Compare, asserted: str, requires: str, *, contradicts: bool) -> None:
    assert bool(compare(body(asserted), must(requires))) == contradicts
    assert bool(compare(body(asserted), must(requires), notes=True)) != contradicts


def test_a_rule_that_is_content_with_less(compare: Compare) -> None:
    (found,) = compare(body("lockdep_assert_held(&vm->lock)"), must("{any: [vm.lock, vm.slots_lock]}"))
    assert found.message == "the rule is content with locks that the assertion does not accept"


def test_an_assertion_on_some_ways_only_is_compared_by_its_locks_alone(compare: Compare) -> None:
    some = body("if (vm->plain) lockdep_assert_held(&vm->lock)")
    assert compare(some, must("{any: [vm.lock, vm.slots_lock]}")) == []
    assert kinds(compare(some, must("vm.slots_lock"))) == [("assertion", "f()")]


def test_several_assertions_are_one(compare: Compare) -> None:
    both = body("lockdep_assert_held(&vm->lock)", "lockdep_assert_held(&vm->slots_lock)")
    assert compare(both, must("{all: [vm.lock, vm.slots_lock]}")) == []
    assert compare(both, must("vm.lock")) == []
    (note,) = compare(both, must("vm.lock"), notes=True)
    assert note.message == "the function asserts more locks than the rules about it ask for"


def test_what_a_function_takes_itself_is_not_asked_of_callers(compare: Compare) -> None:
    taken = body("lockdep_assert_held(&vm->slots_lock)", before="\tmutex_lock(&vm->slots_lock);\n")
    assert compare(taken, must("vm.lock")) == []


def test_what_only_one_of_them_says_is_a_note(compare: Compare) -> None:
    asserted = body("lockdep_assert_held(&vm->lock)")
    assert compare(asserted, must("vm.lock", "use")) == []
    assert kinds(compare(asserted, must("vm.lock", "use"), notes=True)) == [
        ("unasserted", "use()"),
        ("unruled", "f()"),
    ]


def test_an_assertion_that_a_lock_is_not_held(compare: Compare) -> None:
    free = body("lockdep_assert_not_held(&vm->lock)")
    assert kinds(compare(free, must("vm.lock"))) == [("assertion", "f()")]
    forbids = RULE.format(id="no", kind="must-not-hold", about="function: f\n    forbids: vm.slots_lock", source="vm.c")
    assert kinds(compare(free, forbids)) == [("assertion", "f()")]
    assert compare(free, forbids.replace("slots_lock", "lock")) == []


def test_a_comment_above_a_function(compare: Compare) -> None:
    comment = "/* f() is called under vm->slots_lock. */\n"
    (found,) = compare(body(comment=comment), must("vm.lock"))
    assert (found.kind, found.about, found.sayings[-1].location.line) == ("comment", "f()", 2)
    assert compare(body(comment=comment), must("vm.slots_lock")) == []
    assert kinds(compare(body("lockdep_assert_held(&vm->lock)", comment=comment))) == [("comment", "f()")]
    assert compare(body(comment="/* Not called under vm->slots_lock. */\n"), must("vm.lock")) == []


# -- members ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "right", "wrong", "voice"),
    [
        ("plain", "vm.lock", "vm.slots_lock", "comment"),
        ("trailing", "vm.slots_lock", "vm.lock", "comment"),
        ("part.inner", "vm.lock", "vm.slots_lock", "comment"),
        ("other", "vm.lock", "vm.slots_lock", "comment"),
        ("annotated", "vm.lock", "vm.slots_lock", "annotation"),
        ("pointer", "{any: [vm.srcu, vm.lock]}", "vm.lock", "annotation"),
    ],
)
def test_what_a_declaration_says(compare: Compare, field: str, right: str, wrong: str, voice: str) -> None:
    assert compare("", guarded(field, right)) == []
    (found,) = compare("", guarded(field, wrong))
    assert found.kind == voice
    assert found.about.split(".")[-1] == field.rsplit(".", maxsplit=1)[-1]
    assert found.sayings[-1].location.file == "vm.h"


def test_a_sentence_about_writes_says_nothing_of_reads(compare: Compare) -> None:
    assert kinds(compare("", guarded("written", "vm.lock", "write"))) == [("comment", "vm.written")]
    assert compare("", guarded("written", "vm.lock", "read")) == []


def test_a_sentence_about_a_function_is_held_against_its_rule(compare: Compare) -> None:
    taker = "void taker(struct vm *vm) { vm->plain = 1; }"
    rules = guarded("written", "vm.slots_lock", "write")
    assert compare(taker, rules, must("{any: [vm.slots_lock, vm.srcu]}", "taker")) == []
    assert kinds(compare(taker, rules, must("vm.lock", "taker"))) == [("comment", "taker()")]


def test_a_lock_reference(compare: Compare) -> None:
    document = (
        "``vm->slots_lock``\n^^^^^^^^^^^^^^^^^^\n\n:Type: mutex\n:Protects:\t- vm->several\n\t\t- several things\n"
    )
    named = guarded("several", "vm.lock").replace("vm.h, struct vm", "docs/../locks.rst")
    assert compare("", named, document=document)[0].kind in ("document", "source")
    named = guarded("several", "vm.lock").replace("source: vm.h, struct vm", "source: ./locks.rst")
    assert ("document", "vm.several") in kinds(compare("", named, document=document))
    assert kinds(compare("", named.replace("vm.lock", "vm.slots_lock"), document=document)) == []


# -- sources ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("./vm.h, struct vm", ""),
        ("./vm.h, struct vm and use() in ./vm.c (v1)", ""),
        ("./gone.h, struct vm", "./gone.h is not there"),
        ("./vm.h, comment in forgotten()", "forgotten does not stand in ./vm.h"),
        ("by word of mouth, from somebody()", ""),
    ],
)
def test_a_source_that_no_longer_holds_it(compare: Compare, source: str, message: str) -> None:
    found = compare("", guarded("several", "vm.lock").replace("vm.h, struct vm", source))
    assert [one.message for one in found] == ([message] if message else [])


def test_a_statement_about_a_line_that_is_gone(compare: Compare) -> None:
    assert compare("", statements=STATEMENT.format(line=9)) == []
    found = compare("", statements=STATEMENT.format(line=9999))
    assert [one.message for one in found] == ["vm.h has no line 9999"]


# -- what is printed --------------------------------------------------------------------------------------------------


def test_text_counts_notes_and_json_has_them() -> None:
    note = Drift("unruled", "g()", "nobody else says it", ())
    report = DriftReport((Drift("assertion", "f()", "they differ", ()), note), (("rules", 2),))
    text = render_drift(report, Style())
    assert text.startswith("f(): they differ\n")
    assert "1 disagreement; compared: 2 rules\n" in text
    assert "g()" not in text
    assert "g(): nobody else says it" in render_drift(report, Style(verbose=True))
    data = json.loads(render_drift_json(report))
    assert [(one["about"], one["note"]) for one in data["drifts"]] == [("f()", False), ("g()", True)]
