# SPDX-License-Identifier: GPL-2.0-only
"""What the parts of `Types` share: the names in sight, and each part's door for the others.

In: nothing. Out: the class that building, records, layouts, constants and expressions extend.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from analyzer.frontend.types_names import LocalNames, Outside
from analyzer.ir.types import CType, Record


class Shape:
    """A record's definition: its syntax, with the members of anonymous records promoted."""

    __slots__ = ("digest", "members", "node", "promoted")

    def __init__(self, node: Any) -> None:
        self.node = node
        #: the members' declarations in order, anonymous ones too
        self.members: list[Any] = [d for d in node.decls or () if type(d).__name__ == "Decl"]
        #: name → declaration of every member that can be named directly
        self.promoted: dict[str, Any] = {}
        for decl in self.members:
            self._promote(decl)

    def _promote(self, decl: Any) -> None:
        if decl.name is not None:
            self.promoted[decl.name] = decl
            return
        inner = record_node(decl)
        if inner is not None and inner.name is None:
            for member in inner.decls or ():
                if type(member).__name__ == "Decl":
                    self._promote(member)


def record_node(decl: Any) -> Any:
    """Find the struct or union specifier at the bottom of a declaration's type, if it is one."""
    node = decl
    while True:
        kind = type(node).__name__
        if kind in {"Struct", "Union"}:
            return node
        node = getattr(node, "type", None)
        if node is None or isinstance(node, str):
            return None


class TypesBase:
    """State of `Types`, and the methods that its parts call in each other."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.names = LocalNames()
        #: the function that is lowered, "" outside functions
        self.function = ""
        #: shapes of records defined inside the function, by record name
        self.local_shapes: dict[str, Shape] = {}
        #: expressions and members whose type could not be found since the list was last emptied
        self.unknown: list[tuple[Any, str]] = []

    @contextmanager
    def outermost(self) -> Iterator[None]:
        """Hide the local names: a declaration outside functions sees none."""
        saved = self.names, self.function, self.local_shapes, self.unknown
        # What is unknown out there is so for every function: those that use it say so themselves.
        self.names, self.function, self.local_shapes, self.unknown = LocalNames(), "", {}, []
        try:
            yield
        finally:
            self.names, self.function, self.local_shapes, self.unknown = saved

    def build(self, node: Any, naming: str = "") -> CType:
        """Build the type that a declarator, type name or specifier node stands for."""
        raise NotImplementedError

    def type_of(self, node: Any) -> CType:
        """Find the type of an expression, arrays and functions not decayed."""
        raise NotImplementedError

    def constant(self, node: Any) -> int | None:
        """Compute an integer constant expression; None where it is none."""
        raise NotImplementedError

    def shape(self, name: str) -> Shape | None:
        """Find the definition of the record named `name`."""
        raise NotImplementedError

    def member(self, record: Record, name: str) -> CType | None:
        """Find the type of a member of `record`, one of an anonymous member too."""
        raise NotImplementedError

    def size(self, ctype: CType) -> int | None:
        """Compute `sizeof` in bytes."""
        raise NotImplementedError

    def alignment(self, ctype: CType) -> int | None:
        """Compute `_Alignof` in bytes."""
        raise NotImplementedError

    def offset(self, record: Record, name: str) -> int | None:
        """Compute `offsetof` of a member in bytes."""
        raise NotImplementedError
