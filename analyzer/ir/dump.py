# SPDX-License-Identifier: GPL-2.0-only
"""FunctionIR as text for people and golden tests.

In: a FunctionIR. Out: lines like `  read kvm->nr` and `  branch kvm->nr > 0 ? b1 : b2`.

**Invariant:** equal IR gives equal text; records of fields are shown where asked for, places where asked for.
"""

from __future__ import annotations

from analyzer.ir.claims import Asked, Both, Either, Named, Negated, Other, Statement
from analyzer.ir.function import (
    Assembly,
    At,
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
    Unreachable,
)
from analyzer.ir.types import spell
from analyzer.ir.values import (
    AccessPath,
    AddressOf,
    Binary,
    Constant,
    Container,
    Deref,
    Field,
    FunctionAddress,
    Global,
    Index,
    Load,
    Local,
    Opaque,
    Parameter,
    Pointee,
    Text,
    Unary,
    Value,
)


def dump(function: FunctionIR, *, records: bool = False, places: bool = False) -> str:
    """Write `function` as text; with `records`, each field as `record::member`; with `places`, `@line:column`."""
    writer = Writer(records, places)
    parameters = [f"{spell(p.type)} {p.name or '_'}" for p in function.parameters] + ["..."] * function.variadic
    lines = [f"{spell(function.returns)} {function.name}({', '.join(parameters)})"]
    for number, block in enumerate(function.blocks):
        lines.append(f"b{number}:")
        lines += [f"  {writer.event(event)}" for event in block.events]
        lines.append(f"  {writer.terminator(block.terminator)}")
    return "\n".join(lines) + "\n"


def dump_path(path: AccessPath, *, records: bool = False) -> str:
    """Write an access path as C would."""
    return Writer(records, False).path(path)


def dump_value(value: Value, *, records: bool = False) -> str:
    """Write a value as C would."""
    return Writer(records, False).value(value)


class Writer:
    """Writes the parts of a function; where `anonymous`, without the names of locals and parameters."""

    def __init__(self, records: bool, places: bool, *, anonymous: bool = False) -> None:
        self._records = records
        self._places = places
        self._anonymous = anonymous

    def event(self, event: Event) -> str:
        """Write an event."""
        match event:
            case Read(path, at):
                text = f"read {self.path(path)}"
            case Store(path, value, at, update):
                text = f"{self.path(path)} {'<-' if update else '='} {self.value(value)}"
            case Call(callee, arguments, result, at, _, origin):
                called = callee.name if isinstance(callee, FunctionAddress) else f"({self.value(callee)})"
                text = f"{called}({', '.join(self.value(a) for a in arguments)})"
                text = f"{self._root(result)} = {text}" if result else text
                text = f"{text} [{origin}]" if origin else text
            case Assembly(template, at):
                text = f"asm {' '.join(template.split())!r}"
            case Claim(form, statement, at):
                text = f"claim {self.statement(statement)} [{form}]"
        return text + self._at(at)

    def statement(self, statement: Statement) -> str:
        """Write a statement that is no event."""
        match statement:
            case Asked(function, arguments):
                return f"{function}({', '.join(self.value(argument) for argument in arguments)})"
            case Named(pointer, ctype):
                return f"{spell(ctype)} {self.value(pointer)}"
            case Negated(part):
                return f"!{self.statement(part)}"
            case Either(parts):
                return f"({' || '.join(map(self.statement, parts)) or '0'})"
            case Both(parts):
                return f"({' && '.join(map(self.statement, parts)) or '1'})"
            case Other(text):
                return f"<{text}>"

    def terminator(self, terminator: Terminator) -> str:
        """Write a terminator."""
        match terminator:
            case Jump(target):
                return f"jump b{target}"
            case Branch(condition, true, false, at):
                return f"branch {self.value(condition)} ? b{true} : b{false}{self._at(at)}"
            case Switch(value, cases, default, at):
                parts = [f"{c.low if c.low == c.high else f'{c.low}..{c.high}'}: b{c.target}" for c in cases]
                return f"switch {self.value(value)} {{{', '.join([*parts, f'default: b{default}'])}}}{self._at(at)}"
            case Goto(targets, at):
                return f"goto {', '.join(f'b{t}' for t in targets)}{self._at(at)}"
            case Return(value, at):
                return ("return" if value is None else f"return {self.value(value)}") + self._at(at)
            case Unreachable():
                return "unreachable"

    def value(self, value: Value, *, inner: bool = False) -> str:
        """Write a value; `inner`: as an operand."""
        match value:
            case Constant(number):
                return str(number)
            case Text(text):
                return f'"{text}"'
            case FunctionAddress(name):
                return f"&{name}()"
            case AddressOf(path):
                return f"&{self.path(path)}"
            case Load(path):
                return self.path(path)
            case Unary(operator, operand):
                return f"{operator}{self.value(operand, inner=True)}"
            case Binary(operator, left, right):
                text = f"{self.value(left, inner=True)} {operator} {self.value(right, inner=True)}"
                return f"({text})" if inner else text
            case Opaque(text):
                return f"<{text}>"

    def path(self, path: AccessPath) -> str:
        """Write an access path."""
        root = path.root
        text = f"*({self.value(root.value)})" if isinstance(root, Pointee) else self._root(root)
        selectors = path.selectors
        for i, selector in enumerate(selectors):
            text = self._select(text, selectors[i - 1] if i else None, selector, i + 1 == len(selectors))
        return text

    def _root(self, root: Global | Local | Parameter) -> str:
        return "_" if self._anonymous and not isinstance(root, Global) else root.name

    def _select(self, text: str, previous: object, selector: object, last: bool) -> str:
        after_deref = isinstance(previous, Deref)
        match selector:
            case Field(record, member):
                name = f"{record}::{member}" if self._records else member
                return f"{text}->{name}" if after_deref else f"{text}.{name}"
            case Index(value):
                return f"{text}[{self.value(value)}]"
            case Container(record, member):
                text = f"*{text}" if after_deref else text
                return f"container({text}, {record}.{member})"
            case _:
                if after_deref:
                    text = f"(*{text})"
                return f"*{text}" if last else text

    def _at(self, at: At) -> str:
        return f"  @{at.line}:{at.column}" if self._places else ""


__all__ = ["Unreachable", "Writer", "dump", "dump_path", "dump_value"]
