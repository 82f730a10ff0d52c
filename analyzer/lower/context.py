# SPDX-License-Identifier: GPL-2.0-only
"""The state of lowering one function, and the doors between the kinds of syntax.

In: a parsed function definition. Out: drafts of blocks, names of locals, gaps.

**Invariant:** handlers for one kind of syntax reach those of another only through `Lowering`'s methods.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from pycparser import c_ast

from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.facts.unit import GlobalVariable, Initialiser
from analyzer.frontend.types import Entry, Types
from analyzer.ir.function import At, Call, Read, Store
from analyzer.ir.types import UNKNOWN, CType
from analyzer.ir.values import AccessPath, Constant, Load, Local, Opaque, Parameter, Value
from analyzer.lower.flow import Draft, Flow
from analyzer.lower.paths import in_memory, weight

#: a value and its type; arrays and functions decayed
Typed = tuple[Value, CType]
#: an lvalue and its type; not decayed
Place = tuple[AccessPath, CType]
NO_VALUE = Opaque("void")


class Cleanup:
    """A variable whose cleanup function runs at scope exit, and those declared before it."""

    __slots__ = ("at", "before", "depth", "function", "path", "signature")

    def __init__(self, function: str, path: AccessPath, signature: CType, at: At, before: Cleanup | None) -> None:
        self.function = function
        self.path = path
        self.signature = signature
        self.at = at
        self.before = before
        self.depth: int = 1 if before is None else before.depth + 1


class Lowering:
    """One function while it is lowered."""

    #: by class of node; filled by `lower.handlers`
    values: ClassVar[dict[type, Callable[[Lowering, Any], Typed]]] = {}
    places: ClassVar[dict[type, Callable[[Lowering, Any], Place]]] = {}
    effects: ClassVar[dict[type, Callable[[Lowering, Any], None]]] = {}
    conditions: ClassVar[dict[type, Callable[[Lowering, Any, Draft, Draft], None]]] = {}
    statements: ClassVar[dict[type, Callable[[Lowering, Any], None]]] = {}

    def __init__(self, types: Types, name: str, first_line: int) -> None:
        self.types = types
        self.name = name
        self.first_line = first_line
        self.flow = Flow()
        self.gaps: list[Gap] = []
        self.returns: CType = UNKNOWN
        self.local_types: dict[str, CType] = {}
        self.statics: list[GlobalVariable] = []
        self.initialisers: list[Initialiser] = []
        self.cleanups: Cleanup | None = None
        #: locals whose address was taken
        self.escaped: set[str] = set()
        #: locals that a value may stand for
        self.bound: set[str] = set()
        #: how often anything, locals, memory changed: what a remembered value may rest on
        self.times = [0, 0, 0]
        #: depth of statement expressions and one-pass loops, where macros declare their temporaries
        self.macro_depth = 0
        #: sizes and offsets left symbolic, by the text of their `Opaque`
        self.symbolic: dict[str, Callable[[], int | None]] = {}
        self.sized: dict[str, CType] = {}
        #: records and members that an `offsetof` names, outermost first, by the text of its `Opaque`
        self.offsets: dict[str, tuple[tuple[str, str], ...]] = {}
        self.labels: dict[str, Draft] = {}
        self.label_scopes: dict[str, Cleanup | None] = {}
        #: gotos out of scopes with cleanups: the block that runs them, what is active there, the label
        self.gotos: list[tuple[Draft, Cleanup | None, str]] = []
        self.addressed_labels: list[str] = []
        self.computed: list[tuple[Draft, Cleanup | None, At]] = []
        #: where `break` and `continue` go, and the cleanups that stay active there
        self.breaks: list[tuple[Draft, Cleanup | None]] = []
        self.continues: list[tuple[Draft, Cleanup | None]] = []
        self.switches: list[Any] = []
        self.n_local_labels = 0
        self._n_temporaries = 0
        self._used_names: set[str] = set()

    # the doors

    def value(self, node: Any) -> Typed:
        """Evaluate an expression for its value."""
        handler = self.values.get(type(node))
        if handler is None:
            return self.unmodelled(node, f"expression {type(node).__name__}")
        return handler(self, node)

    def place(self, node: Any) -> Place:
        """Evaluate an expression as an lvalue."""
        handler = self.places.get(type(node))
        if handler is not None:
            return handler(self, node)
        value, ctype = self.value(node)
        if type(value) is Load:
            return value.path, ctype
        return AccessPath(self.hold(value, ctype, node)), ctype

    def effect(self, node: Any) -> None:
        """Evaluate an expression for its side effects only."""
        handler = self.effects.get(type(node))
        if handler is None:
            self.value(node)
        else:
            handler(self, node)

    def condition(self, node: Any, true: Draft, false: Draft) -> None:
        """Evaluate an expression and go to `true` or `false`."""
        handler = self.conditions.get(type(node))
        if handler is not None:
            handler(self, node, true, false)
            return
        value, _ = self.value(node)
        self.flow.branch(self.known(value), true, false, self.at(node))

    def statement(self, node: Any) -> None:
        """Lower a statement or declaration."""
        handler = self.statements.get(type(node))
        if handler is not None:
            handler(self, node)
        elif self.flow.current is not None:
            self.effect(node)

    # events

    def at(self, node: Any) -> At:
        """Tell where `node` stands in the function."""
        coord = node.coord
        if coord is None:
            return At(0)
        line, column = coord.lines.place(coord.position)
        return At(line - self.first_line, column)

    def load(self, path: AccessPath, node: Any) -> Value:
        """Read what is stored at `path`."""
        if in_memory(path):
            self.flow.emit(Read(path, self.at(node)))
        return Load(path)

    def store(self, path: AccessPath, value: Value, at: At, *, update: bool = False) -> None:
        """Write `value` to `path`."""
        self.flow.emit(Store(path, value, at, update))
        if in_memory(path):
            self.times[2] += 1
            return
        self.times[1] += 1
        root = path.root
        if (type(root) is Local or type(root) is Parameter) and root.name in self.escaped:
            self.times[2] += 1

    def call(self, event: Call) -> None:
        """Emit a call; anything in memory may change."""
        self.flow.emit(event)
        self.times[2] += 1

    def forget(self) -> None:
        """Let no remembered value live on: control may come from elsewhere."""
        self.times[0] += 1

    def stamp(self, value: Value) -> tuple[int, ...]:
        """Tell the times of all changes that `value` may see."""
        return tuple(self.times[: 1 + weight(value, self.escaped)])

    def bind(self, entry: Entry, value: Value, *, here: bool = False) -> None:
        """Let `value` stand for the local `entry` as long as neither changes; only in this block if `here`."""
        entry.binding = value, self.stamp(value), self.flow.current if here else None
        assert type(entry.root) is Local
        self.bound.add(entry.root.name)

    def rebind(self, node: Any, value: Value) -> None:
        """Let `value`, just assigned, stand for the macro's temporary that `node` names, if it is one."""
        if type(node) is c_ast.ID:
            entry = self.types.names.ordinary.get(node.name)
            if entry is not None and entry.temporary:
                self.bind(entry, value, here=True)

    def bound_value(self, entry: Entry) -> Value | None:
        """Return the value that stands for the local `entry`, if it still does."""
        if entry.binding is None:
            return None
        value, stamp, draft = entry.binding
        if draft is not None and draft is not self.flow.current:
            return None
        if stamp == tuple(self.times[: len(stamp)]) and len(stamp) == 1 + weight(value, self.escaped):
            return value
        return None

    def temporary(self, ctype: CType) -> Local:
        """Make a fresh temporary."""
        self._n_temporaries += 1
        local = Local(f"%{self._n_temporaries}")
        self.local_types[local.name] = ctype
        return local

    def unique(self, name: str) -> str:
        """Make the name of a local that no other local or parameter of the function has."""
        plain, n = name, 1
        while name in self._used_names:
            n += 1
            name = f"{plain}#{n}"
        self._used_names.add(name)
        return name

    def hold(self, value: Value, ctype: CType, node: Any) -> Local:
        """Keep `value` in a fresh temporary."""
        local = self.temporary(ctype)
        self.flow.emit(Store(AccessPath(local), value, self.at(node)))
        return local

    def kept(self, value: Value, ctype: CType, node: Any) -> Value:
        """Keep `value` from changing: a constant and what a temporary holds never do."""
        if type(value) is Constant or (type(value) is Load and _is_temporary(value.path)):
            return value
        return Load(AccessPath(self.hold(value, ctype, node)))

    def known(self, value: Value) -> Value:
        """Compute a symbolic size or offset where its value is needed."""
        if type(value) is Opaque:
            compute = self.symbolic.get(value.text)
            number = compute() if compute is not None else None
            if number is not None:
                return Constant(number)
        return value

    # gaps

    def gap(self, kind: GapKind, node: Any, text: str) -> None:
        """Record that something was not understood, unless control never gets there."""
        if self.flow.current is not None:
            at = self.at(node)
            self.gaps.append(Gap(kind, Location("", max(at.line, 0), at.column), text))

    def unmodelled(self, node: Any, text: str) -> Typed:
        """Give up on an expression: its evaluation is lost."""
        self.gap(GapKind.EXPRESSION, node, text)
        return Opaque(text), UNKNOWN


def _is_temporary(path: AccessPath) -> bool:
    """Tell whether `path` is a temporary as a whole."""
    return isinstance(path.root, Local) and path.root.name.startswith("%") and not path.selectors
