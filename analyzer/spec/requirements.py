# SPDX-License-Identifier: GPL-2.0-only
"""Requirements and the names in them.

In: `{any: [kvm.slots_lock, {lock: kvm.mmu_lock, mode: write}]}`. Out: `AnyOf((Held(…), Held(…)))` and its mentions.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from analyzer.base.errors import SpecError
from analyzer.spec.errors import each
from analyzer.spec.expressions import NAME_PATTERN, PREDICATE_PATTERN, parse_name, parse_predicate
from analyzer.spec.mapping import Key, Map
from analyzer.spec.model import AllOf, AnyOf, Held, Instance, Mention, Name, Requirement
from analyzer.spec.shapes import READ_WRITE, Choice, Schema, advice, schema_pattern, text_of, wrong
from analyzer.spec.suggest import did_you_mean
from analyzer.spec.tree import ListNode, MapNode, Node, ScalarNode, describe

_NAME_FORM = "record.member, or the name of a global"
_WHEN_FORM = "f(&record->member) == 0, or record->member == 0"
_FORMS = "record.member, {any: […]}, {all: […]}, {lock: …, mode: …, instance: …}, {when: …}"


class NameOf:
    """A name in the program, with its place."""

    def __init__(self, what: Literal["field", "lock"]) -> None:
        self._what: Literal["field", "lock"] = what

    def read(self, node: Node, label: str) -> Mention:
        """Return the name as a mention."""
        text = text_of(node, label, _NAME_FORM)
        try:
            return Mention(self._what, parse_name(text), node.location)
        except ValueError as error:
            raise wrong(node, label, _NAME_FORM, advice(error)) from None

    def schema(self) -> Schema:
        """Describe a dotted name."""
        return {"type": "string", "pattern": schema_pattern(NAME_PATTERN)}


class Required(Struct, frozen=True):
    """A requirement, and the names in it in the order of the file."""

    requirement: Requirement
    mentions: tuple[Mention, ...]


_INSTANCE: Choice[Instance] = Choice("same", "any")
_LOCK = Key("lock", NameOf("lock"), "the lock's class", required=True)
_MODE = Key("mode", READ_WRITE, "least mode it is held in; write satisfies read; absent: any")
_HOLDER = Key("instance", _INSTANCE, "of the accessed object's own lock, or of any lock of the class")
_HELD = Map("a lock requirement", (_LOCK, _MODE, _HOLDER))

#: where the JSON Schema keeps the recursive part
REFERENCE = "#/$defs/requirement"


class RequirementShape:
    """A lock, a combination or a predicate."""

    def read(self, node: Node, label: str) -> Required:
        """Return the requirement; raise CombinedSpecError with all that is wrong in it."""
        if isinstance(node, ScalarNode):
            mention = NameOf("lock").read(node, label)
            return Required(Held(mention.name), (mention,))
        if not isinstance(node, MapNode):
            raise wrong(node, label, _FORMS)
        keys = {entry.key.text for entry in node.entries}
        if "lock" in keys:
            return _read_held(node)
        if len(keys) == 1:
            (entry,) = node.entries
            if entry.key.text in ("any", "all"):
                return self._read_group(entry.key.text, entry.value)
            if entry.key.text == "when":
                return _read_when(entry.value)
            hint = did_you_mean(entry.key.text, ("any", "all", "lock", "when"))
            raise SpecError(f"unknown key '{entry.key.text}' in {label}{hint}; accepted: {_FORMS}", entry.key.location)
        found = "an empty mapping" if not keys else "the keys " + ", ".join(entry.key.text for entry in node.entries)
        raise SpecError(f"{label}: found {found} together; accepted: {_FORMS}", node.location)

    def schema(self) -> Schema:
        """Refer to the recursive definition."""
        return {"$ref": REFERENCE}

    def _read_group(self, word: str, node: Node) -> Required:
        if not isinstance(node, ListNode) or not node.items:
            raise SpecError(f"'{word}': found {describe(node)}; accepted: a list of requirements", node.location)
        parts = each(lambda item: self.read(item, f"'{word}'"), node.items)
        of = tuple(part.requirement for part in parts)
        mentions = tuple(mention for part in parts for mention in part.mentions)
        return Required(AnyOf(of) if word == "any" else AllOf(of), mentions)


class LockShape:
    """A lock that is held: `kvm.slots_lock`, or `{lock: kvm.mmu_lock, mode: read}`."""

    def read(self, node: Node, label: str) -> Held:
        """Return the lock."""
        if isinstance(node, MapNode):
            held = _read_held(node).requirement
            assert isinstance(held, Held)
            return held
        return Held(NameOf("lock").read(node, label).name)

    def schema(self) -> Schema:
        """Describe a lock."""
        return {"anyOf": [NameOf("lock").schema(), _HELD.schema()]}


def requirement_definition() -> Schema:
    """Describe a requirement for JSON Schema's `$defs`."""
    group: Schema = {"type": "array", "items": {"$ref": REFERENCE}, "minItems": 1}
    when: Schema = {"type": "string", "pattern": schema_pattern(PREDICATE_PATTERN)}
    single = [("any", "at least one holds", group), ("all", "every one holds", group), ("when", _WHEN_FORM, when)]
    shapes: list[Schema] = [
        {
            "type": "object",
            "properties": {word: {"description": doc, **value}},
            "required": [word],
            "additionalProperties": False,
        }
        for word, doc, value in single
    ]
    return {"anyOf": [NameOf("lock").schema(), _HELD.schema(), *shapes]}


def _read_held(node: Node) -> Required:
    fields = _HELD.read(node)
    mention = fields[_LOCK]
    return Required(Held(mention.name, fields.get(_MODE), fields.get(_HOLDER)), (mention,))


def _read_when(node: Node) -> Required:
    text = text_of(node, "'when'", _WHEN_FORM)
    try:
        when, offset = parse_predicate(text)
    except ValueError as error:
        raise wrong(node, "'when'", _WHEN_FORM, advice(error)) from None
    assert isinstance(node, ScalarNode)
    names = [Mention("field", Name(when.field.parts), node.place(offset))]
    if when.function:
        start = text.index(when.function)
        names.insert(0, Mention("function", Name((when.function,)), node.place(start)))
    return Required(when, tuple(names))
