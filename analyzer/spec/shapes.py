# SPDX-License-Identifier: GPL-2.0-only
"""What a value in a specification may look like: read and described from one place.

In: `Choice("error", "warning")` and a node. Out: the value, or SpecError; and the JSON Schema of the same.

**Invariant:** what `read` accepts is what `schema` describes (a test reads and validates the same files).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Generic, Literal, Protocol, TypeVar

from analyzer.base.errors import SpecError
from analyzer.base.location import Location
from analyzer.spec.errors import each
from analyzer.spec.suggest import did_you_mean
from analyzer.spec.tree import ListNode, Node, ScalarNode, describe, integer

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

#: a JSON Schema; nested dictionaries and lists of JSON values
Schema = dict[str, Any]


class Shape(Protocol[T_co]):
    """A sort of value."""

    def read(self, node: Node, label: str) -> T_co:
        """Return the value of `node`; raise SpecError about `label`, the quoted name of its key."""

    def schema(self) -> Schema:
        """Describe the accepted values."""


def wrong(node: Node, label: str, accepted: str, hint: str = "") -> SpecError:
    """Make the error for a value of the wrong sort."""
    return SpecError(f"{label}: found {describe(node)}{hint}; accepted: {accepted}", node.location)


def text_of(node: Node, label: str, accepted: str) -> str:
    """Return a text; raise SpecError for anything else, with advice on quoting where that is the slip."""
    if isinstance(node, ScalarNode):
        kind = node.type_name()
        if kind == "text" and node.text.strip():
            return node.text
        if kind in ("boolean", "integer", "number"):
            raise wrong(node, label, accepted, " (quote it if a text is meant)")
    raise wrong(node, label, accepted)


def advice(error: ValueError) -> str:
    """Turn the advice of a grammar into a hint for `wrong`."""
    return f" ({error})" if str(error) else ""


def schema_pattern(pattern: str) -> str:
    """Turn a pattern into one that every JSON Schema validator knows: anchored, groups without names."""
    return f"^(?:{re.sub(r'[?]P<[a-z]+>', '?:', pattern)})$"


class Text:
    """A text that is not empty, in full matched by `pattern` if there is one."""

    def __init__(self, accepted: str = "a text", pattern: str = "") -> None:
        self._accepted = accepted
        self._pattern = pattern

    def read(self, node: Node, label: str) -> str:
        """Return the text with its white space at the ends removed."""
        text = text_of(node, label, self._accepted).strip()
        if self._pattern and not re.fullmatch(self._pattern, text):
            raise wrong(node, label, self._accepted)
        return text

    def schema(self) -> Schema:
        """Describe a string."""
        return {"type": "string", "pattern": schema_pattern(self._pattern) if self._pattern else r"\S"}


class Parsed(Generic[T]):
    """A text with a grammar of its own; `parse` raises ValueError for what it does not take."""

    def __init__(self, accepted: str, parse: Callable[[str], T], pattern: str) -> None:
        self._accepted = accepted
        self._parse = parse
        self._pattern = pattern

    def read(self, node: Node, label: str) -> T:
        """Return what the text means."""
        text = text_of(node, label, self._accepted)
        try:
            return self._parse(text)
        except ValueError as error:
            raise wrong(node, label, self._accepted, advice(error)) from None

    def schema(self) -> Schema:
        """Describe a string of about this form."""
        return {"type": "string", "pattern": schema_pattern(self._pattern)}


class Choice(Generic[T]):
    """One of a few words."""

    def __init__(self, *words: T) -> None:
        self._words = words

    def read(self, node: Node, label: str) -> T:
        """Return the word."""
        accepted = ", ".join(map(str, self._words))
        text = text_of(node, label, accepted)
        for word in self._words:
            if text == word:
                return word
        raise wrong(node, label, accepted, did_you_mean(text, map(str, self._words)))

    def schema(self) -> Schema:
        """Describe an enumeration."""
        return {"enum": list(self._words)}


class Flag:
    """`true` or `false`."""

    def read(self, node: Node, label: str) -> bool:
        """Return the boolean."""
        if isinstance(node, ScalarNode) and node.type_name() == "boolean":
            return node.text.lower() == "true"
        old = isinstance(node, ScalarNode) and node.text.lower() in ("yes", "no", "on", "off", "y", "n")
        raise wrong(node, label, "true, false", " (YAML 1.2 has no yes, no, on and off)" if old else "")

    def schema(self) -> Schema:
        """Describe a boolean."""
        return {"type": "boolean"}


class Integer:
    """An integer."""

    def read(self, node: Node, label: str) -> int:
        """Return the integer."""
        value = integer(node.text) if isinstance(node, ScalarNode) and node.type_name() == "integer" else None
        if value is None:
            raise wrong(node, label, "an integer")
        return value

    def schema(self) -> Schema:
        """Describe an integer."""
        return {"type": "integer"}


class Exactly:
    """One integer and no other: a version."""

    def __init__(self, value: int) -> None:
        self._value = value

    def read(self, node: Node, label: str) -> int:
        """Return the integer."""
        if isinstance(node, ScalarNode) and node.type_name() == "integer" and integer(node.text) == self._value:
            return self._value
        raise wrong(node, label, str(self._value))

    def schema(self) -> Schema:
        """Describe a constant."""
        return {"const": self._value}


class ListOf(Generic[T]):
    """A list with at least one item."""

    def __init__(self, item: Shape[T], accepted: str) -> None:
        self._item = item
        self._accepted = accepted

    def read(self, node: Node, label: str) -> tuple[T, ...]:
        """Return the items; raise CombinedSpecError with all that are wrong."""
        if not isinstance(node, ListNode) or not node.items:
            raise wrong(node, label, f"a list of {self._accepted}")
        return tuple(each(lambda item: self._item.read(item, label), node.items))

    def schema(self) -> Schema:
        """Describe an array."""
        return {"type": "array", "items": self._item.schema(), "minItems": 1}


class OneOrMore(Generic[T]):
    """One item, or a list with at least one."""

    def __init__(self, item: Shape[T], accepted: str) -> None:
        self._item = item
        self._list = ListOf(item, accepted)

    def read(self, node: Node, label: str) -> tuple[T, ...]:
        """Return the items."""
        return self._list.read(node, label) if isinstance(node, ListNode) else (self._item.read(node, label),)

    def schema(self) -> Schema:
        """Describe both forms."""
        return {"anyOf": [self._item.schema(), self._list.schema()]}


class Located(Generic[T]):
    """A value together with its place."""

    def __init__(self, inner: Shape[T]) -> None:
        self._inner = inner

    def read(self, node: Node, label: str) -> tuple[T, Location]:
        """Return value and place."""
        return self._inner.read(node, label), node.location

    def schema(self) -> Schema:
        """Describe the value."""
        return self._inner.schema()


#: a C identifier
IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*"
FUNCTION = Text("the name of a function", IDENTIFIER)

READ_WRITE: Choice[Literal["read", "write"]] = Choice("read", "write")
