# SPDX-License-Identifier: GPL-2.0-only
"""One unit of a build: its facts and its record into the store, and what it decides by itself.

In: a `CheckerCall`. Out: `UnitAnswer`: messages as a compiler gives them, and what went wrong.

What takes time is imported where it is needed: a unit that did not change since costs a look at its files.

**Invariant:** an answer is remembered under all that it depends on: the unit's text, every line of the analyzer, and the
specifications.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from msgspec import Struct

from analyzer.base.gap import GapKind
from analyzer.facts.codec import DamagedError
from analyzer.facts.stamps import Stamps
from analyzer.facts.store import Store, unit_key
from analyzer.facts.version import program_version
from analyzer.pipeline.options import Silent
from analyzer.pipeline.records import Records, UnitRecord
from analyzer.source.checker import CheckerCall
from analyzer.source.commands import UnitList
from analyzer.spec.files import given_files, read_text, shipped_files

_KIND = "unit-answer"


class UnitOptions(Struct, frozen=True, kw_only=True):
    """What is asked of every unit of a build."""

    #: None: nothing is remembered, so `link` will find nothing
    cache: Path | None
    specs: tuple[Path, ...] = ()
    rules: tuple[str, ...] = ()
    #: store facts and say nothing of findings
    facts_only: bool = False


class UnitAnswer(Struct, frozen=True):
    """What is to be told of a unit."""

    #: findings, one line each with their ways as notes
    messages: str = ""
    #: why something could not be done, one line each
    failures: tuple[str, ...] = ()


def check_unit(call: CheckerCall, options: UnitOptions) -> UnitAnswer:
    """Check one unit of a build. Raise `InputError` or `SpecError` for what the user must mend."""
    with Store(options.cache) as store:
        try:
            answer = _checked(call, options, store)
        except DamagedError:
            store.rebuild()
            answer = _checked(call, options, store)
        note = (store.note,) if store.note else ()
        return UnitAnswer(answer.messages, (*answer.failures, *note))


def _checked(call: CheckerCall, options: UnitOptions, store: Store) -> UnitAnswer:
    text = _text(call, store)
    known = _known(call, options, store, text) if text else None
    if text and known is not None:
        _record(call, store, text, "")
        return UnitAnswer(known)
    from analyzer.pipeline.extract import extract

    extraction = extract(UnitList((call.command,), call.names), store, Silent())
    if extraction.failed:
        failures = tuple(gap.text for gap in extraction.gaps if gap.kind is GapKind.UNIT)
        _record(call, store, b"", "; ".join(failures))
        return UnitAnswer("", failures)
    text = _text(call, store)
    _record(call, store, text, "")
    if options.facts_only:
        return UnitAnswer()
    from analyzer.pipeline.decided import messages_of

    messages = messages_of(extraction, store, options.specs, options.rules)
    if text:
        store.remember(_KIND, _key(call, options, text), messages.encode("utf-8", "backslashreplace"))
    return UnitAnswer(messages)


def _text(call: CheckerCall, store: Store) -> bytes:
    """Return the digest of the unit's text as it is now; empty where that is not known."""
    digest = call.command.digest
    return Stamps(store.database, 0).texts([digest]).get(digest, b"")


def _known(call: CheckerCall, options: UnitOptions, store: Store, text: bytes) -> str | None:
    if not store.units([unit_key(call.command.name, text)]):
        return None
    if options.facts_only:
        return ""
    known = store.memo(_KIND, _key(call, options, text))
    return None if known is None else known.decode("utf-8", "replace")


def _record(call: CheckerCall, store: Store, text: bytes, failure: str) -> None:
    record = UnitRecord(call.command, call.names.tree, call.names.build, text, failure)
    Records(store, call.output).keep(record)


def _key(call: CheckerCall, options: UnitOptions, text: bytes) -> bytes:
    digest = blake2b(unit_key(call.command.name, text), digest_size=16)
    digest.update(f"{program_version()}\0{call.names.tree}\0{options.rules}\0".encode())
    for name, content in _specifications(options.specs):
        digest.update(f"{name}\0{content}\0".encode())
    return digest.digest()


def _specifications(paths: Sequence[Path]) -> list[tuple[str, str]]:
    files = [*shipped_files(), *(given_files(paths) if paths else ())]
    return [(file.name, read_text(file)) for file in files]
