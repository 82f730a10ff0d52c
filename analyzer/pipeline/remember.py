# SPDX-License-Identifier: GPL-2.0-only
"""What analysis remembers between runs, in the fact store.

In: the store. Out: flows of functions and summaries, read in bulk, written in one go at the end.
"""

from collections.abc import Callable
from hashlib import blake2b

import msgspec

from analyzer.facts.store import Store
from analyzer.facts.unit import FunctionFacts
from analyzer.program import flow
from analyzer.program.flow import FlowFacts, read_flow
from analyzer.program.link import Program

_flows = msgspec.msgpack.Decoder(FlowFacts)
_encode = msgspec.msgpack.Encoder().encode


class Remembered:
    """One run's view of what earlier ones made."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._new: dict[bytes, bytes] = {}

    def flows(
        self, program: Program, digest_of: Callable[[str], str], facts_of: Callable[[str], FunctionFacts]
    ) -> dict[str, FlowFacts]:
        """Return the flow of every function of the program."""
        version = flow.version()
        keys = {
            ident: blake2b(
                version + f"{function.name}\0{digest_of(function.ref.facts_key)}".encode(), digest_size=16
            ).digest()
            for ident, function in sorted(program.functions.items())
        }
        known = self._store.memos("flow", list(dict.fromkeys(keys.values())))
        result: dict[str, FlowFacts] = {}
        new: dict[bytes, bytes] = {}
        for ident, key in keys.items():
            data = known.get(key)
            if data is not None:
                result[ident] = _flows.decode(data)
            else:
                result[ident] = read_flow(facts_of(ident))
                new[key] = _encode(result[ident])
        if new:
            self._store.remember_all("flow", new)
        return result

    def find(self, key: bytes) -> bytes | None:
        """Return the summaries kept under `key`."""
        return self._store.memo("summary", key)

    def keep(self, key: bytes, value: bytes) -> None:
        """Keep summaries under `key`, at the next `flush`."""
        self._new[key] = value

    def flush(self) -> None:
        """Write what was kept."""
        if self._new:
            self._store.remember_all("summary", self._new)
            self._new.clear()
