# SPDX-License-Identifier: GPL-2.0-only
"""Database: the SQLite file below the store.

In: a cache directory and the version of the extraction. Out: connections to a database of this version's schema.

**Invariant:** a file that is not such a database, or is damaged, is replaced by an empty one and never trusted.
**Invariant:** several runs may use one file at once: readers never wait, writers hold it for one small transaction.
**Invariant:** nothing here ends a run: where the directory cannot be written, the database is in memory.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from analyzer.facts.codec import DamagedError

#: "lksp", marks the file as this project's
_APPLICATION_ID = 0x6C6B7370
_BUSY_S = 5.0
#: databases of other versions of the extraction that are kept, for those who switch between branches
_KEPT_VERSIONS = 2
_SCHEMA = """
CREATE TABLE file(
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, digest BLOB NOT NULL);
CREATE TABLE stamp(
    command BLOB NOT NULL, contents BLOB NOT NULL, files BLOB NOT NULL, text BLOB NOT NULL, used INTEGER NOT NULL,
    PRIMARY KEY (command, contents));
CREATE TABLE unit(key BLOB PRIMARY KEY, used INTEGER NOT NULL, facts BLOB NOT NULL);
CREATE TABLE function(
    key BLOB PRIMARY KEY, used INTEGER NOT NULL, text BLOB NOT NULL, trace BLOB NOT NULL, outline BLOB NOT NULL,
    ir BLOB NOT NULL);
CREATE INDEX function_text ON function(text);
CREATE TABLE memo(
    kind TEXT NOT NULL, key BLOB NOT NULL, used INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, key));
"""


class Database:
    """A database file, or one in memory if `directory` is None."""

    def __init__(self, directory: Path | None, version: str) -> None:
        #: None: in memory
        self.path = directory / f"facts-{version}.sqlite3" if directory else None
        #: why facts are not remembered, for the verbose user; "" if they are
        self.note = ""
        self._connection: sqlite3.Connection | None = None
        try:
            self._prepare()
        except (OSError, sqlite3.Error, DamagedError) as error:
            self._give_up(error)

    @property
    def connection(self) -> sqlite3.Connection:
        """Return the connection; after `disconnect` a new one."""
        if self._connection is None:
            self._connection = _connect(self.path)
        return self._connection

    def disconnect(self) -> None:
        """Close the connection for now: an SQLite connection must not be carried across a fork."""
        if self.path is not None:
            self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for queries; raise `DamagedError` where the file proves to be no sound database."""
        try:
            yield self.connection
        except sqlite3.Error as error:
            raise DamagedError(str(error)) from error

    def write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Do `work` in one transaction; where the file cannot be written, nothing is remembered."""
        try:
            connection = self.connection
            connection.execute("BEGIN IMMEDIATE")
            work(connection)
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            # Busy, full or read-only: the run goes on, only its memory suffers.
            self.note = f"facts are not remembered: {error}"
            self._roll_back()
        except sqlite3.Error as error:
            self._roll_back()
            raise DamagedError(str(error)) from error

    def rebuild(self) -> None:
        """Replace the file by an empty database, after damage came to light."""
        self.close()
        if self.path is None:
            return
        try:
            with _alone(self.path):
                self._create(self.path)
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def _prepare(self) -> None:
        """Create the file, or make sure that what is there can be used."""
        if self.path is None:
            self.connection.executescript(_SCHEMA)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(self.path):
            if not self.path.exists():
                _drop_old_versions(self.path)
                self._create(self.path)
            elif not _is_sound(self.path):
                self._create(self.path)

    def _create(self, path: Path) -> None:
        # Whoever has the old file open keeps it; a leftover log would be replayed into the new one.
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        with suppress(sqlite3.Error):
            self.close()
        connection = self.connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")

    def _give_up(self, error: Exception) -> None:
        """Go on in memory."""
        with suppress(sqlite3.Error):
            self.close()
        self.note = f"facts are not remembered: {error}"
        self.path = None
        self.connection.executescript(_SCHEMA)

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            if self._connection is not None and self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def read_only(path: Path) -> sqlite3.Connection:
    """Connect a worker process, which only reads."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect(path: Path | None) -> sqlite3.Connection:
    connection = sqlite3.connect(path or ":memory:", timeout=_BUSY_S, isolation_level=None)
    # Losing the last transactions in a power failure costs a new extraction, no wrong result.
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def _is_sound(path: Path) -> bool:
    """Tell whether the file has this project's mark and all tables with their columns."""
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    except sqlite3.Error:
        return False
    try:
        (mark,) = connection.execute("PRAGMA application_id").fetchone()
        wanted = sqlite3.connect(":memory:")
        try:
            wanted.executescript(_SCHEMA)
            listing = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"
            return mark == _APPLICATION_ID and _rows(connection, listing) == _rows(wanted, listing)
        finally:
            wanted.close()
    except sqlite3.Error:
        return False
    finally:
        connection.close()


def _rows(connection: sqlite3.Connection, query: str) -> list[tuple[object, ...]]:
    return connection.execute(query).fetchall()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other runs from looking at or replacing the file at the same time."""
    with path.with_name("lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _drop_old_versions(path: Path) -> None:
    """Delete databases that other versions of the extraction left behind, all but the latest."""
    others = [other for other in path.parent.glob("facts-*.sqlite3") if other != path]
    dated = sorted(((_mtime(other), other) for other in others), reverse=True)
    for _, other in dated[_KEPT_VERSIONS:]:
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                os.unlink(f"{other}{suffix}")  # noqa: PTH108 - a suffix to a name, no path


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
