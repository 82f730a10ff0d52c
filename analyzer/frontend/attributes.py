# SPDX-License-Identifier: GPL-2.0-only
"""Attributes of GNU C, cut out of a stream of tokens.

In: the tokens of `int x __attribute__((unused, cleanup(f))) = 1;`. Out: the tokens of `int x = 1;`, and
`{2: [Kept("cleanup", "f", 5)]}`: before token 2 stood an attribute that somebody reads.

**Invariant:** an attribute may stand wherever GCC takes one, since the grammar never sees it.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

#: attributes by which a function's declaration says what it needs, takes and drops: Clang's, sparse's (`context`), and
#: those that the forced headers make of annotations without a mode
ANNOTATIONS = frozenset(
    {"acquire_capability", "acquire_shared_capability", "context", "lockspec_acquires", "lockspec_must_hold"}
    | {"lockspec_releases", "lockspec_try_acquires", "locks_excluded", "no_thread_safety_analysis"}
    | {"release_capability", "release_generic_capability", "release_shared_capability", "requires_capability"}
    | {"requires_shared_capability", "try_acquire_capability", "try_acquire_shared_capability"}
)
#: attributes with a meaning for lock analysis or linking, by name without underscores
KEPT = ANNOTATIONS | {
    *("alias", "cleanup", "error", "guarded_by", "lockspec_rcu", "noreturn", "pt_guarded_by", "section", "weak"),
}

_OPEN = frozenset("([{")
_CLOSE = frozenset(")]}")


class Kept(Struct, frozen=True, gc=False):
    """One attribute that somebody reads."""

    #: without underscores around it
    name: str
    #: spelling of its arguments, "" without any
    arguments: str
    #: position of its name in the text
    position: int


Cut = tuple[list[str], list[str], list[int], dict[int, list[Kept]]]


def cut(kinds: list[str], spellings: list[str], starts: list[int]) -> Cut:
    """Take `__attribute__((…))` and `__extension__` out of three lists in step."""
    new_kinds: list[str] = []
    new_spellings: list[str] = []
    new_starts: list[int] = []
    kept: dict[int, list[Kept]] = {}
    done = 0
    for begin, end in _extents(kinds, spellings):
        new_kinds += kinds[done:begin]
        new_spellings += spellings[done:begin]
        new_starts += starts[done:begin]
        done = end
        found = _read(spellings, starts, begin + 1, end)
        if found:
            kept.setdefault(len(new_kinds), []).extend(found)
    new_kinds += kinds[done:]
    new_spellings += spellings[done:]
    new_starts += starts[done:]
    return new_kinds, new_spellings, new_starts, kept


def _extents(kinds: list[str], spellings: list[str]) -> Iterator[tuple[int, int]]:
    """Yield first and past-last index of each word to cut out, with its arguments."""
    for i in [i for i, kind in enumerate(kinds) if kind == "ATTRIBUTE" or kind == "EXTENSION"]:
        yield i, i + 1 if kinds[i] == "EXTENSION" else group_end(spellings, i + 1)


def group_end(spellings: list[str], begin: int) -> int:
    """Return the index after the bracket that closes the one at `begin` (`begin` itself if there is none)."""
    depth = 0
    for i in range(begin, len(spellings)):
        spelling = spellings[i]
        if spelling in _OPEN:
            depth += 1
        elif spelling in _CLOSE:
            depth -= 1
        if depth <= 0:
            return i + 1 if i > begin else begin
    return len(spellings)


def _read(spellings: list[str], starts: list[int], begin: int, end: int) -> list[Kept]:
    """Pick the attributes that somebody reads from `((first, second(x)))` between `begin` and `end`."""
    found = []
    i = begin + 2
    while i < end - 2:
        name = spellings[i]
        after = group_end(spellings, i + 1) if spellings[i + 1] == "(" else i + 1
        plain = name[2:-2] if name[:2] == name[-2:] == "__" else name
        if plain in KEPT:
            found.append(Kept(plain, " ".join(spellings[i + 2 : after - 1]), starts[i]))
        i = after + 1 if spellings[after] == "," else max(after, i + 1)
    return found
