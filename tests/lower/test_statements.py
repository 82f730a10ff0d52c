# SPDX-License-Identifier: GPL-2.0-only
"""Golden dumps: statements become blocks."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

Lowered = Callable[..., str]


def test_loops(lowered: Lowered) -> None:
    text = """
        void g(int);
        void f(int n)
        {
            for (int i = 0; i < n; i++) { if (i == 3) continue; if (i == 5) break; g(i); }
            do { g(n); } while (--n);
            while (n < 9) n++;
            for (;;) g(0);
        }
    """
    assert lowered(text) == dedent("""
        b0:
          i = 0
          jump b1
        b1:
          branch i < n ? b2 : b6
        b2:
          branch i == 3 ? b5 : b3
        b3:
          branch i == 5 ? b6 : b4
        b4:
          g(i)
          jump b5
        b5:
          i <- i + 1
          jump b1
        b6:
          g(n)
          n <- n - 1
          branch n ? b6 : b7
        b7:
          branch n < 9 ? b8 : b9
        b8:
          n <- n + 1
          jump b7
        b9:
          g(0)
          jump b9
    """)


def test_switches_fall_through(lowered: Lowered) -> None:
    text = """
        void z(int);
        int f(int x)
        {
            switch (x) {
            case 1: z(1);
            case 2 ... 5: z(2); break;
            default: z(3);
            case 9: return 9;
            }
            return 0;
        }
    """
    assert lowered(text) == dedent("""
        b0:
          switch x {1: b1, 2..5: b2, 9: b4, default: b3}
        b1:
          z(1)
          jump b2
        b2:
          z(2)
          return 0
        b3:
          z(3)
          jump b4
        b4:
          return 9
    """)


def test_switches_without_default_go_on(lowered: Lowered) -> None:
    text = """
        void z(int);
        void f(int x) { switch (x) { case 1: { z(1); break; } } z(2); }
    """
    assert lowered(text) == dedent("""
        b0:
          switch x {1: b1, default: b2}
        b1:
          z(1)
          jump b2
        b2:
          z(2)
          return
    """)


def test_cases_stand_inside_loops(lowered: Lowered) -> None:
    # Duff's device
    text = """
        void z(int);
        void f(int n) { switch (n & 3) { case 0: do { z(0); case 1: z(1); } while (--n > 0); } }
    """
    assert lowered(text) == dedent("""
        b0:
          switch n & 3 {0: b2, 1: b1, default: b3}
        b1:
          z(1)
          n <- n - 1
          branch n > 0 ? b2 : b3
        b2:
          z(0)
          jump b1
        b3:
          return
    """)


def test_gotos_lead_anywhere(lowered: Lowered) -> None:
    text = """
        void z(int);
        int f(int n)
        {
            if (n) goto inside;
            while (n < 3) { z(1); inside: n++; }
            goto out;
            z(2);
        out:
            return n;
        }
    """
    assert lowered(text) == dedent("""
        b0:
          branch n ? b3 : b1
        b1:
          branch n < 3 ? b2 : b4
        b2:
          z(1)
          jump b3
        b3:
          n <- n + 1
          jump b1
        b4:
          return n
    """)


def test_local_labels_are_their_scopes_own(lowered: Lowered) -> None:
    text = """
        int f(int n)
        {
            ({ __label__ out; if (n) goto out; n = 1; out: ; });
            ({ __label__ out; if (n) goto out; n = 2; out: n; });
            return n;
        }
    """
    assert lowered(text) == dedent("""
        b0:
          branch n ? b2 : b1
        b1:
          n = 1
          jump b2
        b2:
          branch n ? b4 : b3
        b3:
          n = 2
          jump b4
        b4:
          return n
    """)


def test_computed_gotos_lead_to_every_label_taken(lowered: Lowered) -> None:
    text = """
        int f(int x) { void *t[] = { &&a, &&b }; goto *t[x]; a: return 1; b: return 2; c: return 3; }
    """
    assert lowered(text) == dedent("""
        b0:
          t[0] = <label a>
          t[1] = <label b>
          goto b1, b2
        b1:
          return 1
        b2:
          return 2
    """)


def test_a_static_table_of_labels_is_gone_through(lowered: Lowered) -> None:
    text = """
        int f(int x) { static void *t[] = { &&a, [1] = (void *)&&b }; goto *t[x]; a: return 1; b: return 2; }
    """
    assert lowered(text) == dedent("""
        b0:
          read f.t[x]
          goto b1, b2
        b1:
          return 1
        b2:
          return 2
    """)


def test_noreturn_calls_end_the_way(lowered: Lowered) -> None:
    text = """
        void die(void) __attribute__((noreturn));
        int g(void);
        int f(int x) { if (x) die(); if (g()) return 1; else die(); }
    """
    assert lowered(text) == dedent("""
        b0:
          branch x ? b1 : b2
        b1:
          die()
          unreachable
        b2:
          %1 = g()
          branch %1 ? b3 : b4
        b3:
          return 1
        b4:
          die()
          unreachable
    """)


def test_impossible_ways_are_ruled_out(lowered: Lowered) -> None:
    text = """
        int g(int);
        int f(int x)
        {
            do { extern void broken(void) __attribute__((error("no"))); if (!(x == 1)) broken(); } while (0);
            if (g(x)) __builtin_unreachable();
            return x;
        }
    """
    assert lowered(text) == dedent("""
        b0:
          jump b1
        b1:
          %1 = g(x)
          return x
    """)


def test_statement_expressions_flow_inline(lowered: Lowered) -> None:
    text = """
        int g(int);
        int f(int x) { return g(({ int y = x; if (y) y = g(1); y; })); }
    """
    assert lowered(text) == dedent("""
        b0:
          y = x
          branch x ? b1 : b2
        b1:
          %1 = g(1)
          y = %1
          jump b2
        b2:
          %2 = g(y)
          return %2
    """)


def test_a_label_of_unknown_value_is_reached(lowered: Lowered) -> None:
    text = """
        struct p { char a; int b; } __attribute__((packed));
        void z(int);
        void f(int x) { switch (x) { case sizeof(struct p): z(1); break; case 2: z(2); } }
    """
    assert lowered(text) == dedent("""
        b0:
          switch x {2: b1, default: b2}
        b1:
          z(2)
          jump b4
        b2:
          branch <case label> ? b3 : b4
        b3:
          z(1)
          jump b4
        b4:
          return
    """)
