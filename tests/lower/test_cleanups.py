# SPDX-License-Identifier: GPL-2.0-only
"""Golden dumps: cleanups run at every way out of a scope."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

Lowered = Callable[..., str]


def test_break_and_continue_run_the_cleanups_declared_so_far(lowered: Lowered) -> None:
    text = """
        struct l { int x; };
        void unlock(struct l **p);
        struct l *take(struct l *);
        void f(struct l *l, int n)
        {
            while (n) {
                struct l *a __attribute__((cleanup(unlock))) = take(l);
                if (n == 3) continue;
                struct l *b __attribute__((cleanup(unlock))) = take(l);
                break;
            }
        }
    """
    assert lowered(text) == dedent("""
        b0:
          jump b1
        b1:
          branch n ? b2 : b5
        b2:
          %1 = take(l)
          a = %1
          branch n == 3 ? b3 : b4
        b3:
          unlock(&a) [cleanup]
          jump b1
        b4:
          %2 = take(l)
          b = %2
          unlock(&b) [cleanup]
          unlock(&a) [cleanup]
          jump b5
        b5:
          return
    """)


def test_goto_and_return_leave_all_scopes(lowered: Lowered) -> None:
    text = """
        struct l { int x; };
        void unlock(struct l **p);
        struct l *take(struct l *);
        int f(struct l *l, int n)
        {
            struct l *a __attribute__((cleanup(unlock))) = take(l);
            {
                struct l *b __attribute__((cleanup(unlock))) = take(l);
                if (n) goto out;
            }
            return n;
        out:
            return l->x;
        }
    """
    assert lowered(text) == dedent("""
        b0:
          %1 = take(l)
          a = %1
          %2 = take(l)
          b = %2
          branch n ? b1 : b2
        b1:
          unlock(&b) [cleanup]
          read l->x
          %4 = l->x
          unlock(&a) [cleanup]
          return %4
        b2:
          unlock(&b) [cleanup]
          %3 = n
          unlock(&a) [cleanup]
          return %3
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
