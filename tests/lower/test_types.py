# SPDX-License-Identifier: GPL-2.0-only
"""Types, layouts and constants, held against the compiler where one is at hand."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analyzer.frontend.types_constant import literal
from analyzer.frontend.types_scalars import INT, LONG, UNSIGNED, UNSIGNED_LONG, fold, scalar, wrap
from analyzer.ir.function import Return
from analyzer.ir.types import Scalar, spell
from analyzer.ir.values import Binary, Constant

Extract = Callable[..., Any]

RECORDS = """
typedef unsigned long long u64;
typedef struct { int counter; } atomic_t;
enum kind { FIRST, SECOND };
struct empty { };
struct plain { char a; int b; short c; };
struct nested { char a; struct plain p; struct { u64 x; char y; }; union { char c; long l[2]; } u; };
struct bits { unsigned a : 3; unsigned b : 30; char c; u64 d : 40; _Bool e : 1; };
struct zero { int a : 1; int : 0; int b : 1; };
struct flexible { int n; long tail[]; };
struct ends { atomic_t t[3]; enum kind k; void (*f)(int); __int128 wide; long double ld; };
union either { char c[9]; int i; };
struct list { struct list *next, **pprev; };
"""

EXPRESSIONS = [
    "sizeof(struct empty)",
    "sizeof(struct plain)",
    "sizeof(struct nested)",
    "sizeof(struct bits)",
    "sizeof(struct zero)",
    "sizeof(struct flexible)",
    "sizeof(struct ends)",
    "sizeof(union either)",
    "sizeof(struct list)",
    "_Alignof(struct nested)",
    "_Alignof(union either)",
    "__builtin_offsetof(struct nested, u)",
    "__builtin_offsetof(struct nested, y)",
    "__builtin_offsetof(struct nested, u.l[1])",
    "__builtin_offsetof(struct bits, c)",
    "__builtin_offsetof(struct ends, t[2].counter)",
    "(unsigned long)&((struct nested *)0)->p.b",
    "sizeof(struct { int : (-!!(0)); })",
    "sizeof(int[3]) / sizeof(int)",
    'sizeof("a\\x41" "bc") + sizeof(\'a\')',
    "-1 < 0u",
    "-1 < 0ll",
    "(unsigned char)300 + (signed char)200",
    "0x80000000 >> 4 | 0x7fffffff + 1u",
    "-7 / 2 * 100 + -7 % 3",
    "1 ? -1 : 0u",
    "(1 ? -1 : 0u) > 0",
    "SECOND + sizeof(enum kind)",
    "010 + 0b11 + 'a' + '\\n' + '\\x7f'",
    "!5 + !!5 + ~5",
    "1 << 31 >> 31",
    "0 && 1 / 0 || 1 || 1 / 0",
    "sizeof(1 ? (char)1 : (short)1)",
    "sizeof(1l + 1u) + sizeof((char)1 + (char)1)",
    "sizeof(1 == 1l) + sizeof(1l << 1) + sizeof(1 << 1l)",
    "sizeof(*(1 ? (char *)0 : (void *)0)) + sizeof(*(1 ? (int *)0 : (void *)0))",
    "__builtin_types_compatible_p(int *, typeof(&(int){0}))",
    "__builtin_types_compatible_p(const int, int) + __builtin_types_compatible_p(int[], int[3])",
    "__builtin_choose_expr(sizeof(long) == 8, 11, 22)",
    "_Generic(1ul, int: 1, unsigned long: 2, default: 3)",
    "_Generic((char)1 + 1, char: 1, int: 2)",
    "__builtin_constant_p(3 + 4) + __builtin_expect(5, 0)",
]


def evaluated(extract: Extract, expression: str) -> int | None:
    """Evaluate a constant expression the way an array's length or a case label is."""
    unit = extract(f"{RECORDS}\nlong f(int x) {{ switch (x) {{ case (int)({expression}): return 1; }} return 0; }}")
    (case,) = unit["f"].ir.blocks[0].terminator.cases
    value: int = case.low
    return value


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
def test_constants_are_those_of_the_compiler(extract: Extract, tmp_path: Path) -> None:
    prints = "\n".join(f'printf("%d\\n", (int)({expression}));' for expression in EXPRESSIONS)
    source = tmp_path / "c.c"
    source.write_text(f"#include <stdio.h>\n{RECORDS}\nint main(void) {{ {prints} return 0; }}")
    subprocess.run(["gcc", "-w", "-std=gnu11", "-o", tmp_path / "c", source], check=True)
    expected = subprocess.run([tmp_path / "c"], check=True, capture_output=True, text=True).stdout.split()
    found = {expression: evaluated(extract, expression) for expression in EXPRESSIONS}
    assert found == dict(zip(EXPRESSIONS, map(int, expected), strict=True))


def test_a_layout_that_attributes_change_is_not_guessed(extract: Extract) -> None:
    unit = extract("""
        struct p { char a; int b; } __attribute__((packed));
        int f(void) { return sizeof(struct p) == 8; }
        struct r { char mode; int b; };
        int h(void) { return sizeof(struct r) == 8; }
        int g(void) { struct q { char a; } __attribute__((aligned(32))); return sizeof(struct q) == 1; }
    """)
    for name in ("f", "g"):
        end = unit[name].ir.blocks[0].terminator
        assert isinstance(end, Return)
        assert isinstance(end.value, Binary)
    end = unit["h"].ir.blocks[0].terminator
    assert isinstance(end, Return)
    assert end.value == Constant(1), "a member is no attribute"


@pytest.mark.parametrize(
    ("expression", "ctype"),
    [
        ("s->gmem.file", "void *"),
        ("s->gmem", "struct s.gmem"),
        ("&s->gmem.users", "atomic_t *"),
        ("*s->next", "struct s"),
        ("s->table[1]", "int (*)(struct s *)"),
        ("s->table[1](s)", "int"),
        ("(*s->table[1])(s)", "int"),
        ("&s->table", "int (*)(struct s *)[2] *"),
        ("s->next ?: s", "struct s *"),
        ("1 ? s : (void *)0", "struct s *"),
        ("1 ? (void *)s : s", "void *"),
        ("1 ? 0 : s", "struct s *"),
        ("({ __auto_type t = s->next; t; })", "struct s *"),
        ("({ struct inner { long z; } i; i.z; })", "long"),
        ("({ typedef short local; (local)1; })", "short"),
        ("s - s", "long"),
        ("s + 1", "struct s *"),
        ("(char)1 + (short)1", "int"),
        ("-(unsigned char)1", "int"),
        ("1.0f + 1", "float"),
        ("s->b", "unsigned int"),
        ("s->l", "long long"),
        ("get", "struct s *(void)"),
        ("&get", "struct s *(*)(void)"),
        ("get()->l", "long long"),
        ("(struct s){ 0 }.l", "long long"),
        ("s->l = 1", "long long"),
        ("(1, s)", "struct s *"),
        ("*(volatile typeof(s->l) *)&(s->l)", "long long"),
        ("_Generic((s->l), long long: (char)0, default: 1)", "char"),
        ("__builtin_va_arg(ap, struct s *)", "struct s *"),
        ('"abc"', "char[4]"),
        ("__func__", "char[]"),
        ("sizeof(s)", "unsigned long"),
        ("s && 1", "int"),
    ],
)
def test_expressions_have_types(extract: Extract, expression: str, ctype: str) -> None:
    unit = extract(f"""
        typedef struct {{ int counter; }} atomic_t;
        struct s {{
            struct {{ void *file; atomic_t users; }} gmem;
            struct s *next;
            int (*table[2])(struct s *);
            union {{ unsigned b : 3; struct {{ long long l; }}; }};
        }};
        struct s *get(void);
        void f(struct s *s, __builtin_va_list ap) {{ typeof({expression}) *x; use(&x); }}
    """)
    assert unit["f"].gaps == ()
    expected = ctype.replace("atomic_t", "struct atomic_t")
    pointer = dict(unit["f"].ir.locals)["x"]
    assert spell(pointer.to) == expected.replace("struct s *(*)(void)", "struct s * (*)(void)").replace(
        "struct s *(void)", "struct s * (void)"
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("unsigned",), "unsigned int"),
        (("long", "unsigned", "int"), "unsigned long"),
        (("long", "long"), "long long"),
        (("int", "long", "unsigned", "long"), "unsigned long long"),
        (("short", "int"), "short"),
        (("char", "signed"), "signed char"),
        (("__int128", "unsigned"), "unsigned __int128"),
        (("_Bool",), "bool"),
        (("double", "long"), "long double"),
    ],
)
def test_specifiers_name_one_type_in_any_order(names: tuple[str, ...], expected: str) -> None:
    assert scalar(names) == Scalar(expected)


def test_a_typedef_is_no_specifier() -> None:
    assert scalar(("u64",)) is None


@pytest.mark.parametrize(
    ("text", "value", "ctype"),
    [
        ("2147483647", 2147483647, INT),
        ("2147483648", 2147483648, LONG),
        ("0x80000000", 0x80000000, UNSIGNED),
        ("0xffffffffffffffff", 2**64 - 1, UNSIGNED_LONG),
        ("1UL", 1, UNSIGNED_LONG),
        ("0", 0, INT),
        ("'\\0'", 0, INT),
    ],
)
def test_literals_have_the_first_type_that_holds_them(text: str, value: int, ctype: Scalar) -> None:
    assert literal(text) == (value, ctype)


def test_undefined_operations_are_not_folded() -> None:
    assert fold("/", 1, INT, 0, INT) is None
    assert fold("<<", 1, INT, 200, INT) is None
    assert wrap(-1, UNSIGNED) == 2**32 - 1


def test_a_constant_of_a_local_enumeration_is_the_functions_own(extract: Extract) -> None:
    unit = extract("enum { N = 1 }; int f(void) { enum { N = 5, M }; return M; } int g(void) { return N; }")
    values = [unit[name].ir.blocks[0].terminator for name in ("f", "g")]
    assert [value.value for value in values if isinstance(value, Return)] == [Constant(6), Constant(1)]
