# SPDX-License-Identifier: GPL-2.0-only
"""Families of primitives.

In: a file with `family:` and `primitives:`. Out: `Family` and a `Primitive` for each function.
"""

from __future__ import annotations

from msgspec import Struct

from analyzer.base.errors import SpecError
from analyzer.base.location import Location
from analyzer.spec.effect import Effect, Primitive
from analyzer.spec.effects import Defaults, EffectShape, effect_schemas, read_effect
from analyzer.spec.errors import each
from analyzer.spec.mapping import Key, Map
from analyzer.spec.shapes import FUNCTION, ListOf, Located, Schema
from analyzer.spec.tree import ListNode, MapNode, Node, describe

NAME = Key("name", Located(FUNCTION), "the function")
NAMES = Key("names", ListOf(Located(FUNCTION), "names of functions"), "functions that do the same")
EFFECTS = Key(
    "effects", ListOf(EffectShape(Defaults()), "effects"), "all that the call does, if it is more than one thing"
)
_NAMED = ("name", "names")


class Row(Struct, frozen=True):
    """An entry under `primitives:`."""

    names: tuple[tuple[str, Location], ...]
    effects: tuple[Effect, ...]


class RowsShape:
    """The value of `primitives:`; `read_rows` goes on once the family's own keys are known."""

    def read(self, node: Node, label: str) -> Node:
        """Return the list as it is."""
        if not isinstance(node, ListNode) or not node.items:
            raise SpecError(f"{label}: found {describe(node)}; accepted: a list of rows", node.location)
        return node

    def schema(self) -> Schema:
        """Describe a list of rows: with one effect in the row itself, or with a list of them."""
        several = Map("a row", (NAME, NAMES, EFFECTS), (_NAMED, ("effects",))).schema()
        rows = [*effect_schemas((NAME, NAMES), (_NAMED,)), several]
        return {"type": "array", "items": {"anyOf": rows}, "minItems": 1}


def read_rows(node: Node, family: str, defaults: Defaults) -> list[Primitive]:
    """Read the rows of `family`."""
    assert isinstance(node, ListNode)
    rows = each(lambda item: _read_row(item, defaults), node.items)
    return [Primitive(name, family, row.effects, place) for row in rows for name, place in row.names]


def _read_row(node: Node, defaults: Defaults) -> Row:
    if isinstance(node, MapNode) and node.get("effects") is not None:
        effects = Key("effects", ListOf(EffectShape(defaults), "effects"), EFFECTS.doc, default=())
        fields = Map("a row with several effects", (NAME, NAMES, effects), (_NAMED,)).read(node)
        done = fields[effects]
    else:
        fields, effect = read_effect(node, defaults, (NAME, NAMES), (_NAMED,))
        done = (effect,)
    one = fields.get(NAME)
    return Row((one,) if one else fields[NAMES], done)
