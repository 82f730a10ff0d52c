# SPDX-License-Identifier: GPL-2.0-only
"""One translation unit: from its segments to its facts.

In: the segments of `virt/kvm/guest_memfd.c` and a memo of functions lowered before. Out: UnitFacts.

**Invariant:** the facts depend on the segments alone, never on what the memo knew.
**Invariant:** a function that cannot be parsed or lowered is a FunctionRef without facts and a gap.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Any, Protocol

from msgspec import structs
from pycparser import c_ast

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.facts.unit import AddressTaken, FunctionFacts, FunctionRef, GlobalVariable, Initialiser, UnitFacts
from analyzer.frontend import index
from analyzer.frontend.index import Declaration, DeclarationTable, ParseError
from analyzer.frontend.lexer import Lines
from analyzer.frontend.types import Memo, Outside, Trace, Types
from analyzer.lower.alternatives import MARK, alternative_calls
from analyzer.lower.function import lower_function
from analyzer.lower.surroundings import Surroundings, is_header, is_own
from analyzer.source.segment import Segment
from analyzer.source.split import renumber


class Outline(Protocol):
    """What the unit needs to know of a function lowered before; FunctionFacts has it too."""

    @property
    def calls(self) -> tuple[str, ...]:
        """See FunctionFacts."""

    @property
    def fields(self) -> tuple[str, ...]:
        """See FunctionFacts."""

    @property
    def globals(self) -> tuple[str, ...]:
        """See FunctionFacts."""

    @property
    def address_taken(self) -> tuple[AddressTaken, ...]:
        """See FunctionFacts."""

    @property
    def statics(self) -> tuple[GlobalVariable, ...]:
        """See FunctionFacts."""

    @property
    def initialisers(self) -> tuple[Initialiser, ...]:
        """See FunctionFacts."""


class FunctionMemo(Protocol):
    """Functions that need not be lowered again."""

    def find(self, text_digest: str, resolve: Callable[[str], str]) -> str | None:
        """Return the key of the facts whose trace holds where `resolve` tells the digests; None if unknown."""

    def outline(self, key: str) -> Outline | None:
        """Return what the function of `key` uses; None if that cannot be told any longer."""

    def keep(self, text_digest: str, trace: Trace, facts: FunctionFacts) -> str:
        """Remember facts; return their key."""


#: types and constants that hang on declarations, for all units of the process
_memo = Memo()
_UNIQUE = re.compile(r"__UNIQUE_ID_\w*?\d+\b")


def forget() -> None:
    """Let go of what was kept for units to come."""
    _memo.clear()
    index.forget()


def extract_unit(name: str, segments: Sequence[Segment], memo: FunctionMemo) -> UnitFacts:
    """Extract the facts of the unit `name`."""
    return _Unit(name, DeclarationTable(tuple(segments)), memo).extract()


class _Unit:
    """A unit while it is extracted."""

    def __init__(self, name: str, table: DeclarationTable, memo: FunctionMemo) -> None:
        self._name = name
        self._table = table
        self._memo = memo
        self._outside = Outside(table, _memo)
        self._refs: dict[str, FunctionRef] = {}
        self._outlines: list[tuple[FunctionRef, Outline]] = []
        self._gaps: list[Gap] = list(table.gaps)
        self._pending: list[Declaration] = []

    def extract(self) -> UnitFacts:
        """Lower what the unit defines and reaches, then describe what it uses."""
        for declaration in self._table.functions(is_own):
            self._take(declaration)
        for declaration in self._table.emitted(is_own):
            if declaration.body >= 0:
                self._take(declaration)
        surroundings = Surroundings(self._table, self._outside)
        surroundings.read_own()
        self._reach(surroundings.reached_functions())
        self._close()
        self._describe(surroundings)
        refs = sorted(self._refs.values(), key=lambda ref: (ref.location, ref.name))
        facts = surroundings.facts(self._name, {ref.name for ref in refs})
        gaps = tuple(sorted({*self._gaps, *facts.gaps}))
        return structs.replace(facts, functions=tuple(refs), gaps=gaps)

    def _describe(self, surroundings: Surroundings) -> None:
        """Name what the functions use; what that holds may reach further functions."""
        n_described = 0
        while n_described < len(self._outlines):
            for ref, outline in self._outlines[n_described:]:
                surroundings.use(ref, outline)
            n_described = len(self._outlines)
            self._reach(surroundings.reached_functions())
            self._close()

    def _close(self) -> None:
        """Lower the functions reached, and those that they reach."""
        while self._pending:
            self._take(self._pending.pop())

    def _reach(self, names: Iterable[str]) -> None:
        """Take those of the functions `names` that this unit defines."""
        for name in names:
            if name not in self._refs:
                declaration = self._table.ordinary(name)
                if declaration is not None and declaration.body >= 0:
                    self._pending.append(declaration)

    def _take(self, declaration: Declaration) -> None:
        """Find the facts of a function, or make them."""
        name = declaration.names[0]
        if name in self._refs:
            return
        declaration = self._plain(declaration)
        key, outline = self._facts(declaration)
        ref = _reference(declaration, key)
        self._refs[name] = ref
        if outline is not None:
            self._outlines.append((ref, outline))
            self._reach(outline.calls)
            self._reach(taken.function for taken in outline.address_taken)
            self._reach(initialiser.function for initialiser in outline.initialisers)

    def _plain(self, declaration: Declaration) -> Declaration:
        """Count names made of `__COUNTER__` anew, so that an edit before a function does not change it."""
        head = declaration.text[: declaration.body]
        body = declaration.text[declaration.body :]
        text = renumber(body)
        if text == body or any(self._table.ordinary(name) for name in _UNIQUE.findall(body)):
            return declaration
        digest = blake2b((head + text).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return structs.replace(declaration, text=head + text, digest=digest)

    def _facts(self, declaration: Declaration) -> tuple[str, Outline | None]:
        """Return key and outline of a function's facts; an empty key and None if it is skipped."""
        key = self._memo.find(declaration.digest, self._outside.digest)
        outline = None if key is None else self._memo.outline(key)
        if key is not None and outline is not None:
            return key, outline
        outside = self._outside
        outside.trace = {}
        try:
            definition = self._parse(declaration)
            facts = self._with_alternatives(
                declaration, definition, lower_function(Types(outside), definition, declaration.line)
            )
        except ParseError as error:
            self._skip(GapKind.BODY, declaration, error.text)
            return "", None
        except (Exception, RecursionError) as error:
            # The last resort: whatever the text holds, one function is lost and says so, not the unit.
            self._skip(GapKind.LOWERING, declaration, f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
            return "", None
        return self._memo.keep(declaration.digest, tuple(sorted(outside.trace.items())), facts), facts

    def _with_alternatives(self, declaration: Declaration, definition: Any, facts: FunctionFacts) -> FunctionFacts:
        """Add the calls that were not lowered since the compiler chooses others, equal in effect."""
        if MARK not in declaration.text:
            return facts
        called = {name for name in alternative_calls(definition.body) if self._outside.ordinary(name) is not None}
        return structs.replace(facts, calls=tuple(sorted({*facts.calls, *called})))

    def _parse(self, declaration: Declaration) -> Any:
        for node in self._table.parse(declaration):
            if type(node) is c_ast.FuncDef:
                return node
        raise ParseError("no function definition", Location(declaration.file, declaration.line))

    def _skip(self, kind: GapKind, declaration: Declaration, text: str) -> None:
        location = _reference(declaration, "").location
        self._gaps.append(Gap(kind, location, f"{declaration.names[0]}() is skipped: {text}"))


def _name_position(head: str, name: str) -> int:
    """Find where `name` stands in the head of its definition: before a parenthesis, or anywhere as a word."""
    first = -1
    at = head.find(name)
    while at >= 0:
        end = at + len(name)
        if not (_is_word(head[at - 1 : at]) or _is_word(head[end : end + 1])):
            if head[end:].lstrip(") \t\n").startswith("("):
                return at
            first = at if first < 0 else first
        at = head.find(name, end)
    return max(first, 0)


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


_STATIC = re.compile(r"\bstatic\b")
_WEAK = re.compile(r"__attribute__\s*\(\([^;{]*?\b(?:__)?weak(?:__)?\b")
_INLINE = re.compile(r"\b(?:__)?inline(?:__)?\b")


def _reference(declaration: Declaration, key: str) -> FunctionRef:
    """Describe a function definition by what stands before its body."""
    name = declaration.names[0]
    head = declaration.text[: declaration.body]
    line, column = Lines("", declaration.line, head).place(_name_position(head, name))
    inline = is_header(declaration.file) or _INLINE.search(head) is not None
    location = Location(declaration.file, line, column)
    static, weak = _STATIC.search(head) is not None, _WEAK.search(head) is not None
    return FunctionRef(name, location, declaration.line, static, inline, key, weak)
