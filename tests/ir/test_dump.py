# SPDX-License-Identifier: GPL-2.0-only
"""The text of FunctionIR."""

from __future__ import annotations

from textwrap import dedent

from analyzer.ir.dump import dump, dump_path, dump_value
from analyzer.ir.function import (
    Assembly,
    At,
    Block,
    Branch,
    Call,
    Case,
    Formal,
    FunctionIR,
    Goto,
    Jump,
    Read,
    Return,
    Store,
    Switch,
    Unreachable,
)
from analyzer.ir.types import INT, VOID, Function, Pointer, Record
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
)

P = Parameter(0, "p")
N = AccessPath(P, (Deref(), Field("s", "n")))
AT = At(2, 7)


def function(*blocks: Block) -> FunctionIR:
    formal = Formal("p", Pointer(Record("struct", "s")))
    return FunctionIR("f", (formal,), INT, True, blocks, (("%1", INT),))


def test_events_and_terminators() -> None:
    ir = function(
        Block((Read(N, AT), Store(N, Constant(-1), AT, True)), Branch(Load(N), 1, 2, AT)),
        Block((Call(FunctionAddress("g"), (Text("x"), Opaque("y")), Local("%1"), AT, VOID),), Jump(2)),
        Block((Assembly("nop\n\tnop", AT),), Switch(Load(N), (Case(1, 1, 1), Case(2, 5, 3)), 4, AT)),
        Block((Call(Load(N), (), None, AT, VOID, "cleanup"),), Goto((4, 5), AT)),
        Block((), Return(Load(AccessPath(Local("%1"))), AT)),
        Block((), Unreachable()),
    )
    assert "\n" + dump(ir) == dedent("""
        int f(struct s * p, ...)
        b0:
          read p->n
          p->n <- -1
          branch p->n ? b1 : b2
        b1:
          %1 = g("x", <y>)
          jump b2
        b2:
          asm 'nop nop'
          switch p->n {1: b1, 2..5: b3, default: b4}
        b3:
          (p->n)() [cleanup]
          goto b4, b5
        b4:
          return %1
        b5:
          unreachable
    """)


def test_places_and_records_are_shown_where_asked_for() -> None:
    ir = function(Block((Read(N, AT),), Return(None, AT)))
    assert dump(ir, records=True, places=True).splitlines()[2:] == ["  read p->s::n  @2:7", "  return  @2:7"]


def test_paths() -> None:
    pointer = AccessPath(P, (Deref(),))
    assert dump_path(pointer) == "*p"
    assert dump_path(AccessPath(P, (Deref(), Deref()))) == "*(*p)"
    assert dump_path(AccessPath(P, (Deref(), Deref(), Field("s", "n")))) == "(*p)->n"
    assert dump_path(AccessPath(P, (Deref(), Index(Constant(2)), Field("s", "n")))) == "p[2].n"
    assert dump_path(AccessPath(Global("g"), (Field("s", "a"), Field("t", "b")))) == "g.a.b"
    assert dump_path(AccessPath(P, (Deref(), Container("t", "m"), Field("t", "n")))) == "container(*p, t.m).n"
    assert dump_path(AccessPath(Pointee(Binary("+", Load(N), Constant(4))))) == "*(p->n + 4)"


def test_values() -> None:
    value = Binary("*", Binary("+", Constant(1), Constant(2)), Unary("-", Load(N)))
    assert dump_value(value) == "(1 + 2) * -p->n"
    assert dump_value(Unary("!", Binary("==", Load(N), Constant(0)))) == "!(p->n == 0)"
    assert dump_value(AddressOf(N)) == "&p->n"
    assert dump_value(FunctionAddress("g")) == "&g()"
    assert dump(FunctionIR("g", (), Function(VOID, ()), False, ())) == "void (void) g()\n"
