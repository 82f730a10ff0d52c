# SPDX-License-Identifier: GPL-2.0-only
"""Comments and annotations of a structure's members, which preprocessing takes away.

In: the text of a header, and the line where the structure is declared. Out: `MemberText`s: `gmem.file` with the comment
above it and what stands behind its name.

Nothing is parsed that need not be: braces, semicolons and comments tell where members are. Members under any `#if` count.

**Invariant:** text that is no structure has no members; nothing here fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct

_TOKEN = re.compile(
    r"(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<directive>(?m:^)[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)"
    r"|(?P<text>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')|(?P<mark>[{};,()\[\]:])|(?P<space>\s+)|(?P<word>\w+|.)",
    re.DOTALL,
)
#: an annotation behind a member's name or in its type: `__guarded_by(lock)`, `__rcu`
_ANNOTATION = re.compile(r"\b(__[a-z]\w*)(?:\s*\(([^()]*)\)|(?=\s[\s*(]*[A-Za-z_]))")
_NAME = re.compile(r"[A-Za-z_]\w*")
_POINTED = re.compile(r"\(\s*\*\s*(?:const\s+)?([A-Za-z_]\w*)")
_KERNEL_DOC = re.compile(r"^\s*\*?\s*@([\w.]+):(.*)")


class Comment(Struct, frozen=True):
    """A comment without its marks, on one line."""

    line: int
    text: str


class MemberText(Struct, frozen=True):
    """A member as the source writes it."""

    #: its path in the structure: `gmem.file`
    name: str
    line: int
    comments: tuple[Comment, ...]
    #: (`__guarded_by`, `slots_lock`), (`__rcu`, ``)
    annotations: tuple[tuple[str, str], ...]


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def members(text: str, line: int) -> tuple[MemberText, ...]:
    """Return the members of the structure whose declaration begins at `line` (1-based), in order."""
    lines = text.splitlines(keepends=True)
    tokens = list(_tokens("".join(lines[line - 1 :]), line))
    start = next((place for place, token in enumerate(tokens) if token.text in ("{", ";")), len(tokens))
    if start == len(tokens) or tokens[start].text == ";":
        return ()
    found, _ = _body(tokens, start + 1, "")
    above = _kernel_doc(comment_above(lines, line))
    return tuple(
        MemberText(one.name, one.line, (*above.get(one.name, ()), *one.comments), one.annotations) for one in found
    )


def comment_above(lines: Iterable[str], line: int) -> Comment | None:
    """Return the comment that ends right above `line`, with its line breaks; None if there is none."""
    before = list(lines)[: line - 1]
    end = len(before)
    if not end or not before[end - 1].rstrip().endswith("*/"):
        return None
    start = next((place for place in range(end - 1, -1, -1) if "/*" in before[place]), end)
    if start == end or before[start].lstrip()[:2] != "/*":
        return None
    return Comment(start + 1, "".join(before[start:end]))


def plain(comment: str) -> str:
    """Return what a comment says, without its marks, on one line."""
    inner = re.sub(r"^/\*+|\*+/$|^//+", " ", comment.strip())
    return " ".join(re.sub(r"(?m)^[ \t]*\*+(?!/)", " ", inner).split())


def _tokens(text: str, line: int) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind not in ("space", "directive"):
            yield _Token(kind, match.group(), line)
        line += match.group().count("\n")


def _body(tokens: list[_Token], place: int, prefix: str) -> tuple[list[MemberText], int]:
    """Return the members between braces from `place` on, and the place behind the closing one."""
    found: list[MemberText] = []
    pending: list[_Token] = []
    comments: list[_Token] = []
    while place < len(tokens) and tokens[place].text != "}":
        token = tokens[place]
        place += 1
        if token.kind == "comment":
            if pending or not (found and found[-1].line == token.line and not _own_line(tokens, place - 1)):
                comments.append(token)
            else:
                found[-1] = _with_comment(found[-1], token)
        elif token.text == "{":
            inner, place = _body(tokens, place, "")
            names, place = _names_behind(tokens, place)
            found += _nested(inner, names, prefix)
            pending, comments = [], []
        elif token.text == ";":
            found += _declared(pending, comments, prefix)
            pending, comments = [], []
        else:
            pending.append(token)
    return found, place + 1


def _own_line(tokens: list[_Token], place: int) -> bool:
    """Tell whether a token is the first on its line."""
    return place == 0 or tokens[place - 1].line != tokens[place].line


def _with_comment(member: MemberText, token: _Token) -> MemberText:
    comment = Comment(token.line, plain(token.text))
    return MemberText(member.name, member.line, (*member.comments, comment), member.annotations)


def _names_behind(tokens: list[_Token], place: int) -> tuple[list[str], int]:
    """Return the names between a closing brace and the semicolon, and the place behind that."""
    end = next((at for at in range(place, len(tokens)) if tokens[at].text == ";"), len(tokens))
    text = " ".join(token.text for token in tokens[place:end] if token.kind != "comment")
    return _declarators(_ANNOTATION.sub(" ", text)), end + 1


def _nested(inner: list[MemberText], names: list[str], prefix: str) -> Iterator[MemberText]:
    """Yield the members of a structure inside; those of one without a name belong to the one around it."""
    for name in names or [""]:
        path = f"{prefix}{name}." if name else prefix
        for one in inner:
            yield MemberText(path + one.name, one.line, one.comments, one.annotations)


def _declared(tokens: list[_Token], comments: list[_Token], prefix: str) -> Iterator[MemberText]:
    text = " ".join(token.text for token in tokens)
    annotations = tuple((name, inner.strip()) for name, inner in _ANNOTATION.findall(text))
    told = tuple(Comment(comment.line, plain(comment.text)) for comment in comments)
    for name in _declarators(_ANNOTATION.sub(" ", text)):
        yield MemberText(prefix + name, tokens[-1].line, told, annotations)


def _declarators(text: str) -> list[str]:
    """Return the names that a declaration declares."""
    pointed = _POINTED.search(text)
    if pointed:
        return [pointed[1]]
    names = []
    for part in re.sub(r"\[[^\]]*\]|\([^()]*\)", " ", text).split(","):
        words = _NAME.findall(part.split(":")[0])
        names += words[-1:]
    return names


def _kernel_doc(comment: Comment | None) -> dict[str, tuple[Comment, ...]]:
    """Return what a kernel-doc comment says of members."""
    found: dict[str, list[tuple[int, str]]] = {}
    current = ""
    for number, line in enumerate(comment.text.splitlines()) if comment else ():
        match = _KERNEL_DOC.match(line)
        if match:
            current = match[1]
            found[current] = [(number, match[2])]
        elif current and line.strip(" *\t/"):
            found[current].append((number, line.strip(" *\t/")))
        else:
            current = ""
    return {
        name: (
            Comment((comment.line if comment else 0) + parts[0][0], " ".join(" ".join(p for _, p in parts).split())),
        )
        for name, parts in found.items()
    }
