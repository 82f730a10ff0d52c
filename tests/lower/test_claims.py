# SPDX-License-Identifier: GPL-2.0-only
"""What the text claims of locks and nothing evaluates becomes an event beside the program."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Lowered = Callable[..., str]

HEAD = """
    void __lockspec_claim(const char *form, int condition);
    int __lockspec_held(const volatile void *lock);
    int is_held(const volatile void *lock);
    int reading(void);
    struct mutex { int owner; };
    struct kvm { struct mutex lock; struct kvm *next; int n; };
    struct kvm *find(int n);
"""
PLAIN = HEAD.replace("void __lockspec_claim(const char *form, int condition);", "")


def claims(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if "claim" in line]


def test_a_marker_is_a_claim_and_no_call(lowered: Lowered) -> None:
    text = lowered(
        HEAD
        + 'void f(struct kvm *k) { do { (void)(&k->lock); __lockspec_claim("held", is_held(&k->lock)); } while (0); }'
    )
    assert claims(text) == ["claim is_held(&k->lock) [held]"]
    assert text.count("is_held") == 1


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("!is_held(&k->lock)", "!is_held(&k->lock)"),
        ("is_held(&k->lock) || reading()", "(is_held(&k->lock) || reading())"),
        ("!(is_held(&k->lock) || reading())", "(!is_held(&k->lock) && !reading())"),
        ("0 || reading()", "reading()"),
        ("1 == 0 ? is_held(k) : reading()", "reading()"),
        ("is_held(&k->lock) != 0", "is_held(&k->lock)"),
        ("is_held(&k->lock) == 0", "!is_held(&k->lock)"),
        ("is_held(&k->lock) != 1", "!is_held(&k->lock)"),
        ("__builtin_expect(!!(reading()), 1)", "reading()"),
        ("k->n > 2 || reading()", "(<a comparison> || reading())"),
    ],
)
def test_what_a_condition_says(lowered: Lowered, condition: str, said: str) -> None:
    text = lowered(HEAD + f'void f(struct kvm *k) {{ __lockspec_claim("form", {condition}); }}')
    assert claims(text) == [f"claim {said} [form]"]


def test_evaluating_a_statement_leaves_no_trace(lowered: Lowered) -> None:
    text = lowered(HEAD + 'int f(int n) { __lockspec_claim("form", is_held(&find(n)->next->lock)); return n; }')
    assert "= find" not in text
    assert claims(text) == ["claim is_held(&%1->next->lock) [form]"]


def test_what_is_always_so_is_no_claim(lowered: Lowered) -> None:
    assert not claims(lowered(HEAD + 'void f(void) { __lockspec_claim("form", 1); }'))


def test_a_question_outside_of_a_claim_is_true(lowered: Lowered) -> None:
    text = lowered(HEAD + "int f(struct kvm *k) { return __lockspec_held(&k->lock) ? 3 : 4; }")
    assert "return 3" in text
    assert "return 4" not in text


def test_shapes_that_preprocessing_left(lowered: Lowered) -> None:
    assert claims(lowered(PLAIN + "void f(struct kvm *k) { do { (void)(&k->lock); } while (0); }")) == [
        "claim struct mutex &k->lock [(void)lock]"
    ]
    condition = "do { } while (0 && (!((is_held(&k->lock)) || reading())));"
    assert claims(lowered(PLAIN + f"void f(struct kvm *k) {{ {condition} }}")) == [
        "claim (is_held(&k->lock) || reading()) [while (0 && …)]"
    ]


def test_other_one_pass_loops_claim_nothing(lowered: Lowered) -> None:
    for body in ("(void)k->n;", "k->n = 1;", "(void)(&k->lock); k->n = 1;", "reading();", ""):
        assert not claims(lowered(PLAIN + f"void f(struct kvm *k) {{ do {{ {body} }} while (0); }}"))


def test_where_the_words_are_known_no_shape_is_a_claim(lowered: Lowered) -> None:
    assert not claims(lowered(HEAD + "void f(struct kvm *k) { do { (void)(&k->lock); } while (0); }"))
