# SPDX-License-Identifier: GPL-2.0-only
"""Which units a build had checked: a record for each in the fact store.

In: a store and an output directory. Out: `UnitRecord`s, by which `lockspec kbuild link` finds the facts.

**Invariant:** a record is written in one piece, by the process that checked its unit; those of other units stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import msgspec
from msgspec import Struct

from analyzer.facts.codec import DamagedError
from analyzer.facts.store import Store
from analyzer.source.command import CompileCommand

_KIND = "kbuild:"


class UnitRecord(Struct, frozen=True, array_like=True):
    """One unit as it was checked last."""

    command: CompileCommand
    #: absolute paths that names are relative to, see `FileNames`
    tree: str
    build: str
    #: digest of the preprocessed text; empty where that could not be remembered
    text: bytes
    #: why there are no facts; empty if there are
    failure: str = ""


class Records:
    """The records of one output directory."""

    def __init__(self, store: Store, output: str) -> None:
        self._store = store
        self._kind = f"{_KIND}{output}"

    def all(self) -> tuple[UnitRecord, ...]:
        """Return the records by the names of their units; none, where the store was damaged."""
        try:
            found = self._store.all_memos(self._kind).values()
            records = [msgspec.msgpack.decode(value, type=UnitRecord) for value in found]
        except (DamagedError, msgspec.DecodeError):
            self._store.rebuild()
            return ()
        return tuple(sorted(records, key=lambda record: record.command.name))

    def keep(self, record: UnitRecord) -> None:
        """Write a record in the place of the one that the unit had."""
        key, value = _key(record.command.name), msgspec.msgpack.encode(record)
        if self._store.memo(self._kind, key) != value:
            self._store.remember(self._kind, key, value)

    def forget(self, records: Iterable[UnitRecord]) -> None:
        """Drop records; the facts stay until their room is needed."""
        self._store.forget(self._kind, [_key(record.command.name) for record in records])


def recorded_outputs(store: Store) -> tuple[str, ...]:
    """Return the output directories that have records."""
    return tuple(kind.removeprefix(_KIND) for kind in store.memo_kinds(_KIND))


def _key(name: str) -> bytes:
    return blake2b(name.encode("utf-8", "surrogateescape"), digest_size=16).digest()
