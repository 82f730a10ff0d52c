# SPDX-License-Identifier: GPL-2.0-only
"""Comments, sentences and lock references are read as a person reads them, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.source.comments import comment_above, members, plain
from analyzer.source.lock_reference import entries
from analyzer.source.sentences import of_locks

STRUCT = """\
/**
 * struct a - of members
 * @one: above,
 *       on two lines
 */
struct a {
    /* of one */
    int one, *two;          /* of two */
    // of three
    unsigned long three[2][N] __aligned(8);
#ifdef CONFIG_X
    void (*four)(struct a *a, int n);
#endif
    struct {
        struct b __rcu *five;
        union { int six; int seven; };
    } inner __guarded_by(&lock);
    u32 eight : 3;
    struct c __nine;
};
struct b { int ten; };
"""


def test_members_with_their_comments() -> None:
    found = {member.name: member for member in members(STRUCT, 6)}
    names = ["one", "two", "three", "four", "inner.five", "inner.six", "inner.seven", "eight", "__nine"]
    assert list(found) == names
    assert [comment.text for comment in found["one"].comments] == ["above, on two lines", "of one"]
    assert [comment.text for comment in found["two"].comments] == ["of one", "of two"]
    assert [comment.line for comment in found["three"].comments] == [9]
    assert found["inner.five"].annotations == (("__rcu", ""),)
    assert ("__aligned", "8") in found["three"].annotations


def test_a_declaration_without_a_body_has_no_members() -> None:
    assert members("struct a;\nstruct b { int n; };\n", 1) == ()


@given(st.text(alphabet='{};/*"\\\n a,()[]:#', max_size=80))
def test_no_text_is_an_error(text: str) -> None:
    members("struct a {" + text, 1)
    list(entries(text))
    list(of_locks(plain(text)))


def test_the_comment_above_a_function() -> None:
    lines = ["/* far away */\n", "\n", "/*\n", " * near\n", " */\n", "int f(void)\n"]
    above = comment_above(lines, 6)
    assert above is not None
    assert (above.line, plain(above.text)) == (3, "near")
    assert comment_above(lines, 2) is not None
    assert comment_above(lines, 3) is None


@pytest.mark.parametrize(
    ("text", "locks", "access"),
    [
        ("Writes protected by kvm->slots_lock.", ("kvm->slots_lock",), "write"),
        ("f() is protected by either kvm->slots_lock or kvm->srcu.", ("kvm->slots_lock", "kvm->srcu"), "any"),
        ("Update side is protected by irq_lock.", ("irq_lock",), "write"),
        ("reads protected by irq_srcu, writes by irq_lock", ("irq_srcu", "writes"), "read"),
        ("slots_lock must be held.", ("slots_lock",), "any"),
        ("Called with vm->lock held", ("vm->lock",), "any"),
        ("The caller must hold vm->lock and vm->mutex.", ("vm->lock", "vm->mutex"), "any"),
        ("Only accessed under slots_lock.", ("slots_lock",), "any"),
    ],
)
def test_sentences_that_name_locks(text: str, locks: tuple[str, ...], access: str) -> None:
    (said,) = of_locks(text)
    assert (said.locks, said.access) == (locks, access)


@pytest.mark.parametrize(
    "text",
    [
        "It is not protected by slots_lock.",
        "The page, unless protected by slots_lock, may go.",
        "Protects the list of rooms.",
        "Taken inside vm->lock.",
    ],
)
def test_sentences_that_say_nothing(text: str) -> None:
    assert list(of_locks(text)) == []


def test_a_lock_reference() -> None:
    text = "``vm::lock``\n^^^^^^^^^^^^\n:Protects:\t- vm::{a,b}\n\t\t- the list of rooms\n:Comment: x, y\n\n``other``\n^^^\n"
    (entry,) = entries(text)
    assert (entry.lock, entry.line) == ("vm::lock", 1)
    assert entry.protects == (("vm->a", 3), ("vm->b", 3))
