# SPDX-License-Identifier: GPL-2.0-only
"""Golden dumps: expressions become events in order of evaluation."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

Lowered = Callable[..., str]


def test_increments_and_compound_assignments(lowered: Lowered) -> None:
    text = """
        struct s { int n; };
        void g(int);
        void f(struct s *p, int i) { g(p->n++); g(++p->n); p->n += 2; i++; g(i--); }
    """
    assert lowered(text) == dedent("""
        b0:
          read p->n
          %1 = p->n
          p->n <- p->n + 1
          g(%1)
          read p->n
          p->n <- p->n + 1
          g(p->n)
          read p->n
          p->n <- p->n + 2
          i <- i + 1
          %2 = i
          i <- i - 1
          g(%2)
          return
    """)


def test_assignments_have_values(lowered: Lowered) -> None:
    text = """
        int g(int);
        int f(int x) { int y; y = x = g(1); while ((x = g(y)) != 0) y++; x = (g(1), g(2)); return x; }
    """
    assert lowered(text) == dedent("""
        b0:
          %1 = g(1)
          x = %1
          y = x
          jump b1
        b1:
          %2 = g(y)
          x = %2
          branch x != 0 ? b2 : b3
        b2:
          y <- y + 1
          jump b1
        b3:
          g(1)
          %3 = g(2)
          x = %3
          return x
    """)


def test_short_circuits_are_branches(lowered: Lowered) -> None:
    text = """
        int a(void); int b(void); int c(void);
        void f(int x) { if ((a() && !b()) || c()) a(); }
    """
    assert lowered(text) == dedent("""
        b0:
          %1 = a()
          branch %1 ? b1 : b2
        b1:
          %2 = b()
          branch %2 ? b2 : b3
        b2:
          %3 = c()
          branch %3 ? b3 : b4
        b3:
          a()
          jump b4
        b4:
          return
    """)


def test_short_circuits_have_values_where_they_are_used(lowered: Lowered) -> None:
    text = """
        int a(void);
        int f(int x) { int y = a() && x; return y; }
    """
    assert lowered(text) == dedent("""
        b0:
          %1 = a()
          branch %1 ? b1 : b3
        b1:
          branch x ? b2 : b3
        b2:
          %2 = 1
          jump b4
        b3:
          %2 = 0
          jump b4
        b4:
          y = %2
          return y
    """)


def test_conditional_expressions(lowered: Lowered) -> None:
    text = """
        int a(void); int b(void);
        int f(int x) { return x ? a() : b() ?: 3; }
    """
    assert lowered(text) == dedent("""
        b0:
          branch x ? b1 : b2
        b1:
          %1 = a()
          %4 = %1
          jump b6
        b2:
          %2 = b()
          branch %2 ? b3 : b4
        b3:
          %3 = %2
          jump b5
        b4:
          %3 = 3
          jump b5
        b5:
          %4 = %3
          jump b6
        b6:
          return %4
    """)


def test_a_conditional_condition_needs_no_value(lowered: Lowered) -> None:
    text = """
        int a(void); int b(void); int c(void);
        int f(int x) { if (x ? a() : b()) return c(); return 0; }
    """
    assert lowered(text) == dedent("""
        b0:
          branch x ? b1 : b2
        b1:
          %1 = a()
          branch %1 ? b3 : b4
        b2:
          %2 = b()
          branch %2 ? b3 : b4
        b3:
          %3 = c()
          return %3
        b4:
          return 0
    """)


def test_constant_conditions_are_decided(lowered: Lowered) -> None:
    text = """
        enum e { A = 3, B };
        int g(int);
        int f(long x)
        {
            if (sizeof(x) == 4 || A > B || __builtin_constant_p(x) || 0) return g(1);
            while (0) g(2);
            for (; 0;) g(3);
            switch (sizeof(x)) { case 4: return g(4); case 8: break; default: return g(5); }
            return __builtin_choose_expr(1, g(6), g(7)) + _Generic(x, int: g(8), long: g(9))
                + __builtin_types_compatible_p(typeof(x), long) + __builtin_expect(x, 0);
        }
    """
    assert lowered(text) == dedent("""
        b0:
          %4 = g(6)
          %5 = g(9)
          return ((%4 + %5) + 1) + x
    """)


def test_what_is_not_evaluated_leaves_no_event(lowered: Lowered) -> None:
    text = """
        struct s { int n; struct s *next; };
        int g(int);
        void f(struct s *p)
        {
            do { (void)(p->next->n); } while (0);
            do { } while (0 && (g(1)));
            typeof(g(2)) x = sizeof(g(3)) + _Alignof(typeof(p->n));
            if (0) { g(4); }
        }
    """
    assert lowered(text) == dedent("""
        b0:
          claim !g(1) [while (0 && …)]
          x = 8
          return
    """)


def test_a_macros_constant_test_is_folded(lowered: Lowered) -> None:
    # how __is_constexpr() is written: a null pointer constant decides the type
    text = """
        int g(int);
        int f(int x)
        {
            return (sizeof(int) == sizeof(*(8 ? ((void *)((long)(x) * 0l)) : (int *)8)) ? g(1) : g(2))
                + (sizeof(int) == sizeof(*(8 ? ((void *)((long)(5) * 0l)) : (int *)8)) ? g(3) : g(4));
        }
    """
    assert lowered(text) == dedent("""
        b0:
          %1 = g(2)
          %2 = g(3)
          return %1 + %2
    """)


def test_macro_temporaries_vanish_where_they_are_not_changed(lowered: Lowered) -> None:
    text = """
        int g(int);
        int f(int a, int b)
        {
            return ({ typeof(a) _x = (a); typeof(b) _y = (b); (void)(&_x == &_y); _x < _y ? _x : _y; })
                + ({ int _z = a; _z++; _z; })
                + ({ int _r = !!(a > b); if (__builtin_expect(!!(_r), 0)) g(1); __builtin_expect(!!(_r), 0); });
        }
    """
    assert lowered(text) == dedent("""
        b0:
          branch a < b ? b1 : b2
        b1:
          %1 = a
          jump b3
        b2:
          %1 = b
          jump b3
        b3:
          _z = a
          _z <- _z + 1
          branch a > b ? b4 : b5
        b4:
          g(1)
          jump b5
        b5:
          return (%1 + _z) + (a > b)
    """)


def test_macro_temporaries_stay_where_memory_may_change(lowered: Lowered) -> None:
    text = """
        struct s { int n; };
        void g(void);
        int f(struct s *p) { return ({ int _x = p->n; g(); _x; }); }
    """
    assert lowered(text) == dedent("""
        b0:
          read p->n
          _x = p->n
          g()
          return _x
    """)


def test_calls_through_pointers(lowered: Lowered) -> None:
    text = """
        struct t { void (*on)(int); };
        void lone(int);
        void f(struct t *t, void (*cb)(int)) { t->on(1); (*cb)(2); cb(3); t->on = &lone; (lone)(4); (*lone)(5); if (cb == lone) cb(6); }
    """
    assert lowered(text) == dedent("""
        b0:
          read t->on
          (t->on)(1)
          (cb)(2)
          (cb)(3)
          t->on = &lone()
          lone(4)
          lone(5)
          branch cb == &lone() ? b1 : b2
        b1:
          (cb)(6)
          jump b2
        b2:
          return
    """)


def test_a_static_call_is_a_call_of_its_trampoline(lowered: Lowered) -> None:
    text = """
        struct key { int k; };
        extern struct key __SCK__run;
        extern int __SCT__run(int);
        int f(int a) { return (({ (void)(&__SCK__run); (&__SCT__run); }))(a); }
    """
    assert lowered(text) == dedent("""
        b0:
          %1 = __SCT__run(a)
          return %1
    """)


def test_structs_are_copied_whole(lowered: Lowered) -> None:
    text = """
        struct p { int x, y; };
        struct p mk(void);
        int f(struct p *a, struct p *b) { struct p c = *a; *b = c; *a = mk(); return mk().x; }
    """
    assert lowered(text) == dedent("""
        b0:
          read *a
          c = *a
          *b = c
          %1 = mk()
          *a = %1
          %2 = mk()
          return %2.x
    """)


def test_overflow_builtins_store_their_result(lowered: Lowered) -> None:
    text = """
        int f(int a, int b) { int r; if (__builtin_add_overflow(a, b, &r)) return -1; return r; }
    """
    assert lowered(text) == dedent("""
        b0:
          r = a + b
          branch <overflow> ? b1 : b2
        b1:
          return -1
        b2:
          return r
    """)


def test_atomic_builtins_access_what_they_point_to(lowered: Lowered) -> None:
    text = """
        struct s { long n; };
        long f(struct s *p, long v)
        {
            __atomic_store_n(&p->n, v, 3);
            v = __atomic_load_n(&p->n, 2) + __atomic_exchange_n(&p->n, 7, 5);
            __sync_synchronize();
            if (__atomic_compare_exchange_n(&p->n, &v, 1, 0, 5, 5)) __sync_lock_release(&p->n);
            return __atomic_add_fetch(&p->n, 2, 0) + __sync_fetch_and_or(&p->n, 4);
        }
    """
    assert lowered(text) == dedent("""
        b0:
          p->n = v
          read p->n
          %1 = p->n
          read p->n
          %2 = p->n
          p->n = 7
          v = %1 + %2
          read p->n
          v <- p->n
          p->n <- 1
          branch <compare and exchange> ? b1 : b2
        b1:
          p->n = 0
          jump b2
        b2:
          read p->n
          %3 = p->n
          p->n <- %3 + 2
          read p->n
          %4 = p->n
          p->n <- %4 | 4
          return p->n + %4
    """)


def test_sizes_of_records_stay_symbolic_until_a_number_is_needed(lowered: Lowered) -> None:
    text = """
        struct s { long a; char b; };
        void g(unsigned long);
        void f(struct s *p, struct s t[3])
        {
            struct s u[5];
            g(sizeof(*p));
            g(sizeof(u) / sizeof(u[0]));
            if (sizeof(struct s) > 16) g(1);
            if (sizeof(struct s) == 16) g(2);
        }
    """
    assert lowered(text) == dedent("""
        b0:
          g(<sizeof struct s>)
          g(5)
          g(2)
          return
    """)
