# SPDX-License-Identifier: GPL-2.0-only
"""Mappings with known keys.

In: the keys of a rule and a node. Out: `Fields`, from which each key takes its value with its own type.

**Invariant:** every unknown key, missing key and wrong value of a mapping is reported, not only the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar, cast

from analyzer.base.errors import SpecError
from analyzer.base.location import Location
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.shapes import Schema, Shape
from analyzer.spec.suggest import did_you_mean
from analyzer.spec.tree import MapNode, Node, describe

T = TypeVar("T")


class Key(Generic[T]):
    """A key, what it may hold and what it means where it is absent."""

    def __init__(self, name: str, shape: Shape[T], doc: str, default: T | None = None, required: bool = False) -> None:
        self.name = name
        self.shape = shape
        #: one line for editors and for the reference
        self.doc = doc
        self.default = default
        self.required = required


class Fields:
    """The values of a mapping that was read."""

    def __init__(self, values: dict[str, Any], location: Location, places: dict[str, Location]) -> None:
        self._values = values
        #: where the mapping begins
        self.location = location
        self._places = places

    def __contains__(self, key: Key[Any]) -> bool:
        return key.name in self._places

    def __getitem__(self, key: Key[T]) -> T:
        """Return the value of a key that is required or has a default."""
        return cast(T, self._values[key.name])

    def get(self, key: Key[T]) -> T | None:
        """Return the value of a key that may be absent."""
        return cast("T | None", self._values[key.name])

    def place(self, key: Key[Any]) -> Location:
        """Return where the key stands, or the mapping where it is absent."""
        return self._places.get(key.name, self.location)


class Map:
    """A mapping with these keys; of each group in `one_of` exactly one key must be there."""

    def __init__(self, what: str, keys: Sequence[Key[Any]], one_of: Iterable[Sequence[str]] = ()) -> None:
        self._what = what
        self._keys = {key.name: key for key in keys}
        self._one_of = tuple(tuple(group) for group in one_of)

    def read(self, node: Node, _label: str = "") -> Fields:
        """Read all keys; raise CombinedSpecError with everything that is wrong."""
        if not isinstance(node, MapNode):
            raise SpecError(f"found {describe(node)}; accepted: {self._what} ({self._names()})", node.location)
        errors: list[SpecError] = []
        values: dict[str, Any] = {name: key.default for name, key in self._keys.items()}
        places: dict[str, Location] = {}
        for entry in node.entries:
            name = entry.key.text
            key = self._keys.get(name)
            if key is None:
                hint = did_you_mean(name, self._keys)
                message = f"unknown key '{name}' in {self._what}{hint}; accepted: {self._names()}"
                errors.append(SpecError(message, entry.key.location))
                continue
            places[name] = entry.key.location
            try:
                values[name] = key.shape.read(entry.value, f"'{name}'")
            except SpecError as error:
                errors.append(error)
        errors += self._missing(places, node.location)
        if errors:
            raise CombinedSpecError(errors)
        return Fields(values, node.location, places)

    def schema(self) -> Schema:
        """Describe an object; the keys' lines become descriptions."""
        properties = {name: {"description": key.doc, **key.shape.schema()} for name, key in self._keys.items()}
        result: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        required = [name for name, key in self._keys.items() if key.required]
        if required:
            result["required"] = required
        if self._one_of:
            result["allOf"] = [{"oneOf": [{"required": [name]} for name in group]} for group in self._one_of]
        return result

    def _names(self) -> str:
        return ", ".join(self._keys)

    def _missing(self, places: dict[str, Location], location: Location) -> Iterable[SpecError]:
        for name, key in self._keys.items():
            if key.required and name not in places:
                yield SpecError(f"{self._what} needs the key '{name}' ({key.doc})", location)
        for group in self._one_of:
            present = [name for name in group if name in places]
            if not present:
                yield SpecError(f"{self._what} needs the key " + " or ".join(f"'{n}'" for n in group), location)
            for name in present[1:]:
                yield SpecError(f"'{name}' beside '{present[0]}' in {self._what}: only one of them", places[name])
