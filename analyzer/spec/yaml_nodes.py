# SPDX-License-Identifier: GPL-2.0-only
"""YAML text read with YAML 1.2's meaning and a place for everything.

In: `lockspec: 1` and a file name. Out: a `MapNode`.

**Invariant:** work and memory are linear in the text: anchors and aliases are refused, nesting is bounded.
**Invariant:** PyYAML only cuts the text into events; it resolves no types and constructs no objects. That is why
its YAML 1.1 booleans do not show: `on`, `yes` and `no` are texts here.
"""

from __future__ import annotations

import re
from typing import Protocol

import yaml  # type: ignore[import-untyped]

from analyzer.base.errors import SpecError
from analyzer.base.location import Location
from analyzer.spec.tree import Entry, ListNode, MapNode, Node, ScalarNode

#: no specification needs a tenth of it
MAX_DEPTH = 40

#: characters that YAML 1.2.2, section 5.1, does not count as printable
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")

#: libyaml's scanner where the package was built with it; the pure one gives the same events
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(text: str, file: str) -> Node:
    """Read one document from `text`; raise SpecError with the place in `file`."""
    text = text.removeprefix("\ufeff")
    reader = _Reader(text, file)
    bad = _UNPRINTABLE.search(text)
    if bad:
        line = text.count("\n", 0, bad.start())
        column = bad.start() - (text.rfind("\n", 0, bad.start()) + 1)
        raise SpecError(f"control character U+{ord(bad[0]):04X}: this is not a text file", reader.place(line, column))
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        raise reader.syntax_error(error) from None
    except yaml.YAMLError as error:
        raise SpecError(f"not YAML: {error}", Location(file, 1, 1)) from None
    if reader.root is None:
        raise SpecError("the file is empty; it must begin with 'lockspec: 1'", Location(file, 1, 1))
    return reader.root


class _Mark(Protocol):
    """A place as PyYAML gives it, 0-based, in characters."""

    line: int
    column: int


class _Event(Protocol):
    """What all of PyYAML's events have."""

    start_mark: _Mark
    end_mark: _Mark


class _NodeEvent(_Event, Protocol):
    """An event that begins a node."""

    anchor: str | None
    tag: str | None


class _ScalarEvent(_Event, Protocol):
    """A scalar."""

    value: str
    style: str | None


class _DocumentEvent(_Event, Protocol):
    """`---` or the beginning of a document without it."""

    version: tuple[int, int] | None


class _SyntaxError(Protocol):
    """What PyYAML raises at a place."""

    problem: str | None
    problem_mark: _Mark | None
    context: str | None
    context_mark: _Mark | None


class _Open:
    """A collection whose end has not been seen."""

    __slots__ = ("children", "location", "mapping")

    def __init__(self, mapping: bool, location: Location) -> None:
        self.mapping = mapping
        self.location = location
        self.children: list[Node] = []


class _Reader:
    """Builds nodes from events."""

    __slots__ = ("_documents", "_file", "_lines", "_open", "root")

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._lines = text.split("\n")
        self._open: list[_Open] = []
        self._documents = 0
        self.root: Node | None = None

    def place(self, line: int, column: int) -> Location:
        """Convert PyYAML's 0-based line and character to a Location."""
        before = self._lines[line][:column] if line < len(self._lines) else ""
        return Location(self._file, line + 1, column + 1 if before.isascii() else len(before.encode()) + 1)

    def take(self, event: object) -> None:
        """Go on by one event."""
        if isinstance(event, yaml.ScalarEvent):
            self._refuse_properties(event)
            self._add(self._scalar(event))
        elif isinstance(event, yaml.CollectionStartEvent):
            self._refuse_properties(event)
            location = self._at(event)
            if len(self._open) >= MAX_DEPTH:
                raise SpecError(f"nested more than {MAX_DEPTH} levels deep", location)
            self._open.append(_Open(isinstance(event, yaml.MappingStartEvent), location))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._add(self._close(self._open.pop()))
        elif isinstance(event, yaml.AliasEvent):
            raise SpecError(f"alias '*{event.anchor}': anchors and aliases are not accepted", self._at(event))
        elif isinstance(event, yaml.DocumentStartEvent):
            self._start_document(event)

    def syntax_error(self, error: _SyntaxError) -> SpecError:
        """Say in our words what the scanner or parser stumbled over."""
        mark = error.problem_mark or error.context_mark
        assert mark is not None
        location = self.place(mark.line, mark.column)
        line = self._lines[mark.line] if mark.line < len(self._lines) else ""
        tab = line.find("\t", 0, mark.column + 1)
        if tab >= 0 and (tab == mark.column or not line[:tab].strip()):
            return SpecError("a tab: YAML is indented with spaces only", self.place(mark.line, tab))
        context = f", {error.context}" if error.context else ""
        return SpecError(f"not YAML: {error.problem}{context}", location)

    def _at(self, event: _Event) -> Location:
        return self.place(event.start_mark.line, event.start_mark.column)

    def _start_document(self, event: _DocumentEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            raise SpecError("a second document ('---'): one file holds one specification", self._at(event))
        if event.version and tuple(event.version) != (1, 2):
            version = ".".join(map(str, event.version))
            raise SpecError(
                f"%YAML {version}: specifications are YAML 1.2, where on, off, yes and no are texts; "
                "write '%YAML 1.2' or leave the line out",
                self._at(event),
            )

    def _refuse_properties(self, event: _NodeEvent) -> None:
        if event.anchor is not None:
            raise SpecError(f"anchor '&{event.anchor}': anchors and aliases are not accepted", self._at(event))
        if event.tag is not None:
            raise SpecError(f"tag '{event.tag}': tags are not accepted, write the plain value", self._at(event))

    def _scalar(self, event: _ScalarEvent) -> ScalarNode:
        plain = not event.style
        start, end = event.start_mark, event.end_mark
        quotes = 0 if plain else 1
        simple = start.line == end.line and end.column - start.column == len(event.value) + 2 * quotes
        return ScalarNode(event.value, plain, self._at(event), quotes if simple else None)

    def _add(self, node: Node) -> None:
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node

    def _close(self, done: _Open) -> Node:
        if not done.mapping:
            return ListNode(tuple(done.children), done.location)
        entries: dict[str, Entry] = {}
        for key, value in zip(done.children[::2], done.children[1::2], strict=True):
            if not isinstance(key, ScalarNode):
                raise SpecError("a list or mapping as a key: keys are words", key.location)
            first = entries.get(key.text)
            if first:
                raise SpecError(f"key '{key.text}' stands twice; first in line {first.key.location.line}", key.location)
            entries[key.text] = Entry(key, value)
        return MapNode(tuple(entries.values()), done.location)
