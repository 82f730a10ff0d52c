# SPDX-License-Identifier: GPL-2.0-only
"""Whole specification files.

In: the text of one file. Out: `Document`: the rules, the family with its primitives, the rows about calls,
assumptions, or statements.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from analyzer.base.errors import SpecError
from analyzer.base.location import Location
from analyzer.spec.assumed import Assumption
from analyzer.spec.assumptions import AssumptionShape
from analyzer.spec.calls import BacklinkShape, CallbackShape, EntryShape, TargetShape
from analyzer.spec.effect import Family, Primitive, Waits
from analyzer.spec.effects import Defaults
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.mapping import Fields, Key, Map
from analyzer.spec.model import Backlink, Callback, EntryPoint, Rule, TargetOverride
from analyzer.spec.primitives import RowsShape, read_rows
from analyzer.spec.rules import WORD, RuleShape
from analyzer.spec.said import Statement
from analyzer.spec.shapes import Choice, Exactly, Flag, ListOf, Located, Text
from analyzer.spec.statements import StatementShape
from analyzer.spec.tree import MapNode, Node, describe
from analyzer.spec.yaml_nodes import parse

#: the language's version; a file of another one is not guessed at
VERSION = 1

_WAITS: Choice[Waits] = Choice("sleep", "spin", "none")
_WORD = Text("a word in small letters", WORD)

LOCKSPEC = Key("lockspec", Exactly(VERSION), "version of the language", required=True)
SUBSYSTEM = Key("subsystem", _WORD, "what all rule ids of the file begin with")
RULES = Key("rules", ListOf(RuleShape(), "rules"), "the rules", required=True)
FAMILY = Key("family", Located(_WORD), "the family that this file defines", required=True)
EXTENDS = Key("extends", Located(_WORD), "the family, defined elsewhere, to which the rows belong", required=True)
TYPES = Key("types", ListOf(Text("a record name", r"[A-Za-z_]\w*"), "record names"), "types of the locks", default=())
WAITS = Key("waits", _WAITS, "how callers wait for these locks; absent: none", default="none")
ATOMIC = Key("atomic", Flag(), "their holders must not sleep; absent: true where waits is spin")
SOURCE = Key("source", Text(), "where the facts were read", required=True)
PRIMITIVES = Key("primitives", RowsShape(), "the functions and their effects", required=True)
CALLBACKS = Key("callbacks", ListOf(CallbackShape(), "callbacks"), "who calls functions handed over", default=())
ENTRIES = Key("entries", ListOf(EntryShape(), "entries"), "how functions are entered from outside", default=())
TARGETS = Key("targets", ListOf(TargetShape(), "targets"), "what indirect calls reach", default=())
BACKLINKS = Key("backlinks", ListOf(BacklinkShape(), "backlinks"), "pointers back to where one came from", default=())
ASSUMPTIONS = Key("assumptions", ListOf(AssumptionShape(), "assumptions"), "what is taken for true", required=True)
STATEMENTS = Key("statements", ListOf(StatementShape(), "statements"), "what the kernel says", required=True)

CALLS_FILE = Map("a file about calls", (LOCKSPEC, CALLBACKS, ENTRIES, TARGETS, BACKLINKS))
ASSUMPTIONS_FILE = Map("a file of assumptions", (LOCKSPEC, SUBSYSTEM, ASSUMPTIONS))
STATEMENTS_FILE = Map("a file of statements", (LOCKSPEC, STATEMENTS))
RULES_FILE = Map("a file of rules", (LOCKSPEC, SUBSYSTEM, RULES))
FAMILY_FILE = Map("a file of primitives", (LOCKSPEC, FAMILY, TYPES, WAITS, ATOMIC, SOURCE, PRIMITIVES))
ROWS_FILE = Map("a file that extends a family", (LOCKSPEC, EXTENDS, WAITS, ATOMIC, SOURCE, PRIMITIVES))


class Document(Struct, frozen=True):
    """What one file says."""

    rules: tuple[Rule, ...] = ()
    family: Family | None = None
    primitives: tuple[Primitive, ...] = ()
    #: the family that must be defined by another file, and where it is named
    extends: tuple[str, Location] | None = None
    callbacks: tuple[Callback, ...] = ()
    entries: tuple[EntryPoint, ...] = ()
    targets: tuple[TargetOverride, ...] = ()
    backlinks: tuple[Backlink, ...] = ()
    statements: tuple[Statement, ...] = ()
    assumptions: tuple[Assumption, ...] = ()


def read_document(text: str, file: str) -> Document:
    """Read one file; raise SpecError or CombinedSpecError."""
    root = parse(text, file)
    if not isinstance(root, MapNode) or not root.entries or root.entries[0].key.text != "lockspec":
        found = describe(root)
        if isinstance(root, MapNode) and root.entries:
            found = f"the key '{root.entries[0].key.text}'"
        raise SpecError(f"a specification begins with 'lockspec: {VERSION}', found {found}", root.location)
    version = root.entries[0].value
    LOCKSPEC.shape.read(version, "'lockspec'")
    if root.get("extends") is not None:
        return _read_rows_file(root)
    if root.get("family") is not None or root.get("primitives") is not None:
        return _read_family_file(root)
    if any(root.get(key.name) is not None for key in (CALLBACKS, ENTRIES, TARGETS, BACKLINKS)):
        return _read_calls_file(root)
    if root.get(ASSUMPTIONS.name) is not None:
        return _read_assumptions_file(root)
    if root.get(STATEMENTS.name) is not None:
        return Document(statements=STATEMENTS_FILE.read(root)[STATEMENTS])
    return _read_rules_file(root)


def _read_calls_file(root: Node) -> Document:
    fields = CALLS_FILE.read(root)
    return Document(
        callbacks=tuple(callback for row in fields[CALLBACKS] for callback in row),
        entries=tuple(entry for row in fields[ENTRIES] for entry in row),
        targets=fields[TARGETS],
        backlinks=fields[BACKLINKS],
    )


def _read_rules_file(root: Node) -> Document:
    fields = RULES_FILE.read(root)
    _check_ids([("rule", rule.id, rule.location) for rule in fields[RULES]], fields)
    return Document(fields[RULES])


def _read_assumptions_file(root: Node) -> Document:
    fields = ASSUMPTIONS_FILE.read(root)
    _check_ids([("assumption", one.id, one.location) for one in fields[ASSUMPTIONS]], fields)
    return Document(assumptions=fields[ASSUMPTIONS])


def _check_ids(entries: Iterable[tuple[str, str, Location]], fields: Fields) -> None:
    """Raise an error for each entry whose id does not begin with the file's subsystem."""
    prefix = fields.get(SUBSYSTEM)
    errors = [
        SpecError(f"{what} id '{id_}' does not begin with the file's subsystem '{prefix}/'", place)
        for what, id_, place in entries
        if prefix and not id_.startswith(f"{prefix}/")
    ]
    if errors:
        raise CombinedSpecError(errors)


def _read_family_file(root: Node) -> Document:
    fields = FAMILY_FILE.read(root)
    name, place = fields[FAMILY]
    defaults = _defaults(fields)
    family = Family(name, fields[TYPES], defaults.waits, " ".join(fields[SOURCE].split()), place, defaults.atomic)
    return Document(family=family, primitives=_primitives(fields, name))


def _read_rows_file(root: Node) -> Document:
    fields = ROWS_FILE.read(root)
    return Document(primitives=_primitives(fields, fields[EXTENDS][0]), extends=fields[EXTENDS])


def _defaults(fields: Fields) -> Defaults:
    """Return what a file says for all its rows: who spins for a lock cannot wait for a holder that sleeps."""
    waits, atomic = fields[WAITS], fields.get(ATOMIC)
    return Defaults(waits, waits == "spin" if atomic is None else atomic)


def _primitives(fields: Fields, family: str) -> tuple[Primitive, ...]:
    return tuple(read_rows(fields[PRIMITIVES], family, _defaults(fields)))
