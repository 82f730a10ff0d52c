# SPDX-License-Identifier: GPL-2.0-only
"""Stamps: which units need not be preprocessed again.

In: the digest of a compile command. Out: the digest of the text that it makes, if the files it was made of are what
they were, by size and times or else by content.

**Invariant:** every file is looked at once per run at most.
**Limit:** a header that newly appears earlier on the search path, where there was none, goes unnoticed, as with
every cache that works by the files that were read.
"""

from __future__ import annotations

import os
import sqlite3
from array import array
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

from msgspec import Struct

from analyzer.facts.database import Database

_DIGEST_BYTES = 16
#: content of a file that is not there
_MISSING = bytes(_DIGEST_BYTES)
#: texts of one command that are remembered: the tree's, and those of some overlays or edits
_MAX_TEXTS = 8
_BATCH = 900


class _Known(Struct, frozen=True, gc=False):
    """A file as it was when its content was last hashed."""

    id: int
    #: size, time of modification, time of change
    state: tuple[int, int, int]
    digest: bytes


class Stamps:
    """The stamps in a database, for one run and its overlays (absolute path → file with the content, empty: not there)."""

    def __init__(self, database: Database, now: int, overlays: Mapping[str, str] | None = None) -> None:
        self._database = database
        self._now = now
        self._known: dict[str, _Known] = {}
        self._paths: dict[int, str] = {}
        #: contents as of this run
        self._digests: dict[str, bytes] = {}
        self._overlays = dict(overlays or {})
        #: files that the texts of this run are made of, absolute
        self.read: set[str] = set()
        #: files hashed in this run, to be written
        self._hashed: dict[str, tuple[int, int, int]] = {}

    def texts(self, commands: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the digest of the text for each command whose text is known and up to date."""
        stamps: dict[bytes, list[tuple[bytes, array[int], bytes]]] = {}
        with self._database.reading() as connection:
            for start in range(0, len(commands), _BATCH):
                some = commands[start : start + _BATCH]
                marks = ",".join("?" * len(some))
                query = f"SELECT command, contents, files, text FROM stamp WHERE command IN ({marks})"  # noqa: S608
                for command, contents, files, text in connection.execute(query, some):
                    stamps.setdefault(command, []).append((contents, array("I", files), text))
        self._load({file for some in stamps.values() for _, files, _ in some for file in files})
        found: dict[bytes, bytes] = {}
        used: set[int] = set()
        for command, candidates in stamps.items():
            for contents, files, text in candidates:
                if self._contents(files) == contents:
                    found[command] = text
                    used.update(files)
                    break
        self.read.update(self._paths[file] for file in used)
        self._write_hashed()
        return found

    def files(self, commands: Sequence[bytes]) -> tuple[str, ...]:
        """Return the files that the texts of `commands` are known to be made of."""
        ids: set[int] = set()
        with self._database.reading() as connection:
            for start in range(0, len(commands), _BATCH):
                some = commands[start : start + _BATCH]
                marks = ",".join("?" * len(some))
                query = f"SELECT files FROM stamp WHERE command IN ({marks})"  # noqa: S608
                for (files,) in connection.execute(query, some):
                    ids.update(array("I", files))
        self._load(ids)
        return tuple(sorted(self._paths[file] for file in ids if file in self._paths))

    def keep(self, command: bytes, dependencies: Sequence[str], text: bytes, begun_ns: int) -> None:
        """Remember what text a command made of which files, unless one changed after the run had begun."""
        self.read.update(dependencies)
        if any(self._changed_since(path, begun_ns) for path in dependencies):
            return
        ids = self._ids(dependencies)
        if ids is None:
            return
        contents = self._contents(ids)

        def insert(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO stamp(command, contents, files, text, used) VALUES (?, ?, ?, ?, ?)",
                (command, contents, ids.tobytes(), text, self._now),
            )
            connection.execute(
                "DELETE FROM stamp WHERE command = ?1 AND rowid NOT IN "
                "(SELECT rowid FROM stamp WHERE command = ?1 ORDER BY rowid DESC LIMIT ?2)",
                (command, _MAX_TEXTS),
            )

        self._database.write(insert)

    def _load(self, ids: Iterable[int]) -> None:
        """Read what is known about files."""
        missing = [file for file in ids if file not in self._paths]
        with self._database.reading() as connection:
            for start in range(0, len(missing), _BATCH):
                some = missing[start : start + _BATCH]
                marks = ",".join("?" * len(some))
                query = f"SELECT id, path, size, mtime_ns, ctime_ns, digest FROM file WHERE id IN ({marks})"  # noqa: S608
                for file, path, size, mtime_ns, ctime_ns, digest in connection.execute(query, some):
                    self._paths[file] = path
                    self._known[path] = _Known(file, (size, mtime_ns, ctime_ns), digest)

    def _ids(self, paths: Sequence[str]) -> array[int] | None:
        """Return the numbers of files, giving numbers to those that have none; None if that cannot be written."""
        new = [path for path in paths if path not in self._known]
        digests = [(path, self._digest(path), self._hashed.get(path, (0, 0, 0))) for path in new]

        def insert(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT INTO file(path, size, mtime_ns, ctime_ns, digest) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, "
                "ctime_ns = excluded.ctime_ns, digest = excluded.digest",
                [(path, *state, digest) for path, digest, state in digests],
            )
            for path, digest, state in digests:
                (file,) = connection.execute("SELECT id FROM file WHERE path = ?", (path,)).fetchone()
                self._known[path] = _Known(file, state, digest)
                self._paths[file] = path
                self._hashed.pop(path, None)

        self._database.write(insert)
        known = [self._known.get(path) for path in paths]
        return None if None in known else array("I", (file.id for file in known if file))

    def _contents(self, files: array[int]) -> bytes:
        """Return one digest of the present contents of `files`."""
        paths = self._paths
        digests = self._digests
        digest = blake2b(digest_size=_DIGEST_BYTES)
        for file in files:
            path = paths.get(file)
            if path is None:
                return _MISSING
            digest.update(digests.get(path) or self._digest(path))
        return digest.digest()

    def _digest(self, path: str) -> bytes:
        """Return the digest of a file's present content, without reading it if it was not touched."""
        digest = self._digests.get(path)
        if digest is None:
            overlay = self._overlays.get(path)
            digest = self._digest_on_disk(path) if overlay is None else _hash(overlay)
            self._digests[path] = digest
        return digest

    def _digest_on_disk(self, path: str) -> bytes:
        state = _state(path)
        known = self._known.get(path)
        if state is None:
            return _MISSING
        if known is not None and known.state == state:
            return known.digest
        self._hashed[path] = state
        return _hash(path)

    def _changed_since(self, path: str, begun_ns: int) -> bool:
        state = _state(self._overlays.get(path, path))
        return state is not None and state[1] >= begun_ns

    def _write_hashed(self) -> None:
        """Remember the contents of files that were touched."""
        rows = [
            (*state, self._digests[path], self._known[path].id)
            for path, state in self._hashed.items()
            if path in self._known
        ]
        self._hashed.clear()
        if rows:
            update = "UPDATE file SET size = ?, mtime_ns = ?, ctime_ns = ?, digest = ? WHERE id = ?"
            self._database.write(lambda connection: connection.executemany(update, rows))


def _state(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - thousands of them
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _hash(path: str) -> bytes:
    """Return the digest of a file's content; an empty path is a file that is not there."""
    try:
        return blake2b(Path(path).read_bytes(), digest_size=_DIGEST_BYTES).digest()
    except (OSError, ValueError):
        return _MISSING
