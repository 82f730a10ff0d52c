# SPDX-License-Identifier: GPL-2.0-only
"""The invariants of FunctionIR, checked.

In: a FunctionIR. Out: the list of what is wrong with it, empty for a sound one.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.ir.claims import Asked, Both, Either, Named, Negated, Statement
from analyzer.ir.function import (
    Branch,
    Call,
    Claim,
    Event,
    FunctionIR,
    Goto,
    Jump,
    Read,
    Return,
    Store,
    Switch,
    Terminator,
)
from analyzer.ir.values import (
    AccessPath,
    AddressOf,
    Binary,
    Container,
    Deref,
    Field,
    Index,
    Load,
    Local,
    Parameter,
    Pointee,
    Unary,
    Value,
)

_BINARY = {"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", ">", "<=", ">="}
_UNARY = {"!", "-", "~"}


def verify(function: FunctionIR) -> list[str]:
    """List what is wrong with `function`: block and what it is."""
    return [f"b{number}: {text}" for number, text in _Verifier(function).problems()]


def targets(terminator: Terminator) -> tuple[int, ...]:
    """List the blocks that a terminator leads to."""
    match terminator:
        case Jump(target):
            return (target,)
        case Branch(_, true, false, _):
            return true, false
        case Switch(_, cases, default, _):
            return *(case.target for case in cases), default
        case Goto(several, _):
            return several
        case _:
            return ()


class _Verifier:
    """One function while it is verified."""

    def __init__(self, function: FunctionIR) -> None:
        self._function = function
        self._locals = dict(function.locals)

    def problems(self) -> Iterator[tuple[int, str]]:
        blocks = self._function.blocks
        if not blocks:
            yield 0, "no entry block"
            return
        reached = {0}
        pending = [0]
        for number, block in enumerate(blocks):
            for target in targets(block.terminator):
                if not 0 <= target < len(blocks):
                    yield number, f"leads to b{target}, which does not exist"
        while pending:
            for target in targets(blocks[pending.pop()].terminator):
                if target not in reached and 0 <= target < len(blocks):
                    reached.add(target)
                    pending.append(target)
        for number, block in enumerate(blocks):
            if number not in reached:
                yield number, "is not reachable"
            for event in block.events:
                for text in self._event(event):
                    yield number, text
            for text in self._terminator(block.terminator):
                yield number, text

    def _event(self, event: Event) -> Iterator[str]:
        match event:
            case Read(path, _):
                if not _is_memory(path):
                    yield f"reads the plain local {path.root}"
                yield from self._path(path)
            case Store(path, value, _, _):
                yield from self._path(path)
                yield from self._value(value)
            case Call(callee, arguments, result, _, _, origin):
                yield from self._value(callee)
                for argument in arguments:
                    yield from self._value(argument)
                if result is not None and not result.name.startswith("%"):
                    yield f"result {result.name} is no temporary"
                if result is not None:
                    yield from self._path(AccessPath(result))
                if origin not in {"", "cleanup"}:
                    yield f"unknown origin {origin!r}"
            case Claim(_, statement, _, before):
                for done in before:
                    yield from self._event(done)
                yield from self._statement(statement)
        if event.at.line < 0:
            yield f"line {event.at.line} lies before the function"

    def _statement(self, statement: Statement) -> Iterator[str]:
        match statement:
            case Asked(_, arguments):
                for argument in arguments:
                    yield from self._value(argument)
            case Named(pointer, _):
                yield from self._value(pointer)
            case Negated(part):
                yield from self._statement(part)
            case Either(parts) | Both(parts):
                for part in parts:
                    yield from self._statement(part)

    def _terminator(self, terminator: Terminator) -> Iterator[str]:
        match terminator:
            case Branch(condition, _, _, _):
                yield from self._value(condition)
            case Switch(value, cases, _, _):
                yield from self._value(value)
                for case in cases:
                    if case.low > case.high:
                        yield f"case {case.low} ... {case.high} is empty"
            case Return(value, _) if value is not None:
                yield from self._value(value)

    def _value(self, value: Value) -> Iterator[str]:
        match value:
            case Load(path):
                yield from self._path(path)
            case AddressOf(path):
                yield from self._path(path)
                if path.selectors and isinstance(path.selectors[-1], Deref):
                    yield "address of a dereference"
            case Unary(operator, operand):
                if operator not in _UNARY:
                    yield f"unknown unary operator {operator!r}"
                yield from self._value(operand)
            case Binary(operator, left, right):
                if operator not in _BINARY:
                    yield f"unknown binary operator {operator!r}"
                yield from self._value(left)
                yield from self._value(right)

    def _path(self, path: AccessPath) -> Iterator[str]:
        match path.root:
            case Local(name):
                if name not in self._locals:
                    yield f"local {name} has no type"
            case Parameter(index, name):
                formals = self._function.parameters
                if not (0 <= index < len(formals) and formals[index].name == name):
                    yield f"parameter {index} is not named {name}"
            case Pointee(value):
                if isinstance(value, Load | AddressOf):
                    yield "pointee of a value that an access path can hold"
                yield from self._value(value)
        previous: object = None
        for selector in path.selectors:
            if isinstance(selector, Index):
                yield from self._value(selector.value)
            if (
                isinstance(previous, Container)
                and isinstance(selector, Field)
                and (previous.record, previous.member) == (selector.record, selector.member)
            ):
                yield f"container and field {selector.record}.{selector.member} do not cancel"
            previous = selector


def _is_memory(path: AccessPath) -> bool:
    return not isinstance(path.root, Local | Parameter) or any(isinstance(s, Deref) for s in path.selectors)
