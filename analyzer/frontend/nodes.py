# SPDX-License-Identifier: GPL-2.0-only
"""Syntax tree nodes for what GNU C adds to the language of pycparser.

In: nothing. Out: `AsmStatement`, `Range`, `LabelAddress`, `ComputedGoto`, … beside pycparser's own nodes.

What GNU C adds and pycparser's own nodes hold:

* a statement expression is a `Compound` where an expression is expected;
* `a ?: b` is a `TernaryOp` whose `iftrue` is None;
* `__auto_type x = e;` is a `Decl` whose innermost type is an `InferredType`;
* `typeof(x)` is a `TypeOf` over an expression or a `Typename`;
* `case 1 ... 5:` is a `Case` over a `Range`, `[1 ... 5] = x` an `ArrayDesignator` over a `Range`;
* `member: x` in an initialiser is the same `NamedInitializer` as `.member = x`;
* `__builtin_offsetof(type, member)`, `__builtin_va_arg(list, type)` and `__builtin_convertvector(vector, type)` are
  a `FuncCall` with the type as a `Typename` among the arguments; other builtins are plain calls;
* `__seg_gs` stands among the qualifiers, `__int128` and `_Float16` among the names of an `IdentifierType`;
* `coord` of a `Decl` or `Typedef` is the place of the declared name, also behind stars;
* an attribute that somebody reads (`attributes.KEPT`) is in `attributes` of its `Decl` or `Typedef`, as an
  `AttributeSpecifier` of `Attribute(name without underscores, "gnu", text of its arguments)`; `asm("name")` on a
  declaration is one too, named `asm`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pycparser import c_ast

from analyzer.frontend.lexer import Token


class GnuNode(c_ast.Node):  # type: ignore[misc]  # pycparser has no types
    """A node whose children are those of its slots that hold nodes or lists of nodes."""

    __slots__ = ("__weakref__", "coord")
    #: names of the slots that hold a node, a list of nodes or None
    child_names: ClassVar[tuple[str, ...]] = ()

    def children(self) -> tuple[tuple[str, c_ast.Node], ...]:
        """List the children with the names of their places."""
        found: list[tuple[str, c_ast.Node]] = []
        for name in self.child_names:
            child = getattr(self, name)
            if isinstance(child, list):
                found.extend((f"{name}[{i}]", node) for i, node in enumerate(child))
            elif child is not None:
                found.append((name, child))
        return tuple(found)

    def __iter__(self) -> Iterator[c_ast.Node]:
        for _, child in self.children():
            yield child

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.attr_names + self.child_names)
        return f"{type(self).__name__}({shown})"


class AsmOperand(GnuNode):
    """`[name] "constraint" (expr)`; `name` is None where it is left out."""

    __slots__ = ("constraint", "expr", "name")
    attr_names = ("name", "constraint")
    child_names = ("expr",)

    def __init__(self, name: str | None, constraint: str, expr: c_ast.Node, coord: Token | None = None) -> None:
        self.name = name
        self.constraint = constraint
        self.expr = expr
        self.coord = coord


class AsmStatement(GnuNode):
    """`asm goto ("template" : outputs : inputs : clobbers : labels);`.

    Also a top-level `asm("…");`. The template is the text between the quotes, pieces joined, escapes as written.
    """

    __slots__ = ("clobbers", "inputs", "is_goto", "labels", "outputs", "template")
    attr_names = ("template", "clobbers", "labels", "is_goto")
    child_names = ("outputs", "inputs")

    def __init__(
        self,
        template: str,
        outputs: list[AsmOperand],
        inputs: list[AsmOperand],
        clobbers: list[str],
        labels: list[str],
        is_goto: bool,
        coord: Token | None = None,
    ) -> None:
        self.template = template
        self.outputs = outputs
        self.inputs = inputs
        self.clobbers = clobbers
        self.labels = labels
        self.is_goto = is_goto
        self.coord = coord


class LabelAddress(GnuNode):
    """`&&label`."""

    __slots__ = ("name",)
    attr_names = ("name",)

    def __init__(self, name: str, coord: Token | None = None) -> None:
        self.name = name
        self.coord = coord


class LocalLabels(GnuNode):
    """`__label__ first, second;`."""

    __slots__ = ("names",)
    attr_names = ("names",)

    def __init__(self, names: list[str], coord: Token | None = None) -> None:
        self.names = names
        self.coord = coord


class ComputedGoto(GnuNode):
    """`goto *expr;`."""

    __slots__ = ("expr",)
    child_names = ("expr",)

    def __init__(self, expr: c_ast.Node, coord: Token | None = None) -> None:
        self.expr = expr
        self.coord = coord


class Range(GnuNode):
    """`low ... high`, in a case label or an array designator."""

    __slots__ = ("high", "low")
    child_names = ("low", "high")

    def __init__(self, low: c_ast.Node, high: c_ast.Node, coord: Token | None = None) -> None:
        self.low = low
        self.high = high
        self.coord = coord


class BuiltinTypesCompatible(GnuNode):
    """`__builtin_types_compatible_p(left, right)`; both are a `Typename`."""

    __slots__ = ("left", "right")
    child_names = ("left", "right")

    def __init__(self, left: c_ast.Node, right: c_ast.Node, coord: Token | None = None) -> None:
        self.left = left
        self.right = right
        self.coord = coord


class ChooseExpr(GnuNode):
    """`__builtin_choose_expr(cond, iftrue, iffalse)`: only the chosen operand is evaluated and has the type."""

    __slots__ = ("cond", "iffalse", "iftrue")
    child_names = ("cond", "iftrue", "iffalse")

    def __init__(self, cond: c_ast.Node, iftrue: c_ast.Node, iffalse: c_ast.Node, coord: Token | None = None) -> None:
        self.cond = cond
        self.iftrue = iftrue
        self.iffalse = iffalse
        self.coord = coord
