# SPDX-License-Identifier: GPL-2.0-only
"""DeclarationTable: the external declarations of a translation unit, by name, parsed when asked for.

In: the unit's segments. Out: `table.ordinary("mutex_lock")` → `Declaration`, `table.parse(declaration)` → nodes.

**Invariant:** where a name is declared several times, a definition wins, then the last declaration.
**Invariant:** no text is lost for another's fault: what cannot be told apart becomes a gap, and the rest is scanned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b

from msgspec import Struct
from pycparser import c_ast

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.frontend import emitted as emitted_module
from analyzer.frontend import scan as scan_module
from analyzer.frontend.emitted import emitted
from analyzer.frontend.extents import resynchronise
from analyzer.frontend.heads import DeclarationKind
from analyzer.frontend.join import join
from analyzer.frontend.parser import GnuParser, ParseError
from analyzer.frontend.scan import Entry, Scan, scan
from analyzer.source.segment import Segment

__all__ = ["Declaration", "DeclarationKind", "DeclarationTable", "ParseError"]


class Declaration(Struct, frozen=True, eq=False):
    """One external declaration of a unit."""

    kind: DeclarationKind
    #: declared names in order: the function, the variables and prototypes, or the typedefs
    names: tuple[str, ...]
    #: path as in `Location.file`
    file: str
    #: first line
    line: int
    #: include depth: 0 for the main file
    depth: int
    text: str
    #: of `text`: the same declaration elsewhere has the same digest
    digest: str
    #: position in `text` of the brace that opens the function body, -1 if it is no function definition
    body: int


class _Parsed(Struct, frozen=True, eq=False):
    """What parsing a declaration gave, and the typedef answers it rests on."""

    asked: dict[str, bool]
    nodes: list[c_ast.Node] | None
    error: ParseError | None


_parser = GnuParser()
_parsed: dict[tuple[str, str, int, bool], list[_Parsed]] = {}


def forget() -> None:
    """Let go of what was scanned and parsed."""
    scan_module.forget()
    emitted_module.forget()
    _parsed.clear()


class DeclarationTable:
    """The external declarations of one unit."""

    def __init__(self, segments: tuple[Segment, ...]) -> None:
        self._gaps: list[Gap] = []
        self._parts: list[tuple[Scan, Segment]] = list(self._scan(segments))
        self._segments = {part.home: segment for part, segment in self._parts}
        self._scans = {part.home: part for part, _ in self._parts}
        self._made: dict[tuple[int, int], Declaration] = {}
        self._ordinary: dict[str, Entry] = {}
        self._typedefs: dict[str, Entry] = {}
        self._tags: dict[str, Entry] = {}
        self._enumerators: dict[str, Entry] = {}
        self._annotated: dict[str, list[Entry]] = {}
        scans = list(self._scans.values())
        for name in ("declared", "tentative", "defined"):
            for part in scans:
                self._ordinary.update(getattr(part, name))
        for part in scans:
            self._typedefs.update(part.typedefs)
            self._tags.update(part.tags)
            self._enumerators.update(part.enumerators)
            for name, entries in part.annotated.items():
                self._annotated.setdefault(name, []).extend(entries)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What could not be told apart into declarations."""
        return tuple(self._gaps)

    def functions(self, within: Callable[[Segment], bool] = lambda _: True) -> Iterator[Declaration]:
        """Yield the function definitions of the segments that `within` picks, in order."""
        for part, segment in self._parts:
            for entry in part.functions if within(segment) else ():
                yield self._declaration(entry, part, segment)

    def asms(self) -> Iterator[Declaration]:
        """Yield the top-level assembly, in order."""
        for part, segment in self._parts:
            for entry in part.asms:
                yield self._declaration(entry, part, segment)

    def declarations(self, within: Callable[[Segment], bool] = lambda _: True) -> Iterator[Declaration]:
        """Yield all declarations of the segments that `within` picks, in order."""
        for part, segment in self._parts:
            for entry in part.entries if within(segment) else ():
                yield self._declaration(entry, part, segment)

    def emitted(self, own: Callable[[Segment], bool]) -> Iterator[Declaration]:
        """Yield what other segments than the unit's own define for the linker, or for it to keep, in order."""
        for part, segment in self._parts:
            if not own(segment):
                for entry in emitted(part, segment.text):
                    yield self._declaration(entry, part, segment)

    def ordinary(self, name: str) -> Declaration | None:
        """Return the function or variable `name`."""
        return self._find(self._ordinary, name)

    def annotated(self, name: str) -> tuple[Declaration, ...]:
        """Return the declarations without a body that say something of the locks of function `name`, in order."""
        return tuple([self._made_of(entry) for entry in self._annotated.get(name, ())])

    def typedef(self, name: str) -> Declaration | None:
        """Return the typedef `name`."""
        return self._find(self._typedefs, name)

    def is_typedef(self, name: str) -> bool:
        """Tell whether `name` is a typedef at file scope."""
        return name in self._typedefs

    def tag(self, name: str) -> Declaration | None:
        """Return the declaration that defines the struct, union or enum `name`."""
        return self._find(self._tags, name)

    def enumerator(self, name: str) -> Declaration | None:
        """Return the declaration with the enumeration that defines the enumerator `name`."""
        return self._find(self._enumerators, name)

    def parse(self, declaration: Declaration) -> list[c_ast.Node]:
        """Parse `declaration`; raises ParseError. All but function bodies are remembered."""
        if declaration.body >= 0:
            return _parser.parse_declaration(declaration.text, self.is_typedef, declaration.file, declaration.line)
        return self._parse_once(declaration, declaration.text, False)

    def parse_signature(self, declaration: Declaration) -> list[c_ast.Node]:
        """Parse a function definition without its body, as a prototype, and any other declaration as it is."""
        if declaration.body < 0:
            return self.parse(declaration)
        return self._parse_once(declaration, declaration.text[: declaration.body] + ";", True)

    def _parse_once(self, declaration: Declaration, text: str, signature: bool) -> list[c_ast.Node]:
        key = (declaration.digest, declaration.file, declaration.line, signature)
        known = _parsed.setdefault(key, [])
        for parsed in known:
            if all(self.is_typedef(name) is answer for name, answer in parsed.asked.items()):
                break
        else:
            nodes, error = None, None
            try:
                nodes = _parser.parse_declaration(text, self.is_typedef, declaration.file, declaration.line)
            except ParseError as raised:
                error = raised
            parsed = _Parsed(_parser.asked, nodes, error)
            known.append(parsed)
        if parsed.nodes is None:
            assert parsed.error is not None
            raise ParseError(parsed.error.text, parsed.error.location)
        return parsed.nodes

    def _find(self, entries: dict[str, Entry], name: str) -> Declaration | None:
        entry = entries.get(name)
        return None if entry is None else self._made_of(entry)

    def _made_of(self, entry: Entry) -> Declaration:
        return self._declaration(entry, self._scans[entry.home], self._segments[entry.home])

    def _declaration(self, entry: Entry, part: Scan, segment: Segment) -> Declaration:
        start = entry.extent.start
        made = self._made.get((id(segment), start))
        if made is None:
            text = segment.text[start : entry.extent.end]
            body = entry.extent.body
            made = self._made[id(segment), start] = Declaration(
                entry.head.kind,
                tuple([name for name, _ in entry.head.names]),
                segment.file,
                segment.line + part.lines.line(start),
                segment.depth,
                text,
                blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(),
                body - start if body >= 0 else -1,
            )
        return made

    def _scan(self, segments: tuple[Segment, ...]) -> Iterator[tuple[Scan, Segment]]:
        """Scan the segments, joining declarations that go on in the next and skipping those that never end."""
        index = position = 0
        while index < len(segments):
            segment = segments[index]
            part = scan(segment, position)
            yield part, segment
            for trouble in part.troubles:
                self._note(segment, part, trouble.position, trouble.text)
            if part.unfinished < 0:
                index, position = index + 1, 0
                continue
            joined = join(segments, index, part.unfinished)
            if joined is None:
                self._note(segment, part, part.unfinished, "declaration without an end")
                position = resynchronise(segment.text, part.unfinished)
            else:
                yield scan(joined.segment), joined.segment
                index, position = joined.last, joined.position

    def _note(self, segment: Segment, part: Scan, position: int, text: str) -> None:
        line, column = part.lines.place(position)
        self._gaps.append(Gap(GapKind.DECLARATION, Location(segment.file, segment.line + line, column), text))
