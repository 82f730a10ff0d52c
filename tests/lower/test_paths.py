# SPDX-License-Identifier: GPL-2.0-only
"""Golden dumps: access paths come out in their one normal form."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

Lowered = Callable[..., str]


def test_reading_through_pointers_reads_each_of_them(lowered: Lowered) -> None:
    text = """
        struct s { int n; struct s *next; };
        int g(struct s *);
        int f(struct s *p) { return p->next->n + g(p) + g(p->next); }
    """
    assert lowered(text) == dedent("""
        b0:
          read p->next
          read p->next->n
          %1 = g(p)
          read p->next
          %2 = g(p->next)
          return (p->next->n + %1) + %2
    """)


def test_taking_an_address_reads_what_leads_there_only(lowered: Lowered) -> None:
    text = """
        struct m { int a; };
        struct o { struct o *next; struct m in; };
        void lock(struct m *);
        void f(struct o *o) { lock(&o->in); lock(&o->next->in); }
    """
    assert lowered(text) == dedent("""
        b0:
          lock(&o->in)
          read o->next
          lock(&o->next->in)
          return
    """)


def test_equal_objects_have_equal_paths_however_they_are_written(lowered: Lowered) -> None:
    text = """
        struct m { int a; };
        struct o { struct m *p; struct m in; };
        void lock(struct m *);
        void f(struct o *o, struct o **oo, struct o ar[4])
        {
            lock(&o->in);
            lock(&(*o).in);
            lock(&o[0].in);
            lock(&(&o->in)[0]);
            lock((struct m *)(void *)&o->in);
            lock((struct m *)(unsigned long)&o->in);
        }
    """
    assert lowered(text) == dedent("""
        b0:
          lock(&o->in)
          lock(&o->in)
          lock(&o->in)
          lock(&o->in)
          lock(&o->in)
          lock(&o->in)
          return
    """)


def test_equal_pointees_have_equal_paths_however_they_are_written(lowered: Lowered) -> None:
    text = """
        struct m { int a; };
        struct o { struct m *p; struct m in; };
        void lock(struct m *);
        void f(struct o *o, struct o **oo, struct o ar[4])
        {
            lock(&*&*o->p);
            lock(o->p);
            lock(&(*oo)->in);
            lock(&oo[0]->in);
            lock(&oo[1]->in);
            lock(&ar[2].in);
        }
    """
    assert lowered(text) == dedent("""
        b0:
          read o->p
          lock(o->p)
          read o->p
          lock(o->p)
          read *oo
          lock(&(*oo)->in)
          read *oo
          lock(&(*oo)->in)
          read oo[1]
          lock(&oo[1]->in)
          lock(&ar[2].in)
          return
    """)


def test_fields_know_their_records(lowered: Lowered) -> None:
    text = """
        typedef struct { int counter; } atomic_t;
        struct slot { struct { void *file; atomic_t users; } gmem; union { int a; struct { int b; } named; }; };
        int f(struct slot *s, void *v)
        {
            return s->gmem.users.counter + s->a + s->named.b + ((struct slot *)v)->a;
        }
    """
    assert lowered(text, records=True) == dedent("""
        b0:
          read s->slot::gmem.slot.gmem::users.atomic_t::counter
          read s->slot::a
          read s->slot::named.slot.named::b
          read v->slot::a
          return ((s->slot::gmem.slot.gmem::users.atomic_t::counter + s->slot::a) + s->slot::named.slot.named::b) + v->slot::a
    """)


def test_volatile_accesses_are_those_of_the_object(lowered: Lowered) -> None:
    # how WRITE_ONCE() and READ_ONCE() are written
    text = """
        struct r { long x; struct { void *file; } gmem; };
        void f(struct r *p, void *v)
        {
            do { *(volatile typeof(p->gmem.file) *)&(p->gmem.file) = v; } while (0);
            v = ({
                do { } while (0 && p->x);
                (*(const volatile typeof(_Generic((p->gmem.file), char: (char)0, default: (p->gmem.file))) *)&(p->gmem.file));
            });
        }
    """
    assert lowered(text) == dedent("""
        b0:
          p->gmem.file = v
          read p->gmem.file
          v = p->gmem.file
          return
    """)


def test_a_release_store_is_a_store_of_the_value(lowered: Lowered) -> None:
    # how rcu_assign_pointer() is written
    text = """
        struct r { struct r *next; };
        void f(struct r *p, struct r *v)
        {
            do {
                unsigned long _v = (unsigned long)(v);
                if (__builtin_constant_p(v) && _v == 0)
                    p->next = 0;
                else
                    do { asm volatile("" : : : "memory"); *&p->next = (typeof(p->next))_v; } while (0);
            } while (0);
        }
    """
    assert lowered(text) == dedent("""
        b0:
          p->next = v
          return
    """)


def test_container_of_inverts_a_field(lowered: Lowered) -> None:
    text = """
        typedef unsigned long size_t;
        struct head { struct head *next; };
        struct item { int n; struct head node; struct head nodes[2]; };
        struct item *f(struct head *h)
        {
            return ({ void *__m = (void *)(h->next); ((struct item *)(__m - __builtin_offsetof(struct item, node))); });
        }
    """
    assert lowered(text) == dedent("""
        b0:
          read h->next
          return &container(*h->next, item.node)
    """)


def test_container_of_a_nested_member_inverts_each_step(lowered: Lowered) -> None:
    text = """
        struct head { struct head *next; };
        struct inner { int pad; struct head link; };
        struct item { int n; struct inner in; };
        struct item *f(struct head *h)
        {
            return (struct item *)((char *)h - __builtin_offsetof(struct item, in.link));
        }
    """
    assert lowered(text) == dedent("""
        b0:
          return &container(container(*h, inner.link), item.in)
    """)


def test_container_of_an_element_inverts_the_array(lowered: Lowered) -> None:
    text = """
        struct head { struct head *next; };
        struct item { int n; struct head nodes[2]; };
        struct item *f(struct head *h, int i)
        {
            return (struct item *)((char *)h - __builtin_offsetof(struct item, nodes[i]));
        }
    """
    assert lowered(text) == dedent("""
        b0:
          return &container(*h, item.nodes)
    """)


def test_container_and_field_cancel(lowered: Lowered) -> None:
    text = """
        typedef unsigned long size_t;
        struct head { struct head *next; };
        struct item { int n; struct head node; };
        struct item *f(struct item *i)
        {
            return (struct item *)((char *)&i->node - (size_t)&((struct item *)0)->node);
        }
    """
    assert lowered(text) == dedent("""
        b0:
          return i
    """)


def test_pointer_arithmetic_selects_elements(lowered: Lowered) -> None:
    text = """
        struct s { int a[4]; };
        void g(int);
        void f(struct s *p, int i)
        {
            int *q = p->a;
            q++;
            *q = p->a[0];
            q[i] = *(q + 2);
            g(*(p->a + i));
            q = &p->a[1] + 2;
            g(i[q]);
        }
    """
    assert lowered(text) == dedent("""
        b0:
          q = &p->a
          q <- &q[1]
          read p->a[0]
          *q = p->a[0]
          read q[2]
          q[i] = q[2]
          read p->a[i]
          g(p->a[i])
          q = &p->a[3]
          read q[i]
          g(q[i])
          return
    """)


def test_a_variable_of_one_cpu_is_an_element_of_it(lowered: Lowered) -> None:
    text = """
        extern unsigned long offsets[8];
        extern int counter;
        void f(int cpu)
        {
            (*({ unsigned long __p; asm("" : "=r"(__p) : "0"(&counter)); (typeof(&counter))(__p + offsets[cpu]); })) = 1;
        }
    """
    assert lowered(text) == dedent("""
        b0:
          read offsets[cpu]
          counter[offsets[cpu]] = 1
          return
    """)


def test_redeclared_locals_are_different_locals(lowered: Lowered) -> None:
    text = """
        int g(int);
        int f(int x) { int y = x; { int y = 1; { int x = y; g(x); } } return y; }
    """
    assert lowered(text) == dedent("""
        b0:
          y = x
          y#2 = 1
          x#2 = y#2
          g(x#2)
          return y
    """)


def test_static_locals_are_globals_of_the_function(lowered: Lowered) -> None:
    text = """
        int f(void) { static int n; static int *q = &n; n++; { static int n; n = 2; } return *q; }
    """
    assert lowered(text) == dedent("""
        b0:
          read f.n
          f.n <- f.n + 1
          f.n#2 = 2
          read f.q
          read *f.q
          return *f.q
    """)
