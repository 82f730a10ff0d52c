# SPDX-License-Identifier: GPL-2.0-only
"""Entries under `rules:`.

In: a mapping with `id`, `kind` and the keys of that kind. Out: `Rule`.
"""

from __future__ import annotations

from analyzer.base.errors import SpecError
from analyzer.spec.kinds import RuleKind, rule_kinds
from analyzer.spec.mapping import Key, Map
from analyzer.spec.model import Rule, Severity
from analyzer.spec.requirements import NameOf
from analyzer.spec.shapes import Choice, ListOf, Located, Schema, Text, text_of
from analyzer.spec.suggest import did_you_mean
from analyzer.spec.tree import MapNode, Node, describe

WORD = r"[a-z0-9][a-z0-9_-]*"
_SEVERITY: Choice[Severity] = Choice("error", "warning", "note")
#: exemptions that the analysis proves; there is none that a person merely states
_EXEMPTION = Choice("unpublished", "creation", "dying")

ID = Key("id", Located(Text("subsystem/rule in small letters", rf"{WORD}(?:/{WORD})+")), "unique name", required=True)
KIND = Key("kind", Text(), "rule kind", required=True)
TITLE = Key("title", Text(), "what the rule is about in a few words", default="")
SEVERITY = Key("severity", _SEVERITY, "how bad a violation is; absent: error", default="error")
UNLESS = Key("unless", ListOf(_EXEMPTION, "exemptions"), "exemptions that the analysis proves", default=())
ABOUT = Key(
    "about", ListOf(NameOf("field"), "fields"), "fields that the rule is for, beside those it checks", default=()
)
WHY = Key("why", Text(), "the reason, for the reader of a finding", required=True)
SOURCE = Key("source", Text(), "where the kernel says so", required=True)
_BEFORE = (ID, TITLE, KIND)
_AFTER = (ABOUT, UNLESS, SEVERITY, WHY, SOURCE)


class RuleShape:
    """A rule of any kind."""

    def read(self, node: Node, _label: str) -> Rule:
        """Return the rule; its place is that of its id."""
        fields = _keys_of(_kind_of(node)).read(node)
        kind = rule_kinds()[fields[KIND]]
        check, mentions = kind.build(fields)
        id_, place = fields[ID]
        return Rule(
            id_,
            check,
            fields[SEVERITY],
            fields[UNLESS],
            " ".join(fields[WHY].split()),
            " ".join(fields[SOURCE].split()),
            place,
            fields[TITLE],
            mentions + fields[ABOUT],
            tuple(mention.name for mention in fields[ABOUT]),
        )

    def schema(self) -> Schema:
        """Describe a rule: one alternative for each kind."""
        return {"anyOf": [_schema_of(kind) for kind in rule_kinds().values()]}


def _keys_of(kind: RuleKind) -> Map:
    return Map(f"a {kind.name} rule", (*_BEFORE, *kind.keys, *_AFTER), kind.one_of)


def _schema_of(kind: RuleKind) -> Schema:
    schema = _keys_of(kind).schema()
    schema["description"] = kind.doc
    schema["properties"]["kind"] = {"description": kind.doc, "const": kind.name}
    return schema


def _kind_of(node: Node) -> RuleKind:
    known = ", ".join(rule_kinds())
    if not isinstance(node, MapNode):
        raise SpecError(f"found {describe(node)}; accepted: a rule (id, kind, …)", node.location)
    given = node.get("kind")
    if given is None:
        raise SpecError(f"a rule needs the key 'kind'; known: {known}", node.location)
    name = text_of(given, "'kind'", known)
    if name not in rule_kinds():
        hint = did_you_mean(name, rule_kinds())
        raise SpecError(f"rule kind {name} is not known{hint}; known: {known}", given.location)
    return rule_kinds()[name]
