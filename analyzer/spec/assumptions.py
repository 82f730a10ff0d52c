# SPDX-License-Identifier: GPL-2.0-only
"""Entries under `assumptions:`.

In: `{id: …, function: zap_children, does: nothing, when: "arg 0->page.invalid != 0", …}`. Out: `Assumption`.
"""

from __future__ import annotations

from msgspec.structs import replace

from analyzer.spec.assumed import Assumption, Condition
from analyzer.spec.expressions import CONDITION_PATTERN, parse_condition
from analyzer.spec.mapping import Key, Map
from analyzer.spec.rules import ID
from analyzer.spec.shapes import FUNCTION, Choice, Integer, ListOf, Located, OneOrMore, Parsed, Schema, Text
from analyzer.spec.tree import Node

_CONDITION = Parsed(
    "arg 1->record.member != 0, arg 1 == 0, or global == 0; operators ==, !=, <, <=, >, >=",
    parse_condition,
    CONDITION_PATTERN,
)

FUNCTION_KEY = Key("function", Located(FUNCTION), "the called function")
FUNCTIONS = Key("functions", ListOf(Located(FUNCTION), "names of functions"), "functions of which the same is assumed")
TITLE = Key("title", Text(), "what is assumed, in a few words", default="")
DOES = Key("does", Choice("nothing"), "what a call does then: it returns at once", required=True)
WHEN = Key("when", OneOrMore(Located(_CONDITION), "conditions"), "where it does so: all of these hold", required=True)
RETURNS = Key("returns", Integer(), "the value it returns then; absent: not known")
WHY = Key("why", Text(), "why it is so, for who has to believe it", required=True)
SOURCE = Key("source", Text(), "where in the kernel that can be read", required=True)
ASSUMPTION_ROW = Map(
    "an assumption",
    (ID, TITLE, FUNCTION_KEY, FUNCTIONS, DOES, WHEN, RETURNS, WHY, SOURCE),
    (("function", "functions"),),
)


class AssumptionShape:
    """An item of `assumptions:`."""

    def read(self, node: Node, _label: str) -> Assumption:
        """Return the assumption; its place is that of its id."""
        fields = ASSUMPTION_ROW.read(node)
        id_, place = fields[ID]
        one = fields.get(FUNCTION_KEY)
        when: tuple[Condition, ...] = tuple(replace(condition, location=at) for condition, at in fields[WHEN])
        return Assumption(
            id_,
            (one,) if one else fields.get(FUNCTIONS) or (),
            when,
            fields.get(RETURNS),
            " ".join(fields[WHY].split()),
            " ".join(fields[SOURCE].split()),
            place,
            fields[TITLE],
        )

    def schema(self) -> Schema:
        """Describe a row."""
        return ASSUMPTION_ROW.schema()
