# SPDX-License-Identifier: GPL-2.0-only
"""Sentences of comments that say which lock something needs.

In: `Writes protected by kvm->slots_lock.` Out: `Said(("kvm->slots_lock",), "write", …)`: the words that stand where a lock's name
does. Whether they name a lock is for those to say who know the program.

**Invariant:** a sentence that is not of a known form says nothing; none is guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

#: a name in C, with members; kernel prose also writes `kvm_arch::lock`
_WORD = r"&?[A-Za-z_]\w*(?:(?:->|\.|::)[A-Za-z_]\w*)*(?:\(\))?"
#: names joined by "or", "and", commas
_LIST = rf"(?:either\s+|both\s+|the\s+)*`*({_WORD}(?:`*\s*(?:,|or|and|/|and/or)\s+(?:the\s+)?`*{_WORD})*)`*"
#: forms that say what data needs; that something must be held; what a call needs
_FORMS = tuple(
    (frozenset(about), re.compile(form, re.IGNORECASE))
    for about, form in (
        (("data",), rf"\b(?:protected|guarded|seriali[sz]ed|synchroni[sz]ed)\s+by\s+(?:holding\s+)?{_LIST}"),
        (
            ("data",),
            rf"\b(?:accessed|modified|written|read|changed|updated)\s+(?:only\s+)?(?:under|with|holding)\s+{_LIST}",
        ),
        (("data", "call"), rf"{_LIST}\s+(?:must|has to|have to|needs to|should)\s+be\s+(?:held|taken|locked)\b"),
        (("call",), rf"\b(?:called|runs?|invoked)\s+(?:only\s+)?(?:with|under|holding)\s+{_LIST}"),
        (("call",), rf"\b(?:must|has to|have to|needs to|should)\s+(?:hold|own)\s+{_LIST}"),
    )
)
_NAMES = re.compile(_WORD)
_JOINTS = frozenset({"or", "and", "either", "both", "the", "holding", "a", "an", "but", "not", "any", "all"})
_WRITES = re.compile(r"\b(?:writes?|writers?|written|updates?|modif\w+|changes?|changed)\b", re.IGNORECASE)
_READS = re.compile(r"\b(?:reads?|readers?|walk\w*)\b", re.IGNORECASE)
_CALLS = re.compile(r"\b([A-Za-z_]\w*)\(\)")
_END = re.compile(r"(?<=[.;!?])\s+(?=[A-Z@`(\"]|[a-z_]+\w*[(_])")


class SaidOfLocks(Struct, frozen=True):
    """A sentence about locks."""

    text: str
    #: what it can be about: `data`, `call`
    about: frozenset[str]
    #: as written: `kvm->slots_lock`, `slots_lock`, `RCU`
    locks: tuple[str, ...]
    #: `read`, `write`; `any` where it does not tell, or tells both
    access: str
    #: words before the lock's that may name what it protects
    subjects: tuple[str, ...]
    #: functions that the sentence names before the lock
    functions: tuple[str, ...]


def of_locks(comment: str) -> Iterator[SaidOfLocks]:
    """Yield the sentences of a comment, given without its marks, that say which lock something needs."""
    for sentence in _END.split(comment):
        for about, form in _FORMS:
            match = form.search(sentence)
            if match is None or _is_denied(sentence[: match.start(1)]):
                continue
            before = sentence[: match.start()]
            locks = tuple(word for word in _NAMES.findall(match[1]) if word.lower() not in _JOINTS)
            writes, reads = bool(_WRITES.search(before)), bool(_READS.search(before))
            access = "any" if writes == reads else "write" if writes else "read"
            if re.match(r"\W*\((?:for|on)\s", sentence[match.end(1) :]):
                access = "any"
            yield SaidOfLocks(sentence, about, locks, access, _subjects(before), tuple(_CALLS.findall(before)))
            break


def _is_denied(before: str) -> bool:
    """Tell whether the sentence says that something is not so, or only sometimes."""
    return bool(re.search(r"\b(?:not|never|no|without|isn't|don't|unless|if|when)\b", before, re.IGNORECASE))


def _subjects(before: str) -> tuple[str, ...]:
    return tuple(word for word in _NAMES.findall(before) if not word.endswith("()"))
