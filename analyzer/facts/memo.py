# SPDX-License-Identifier: GPL-2.0-only
"""FunctionMemo: functions that need not be lowered again.

In: the digest of a definition's text, and what the names it uses mean in this unit. Out: the key of its facts, if the
function was lowered before, in this unit or another, where those names meant the same.

**Invariant:** a key names one content: whoever lowers a function first, its key is the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from analyzer.facts.codec import (
    DamagedError,
    FunctionOutline,
    Trace,
    decode_outline,
    decode_trace,
    encode_ir,
    encode_outline,
    encode_trace,
    outline_of,
    unseal,
)
from analyzer.facts.database import read_only
from analyzer.facts.functions import StoredFunction
from analyzer.facts.unit import FunctionFacts

#: of one text; more pile up only where a header is edited again and again
_MAX_CANDIDATES = 32


class FunctionMemo:
    """One worker's view of the store, with what the worker itself lowered since."""

    def __init__(self, path: Path | None) -> None:
        self._connection: sqlite3.Connection | None = None
        if path is not None:
            with suppress(sqlite3.Error):
                self._connection = read_only(path)
        self._candidates: dict[str, list[tuple[str, Trace]]] = {}
        self._outlines: dict[str, FunctionOutline] = {}
        self._new: list[StoredFunction] = []

    def find(self, text_digest: str, resolve: Callable[[str], str]) -> str | None:
        """Return the key of the facts whose trace holds where `resolve` tells what names mean; None if unknown."""
        candidates = self._candidates.get(text_digest)
        if candidates is None:
            candidates = self._candidates[text_digest] = self._read(text_digest)
        for key, trace in candidates:
            if all(resolve(name) == digest for name, digest in trace):
                return key
        return None

    def outline(self, key: str) -> FunctionOutline | None:
        """Return the facts of `key` but for the IR; None if the store was pruned or damaged since `find`."""
        outline = self._outlines.get(key)
        if outline is None and self._connection is not None:
            with suppress(sqlite3.Error, DamagedError):
                query = "SELECT outline FROM function WHERE key = ?"
                row = self._connection.execute(query, (bytes.fromhex(key),)).fetchone()
                if row is not None:
                    outline = self._outlines[key] = decode_outline(unseal(row[0]))
        return outline

    def keep(self, text_digest: str, trace: Trace, facts: FunctionFacts) -> str:
        """Remember facts for `find`, and for the store; return their key."""
        outlined = outline_of(facts)
        outline, ir, encoded = encode_outline(outlined), encode_ir(facts.ir), encode_trace(trace)
        text = text_digest.encode()
        digest = blake2b(digest_size=16)
        for part in (text, encoded, outline, ir):
            digest.update(len(part).to_bytes(4, "little") + part)
        key = digest.digest()
        self._outlines[key.hex()] = outlined
        self._candidates.setdefault(text_digest, []).append((key.hex(), trace))
        self._new.append(StoredFunction(key, text, encoded, outline, ir))
        return key.hex()

    def take_new(self) -> tuple[StoredFunction, ...]:
        """Return what `keep` remembered since the last call."""
        new = tuple(self._new)
        self._new.clear()
        return new

    def close(self) -> None:
        """Let go of the store."""
        if self._connection is not None:
            self._connection.close()

    def _read(self, text_digest: str) -> list[tuple[str, Trace]]:
        """Read the store's candidates; a store that cannot be read has none, whatever the reason."""
        if self._connection is None:
            return []
        query = "SELECT key, trace FROM function WHERE text = ? ORDER BY used DESC, key LIMIT ?"
        with suppress(sqlite3.Error, DamagedError):
            rows = self._connection.execute(query, (text_digest.encode(), _MAX_CANDIDATES)).fetchall()
            return [(key.hex(), decode_trace(trace)) for key, trace in rows]
        return []
