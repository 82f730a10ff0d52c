# SPDX-License-Identifier: GPL-2.0-only
"""Small edits of one function in one file of the kernel.

In: the text of a file and `Replace("kvm_gmem_release", r"\\tmutex_lock\\(&kvm->slots_lock\\);\\n", "")`. Out: the edited text.

**Invariant:** an edit that does not match as often as it says is an error: a tree that has changed is noticed.
"""

from __future__ import annotations

import re

from msgspec import Struct


class EditError(Exception):
    """An edit that does not fit the tree."""


class Replace(Struct, frozen=True):
    """Replace what `pattern` matches in the definition of `function`; `^` and `$` are line ends, `.` is any character."""

    function: str
    pattern: str
    by: str
    times: int = 1


class Text(Struct, frozen=True):
    """Replace `old`, as it stands, in the definition of `function`."""

    function: str
    old: str
    new: str
    times: int = 1


class Insert(Struct, frozen=True):
    """Put `text` on lines of its own above the definition of `function`."""

    function: str
    text: str


class Everywhere(Struct, frozen=True):
    """Rename the identifier `old` in the whole file."""

    old: str
    new: str


Change = Replace | Text | Insert | Everywhere


def apply(text: str, changes: tuple[Change, ...]) -> str:
    """Return `text` with the changes made one after the other; raise EditError."""
    for change in changes:
        text = _apply(text, change)
    return text


def _apply(text: str, change: Change) -> str:
    if isinstance(change, Everywhere):
        edited, n = re.subn(rf"\b{change.old}\b", change.new, text)
        if not n:
            raise EditError(f"{change.old} is not there")
        return edited
    start, end = extent(text, change.function)
    if isinstance(change, Insert):
        return f"{text[:start]}{change.text}\n{text[start:]}"
    body, n = _replaced(text[start:end], change)
    if n != change.times:
        what = change.old if isinstance(change, Text) else change.pattern
        raise EditError(f"{change.function}(): {what!r} matches {n} times, expected {change.times}")
    return text[:start] + body + text[end:]


def _replaced(body: str, change: Replace | Text) -> tuple[str, int]:
    """Return the edited body of a function and how often the change was made."""
    if isinstance(change, Text):
        return body.replace(change.old, change.new), body.count(change.old)
    return re.subn(change.pattern, change.by.replace("\\", r"\\"), body, flags=re.MULTILINE | re.DOTALL)


def extent(text: str, function: str) -> tuple[int, int]:
    """Return where the definition of `function` begins and ends, written as the kernel does: braces in column 1."""
    lead = r"(?:[A-Za-z_][^;={}()\n]*\n)?(?:[A-Za-z_][^;={}()\n]*[ *])?"
    head = rf"^{lead}{function}\([^;{{}}]*?\)\n\{{\n"
    found = list(re.finditer(head, text, re.MULTILINE))
    if len(found) != 1:
        raise EditError(f"{function}() is defined {len(found)} times")
    return found[0].start(), text.index("\n}\n", found[0].end() - 1) + 3
