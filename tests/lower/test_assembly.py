# SPDX-License-Identifier: GPL-2.0-only
"""Golden dumps: inline assembly as far as data and control go through it."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

Lowered = Callable[..., str]


def test_an_empty_template_moves_what_is_tied(lowered: Lowered) -> None:
    text = """
        unsigned long f(unsigned long p) { unsigned long q; asm("" : "=r"(q) : "0"(p)); asm volatile("" : : : "memory"); return q; }
    """
    assert lowered(text) == dedent("""
        b0:
          q = p
          return q
    """)


def test_outputs_are_stored_and_memory_operands_read(lowered: Lowered) -> None:
    text = """
        int f(int *q) { int r; asm volatile("mov %1,%0" : "=r"(r), "+m"(*q) : "m"(q[1]) : "memory"); return r; }
    """
    assert lowered(text) == dedent("""
        b0:
          read *q
          read q[1]
          asm 'mov %1,%0'
          r = <asm output>
          *q = <asm output>
          return r
    """)


def test_asm_goto_may_go_on_or_to_its_labels(lowered: Lowered) -> None:
    text = """
        int f(void) { asm goto("jmp %l[yes]" : : : : yes); return 0; yes: return 1; }
    """
    assert lowered(text) == dedent("""
        b0:
          asm 'jmp %l[yes]'
          goto b1, b2
        b1:
          return 0
        b2:
          return 1
    """)


def test_a_bare_call_is_a_call(lowered: Lowered) -> None:
    text = """
        void f(void) { asm volatile("call " "schedule_it"); }
    """
    assert lowered(text) == dedent("""
        b0:
          schedule_it()
          return
    """)


def test_labels_made_by_counters_are_left_out(lowered: Lowered) -> None:
    text = """
        void f(void) { asm volatile("1234" ": nop"); }
    """
    assert lowered(text) == dedent("""
        b0:
          asm '#: nop'
          return
    """)


def test_a_function_among_the_operands_is_named(lowered: Lowered) -> None:
    text = """
        void first(void);
        void second(void);
        int f(int x) { int r; asm("call %c[one]; call %P2; call %c[other]" : "=a"(r) : [one] "i"(first), "i"(second), [other] "r"(x)); return r; }
    """
    assert lowered(text, gaps=1) == dedent("""
        b0:
          asm 'call first; call second; call %c[other]'
          r = <asm output>
          return r
    """)
