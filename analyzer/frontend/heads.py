# SPDX-License-Identifier: GPL-2.0-only
"""What an external declaration declares, told from its text without parsing it.

In: `"typedef struct list { int n; } list_t, *list_p;"`. Out: kind `TYPEDEF`, names `("list_t", "list_p")`, tags
`("list",)`.
"""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

from analyzer.frontend.extents import ASIDE, BRACES, PARENS, Extent


class DeclarationKind(StrEnum):
    """What an external declaration is."""

    #: a function definition
    FUNCTION = "function"
    #: variables or function prototypes
    ORDINARY = "ordinary"
    TYPEDEF = "typedef"
    #: a record or enumeration without declarator
    TAG = "tag"
    #: top-level assembly
    ASM = "asm"
    STATIC_ASSERT = "static assert"


class Standing(StrEnum):
    """How much of a name a declaration gives."""

    #: a function with its body, a variable with its initialiser
    DEFINED = "defined"
    #: a variable without initialiser and without `extern`
    TENTATIVE = "tentative"
    #: a prototype, an `extern` variable
    DECLARED = "declared"


class Head(Struct, frozen=True):
    """What a declaration declares."""

    kind: DeclarationKind
    #: declared names in order, with their standing
    names: tuple[tuple[str, Standing], ...] = ()
    #: tags of the records and enumerations defined in it
    tags: tuple[str, ...] = ()
    #: enumerators defined in it
    enumerators: tuple[str, ...] = ()


_BODY = re.compile(BRACES)
_GROUP = re.compile(PARENS)
_WORDS = re.compile(r"[\w\s*$]*")
_INNER_NAME = re.compile(
    r"\([\s*(^]*(?:(?:const|volatile|__restrict|restrict|__seg_\w+|_Nonnull)\b[\s*]*)*([A-Za-z_$][\w$]*)"
)
_INNER_START = re.compile(r"\(\s*(?:[*(^]|[A-Za-z_$][\w$]*\s*\)\s*\()")
_SEPARATOR = re.compile(r"""[,(){}\[\]]|"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'""")
_TAGGED = re.compile(r"\b(?:struct|union|enum)\s+([A-Za-z_$][\w$]*)\s*(?::[\w\s]+)?\{")
_ENUM = re.compile(rf"\benum\b[\w\s:$]*+({BRACES})")
_FIRST_WORD = re.compile(r"\s*([A-Za-z_$][\w$]*)")
_TAG_WORDS = frozenset({"struct", "union", "enum"})
#: what stands for a brace group in a flattened declaration
_BRACED = " 0 "


def read_head(text: str, extent: Extent) -> Head:
    """Tell what the declaration at `extent` of `text` declares."""
    if extent.body >= 0:
        head = text[extent.start : extent.body]
        tags, enumerators = _defined_tags(head) if "{" in head else ((), ())
        name, _ = _declared_name(ASIDE.sub(" ", _BODY.sub(_BRACED, head) if "{" in head else head))
        return Head(DeclarationKind.FUNCTION, ((name, Standing.DEFINED),) if name else (), tags, enumerators)
    whole = text[extent.start : extent.end]
    if "{" not in whole:
        return _read_flat(whole, whole)
    return _read_flat(_BODY.sub(_BRACED, whole), whole)


def _read_flat(flat: str, whole: str) -> Head:
    """Read a declaration from `flat`, its text without braces."""
    if flat.startswith(("asm", "__asm")) and flat.lstrip("_asm").lstrip().startswith(("(", "volatile", "__volatile")):
        return Head(DeclarationKind.ASM)
    if flat.startswith("_Static_assert"):
        return Head(DeclarationKind.STATIC_ASSERT)
    braced = flat is not whole
    if "(" in flat:
        flat = ASIDE.sub(" ", flat)
    tags, enumerators = _defined_tags(whole) if braced else ((), ())
    match = _WORDS.match(flat)
    words = match[0].replace("*", " * ").split() if match else []
    if not words:
        return Head(DeclarationKind.ORDINARY, (), tags, enumerators)
    end = match.end() if match else 0
    if flat[end : end + 1] == ";" and (words[-1] == _BRACED.strip() or not _TAG_WORDS.isdisjoint(words[-2:])):
        return Head(DeclarationKind.TAG, (), tags, enumerators)
    kind = DeclarationKind.TYPEDEF if "typedef" in words else DeclarationKind.ORDINARY
    external = "extern" in words
    names = []
    for declarator in _pieces(flat):
        name, behind = _declared_name(declarator)
        if name:
            names.append((name, _standing(behind, external)))
    return Head(kind, tuple(names), tags, enumerators)


def _pieces(flat: str) -> list[str]:
    """Split at the commas outside brackets: into declarators (the first with the specifiers) or enumerators."""
    if "," not in flat:
        return [flat]
    pieces = []
    depth = start = 0
    for match in _SEPARATOR.finditer(flat):
        found = match[0]
        if found in "([{":
            depth += 1
        elif found in ")]}":
            depth -= 1
        elif found == "," and depth == 0:
            pieces.append(flat[start : match.start()])
            start = match.end()
    pieces.append(flat[start:])
    return pieces


def _declared_name(declarator: str) -> tuple[str, str]:
    """Return the name in `static struct list *(*name(int))[3] = …` ("" if there is none) and the text behind it."""
    match = _WORDS.match(declarator)
    words = match[0] if match else ""
    rest = declarator[len(words) :]
    stripped = words.rstrip()
    if rest.startswith("(") and (not stripped or stripped.endswith("*") or _INNER_START.match(rest)):
        inner = _INNER_NAME.match(rest)
        return (inner[1], rest[inner.end() :]) if inner else ("", rest)
    name = stripped[max(map(stripped.rfind, " *\n\t")) + 1 :]
    return "" if name == _BRACED.strip() else name, rest


def _standing(behind: str, external: bool) -> Standing:
    """Tell how much a declarator gives of its name, from the text behind the name."""
    if "=" in behind and "=" in _GROUP.sub("", behind):
        return Standing.DEFINED
    if external or behind.startswith("("):
        return Standing.DECLARED
    return Standing.TENTATIVE


def _defined_tags(whole: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """List the tags and enumerators that a declaration with braces defines."""
    plain = ASIDE.sub(" ", whole) if "__attribute" in whole else whole
    tags = tuple(_TAGGED.findall(plain))
    if "enum" not in plain:
        return tags, ()
    enumerators = [_FIRST_WORD.match(piece) for body in _ENUM.findall(plain) for piece in _pieces(body[1:-1])]
    return tags, tuple([match[1] for match in enumerators if match])
