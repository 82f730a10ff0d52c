# SPDX-License-Identifier: GPL-2.0-only
"""Store: facts that outlive a run.

In: a cache directory. Out: units by the digest of their text, functions by content, and memos of later layers.

**Invariant:** one process of a run writes; its workers only read.
**Invariant:** a value read is the value written, or the read raises `DamagedError`, or it was never there.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from types import TracebackType

from msgspec import Struct

from analyzer.facts.codec import DamagedError, decode_unit, seal, unseal
from analyzer.facts.database import Database
from analyzer.facts.functions import Functions, StoredFunction
from analyzer.facts.prune import prune
from analyzer.facts.unit import UnitFacts
from analyzer.facts.version import extraction_version

#: what the database may take on disk before the entries used least recently go
DEFAULT_LIMIT_BYTES = 512 << 20
#: `used` is not written more often, so that a run that finds everything writes nothing
_USED_GRAIN_S = 6 * 3600
#: below SQLite's limit of variables in one statement, in every version
_BATCH = 900


class StoredUnit(Struct, frozen=True, array_like=True):
    """One unit's facts with the functions that are new, as bytes on their way from a worker to the store."""

    #: see `unit_key`
    key: bytes
    #: encoded UnitFacts
    facts: bytes
    functions: tuple[StoredFunction, ...]


class Store:
    """Facts in `directory`, or in memory for this run if it is None."""

    def __init__(
        self, directory: Path | None, *, version: str | None = None, limit_bytes: int = DEFAULT_LIMIT_BYTES
    ) -> None:
        version = version or (extraction_version() if directory else "memory")
        #: what the store is kept in; for `Stamps`
        self.database = Database(directory, version)
        self._limit_bytes = limit_bytes
        self._now = int(time.time())
        #: functions of this run, so that they need not be read back, nor be lost where writing failed
        self._fresh: dict[bytes, StoredFunction] = {}
        self._n_written = 0

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def path(self) -> Path | None:
        """Return the file that workers may read; None if the store is in memory."""
        return self.database.path

    @property
    def note(self) -> str:
        """Return why facts are not remembered ("" if they are)."""
        return self.database.note

    def close(self) -> None:
        """Prune the database if it is over its limit, and let go of it."""
        if self._n_written and self.path is not None:
            with suppress(DamagedError):
                prune(self.database, self._limit_bytes)
        self.database.close()

    def rebuild(self) -> None:
        """Forget everything, after `DamagedError`."""
        self._fresh.clear()
        self.database.rebuild()

    def units(self, keys: Sequence[bytes]) -> dict[bytes, UnitFacts]:
        """Return the facts of those units that are known."""
        found: dict[bytes, UnitFacts] = {}
        stale: list[bytes] = []
        with self.database.reading() as connection:
            for some in _batches(keys):
                marks = ",".join("?" * len(some))
                query = f"SELECT key, used, facts FROM unit WHERE key IN ({marks})"  # noqa: S608 - question marks
                for key, used, facts in connection.execute(query, some):
                    found[key] = decode_unit(unseal(facts))
                    if used < self._now - _USED_GRAIN_S:
                        stale.append(key)
        self._touch("unit", stale)
        return found

    def functions(self, keys: Iterable[str]) -> Functions:
        """Return those of the functions that are known, decoded when they are asked for."""
        wanted = [bytes.fromhex(key) for key in keys]
        found = {key: stored for key in wanted if (stored := self._fresh.get(key)) is not None}
        stale: list[bytes] = []
        with self.database.reading() as connection:
            for some in _batches([key for key in dict.fromkeys(wanted) if key not in found]):
                marks = ",".join("?" * len(some))
                query = f"SELECT key, used, outline, ir FROM function WHERE key IN ({marks})"  # noqa: S608 - as above
                for key, used, outline, ir in connection.execute(query, some):
                    found[key] = StoredFunction(key, b"", b"", unseal(outline), unseal(ir))
                    if used < self._now - _USED_GRAIN_S:
                        stale.append(key)
        self._touch("function", stale)
        return Functions({key.hex(): stored for key, stored in found.items()})

    def keep(self, unit: StoredUnit) -> None:
        """Remember a unit and its new functions."""
        self._fresh.update((stored.key, stored) for stored in unit.functions)
        self._n_written += 1
        rows = [
            (stored.key, self._now, stored.text, stored.trace, seal(stored.outline), seal(stored.ir))
            for stored in unit.functions
        ]

        def insert(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT OR IGNORE INTO function(key, used, text, trace, outline, ir) VALUES (?, ?, ?, ?, ?, ?)", rows
            )
            connection.execute(
                "INSERT OR REPLACE INTO unit(key, used, facts) VALUES (?, ?, ?)",
                (unit.key, self._now, seal(unit.facts)),
            )

        self.database.write(insert)

    def memo(self, kind: str, key: bytes) -> bytes | None:
        """Return what a later layer remembered under `key`."""
        with self.database.reading() as connection:
            row = connection.execute("SELECT value FROM memo WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return unseal(row[0]) if row else None

    def memos(self, kind: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return what a later layer remembered under those of `keys` that are known."""
        found: dict[bytes, bytes] = {}
        with self.database.reading() as connection:
            for some in _batches(keys):
                marks = ",".join("?" * len(some))
                query = f"SELECT key, value FROM memo WHERE kind = ? AND key IN ({marks})"  # noqa: S608 - as above
                found.update((key, unseal(value)) for key, value in connection.execute(query, (kind, *some)))
        return found

    def remember(self, kind: str, key: bytes, value: bytes) -> None:
        """Remember `value` for `memo`; a later layer's key holds all that the value depends on, its code too."""
        self.remember_all(kind, {key: value})

    def remember_all(self, kind: str, values: dict[bytes, bytes]) -> None:
        """Remember many values in one transaction."""
        self._n_written += len(values)
        rows = [(kind, key, self._now, seal(value)) for key, value in values.items()]
        insert = "INSERT OR REPLACE INTO memo(kind, key, used, value) VALUES (?, ?, ?, ?)"
        self.database.write(lambda connection: connection.executemany(insert, rows))

    def all_memos(self, kind: str) -> dict[bytes, bytes]:
        """Return all that a later layer remembered of this kind, by key."""
        with self.database.reading() as connection:
            rows = connection.execute("SELECT key, value FROM memo WHERE kind = ? ORDER BY key", (kind,)).fetchall()
        return {key: unseal(value) for key, value in rows}

    def memo_kinds(self, prefix: str) -> tuple[str, ...]:
        """Return the kinds of memos that begin with `prefix`, sorted."""
        with self.database.reading() as connection:
            rows = connection.execute("SELECT DISTINCT kind FROM memo ORDER BY kind").fetchall()
        return tuple(kind for (kind,) in rows if kind.startswith(prefix))

    def forget(self, kind: str, keys: Iterable[bytes]) -> None:
        """Forget what is remembered under `keys`."""
        rows = [(kind, key) for key in keys]
        delete = "DELETE FROM memo WHERE kind = ? AND key = ?"
        self.database.write(lambda connection: connection.executemany(delete, rows))

    def _touch(self, table: str, keys: Sequence[bytes]) -> None:
        """Note that entries are still of use."""
        if keys:
            update = f"UPDATE {table} SET used = ? WHERE key = ?"  # noqa: S608 - a literal of this file
            rows = [(self._now, key) for key in keys]
            self.database.write(lambda connection: connection.executemany(update, rows))


def unit_key(name: str, text_digest: bytes) -> bytes:
    """Return what a unit's facts are remembered under: they say its name, and depend on nothing but its text."""
    return blake2b(name.encode("utf-8", "surrogateescape") + b"\0" + text_digest, digest_size=16).digest()


def default_directory() -> Path:
    """Return `$XDG_CACHE_HOME/lockspec`, or what stands for it."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home.startswith("/") else Path("~/.cache").expanduser()) / "lockspec"


def _batches(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (keys[start : start + _BATCH] for start in range(0, len(keys), _BATCH))
