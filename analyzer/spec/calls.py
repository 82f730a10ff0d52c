# SPDX-License-Identifier: GPL-2.0-only
"""Rows about what the program's text does not show: `callbacks:`, `entries:`, `targets:`, `backlinks:`.

In: `{function: call_rcu, calls: arg 1, runs: later, …}`. Out: `Callback`, `EntryPoint`,
`TargetOverride`, `Backlink`.
"""

from __future__ import annotations

from typing import Literal

from analyzer.base.errors import SpecError
from analyzer.spec.effects import AFTER
from analyzer.spec.effects import CONTEXTS as WAITED_CONTEXTS
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.expressions import ARGUMENT_PATTERN, NAME_PATTERN, parse_argument, parse_name
from analyzer.spec.mapping import Fields, Key, Map
from analyzer.spec.model import ANY_LOCK, Backlink, Callback, EntryPoint, Held, Name, Surrounding, TargetOverride
from analyzer.spec.requirements import LockShape
from analyzer.spec.shapes import FUNCTION, Choice, Flag, ListOf, Located, Parsed, Schema, Text
from analyzer.spec.tree import Node, ScalarNode

_ARGUMENT = Parsed("arg 0, arg 1, …", parse_argument, ARGUMENT_PATTERN)
_MEMBER = Parsed("a record's member, as record.member", parse_name, NAME_PATTERN)
_OBJECT = Parsed("a record, or a member of it", parse_name, NAME_PATTERN)
_CONTEXT: Choice[Surrounding] = Choice("process", "softirq", "hardirq", "atomic")
_RUNS: Choice[Literal["now", "later"]] = Choice("now", "later")


class LocksShape:
    """`[kvm.slots_lock]`, or `any` where the row cannot name them."""

    _list = ListOf(LockShape(), "locks, or any")

    def read(self, node: Node, label: str) -> tuple[Held, ...]:
        """Return the locks."""
        if isinstance(node, ScalarNode) and node.text == "any":
            return (ANY_LOCK,)
        return self._list.read(node, label)

    def schema(self) -> Schema:
        """Describe a list of locks, or the word."""
        return {"anyOf": [{"const": "any"}, self._list.schema()]}


SOURCE = Key("source", Text(), "where the kernel says so", required=True)
FUNCTION_KEY = Key("function", FUNCTION, "the function")
FUNCTIONS = Key("functions", ListOf(FUNCTION, "names of functions"), "functions that do the same")
MEMBER = Key("member", _MEMBER, "the member that holds the function")
MEMBERS = Key("members", ListOf(_MEMBER, "members"), "members of which the same is true")
CALLS = Key("calls", _ARGUMENT, "the argument that is called; a member is called itself")
PASSES = Key("passes", ListOf(_ARGUMENT, "arguments"), "arguments that the called function is given", default=())
RUNS = Key("runs", _RUNS, "now: under the caller's locks; later: under none", required=True)
WAITS = Key("waits", _ARGUMENT, "the argument that says which: 0 is later")
REMOTE = Key("remote", Flag(), "on another processor; absent: false", default=False)
CONTEXT = Key("context", _CONTEXT, "in what context it runs; absent: process", default="process")
HOLDS = Key("holds", ListOf(LockShape(), "locks"), "locks that are held on entry; absent: none", default=())
BROUGHT = Key("holds", LocksShape(), "locks that are held on entry; any: nobody knows; absent: none", default=())
SOMETIMES = Key("sometimes", ListOf(LockShape(), "locks"), "locks that some hold on entry; absent: none", default=())
LEAVES = Key("leaves", LocksShape(), "locks that are held on return; any: nobody knows; absent: none", default=())
ALONE = Key("alone", Flag(), "nobody else is in the program meanwhile; absent: false", default=False)
CALL = Key("call", _MEMBER, "the member, global, static call or local that is called through", required=True)
WITHIN = Key("in", FUNCTION, "only calls in this function", default="")
REACHES = Key("reaches", ListOf(Located(FUNCTION), "functions"), "the functions that it reaches", required=True)

POINTER = Key("member", _MEMBER, "the member that points back", required=True)
THROUGH = Key("through", _MEMBER, "the member that holds the record, or points to it", required=True)
TARGET = Key(
    "is",
    _OBJECT,
    "what it points to: the record that `through` begins with, or what a member of that points to",
    required=True,
)

_WHO = ("function", "functions", "member", "members")
CALLBACK_ROW = Map(
    "a callback",
    (
        FUNCTION_KEY,
        FUNCTIONS,
        MEMBER,
        MEMBERS,
        CALLS,
        PASSES,
        RUNS,
        WAITS,
        REMOTE,
        HOLDS,
        AFTER,
        WAITED_CONTEXTS,
        CONTEXT,
        SOURCE,
    ),
    (_WHO,),
)
ENTRY_ROW = Map(
    "an entry", (FUNCTION_KEY, FUNCTIONS, MEMBER, MEMBERS, BROUGHT, SOMETIMES, LEAVES, CONTEXT, ALONE, SOURCE), (_WHO,)
)
TARGET_ROW = Map("a target", (CALL, WITHIN, REACHES, SOURCE))
BACKLINK_ROW = Map("a backlink", (POINTER, THROUGH, TARGET, SOURCE))


def _who(fields: Fields) -> list[tuple[str, Name | None]]:
    """Return what a row is about: functions, or members."""
    one, member = fields.get(FUNCTION_KEY), fields.get(MEMBER)
    functions = (one,) if one else fields.get(FUNCTIONS) or ()
    members = (member,) if member else fields.get(MEMBERS) or ()
    return [*((function, None) for function in functions), *(("", name) for name in members)]


def _wrong_in_callback(fields: Fields, node: Node) -> list[SpecError]:
    errors = []
    of_functions = FUNCTION_KEY in fields or FUNCTIONS in fields
    if of_functions and CALLS not in fields:
        errors.append(SpecError("a callback of a function needs the key 'calls' (arg 0, arg 1, …)", node.location))
    errors += [
        SpecError(f"'{key.name}' beside a member: a member has no arguments", fields.place(key))
        for key in (CALLS, PASSES, WAITS)
        if key in fields and not of_functions
    ]
    if HOLDS in fields and fields[RUNS] == "now":
        errors.append(SpecError("'holds' beside 'runs: now': it runs under the caller's locks", fields.place(HOLDS)))
    errors += [
        SpecError(f"'{key.name}' needs functions that run later: a grace period comes before", fields.place(key))
        for key in (AFTER, WAITED_CONTEXTS)
        if key in fields and not (of_functions and fields[RUNS] == "later")
    ]
    return errors


class CallbackShape:
    """An item of `callbacks:`."""

    def read(self, node: Node, _label: str) -> tuple[Callback, ...]:
        """Return one callback for each function or member that the row names."""
        fields = CALLBACK_ROW.read(node)
        errors = _wrong_in_callback(fields, node)
        if errors:
            raise CombinedSpecError(errors)
        return tuple(
            Callback(
                function,
                member,
                fields.get(CALLS) or 0,
                fields[PASSES],
                fields[RUNS],
                fields.get(WAITS),
                fields[REMOTE],
                fields[CONTEXT],
                " ".join(fields[SOURCE].split()),
                node.location,
                fields[HOLDS],
                fields[AFTER],
                fields[WAITED_CONTEXTS],
            )
            for function, member in _who(fields)
        )

    def schema(self) -> Schema:
        """Describe a callback."""
        return CALLBACK_ROW.schema()


class EntryShape:
    """An item of `entries:`."""

    def read(self, node: Node, _label: str) -> tuple[EntryPoint, ...]:
        """Return one entry for each function or member that the row names."""
        fields = ENTRY_ROW.read(node)
        source = " ".join(fields[SOURCE].split())
        return tuple(
            EntryPoint(
                member,
                function,
                fields[BROUGHT],
                fields[CONTEXT],
                source,
                node.location,
                fields[LEAVES],
                fields[ALONE],
                fields[SOMETIMES],
            )
            for function, member in _who(fields)
        )

    def schema(self) -> Schema:
        """Describe an entry."""
        return ENTRY_ROW.schema()


class TargetShape:
    """An item of `targets:`."""

    def read(self, node: Node, _label: str) -> TargetOverride:
        """Return the row."""
        fields = TARGET_ROW.read(node)
        source = " ".join(fields[SOURCE].split())
        return TargetOverride(fields[CALL], fields[WITHIN], fields[REACHES], source, node.location)

    def schema(self) -> Schema:
        """Describe a row."""
        return TARGET_ROW.schema()


class BacklinkShape:
    """An item of `backlinks:`."""

    def read(self, node: Node, _label: str) -> Backlink:
        """Return the row."""
        fields = BACKLINK_ROW.read(node)
        through, target = fields[THROUGH], fields[TARGET]
        if target.parts[0] != through.parts[0]:
            raise SpecError(f"'{target}' does not begin with the record of '{through}'", fields.place(TARGET))
        return Backlink(fields[POINTER], through, target, " ".join(fields[SOURCE].split()), node.location)

    def schema(self) -> Schema:
        """Describe a row."""
        return BACKLINK_ROW.schema()
