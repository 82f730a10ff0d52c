# SPDX-License-Identifier: GPL-2.0-only
"""Pruning of a database that grew over its limit.

In: the database and a number of bytes. Out: the same without what was used least recently; the file keeps its size
and fills the room again.
"""

from __future__ import annotations

import sqlite3

from analyzer.facts.database import Database

#: pruned below the limit, so that not every run prunes
_KEPT_SHARE = 0.7
#: what a row takes besides its values, in tables and indices, about
_ROW_BYTES = 200
#: every table whose rows are remembered, with the size of a row; the first to go are those used longest ago
_SIZES = {
    "memo": "length(value)",
    "function": "length(outline) + length(ir) + length(trace)",
    "unit": "length(facts)",
    "stamp": "length(files)",
}


def prune(database: Database, limit_bytes: int) -> None:
    """Delete the entries used least recently if the database takes more than `limit_bytes`."""
    with database.reading() as connection:
        taken = _bytes(connection)
    if taken <= limit_bytes:
        return
    excess = taken - int(limit_bytes * _KEPT_SHARE)

    def delete(connection: sqlite3.Connection) -> None:
        for table, row in _oldest(connection, excess):
            connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))  # noqa: S608 - a key of _SIZES

    database.write(delete)


def _bytes(connection: sqlite3.Connection) -> int:
    """Return what the database's pages in use take."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)


def _oldest(connection: sqlite3.Connection, excess: int) -> list[tuple[str, int]]:
    """Return table and row of the entries used longest ago that take `excess` bytes together."""
    parts = (
        f"SELECT '{table}' AS kind, rowid AS row, used, {size} AS size FROM {table}"  # noqa: S608 - of _SIZES
        for table, size in _SIZES.items()
    )
    chosen: list[tuple[str, int]] = []
    for table, row, _, size in connection.execute(f"{' UNION ALL '.join(parts)} ORDER BY used, kind, row"):
        if excess <= 0:
            break
        chosen.append((table, row))
        excess -= size + _ROW_BYTES
    return chosen
