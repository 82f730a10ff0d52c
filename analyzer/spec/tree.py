# SPDX-License-Identifier: GPL-2.0-only
"""YAML content with the place of every key and value.

In: nothing. Out: `MapNode((Entry(ScalarNode("lockspec"), ScalarNode("1")),))`.

**Invariant:** a tree: no node is shared, no key stands twice in a mapping.
**Source:** YAML 1.2.2, section 10.3 (core schema), for the types of plain scalars.
"""

from __future__ import annotations

import re

from msgspec import Struct

from analyzer.base.location import Location

_NULL = re.compile(r"(?:null|Null|NULL|~)?\Z")
_BOOLEAN = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INTEGER = re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z")
_NUMBER = re.compile(
    r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
)


class ScalarNode(Struct, frozen=True):
    """A single value as written, quotes and escapes resolved."""

    text: str
    #: without quotes: may be something else than a text
    plain: bool
    location: Location
    #: bytes from `location` to the first character of `text`: 1 for the quotation mark; None where the text is
    #: folded or escaped, so that its characters have no simple places
    indent: int | None

    def type_name(self) -> str:
        """Name the type that YAML 1.2 gives to this scalar: null, boolean, integer, number or text."""
        if not self.plain:
            return "text"
        for name, pattern in (("null", _NULL), ("boolean", _BOOLEAN), ("integer", _INTEGER), ("number", _NUMBER)):
            if pattern.match(self.text):
                return name
        return "text"

    def place(self, offset: int) -> Location:
        """Find the place of the character at `offset` of `text`, or of the whole scalar where that is not simple."""
        if self.indent is None:
            return self.location
        column = self.location.column + self.indent + len(self.text[:offset].encode())
        return Location(self.location.file, self.location.line, column)


class ListNode(Struct, frozen=True):
    """A sequence."""

    items: tuple[Node, ...]
    location: Location


class Entry(Struct, frozen=True):
    """A key and its value."""

    key: ScalarNode
    value: Node


class MapNode(Struct, frozen=True):
    """A mapping, in the order of the file."""

    entries: tuple[Entry, ...]
    location: Location

    def get(self, key: str) -> Node | None:
        """Return the value of `key`, if it is there."""
        return next((entry.value for entry in self.entries if entry.key.text == key), None)


Node = ScalarNode | ListNode | MapNode

#: plain data, as a JSON parser would give it
Plain = dict[str, "Plain"] | list["Plain"] | str | int | float | bool | None


def describe(node: Node) -> str:
    """Say what stands here, for an error message: `the text 'yes'`, `a list`."""
    match node:
        case ListNode(items):
            return "a list" if items else "an empty list"
        case MapNode(entries):
            return "a mapping" if entries else "an empty mapping"
        case ScalarNode():
            kind = node.type_name()
            if kind == "null":
                return "nothing"
            text = node.text if len(node.text) <= 60 else node.text[:57] + "..."
            return f"the {kind} '{text}'" if kind == "text" else f"the {kind} {text}"


def plain(node: Node) -> Plain:
    """Turn a tree into plain data, for JSON Schema."""
    match node:
        case ListNode(items):
            return [plain(item) for item in items]
        case MapNode(entries):
            return {entry.key.text: plain(entry.value) for entry in entries}
        case ScalarNode():
            return _plain_scalar(node)


def integer(text: str) -> int:
    """Read the text of a scalar whose type is integer."""
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _plain_scalar(node: ScalarNode) -> Plain:
    match node.type_name():
        case "integer":
            return integer(node.text)
        case "boolean":
            return node.text.lower() == "true"
        case "number":
            return float(node.text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        case "null":
            return None
        case _:
            return node.text
