# SPDX-License-Identifier: GPL-2.0-only
"""Entries under `assumptions:`.

In: `{id: …, function: zap_children, does: nothing, when: "arg 0->page.invalid != 0", …}`. Out: `Assumption`.
"""

from __future__ import annotations

from msgspec.structs import replace

from analyzer.base.errors import SpecError
from analyzer.spec.assumed import Assumption, Condition, Same
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.expressions import (
    ARGUMENT_PATTERN,
    CONDITION_PATTERN,
    HOLDER_PATTERN,
    NAME_PATTERN,
    parse_argument,
    parse_condition,
    parse_holder,
    parse_name,
)
from analyzer.spec.mapping import Fields, Key, Map
from analyzer.spec.model import Name
from analyzer.spec.rules import ID
from analyzer.spec.shapes import FUNCTION, IDENTIFIER, Choice, Integer, ListOf, Located, OneOrMore, Parsed, Schema, Text
from analyzer.spec.tree import Node

_CONDITION = Parsed(
    "arg 1->record.member != 0, arg 1 == 0, or global == 0; operators ==, !=, <, <=, >, >=",
    parse_condition,
    CONDITION_PATTERN,
)


def _parse_member(text: str) -> Name:
    name = parse_name(text)
    if len(name.parts) == 1:
        raise ValueError
    return name


_MEMBER = Parsed("a record's member, as record.member", _parse_member, rf"{IDENTIFIER}\.{NAME_PATTERN}")
_HOLDER = Parsed("arg 1, or arg 1 in record.member", parse_holder, HOLDER_PATTERN)
_ARGUMENT = Parsed("arg 0, arg 1, …", parse_argument, ARGUMENT_PATTERN)

FUNCTION_KEY = Key("function", Located(FUNCTION), "the called function")
FUNCTIONS = Key("functions", ListOf(Located(FUNCTION), "names of functions"), "functions of which the same is assumed")
TITLE = Key("title", Text(), "what is assumed, in a few words", default="")
DOES = Key("does", Choice("nothing"), "what a call does then: it returns at once")
WHEN = Key("when", OneOrMore(Located(_CONDITION), "conditions"), "where it does so: all of these hold")
RETURNS = Key("returns", Integer(), "the value it returns then; absent: not known")
MEMBER = Key("member", Located(_MEMBER), "instead of does: a pointer that holds an argument of the function")
OF = Key("of", Located(_HOLDER), "the argument that leads to the pointer's record")
IS = Key("is", Located(_ARGUMENT), "the argument that the pointer holds where the function begins")
WHY = Key("why", Text(), "why it is so, for who has to believe it", required=True)
SOURCE = Key("source", Text(), "where in the kernel that can be read", required=True)
ASSUMPTION_ROW = Map(
    "an assumption",
    (ID, TITLE, FUNCTION_KEY, FUNCTIONS, DOES, WHEN, RETURNS, MEMBER, OF, IS, WHY, SOURCE),
    (("function", "functions"), ("does", "member")),
)


def _wrong(fields: Fields, node: Node) -> list[SpecError]:
    """Return what is missing beside `does` or `member`, and what does not belong there."""
    first, needed, others = (DOES, (WHEN,), (OF, IS)) if DOES in fields else (MEMBER, (OF, IS), (WHEN, RETURNS))
    missing = [f"'{key.name}' ({key.doc})" for key in needed if key not in fields]
    return [
        *(SpecError(f"an assumption with '{first.name}' needs the key {text}", node.location) for text in missing),
        *(
            SpecError(f"'{key.name}' does not belong beside '{first.name}'", fields.place(key))
            for key in others
            if key in fields
        ),
    ]


def _same(fields: Fields) -> Same | None:
    member, holder, value = fields.get(MEMBER), fields.get(OF), fields.get(IS)
    if member is None or holder is None or value is None:
        return None
    return Same(member[0].parts, *holder[0], value[0], (member[1], holder[1], value[1]))


class AssumptionShape:
    """An item of `assumptions:`."""

    def read(self, node: Node, _label: str) -> Assumption:
        """Return the assumption; its place is that of its id."""
        fields = ASSUMPTION_ROW.read(node)
        errors = _wrong(fields, node)
        if errors:
            raise CombinedSpecError(errors)
        id_, place = fields[ID]
        one = fields.get(FUNCTION_KEY)
        when: tuple[Condition, ...] = tuple(replace(condition, location=at) for condition, at in fields.get(WHEN) or ())
        return Assumption(
            id_,
            (one,) if one else fields.get(FUNCTIONS) or (),
            when,
            fields.get(RETURNS),
            " ".join(fields[WHY].split()),
            " ".join(fields[SOURCE].split()),
            place,
            fields[TITLE],
            _same(fields),
        )

    def schema(self) -> Schema:
        """Describe a row."""
        return ASSUMPTION_ROW.schema()
