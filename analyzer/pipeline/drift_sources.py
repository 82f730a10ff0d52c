# SPDX-License-Identifier: GPL-2.0-only
"""Rules, assumptions and statements whose `source:` no longer holds what it names.

In: rules with `source: virt/kvm/kvm_main.c, comment in kvm_set_memslot()`. Out: a `Drift` for a file that is not there any
more, and for a function or structure that no file of the source mentions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from analyzer.findings.drift import Drift, Saying
from analyzer.pipeline.known import Texts
from analyzer.spec.assumed import Assumption
from analyzer.spec.model import Rule
from analyzer.spec.said import Statement

#: files of a kernel tree; the suffixes that a source has there
_FILE = re.compile(r"(?<![\w./-])((?:[\w.-]+/)+[\w.-]*\w\.(?:c|h|S|rst|txt))\b(?::(\d+))?")
_NAME = re.compile(r"\b([A-Za-z_]\w*)\(\)|\bstruct ([A-Za-z_]\w*)")


def rule_sources(rules: tuple[Rule | Assumption, ...], texts: Texts) -> Iterator[Drift]:
    """Yield what rules and assumptions say of files that is so no more."""
    for rule in rules:
        files = files_in(rule.source)
        saying = Saying("rule", f"{rule.id}: after {rule.source}", rule.location)
        absent = [file for file in files if texts.read(file) is None]
        for file in absent:
            yield Drift("source", rule.id, f"{file} is not there", (saying,))
        found = [text for file in files if (text := texts.read(file)) is not None]
        for name in _names(rule.source) if found and not absent else ():
            if not any(re.search(rf"\b{re.escape(name)}\b", text) for text in found):
                yield Drift("source", rule.id, f"{name} does not stand in {' or '.join(files)}", (saying,))


def statement_sources(statements: tuple[Statement, ...], texts: Texts) -> Iterator[Drift]:
    """Yield statements about lines that are not there."""
    for statement in statements:
        saying = Saying("rule", f"statement about {statement.source}: {statement.says}", statement.location)
        file, _, line = statement.source.rpartition(":")
        text = texts.read(file)
        if text is None:
            yield Drift("source", statement.source, f"{file} is not there", (saying,))
        elif int(line) > text.count("\n") + 1:
            yield Drift("source", statement.source, f"{file} has no line {line}", (saying,))


def files_in(source: str) -> tuple[str, ...]:
    """Return the files that a source names."""
    return tuple(dict.fromkeys(file for file, _ in _FILE.findall(source)))


def _names(source: str) -> Iterator[str]:
    for function, record in _NAME.findall(source):
        yield function or record
