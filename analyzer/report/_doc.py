# SPDX-License-Identifier: GPL-2.0-only
"""What rules say about structures, as a comment for a header or as a page.

In: `StructDoc`s. Out: kernel-doc,

    /**
     * struct kvm_memory_slot - locks that its members need
     * @gmem.file: Writes need kvm->slots_lock. …
     */

or Markdown with a table of members, and a section for each.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence

from analyzer.findings.doc import Accessor, LockDoc, Measured, MemberDoc, StructDoc
from analyzer.findings.explanation import RuleNote
from analyzer.report._words import count, enumerate_all

#: columns of a kernel comment, and of a tab
_WIDTH, _TAB = 80, 8
#: functions that a comment names; a page names all
_N_NAMED = 6
#: a member of the structure at hand, and a function, as sentences have them
_OWN = re.compile(r"@([A-Za-z_][\w.]*\w)")
_CODE = re.compile(r"@?[A-Za-z_]\w*(?:->[\w.]*\w|\(\)|\(&[\w>.-]+\) [=!<>]+ \w+)|@[A-Za-z_][\w.]*\w")


def render_kernel_doc(docs: Sequence[StructDoc]) -> str:
    """Return a comment for each structure."""
    return "\n".join(_comment(doc) for doc in docs)


def _comment(doc: StructDoc) -> str:
    if not doc.kind:
        return _global_comment(doc)
    lines = ["/**", f" * {doc.kind} {doc.name} - locks that its members need"]
    lines += [line for member in doc.members for line in _entry(member.name, _member_text(member))]
    lines += [line for lock in doc.locks for line in _entry(lock.name, _lock_text(lock)) if _lock_text(lock)]
    for sentence in doc.functions:
        lines += [" *", *_wrapped(sentence, " * ", " * ")]
    return "\n".join([*lines, " */", ""])


def _global_comment(doc: StructDoc) -> str:
    texts = [_lock_text(lock) for lock in doc.locks] + [_member_text(member) for member in doc.members]
    text = " ".join(filter(None, texts))
    return "\n".join(["/*", *_wrapped(f"{doc.name}: {_OWN.sub(doc.name, text)}", " * ", " * "), " */", ""])


def _entry(name: str, text: str) -> list[str]:
    return _wrapped(f"@{name}: {text}", " * ", " *\t")


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    """Wrap to the width of kernel comments; a tab counts as it is shown."""
    rest_width = len(rest.expandtabs(_TAB))
    words = textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent="\0" * rest_width,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\0" * rest_width, rest) for line in words]


def _lock_text(lock: LockDoc, n_named: int | None = _N_NAMED) -> str:
    """Say what a lock is for, with at most so many functions."""
    told = [" ".join(filter(None, ("Guards", word, f"{enumerate_all(names)}."))) for word, names in lock.guards]
    if lock.functions:
        told.append(f"Needed by {_named(lock.functions, n_named)}.")
    told += lock.orders
    if lock.takers and n_named is not None:
        told.append(f"Taken in {_times(lock.takers)}.")
    return " ".join(told)


def _named(names: Sequence[str], n_named: int | None) -> str:
    shown = names[:n_named]
    left = [count(len(names) - len(shown), "other")] if len(shown) < len(names) else []
    return enumerate_all([*shown, *left])


def _member_text(member: MemberDoc) -> str:
    told = [*member.sentences]
    if member.measured is not None:
        told.append(f"Written in {_accessors(member.measured.writers)}; read in {_accessors(member.measured.readers)}.")
    return " ".join(told)


def _accessors(found: tuple[Accessor, ...]) -> str:
    if not found:
        return "no place"
    places = sum(one.n_places for one in found)
    return f"{count(places, 'place')}, by {_named([f'{one.function}()' for one in found], _N_NAMED)}"


def _times(found: tuple[Accessor, ...]) -> str:
    return f"{count(sum(one.n_places for one in found), 'place')} of {count(len(found), 'function')}"


# -- a page -----------------------------------------------------------------------------------------------------------


def render_doc_page(docs: Sequence[StructDoc]) -> str:
    """Return one Markdown page with a chapter for each structure."""
    return "\n".join(line for doc in docs for line in _chapter(doc))


def _chapter(doc: StructDoc) -> Iterator[str]:
    yield f"# {f'{doc.kind} ' if doc.kind else ''}{doc.name}"
    yield ""
    if doc.location is not None:
        yield from (f"Declared at {doc.location.file}:{doc.location.line}.", "")
    if doc.members:
        yield from _table(doc)
    for heading, entries, section in (("Members", doc.members, _member), ("Locks", doc.locks, _lock)):
        if entries:
            yield from (f"## {heading}", "")
            told: Callable[..., Iterable[str]] = section
            for entry in entries:
                yield from told(entry)
    if doc.functions:
        yield from ("## Functions", "", *(f"* {_code(sentence)}" for sentence in doc.functions), "")


def _table(doc: StructDoc) -> Iterator[str]:
    counted = " written by | read by |" if doc.is_measured else ""
    yield f"| member | locks |{counted}"
    yield f"|---|---|{'---|---|' if counted else ''}"
    for member in doc.members:
        locks = ", ".join(_code_word(lock) if " " not in lock else lock for lock in member.locks)
        row = f"| `{member.name}` | {locks} |"
        if member.measured is not None:
            row += f" {_cell(member.measured.writers)} | {_cell(member.measured.readers)} |"
        yield row
    yield ""


def _cell(found: tuple[Accessor, ...]) -> str:
    return _times(found) if found else "none"


def _lock(lock: LockDoc) -> Iterator[str]:
    yield from (f"### `{lock.name}`", "", _code(_lock_text(lock, None)), "")
    if lock.takers:
        yield from (f"Taken in {_times(lock.takers)}: {_all(lock.takers)}.", "")


def _member(member: MemberDoc) -> Iterator[str]:
    yield from (f"### `{member.name}`", "", _code(" ".join(member.sentences)), "")
    yield from (_rule(rule) for rule in member.rules)
    yield ""
    if member.measured is not None:
        yield from _measured(member.measured)


def _rule(rule: RuleNote) -> str:
    return f"* `{rule.id}`: {rule.why} After {rule.source}."


def _measured(measured: Measured) -> Iterator[str]:
    for word, found in (("Written", measured.writers), ("Read", measured.readers)):
        text = f"{word} in {_times(found)}: {_all(found)}." if found else f"{word} nowhere in these units."
        yield from (text, "")


def _all(found: tuple[Accessor, ...]) -> str:
    return ", ".join(f"`{one.function}()`{_numbers(one)}" for one in found)


def _numbers(one: Accessor) -> str:
    wrong = [count(one.n_violations, "violation")] if one.n_violations else []
    wrong += [f"{one.n_unknown} unknown"] if one.n_unknown else []
    times = [str(one.n_places)] if one.n_places > 1 else []
    return f" ({', '.join([*times, *wrong])})" if times or wrong else ""


def _code(text: str) -> str:
    """Set names apart; a member of the structure loses its mark."""
    return _CODE.sub(lambda found: _code_word(found[0]), text)


def _code_word(text: str) -> str:
    return f"`{text.removeprefix('@')}`"
