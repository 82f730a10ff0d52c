# SPDX-License-Identifier: GPL-2.0-only
"""Golden dumps: cleanups run at every way out of a scope."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

Lowered = Callable[..., str]


def test_every_way_out_of_a_scope_runs_its_cleanups(lowered: Lowered) -> None:
    text = """
        struct l { int x; };
        void unlock(struct l **p);
        int use(int);
        struct l *take(struct l *);
        int f(struct l *l, int n)
        {
            for (int i = 0; i < n; i++) {
                struct l *a __attribute__((cleanup(unlock))) = take(l);
                if (i == 3) continue;
                if (i == 4) break;
                if (i == 5) goto out;
                struct l *b __attribute__((cleanup(unlock))) = take(l);
                if (i == 6) return use(i);
            }
            return 1;
        out:
            return 0;
        }
    """
    assert lowered(text) == dedent("""
        b0:
          i = 0
          jump b1
        b1:
          branch i < n ? b2 : b12
        b2:
          %1 = take(l)
          a = %1
          branch i == 3 ? b3 : b4
        b3:
          unlock(&a) [cleanup]
          jump b11
        b4:
          branch i == 4 ? b5 : b6
        b5:
          unlock(&a) [cleanup]
          jump b12
        b6:
          branch i == 5 ? b7 : b8
        b7:
          unlock(&a) [cleanup]
          return 0
        b8:
          %2 = take(l)
          b = %2
          branch i == 6 ? b9 : b10
        b9:
          %3 = use(i)
          unlock(&b) [cleanup]
          unlock(&a) [cleanup]
          return %3
        b10:
          unlock(&b) [cleanup]
          unlock(&a) [cleanup]
          jump b11
        b11:
          i <- i + 1
          jump b1
        b12:
          return 1
    """)


def test_a_scoped_guard_covers_its_statement(lowered: Lowered) -> None:
    text = """
        struct l { int x; };
        struct l *take(struct l *);
        static inline void unlock(struct l **p) { }
        void use(int);
        void f(struct l *l)
        {
            for (struct l *scope __attribute__((cleanup(unlock))) = take(l), *done = (void *)0; !done; done = (void *)1)
                use(1);
            use(2);
        }
    """
    assert lowered(text) == dedent("""
        b0:
          %1 = take(l)
          scope = %1
          done = 0
          jump b1
        b1:
          branch done ? b2 : b3
        b2:
          unlock(&scope) [cleanup]
          use(2)
          return
        b3:
          use(1)
          done = 1
          jump b1
    """)


def test_a_goto_back_leaves_the_scope(lowered: Lowered) -> None:
    text = """
        struct l { int x; };
        struct l *take(struct l *);
        void unlock(struct l **p);
        int use(int);
        void f(struct l *l)
        {
        again:
            {
                struct l *a __attribute__((cleanup(unlock))) = take(l);
                if (use(1)) goto again;
            }
            use(2);
        }
    """
    assert lowered(text) == dedent("""
        b0:
          jump b1
        b1:
          %1 = take(l)
          a = %1
          %2 = use(1)
          branch %2 ? b2 : b3
        b2:
          unlock(&a) [cleanup]
          jump b1
        b3:
          unlock(&a) [cleanup]
          use(2)
          return
    """)


def test_a_statement_expression_is_evaluated_before_its_cleanups(lowered: Lowered) -> None:
    text = """
        struct l { int x; };
        struct l *take(struct l *);
        void unlock(struct l **p);
        int f(struct l *l) { return ({ struct l *a __attribute__((cleanup(unlock))) = take(l); a->x; }); }
    """
    assert lowered(text) == dedent("""
        b0:
          %1 = take(l)
          a = %1
          read a->x
          %2 = a->x
          unlock(&a) [cleanup]
          return %2
    """)
