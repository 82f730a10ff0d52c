# SPDX-License-Identifier: GPL-2.0-only
"""Specifications read together.

In: paths of files and folders, or None. Out: `SpecSet`; or one CombinedSpecError with every error of every file.

Given paths replace the shipped rules. The shipped primitives stay, family by family, unless the paths define the
same family: what `mutex_lock()` does is needed by every rule. So do the shipped rows about calls, one by one.

**Invariant:** each id of a rule or an assumption, each family and each function of a primitive is defined once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from analyzer.base.errors import SpecError
from analyzer.base.location import Location
from analyzer.spec.documents import Document, read_document
from analyzer.spec.effect import Effect, LockAbstract, Primitive
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.files import SpecFile, given_files, read_text, shipped_files
from analyzer.spec.model import Callback, EntryPoint, SpecSet
from analyzer.spec.suggest import did_you_mean

T = TypeVar("T")

#: shipped folders whose files stay when others are given
_ALWAYS = ("primitives", "kernel")


def load(paths: Sequence[Path] | None = None) -> SpecSet:
    """Read the specifications at `paths`, or the shipped ones."""
    errors: list[SpecError] = []
    texts: list[tuple[SpecFile, str]] = []
    documents: list[Document] = []
    files = shipped_files() if paths is None else given_files(paths)
    _read(files, texts, documents, errors)
    if paths is not None:
        _add_shipped_primitives(files, texts, documents, errors)
    _check_together(documents, errors)
    if errors:
        raise CombinedSpecError(errors)
    return SpecSet(
        tuple(rule for document in documents for rule in document.rules),
        tuple(document.family for document in documents if document.family),
        {row.name: row for row in _with_recursion([row for document in documents for row in document.primitives])},
        _digest(texts),
        _rows([document.callbacks for document in documents], _callback_key),
        _rows([document.entries for document in documents], _entry_key),
        tuple(target for document in documents for target in document.targets),
        tuple(backlink for document in documents for backlink in document.backlinks),
        tuple(statement for document in documents for statement in document.statements),
        tuple(assumption for document in documents for assumption in document.assumptions),
    )


def _with_recursion(rows: list[Primitive]) -> list[Primitive]:
    """Let releases know whether the lock may be acquired again: a family's locks, or an abstract lock, all may or none."""

    def of(row: Primitive, effect: Effect) -> object:
        return effect.lock if isinstance(effect.lock, LockAbstract) else row.family

    acquired = {
        (of(row, effect), effect.recursive) for row in rows for effect in row.effects if effect.kind == "acquire"
    }

    def told(row: Primitive, effect: Effect) -> Effect:
        recursive = (of(row, effect), True) in acquired and (of(row, effect), False) not in acquired
        return replace(effect, recursive=True) if effect.kind == "release" and recursive else effect

    return [replace(row, effects=tuple(told(row, effect) for effect in row.effects)) for row in rows]


def _rows(lists: list[tuple[T, ...]], key: Callable[[T], object]) -> tuple[T, ...]:
    """Join rows of several files; what an earlier file says of a thing takes the place of what a later one says."""
    said: set[object] = set()
    result: list[T] = []
    for rows in lists:
        result += [row for row in rows if key(row) not in said]
        said.update(key(row) for row in rows)
    return tuple(result)


def _callback_key(row: Callback) -> object:
    return (row.function, row.member)


def _entry_key(row: EntryPoint) -> object:
    return (row.function, row.member)


def _read(
    files: list[SpecFile], texts: list[tuple[SpecFile, str]], documents: list[Document], errors: list[SpecError]
) -> None:
    for file in files:
        try:
            text = read_text(file)
            documents.append(read_document(text, file.name))
            texts.append((file, text))
        except SpecError as error:
            errors.append(error)


def _add_shipped_primitives(
    given: list[SpecFile], texts: list[tuple[SpecFile, str]], documents: list[Document], errors: list[SpecError]
) -> None:
    """Add the shipped families that no given file defines, and the shipped rows about calls."""
    defined = {document.family.name for document in documents if document.family}
    same = {file.path.resolve() for file in given}
    for file in shipped_files():
        if file.path.resolve() in same or file.path.parent.name not in _ALWAYS:
            continue
        more_texts: list[tuple[SpecFile, str]] = []
        more: list[Document] = []
        _read([file], more_texts, more, errors)
        if more and not more[0].rules and (more[0].family is None or more[0].family.name not in defined):
            texts += more_texts
            documents += more


def _check_together(documents: list[Document], errors: list[SpecError]) -> None:
    rules = [rule for document in documents for rule in document.rules]
    families = [document.family for document in documents if document.family]
    primitives: list[Primitive] = [primitive for document in documents for primitive in document.primitives]
    assumptions = [assumption for document in documents for assumption in document.assumptions]
    ids = [(rule.id, rule.location) for rule in rules] + [(one.id, one.location) for one in assumptions]
    _once("rule id", ids, lambda entry: entry, errors)
    _once("lock family", families, lambda family: (family.name, family.location), errors)
    _once("primitive", primitives, lambda primitive: (primitive.name, primitive.location), errors)
    names = [family.name for family in families]
    for name, place in (document.extends for document in documents if document.extends):
        if name not in names:
            hint = did_you_mean(name, names)
            errors.append(SpecError(f"unknown lock family '{name}'{hint}; known: {', '.join(sorted(names))}", place))


def _once(what: str, things: list[T], key: Callable[[T], tuple[str, Location]], errors: list[SpecError]) -> None:
    first: dict[str, Location] = {}
    for name, place in map(key, things):
        if name in first:
            errors.append(SpecError(f"{what} '{name}' is defined twice; first at {first[name]}", place))
        else:
            first[name] = place


def _digest(texts: list[tuple[SpecFile, str]]) -> str:
    digest = hashlib.sha256()
    for file, text in texts:
        for part in (file.name, text):
            encoded = part.encode()
            digest.update(len(encoded).to_bytes(8, "little"))
            digest.update(encoded)
    return digest.hexdigest()
