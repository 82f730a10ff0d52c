# SPDX-License-Identifier: GPL-2.0-only
"""Golden dumps: initialisers store what they mention; a record is zero before."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

Lowered = Callable[..., str]


def test_nested_designated_and_elided(lowered: Lowered) -> None:
    text = """
        struct p { int x, y; };
        struct q { struct p a[2]; union { int u; void *v; }; char name[8]; int (*op)(int); };
        int fn(int);
        struct p mk(void);
        void f(int i)
        {
            struct q q = { { { 1, 2 }, { .y = i } }, { i }, "abc", fn };
            struct q r = { .a[1].x = 3, .a[0] = mk(), .op = &fn };
            struct q e = { 1, 2, 3, 4, 5 };
        }
    """
    assert lowered(text, records=True) == dedent("""
        b0:
          q = 0
          q.q::a[0].p::x = 1
          q.q::a[0].p::y = 2
          q.q::a[1].p::y = i
          q.q::u = i
          q.q::name = "abc"
          q.q::op = &fn()
          r = 0
          r.q::a[1].p::x = 3
          %1 = mk()
          r.q::a[0] = %1
          r.q::op = &fn()
          e = 0
          e.q::a[0].p::x = 1
          e.q::a[0].p::y = 2
          e.q::a[1].p::x = 3
          e.q::a[1].p::y = 4
          e.q::u = 5
          return
    """)


def test_anonymous_members_by_position(lowered: Lowered) -> None:
    text = """
        struct in { int a; };
        struct o { union { struct in r; struct { int b; }; }; int c; };
        void f(struct o *p) { *p = (struct o){ { .r = { 1 } }, 2 }; }
    """
    assert lowered(text) == dedent("""
        b0:
          %1 = 0
          %1.r.a = 1
          %1.c = 2
          *p = %1
          return
    """)


def test_arrays_get_their_length(lowered: Lowered) -> None:
    text = """
        unsigned long f(void) { int t[] = { [2] = 5, 6, [0 ... 1] = 7 }; char s[] = "abc"; return sizeof(t) + sizeof(s); }
    """
    assert lowered(text) == dedent("""
        b0:
          t[2] = 5
          t[3] = 6
          t[0] = 7
          t[1] = 7
          s = "abc"
          return 20
    """)


def test_compound_literals_are_temporaries(lowered: Lowered) -> None:
    text = """
        struct q { int u; };
        void use(struct q *);
        void f(int i, struct q *p) { use(&(struct q){ .u = i }); *p = (struct q){ i }; }
    """
    assert lowered(text) == dedent("""
        b0:
          %1 = 0
          %1.u = i
          use(&%1)
          %2 = 0
          %2.u = i
          *p = %2
          return
    """)


def test_scalars_in_braces(lowered: Lowered) -> None:
    text = """
        int f(int i) { int x = { i }; return x; }
    """
    assert lowered(text) == dedent("""
        b0:
          x = i
          return x
    """)
