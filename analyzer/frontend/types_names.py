# SPDX-License-Identifier: GPL-2.0-only
"""Names as seen from one place of a unit: local scopes, and the declarations outside with a record of which were asked.

In: a table of a unit's declarations. Out: declarations by name, and `{"t:gfp_t": "9f3…"}`: what the answers hang on.

**Invariant:** every question to the table goes into `trace`, the ones without an answer too (digest "").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any, Protocol, TypeVar

from analyzer.ir.types import CType
from analyzer.ir.values import Root, Value

T = TypeVar("T")
#: (namespaced name, digest of what it stood for)
Trace = tuple[tuple[str, str], ...]


class Declarations(Protocol):
    """The table of one unit's declarations."""

    def ordinary(self, name: str) -> Any:
        """Find the variable or function `name`."""

    def annotated(self, name: str) -> tuple[Any, ...]:
        """Find the declarations of function `name`, without its body, that are annotated."""

    def typedef(self, name: str) -> Any:
        """Find the typedef `name`."""

    def tag(self, name: str) -> Any:
        """Find the struct, union or enum `name`."""

    def enumerator(self, name: str) -> Any:
        """Find the declaration with the enumerator `name`."""

    def parse(self, declaration: Any) -> list[Any]:
        """Parse a declaration."""

    def parse_signature(self, declaration: Any) -> list[Any]:
        """Parse a declaration, a function's without its body."""


class Memo:
    """Results that hang on declarations, for as long as the process lives.

    **Invariant:** a result is given out again only where every declaration it hangs on has the same digest.
    """

    def __init__(self) -> None:
        self._results: dict[tuple[str, str], list[tuple[Trace, Any]]] = {}

    def clear(self) -> None:
        """Forget all results."""
        self._results.clear()

    def find(self, key: tuple[str, str], resolve: Callable[[str], str]) -> tuple[Trace, Any] | None:
        """Find the result for `key` whose trace holds where `resolve` tells the digests."""
        for entry in self._results.get(key, ()):
            for name, digest in entry[0]:
                if resolve(name) != digest:
                    break
            else:
                return entry
        return None

    def keep(self, key: tuple[str, str], trace: Trace, value: Any) -> None:
        """Remember `value`."""
        self._results.setdefault(key, []).append((trace, value))


class Entry:
    """A name in a local scope."""

    __slots__ = ("binding", "kind", "never", "noreturn", "root", "temporary", "type", "value")

    def __init__(self, kind: str, ctype: CType, root: Root | None = None, value: int | None = None) -> None:
        #: `variable`, `typedef`, `enumerator`, `function`
        self.kind = kind
        self.type = ctype
        #: where a variable lives
        self.root = root
        #: of an enumerator
        self.value = value
        #: of a function declared here
        self.noreturn = False
        #: of a function declared here whose call is an error at compile time
        self.never = False
        #: a variable that a macro declares for itself
        self.temporary = False
        #: the value that stands for the variable for now, when it was computed, and the only block where it holds
        self.binding: tuple[Value, tuple[int, ...], object | None] | None = None


class LocalNames:
    """The scopes of one function, innermost last."""

    def __init__(self) -> None:
        self.ordinary: dict[str, Entry] = {}
        self.tags: dict[str, CType] = {}
        #: labels declared with `__label__`: the name that is theirs alone
        self.labels: dict[str, str] = {}
        self._undo: list[list[tuple[dict[str, Any], str, Any]]] = []

    def push(self) -> None:
        """Enter a scope."""
        self._undo.append([])

    def pop(self) -> None:
        """Leave a scope: what it hid is seen again."""
        for names, name, hidden in reversed(self._undo.pop()):
            if hidden is None:
                del names[name]
            else:
                names[name] = hidden

    def declare(self, name: str, entry: Entry) -> Entry:
        """Declare an ordinary name or typedef in the innermost scope."""
        self._bind(self.ordinary, name, entry)
        return entry

    def declare_tag(self, name: str, ctype: CType) -> None:
        """Declare a tag in the innermost scope."""
        self._bind(self.tags, name, ctype)

    def declare_label(self, name: str, unique: str) -> None:
        """Declare a local label in the innermost scope."""
        self._bind(self.labels, name, unique)

    def _bind(self, names: dict[str, Any], name: str, value: Any) -> None:
        if self._undo:
            self._undo[-1].append((names, name, names.get(name)))
        names[name] = value


class Outside:
    """The declarations outside functions in one unit, as one function or declaration asks for them."""

    def __init__(self, table: Declarations, memo: Memo) -> None:
        self.table = table
        self.trace: dict[str, str] = {}
        self._memo = memo
        self._here: dict[str, tuple[Trace, Any]] = {}
        self._digests: dict[str, str] = {}

    def ordinary(self, name: str) -> Any:
        """Find the variable or function `name`."""
        self.trace["o:" + name] = self.digest("o:" + name)
        return self.table.ordinary(name)

    def annotated(self, name: str) -> tuple[Any, ...]:
        """Find the declarations of function `name`, without its body, that are annotated."""
        self.trace["a:" + name] = self.digest("a:" + name)
        return self.table.annotated(name)

    def typedef(self, name: str) -> Any:
        """Find the typedef `name`."""
        self.trace["t:" + name] = self.digest("t:" + name)
        return self.table.typedef(name)

    def tag(self, name: str) -> Any:
        """Find the struct, union or enum `name`."""
        self.trace["g:" + name] = self.digest("g:" + name)
        return self.table.tag(name)

    def enumerator(self, name: str) -> Any:
        """Find the declaration with the enumerator `name`."""
        self.trace["e:" + name] = self.digest("e:" + name)
        return self.table.enumerator(name)

    def digest(self, key: str) -> str:
        """Tell the digest of what the namespaced name `key` stands for here, "" if for nothing."""
        found = self._digests.get(key)
        if found is None:
            found = self._digests[key] = self._digest(key)
        return found

    def _digest(self, key: str) -> str:
        name = key[2:]
        match key[0]:
            case "o":
                declaration = self.table.ordinary(name)
                return "" if declaration is None else interface_digest(declaration)
            case "a":
                return " ".join(str(declaration.digest) for declaration in self.table.annotated(name))
            case "t":
                declaration = self.table.typedef(name)
            case "g":
                declaration = self.table.tag(name)
            case _:
                declaration = self.table.enumerator(name)
        return "" if declaration is None else str(declaration.digest)

    def remembered(self, key: str, make: Callable[[], T]) -> T:
        """Make what `key`, a namespaced name with an optional `!` and further words, stands for, or remember it."""
        entry = self._here.get(key)
        if entry is None:
            digest = self.digest(key.partition("!")[0])
            entry = self._memo.find((key, digest), self.digest)
            if entry is None:
                outer, self.trace = self.trace, {}
                try:
                    value = make()
                    entry = (tuple(self.trace.items()), value)
                finally:
                    self.trace = outer
                self._memo.keep((key, digest), *entry)
            self._here[key] = entry
        self.trace.update(entry[0])
        result: T = entry[1]
        return result


_interfaces: dict[str, str] = {}


def interface_digest(declaration: Any) -> str:
    """Tell the digest of all of a declaration that its users see: a function's without its body."""
    digest = str(declaration.digest)
    if declaration.body < 0:
        return digest
    found = _interfaces.get(digest)
    if found is None:
        text = declaration.text[: declaration.body]
        found = _interfaces[digest] = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return found


def as_trace(pairs: Iterable[tuple[str, str]]) -> Trace:
    """Order `pairs`, so that equal traces are equal values."""
    return tuple(sorted(pairs))
