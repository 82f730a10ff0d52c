# SPDX-License-Identifier: GPL-2.0-only
"""The shipped specifications are right by themselves, by their schema and by the kernel they speak of."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from analyzer.analysis.names import READING
from analyzer.spec.documents import read_document
from analyzer.spec.files import read_text, shipped_files
from analyzer.spec.load import load
from analyzer.spec.model import GuardedBy, MustHold
from analyzer.spec.names import rule_functions
from analyzer.spec.schema import json_schema, schema_text
from analyzer.spec.tree import plain
from analyzer.spec.yaml_nodes import parse

ROOT = Path(__file__).parents[2]
FILES = {file.name: file for file in shipped_files()}
ANNOTATED = {"RCU", "RCU_BH", "RCU_SCHED", "rcu_bh", "rcu_sched"}
FAMILIES = {
    "allocation", "bit-spinlock", "bitops", "containers", "context", "file", "initialisation", "kfifo", "local-lock", "lockdep", "mutex", "page-table",
    "percpu-rwsem", "rcu", "rcuwait", "refcount", "rt-mutex", "rwlock", "rwsem", "semaphore", "seqcount", "seqlock",
    "sleeping", "spinlock", "srcu", "strings", "ww-mutex",
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_shipped_file_is_valid_by_the_schema(name: str) -> None:
    jsonschema.Draft202012Validator(json_schema()).validate(plain(parse(read_text(FILES[name]), name)))


@pytest.mark.parametrize("name", FILES)
def test_a_shipped_file_names_the_schema_for_editors(name: str) -> None:
    (reference,) = re.findall(r"^# yaml-language-server: \$schema=(\S+)$", read_text(FILES[name]), re.MULTILINE)
    assert (FILES[name].path.parent / reference).resolve() == ROOT / "lockspecs/schema.json"


def test_the_schema_file_is_what_the_program_prints() -> None:
    assert (ROOT / "lockspecs/schema.json").read_text("utf-8") == schema_text()
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text()))


@pytest.mark.parametrize(
    "text",
    [
        "{lockspec: 2, rules: [{id: a/b, kind: must-hold, function: f, requires: x, why: y, source: z}]}",
        "{lockspec: 1, rules: [{id: a/b, kind: must-hold, function: f, requires: x, why: y}]}",
        "{lockspec: 1, rules: [{id: a/b, kind: must-hold, field: f, requires: x, why: y, source: z}]}",
        "{lockspec: 1, rules: [{id: a/b, kind: other, function: f, requires: x, why: y, source: z}]}",
        "{lockspec: 1, rules: [{id: a/b, kind: must-hold, function: f, requires: {any: []}, why: y, source: z}]}",
        "{lockspec: 1, rules: [{id: a/b, kind: must-hold, function: f, requires: {when: x}, why: y, source: z}]}",
        "{lockspec: 1, rules: [{id: a/b, kind: must-hold, function: f, requires: a->b, why: y, source: z}]}",
        "{lockspec: 1, family: f, source: s, primitives: [{name: a, effect: acquire}]}",
        "{lockspec: 1, family: f, source: s, primitives: [{name: a, effect: release, lock: arg 0, attempt: true}]}",
        "{lockspec: 1, family: f, source: s, primitives: [{name: a, names: [b], effect: allocate}]}",
        "{lockspec: 1, family: f, source: s, primitives: [{name: a, effects: []}]}",
        "{lockspec: 1, family: f, source: s, primitives: [{name: a, effect: sleep, bits: 1024}]}",
        "{lockspec: 1, family: f, source: s, primitives: [{name: a, effect: sleep, lock: arg 0}]}",
        "{lockspec: 1, family: f, source: s, primitives: [{name: a, effect: wait}]}",
        "{lockspec: 1, family: f, atomic: 1, source: s, primitives: [{name: a, effect: sleep}]}",
        "{lockspec: 1, entries: [{function: f, leaves: rcu, source: s}]}",
    ],
)
def test_loader_and_schema_refuse_the_same(text: str) -> None:
    validator: Any = jsonschema.Draft202012Validator(json_schema())
    assert not validator.is_valid(plain(parse(text, "x.yaml")))
    with pytest.raises(Exception, match=r"^x\.yaml:1:\d+: "):
        read_document(text, "x.yaml")


def test_the_shipped_set() -> None:
    spec = load()
    assert {family.name for family in spec.families} == FAMILIES
    assert all(rule.why and rule.source for rule in spec.rules)
    assert {rule.id for rule in spec.rules} >= {
        "kvm/gmem-file-write",
        "kvm/gmem-get-file",
        "kvm/gmem-pgoff",
        "kvm/gmem-bindings",
        "kvm/gmem-entry",
    }
    assert not [name for name in spec.primitives if name.startswith("filemap_")]


def test_success_is_the_value_that_the_kernel_documents() -> None:
    spec = load()
    expected = {
        "mutex_lock_interruptible": "== 0",
        "mutex_lock_killable": "== 0",
        "mutex_trylock": "!= 0",
        "down_trylock": "== 0",
        "down_interruptible": "== 0",
        "down_read_trylock": "!= 0",
        "down_write_killable": "== 0",
        "_raw_spin_trylock": "!= 0",
        "_raw_write_trylock": "!= 0",
        "percpu_down_read_trylock": "!= 0",
        "atomic_dec_and_mutex_lock": "!= 0",
        "refcount_dec_and_test": "!= 0",
    }
    found = {}
    for name in expected:
        test = spec.primitives[name].effects[0].when
        assert test is not None
        found[name] = f"{test.operator} {test.value}"
    assert found == expected


def test_loading_is_fast() -> None:
    load()
    best = min(_seconds() for _ in range(3))
    assert best < 0.6


def _seconds() -> float:
    start = time.perf_counter()
    load()
    return time.perf_counter() - start


def _trees() -> Iterator[Path]:
    if "LOCKSPEC_KERNEL" in os.environ:
        yield Path(os.environ["LOCKSPEC_KERNEL"])
    yield from (ROOT / ".kernel/linux-source-6.12", ROOT / ".kernel/linux")


@pytest.fixture(scope="module")
def tree() -> Path:
    for tree in _trees():
        if (tree / "include/linux/mutex.h").is_file():
            return tree
    pytest.skip("no kernel tree: run `make kernel`, or set LOCKSPEC_KERNEL")


FOLDERS = (
    "include/asm-generic/bitops",
    "include/linux",
    "include/uapi/linux",
    "arch/x86/include",
    "kernel/locking",
    "virt/kvm",
    "arch/x86/kvm",
)


@cache
def called_names(tree: Path) -> frozenset[str]:
    """Collect every name before a parenthesis where primitives are declared, and every one that `#define` gives."""
    command = ["grep", "-rhoE", "--include=*.[ch]", r"#\s*define\s+\w+|\w+\(", *FOLDERS]
    found = subprocess.run(command, cwd=tree, stdout=subprocess.PIPE, text=True, check=True).stdout
    return frozenset(re.split(r"\s", line.rstrip("("))[-1] for line in found.splitlines())


@pytest.mark.kernel
def test_every_primitive_is_a_function_of_the_kernel(tree: Path) -> None:
    # a static call's trampoline is declared by a macro that is given the name behind the prefix
    names = {name.removeprefix("__SCT__") for name in load().primitives}
    # and the words of assertions are those of the headers that units are preprocessed with
    headers = [header.read_text("utf-8") for header in sorted((ROOT / "analyzer/source/forced").glob("*.h"))]
    words = {word for header in headers for word in re.findall(r"\b(__lockspec_\w+)", header)}
    # what annotations name by a word that nothing declares
    assert sorted(names - called_names(tree) - words - {READING}) == sorted(ANNOTATED)


@pytest.mark.kernel
def test_every_lock_type_is_a_type_of_the_kernel(tree: Path) -> None:
    headers = "\n".join(path.read_text("utf-8", "replace") for path in (tree / "include/linux").glob("*.h"))
    for family in load().families:
        for name in family.types:
            # seqcount_spinlock and its like are made by a macro from `typedef struct seqcount_##lockname`
            base = "seqcount_##lockname" if name.startswith("seqcount_") else name
            assert re.search(rf"\bstruct {re.escape(base)}\s*\{{|\}} {re.escape(base)};", headers), name


@pytest.mark.kernel
def test_rules_name_functions_and_fields_of_the_kernel(tree: Path) -> None:
    spec = load()
    functions = {name for rule in spec.rules for name, _ in rule_functions(rule)}
    assert sorted(functions - called_names(tree)) == []
    for rule in spec.rules:
        match rule.check:
            case GuardedBy(fields):
                for field in fields:
                    # a record by its definition, a global by its name
                    wanted = rf"(struct|union) {field.parts[0]} \{{" if field.parts[1:] else rf"\b{field.parts[0]}\b"
                    command = ["grep", "-rqE", "--include=*.[ch]", wanted, *FOLDERS]
                    assert subprocess.run(command, cwd=tree, check=False).returncode == 0, field
            case MustHold(names):
                assert names


def test_the_examples_of_the_reference_are_right() -> None:
    text = (ROOT / "docs/spec-language.md").read_text("utf-8")
    examples = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "source:" in block]
    assert len(examples) == 9
    for example in examples:
        document = read_document(example, "example.yaml")
        rows = document.callbacks or document.entries or document.targets or document.backlinks or document.assumptions
        assert document.rules or document.primitives or rows or document.statements


def test_the_reference_names_every_key() -> None:
    text = (ROOT / "docs/spec-language.md").read_text("utf-8")
    keys = _keys(json_schema())
    assert sorted(key for key in keys if f"`{key}`" not in text and f"{key}:" not in text) == []


def _keys(schema: Any) -> set[str]:
    """Collect the names of all properties in a schema."""
    if isinstance(schema, dict):
        return set(schema.get("properties", ())) | {key for value in schema.values() for key in _keys(value)}
    return {key for value in schema for key in _keys(value)} if isinstance(schema, list) else set()
